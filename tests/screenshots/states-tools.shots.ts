/** What can be done with an answer: each tool in each of its states, the list of photos, kept spots, the camera. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Classifier, startAtlas } from '../../web/src/classifier/node/index.js';
import { sha256 } from '../../web/src/classifier/sha256.js';
import { type App, expect, picture, test } from '../e2e/fixtures.js';
import { named, opened, photos, shoot, untilResults, use } from './shoot.js';

test.use({ hasTouch: true });

test('questions, where to go, and the page for a doctor', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  const of = opened(page);
  await use(page, 'where');
  await shoot(page, 'where', { of });
  await use(page, 'questions');
  await shoot(page, 'questions', { of });
  await page.getByRole('checkbox', { name: /bleeds/ }).check();
  await shoot(page, 'questions-raised');
  await use(page, 'report');
  for (const part of ['For a clinic’s software', 'The page']) await page.getByText(part, { exact: true }).click();
  await shoot(page, 'report', { of });
  await use(page, 'trust');
  await page.waitForTimeout(2000);
  await shoot(page, 'trust-of-answer', { of });
});

test('a closer look, and another network beside it', async ({ app, page }) => {
  test.slow();
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  const of = opened(page);
  await use(page, 'closer');
  await shoot(page, 'closer', { of });
  await app.classify('spot-422.jpg');
  await use(page, 'closer');
  await shoot(page, 'closer-two-photos', { of });
  await of.locator('[data-do=thorough]').click();
  await shoot(page, 'closer-under-way', { inView: true });
  await untilResults(app, 3);
  await shoot(page, 'closer-done');
  await use(page, 'beside');
  await shoot(page, 'beside', { of });
  await of.locator('[data-do=ask]').click();
  await expect(of.locator('[data-answer]')).toHaveCount(2, { timeout: 90_000 });
  await shoot(page, 'beside-answered', { of });
});

test('similar cases', async ({ app, page }, testInfo) => {
  const classifier = await Classifier.load('skin-8');
  const { name, version, sha256: base } = classifier.model;
  const atlas = await startAtlas();
  for (const file of ['spot.jpg', 'spot-large.jpg', 'spot-odd.jpg', 'spot-cmyk.jpg']) {
    const { embedding } = await classifier.classify(picture(file), { embedding: true });
    atlas.add(embedding!, { label: 'mole', sha256: await sha256(Buffer.from(file)), name: `mole/${file}` });
  }
  classifier.dispose();
  mkdirSync(testInfo.outputDir, { recursive: true });
  const path = join(testInfo.outputDir, 'clinic.atlas');
  writeFileSync(path, atlas.file({ title: 'Clinic A', base: { name, version, sha256: base }, crop: 'auto' }));
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  const of = opened(page);
  await use(page, 'similar');
  await shoot(page, 'similar', { of });
  await page.locator('dermlet-similar #atlas').setInputFiles(path);
  await expect(of.getByRole('heading', { level: 3 }).nth(1)).toBeVisible();
  await shoot(page, 'similar-found', { of });
});

test('several photos', async ({ app, page }, testInfo) => {
  app.neverRefuse();
  await app.open();
  const of = page.locator('dermlet-review');
  await page.locator('input#choose').setInputFiles(photos(testInfo, 3));
  await untilResults(app, 3);
  await shoot(page, 'three-photos');
  await page.locator('input#choose').setInputFiles(photos(testInfo, 14).slice(3));
  await expect(named(page, 'Stop all')).toBeVisible();
  await shoot(page, 'many-under-way', { of, sizes: ['390x844'] });
  await untilResults(app, 14);
  await shoot(page, 'many');
  await of.getByRole('checkbox', { name: 'Select photo-13.jpg' }).check();
  await of.getByRole('checkbox', { name: 'Select photo-14.jpg' }).check();
  await shoot(page, 'many-selected', { of });
  await named(page, 'Table').click();
  await expect(page.getByRole('table')).toBeVisible();
  await shoot(page, 'many-table', { of });
  await page.getByLabel('Name contains').fill('nothing of this name');
  await shoot(page, 'many-none-found', { of });
  await page.getByLabel('Name contains').fill('');
  await page.getByRole('checkbox', { name: /Second reader/ }).check();
  await shoot(page, 'second-reader');
  await named(page, 'Pictures').click();
  await page.getByLabel('Category').last().selectOption({ index: 2 });
  await named(page, 'Keep my answer').click();
  await shoot(page, 'second-reader-answered', { of });
});

async function another(app: App, photo: string): Promise<void> {
  const before = await app.results();
  await app.page.locator('input#choose').setInputFiles(photo);
  await untilResults(app, before.length + 1);
  await use(app.page, 'spots');
}

async function keep(app: App, photo: string, spot: string, place: string, name: string): Promise<void> {
  const { page } = app;
  const room = page.locator('dermlet-spots');
  await another(app, photo);
  if (spot) await room.getByLabel('Which spot is it?').selectOption(spot);
  else {
    await room.getByLabel('Name of the spot').fill(name);
    await room.getByLabel('Where on the body').selectOption(place);
  }
  await room.getByRole('button', { name: 'Keep it', exact: true }).click();
  await expect(room.getByRole('status').first()).toContainText('Kept, and read back.');
}

const NAMES = ['Left shoulder', 'Below the knee', 'Neck', 'The one with the hair', 'Belly'];
const PLACES = ['Chest', 'Belly', 'Face', 'Neck', 'Chest'];

test('kept spots', async ({ app, page }, testInfo) => {
  app.neverRefuse();
  await app.open();
  const of = page.locator('dermlet-spots');
  const files = photos(testInfo, 15);
  await another(app, files[0]!);
  await shoot(page, 'spots-none', { of });
  await keep(app, files[1]!, '', PLACES[0]!, NAMES[0]!);
  await shoot(page, 'spots-kept', { of });
  await another(app, files[2]!);
  await shoot(page, 'spots-one', { of });
  await keep(app, files[3]!, NAMES[0]!, '', '');
  await of.locator('[data-spot]').first().click();
  await expect(of.locator('dermlet-comparison')).toBeVisible();
  await page.waitForTimeout(500);
  await shoot(page, 'spot-compared', { of });
  await named(page, 'All spots').click();
  for (let at = 1; at < 12; at += 1) {
    await keep(app, files[at + 3]!, '', PLACES[at % 5]!, at < 5 ? NAMES[at]! : `${NAMES[at % 5]} ${at}`);
  }
  await another(app, picture('spot.png'));
  await shoot(page, 'spots-twelve', { of });
  for (const part of ['lock', 'file']) await of.locator(`[data-part=${part}] > summary`).click();
  await of.locator('[data-delete=all] button').first().click();
  await shoot(page, 'spots-lock-file-delete', { of });
  await of.locator('[data-part=lock] input[type=password]').first().fill('correct horse battery');
  const again = of.locator('[data-part=lock] input[type=password]');
  for (const field of await again.all()) await field.fill('correct horse battery');
  await of.locator('[data-do=set]').click();
  await expect(of.locator('[data-do=lock]')).toBeVisible({ timeout: 30_000 });
  await of.locator('[data-do=lock]').click();
  await expect(of.locator('[data-do=unlock]')).toBeVisible();
  await shoot(page, 'spots-locked', { of });
  await page.reload();
  await app.untilReady();
  await shoot(page, 'first-with-kept-spots', { inView: true });
});
