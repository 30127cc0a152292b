/** Each state of the page that a person can come to, to be looked at: `npm run screenshots -- states`. */
import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, TestInfo } from '@playwright/test';
import { type App, expect, picture, test } from '../e2e/fixtures.js';
import { root } from '../e2e/site.js';
import { folder, shoot } from './shoot.js';

test.use({ hasTouch: true });

const spots = (name: string) => join(root, 'tests', 'spots', name);
const tool = (page: Page, id: string) => page.locator(`[data-tool=${id}]`);
const named = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Photos under names of their own: no two files with the same bytes. */
function photos(testInfo: TestInfo, count: number): string[] {
  const made = testInfo.outputPath('photos');
  mkdirSync(made, { recursive: true });
  return Array.from({ length: count }, (_, at) => {
    const path = join(made, `photo-${at + 1}.jpg`);
    copyFileSync(picture(['spot.jpg', 'spot-422.jpg', 'spot-progressive.jpg'][at % 3]!), path);
    appendFileSync(path, `${at}`);
    return path;
  });
}

async function untilResults(app: App, count: number): Promise<void> {
  await expect.poll(async () => (await app.results()).length, { timeout: 120_000 }).toBe(count);
}

test('before a photo', async ({ app, page, site }) => {
  site.slow('models/skin-8/skin-8.onnx', 100_000);
  await page.goto(site.url);
  await expect(named(page, 'Choose photos')).toBeVisible();
  await page.waitForTimeout(3000);
  await shoot(page, 'first-loading');
  site.answers.clear();
  await app.open();
  await shoot(page, 'first');
  await app.settings();
  await shoot(page, 'settings');
  await page.locator('#settings summary').first().click();
  await page.locator('#trust summary').first().click();
  await expect(page.locator('dermlet-trust')).toBeVisible();
  await shoot(page, 'trust');
});

test('a network that does not come', async ({ app, page, site }) => {
  for (const path of site.files().filter((name) => name.startsWith('models/skin-8/skin-8.onnx')))
    site.answers.set(path, { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await expect(app.notice).toBeVisible({ timeout: 60_000 });
  await shoot(page, 'failed-to-load');
});

test('an answer', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  await shoot(page, 'answer');
  await app.heatMap.check();
  await page.locator('dermlet-photo-view canvas.overlay').waitFor();
  await app.details();
  await shoot(page, 'answer-heat-map-and-details', ['390x844', 'desktop']);
  await named(page, 'Answer a few questions').click();
  await expect(page.getByRole('checkbox', { name: /bleeds/ })).toBeVisible();
  await shoot(page, 'questions');
  await page.getByRole('checkbox', { name: /bleeds/ }).check();
  await shoot(page, 'questions-raised', ['390x844', 'desktop']);
  await named(page, 'Take it to a doctor').click();
  await expect(page.getByRole('heading', { name: 'Take it to a doctor' })).toBeVisible();
  await shoot(page, 'report');
  await page.pdf({ path: join(folder, 'printed.pdf'), format: 'A4' });
  await tool(page, 'closer').click();
  await expect(page.locator('dermlet-closer')).toBeVisible();
  await shoot(page, 'closer', ['390x844', 'desktop']);
  await named(page, 'For professionals').click();
  for (const id of ['similar', 'beside']) {
    await tool(page, id).click();
    await expect(page.locator(`dermlet-${id}`)).toBeVisible();
    await shoot(page, id, ['390x844', 'desktop']);
  }
});

test('framing', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await page.locator('input#choose').setInputFiles(spots('small.jpg'));
  await untilResults(app, 1);
  await shoot(page, 'small-spot', ['390x844', 'desktop']);
  await page.locator('dermlet-photo-view .begin').click();
  await expect(page.getByRole('application', { name: 'Frame' })).toBeVisible();
  await shoot(page, 'framing');
});

test('no category, and errors', async ({ app, page }) => {
  await app.open();
  const shown: [state: string, file: string][] = [
    ['several-spots', spots('two.jpg')],
    ['no-spot', spots('none.jpg')],
    ['poor-quality', picture('flat.png')],
    ['refused', picture('swapped-channels.png')],
  ];
  for (const [at, [state, file]] of shown.entries()) {
    await page.locator('input#choose').setInputFiles(file);
    await untilResults(app, at + 1);
    await shoot(page, state, ['390x844', 'desktop']);
  }
  await app.choose('corrupt.jpg');
  await expect(app.notice).toBeVisible();
  await shoot(page, 'broken-file', ['390x844', 'desktop']);
});

test('several photos', async ({ app, page }, testInfo) => {
  app.neverRefuse();
  await app.open();
  await page.locator('input#choose').setInputFiles(photos(testInfo, 3));
  await untilResults(app, 3);
  await shoot(page, 'three-photos');
  await page.locator('input#choose').setInputFiles(photos(testInfo, 14).slice(3));
  await expect(named(page, 'Stop all')).toBeVisible();
  await shoot(page, 'many-under-way', ['390x844']);
  await untilResults(app, 14);
  await shoot(page, 'many');
  await named(page, 'Table').click();
  await expect(page.getByRole('table')).toBeVisible();
  await shoot(page, 'many-table');
  await page.getByRole('checkbox', { name: /Second reader/ }).check();
  await shoot(page, 'second-reader', ['390x844', 'desktop']);
});

test('kept spots', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  const room = page.locator('dermlet-spots');
  for (const [at, name] of ['spot.jpg', 'spot.png'].entries()) {
    await app.classify(name);
    await named(page, 'Keep and compare').click();
    if (at === 0) {
      await shoot(page, 'keep');
      await room.getByLabel('Name of the spot').fill('Left shoulder');
      await room.getByLabel('Where on the body').selectOption('Chest');
    } else await room.getByLabel('Which spot is it?').selectOption('Left shoulder');
    await room.getByRole('button', { name: 'Keep it', exact: true }).click();
    await expect(room.getByRole('status').first()).toContainText('Kept, and read back.');
  }
  await shoot(page, 'kept');
  await room
    .getByRole('heading', { name: 'Left shoulder' })
    .or(room.getByRole('button', { name: /Left shoulder/ }))
    .first()
    .click();
  await shoot(page, 'kept-spot');
});

for (const language of ['de', 'ar']) {
  test.describe(language, () => {
    test.use({ locale: language });
    test('an answer', async ({ app, page }) => {
      app.neverRefuse();
      await app.open();
      await shoot(page, `${language}-first`, ['390x844', 'desktop']);
      await app.classify('spot.jpg');
      await shoot(page, `${language}-answer`, ['390x844', 'desktop']);
    });
  });
}

test('twice the text, and forced colours', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
  await shoot(page, 'answer-twice-the-text', ['360x640']);
  await page.evaluate(() => document.documentElement.style.removeProperty('font-size'));
  await page.emulateMedia({ forcedColors: 'active' });
  await shoot(page, 'answer-forced-colours', ['390x844']);
});

test('pages to read', async ({ page, site }) => {
  for (const [state, path] of [
    ['read-index', 'about/index.html'],
    ['read-melanoma', 'about/mel.html'],
    ['read-card', 'about/card-skin-8.html'],
    ['read-docs', 'docs/embedding.html'],
  ] as const) {
    await page.goto(site.url + path);
    await shoot(page, state, ['390x844', 'desktop']);
  }
});
