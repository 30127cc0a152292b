/** Categories of a person's own in the page: a head is trained on folders of photos, saved, used, opened and left. */
import { execFile } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import AxeBuilder from '@axe-core/playwright';
import type { Page, TestInfo } from '@playwright/test';
import { type App, expect, picture, requestsOf, test } from './fixtures.js';
import { root } from './site.js';

test.describe.configure({ timeout: 240_000 });

const PHOTOS = {
  'Red spots': ['spot.jpg', 'spot-422.jpg', 'spot-444.jpg'],
  'Blue & others': ['spot-progressive.jpg', 'spot-restart.jpg', 'spot-cmyk.jpg', 'spot-alpha.png'],
};

/** DIR/CATEGORY/photo, no two files with the same bytes. */
function folder(testInfo: TestInfo, photos: Record<string, string[]> = PHOTOS): string {
  const root = testInfo.outputPath('Clinic A');
  for (const [category, names] of Object.entries(photos)) {
    mkdirSync(join(root, category), { recursive: true });
    for (const [at, name] of names.entries()) {
      const path = join(root, category, `${at}-${name}`);
      copyFileSync(picture(name), path);
      appendFileSync(path, `${category} ${at}`);
    }
  }
  return root;
}

const room = (page: Page) => page.locator('dermlet-head');
const button = (page: Page, id: string) => room(page).locator(`button[data-do=${id}]`);
const fault = (page: Page) => room(page).getByRole('alert');

async function openRoom(app: App, page: Page): Promise<void> {
  await app.open();
  await app.settings();
  await page.locator('dermlet-open-heads summary').click();
  await expect(button(page, 'open')).toBeVisible();
}

async function trained(app: App, page: Page, testInfo: TestInfo): Promise<void> {
  await openRoom(app, page);
  await room(page).locator('#folder').setInputFiles(folder(testInfo));
  await room(page).getByRole('combobox').selectOption('whole');
  await button(page, 'start').click();
  await expect(button(page, 'save')).toBeVisible({ timeout: 120_000 });
}

async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page: page as never }).include('dermlet-open-heads').analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`)).toEqual([]);
}

test('trained on a folder, used at once, saved, left, and opened again', async ({ app, page }, testInfo) => {
  app.neverRefuse();
  await openRoom(app, page);
  const seen = requestsOf(page);
  await room(page).locator('#folder').setInputFiles(folder(testInfo));
  await expect(room(page).getByRole('row')).toHaveText([/Category/, /Blue & others\s*4/, /Red spots\s*3/]);
  // Before any time is spent on them.
  await expect(room(page).locator('[data-warning=few-pictures]')).toHaveCount(1);
  await expect(room(page).getByRole('textbox')).toHaveValue('Clinic A');
  await accessible(page);
  await room(page).getByRole('combobox').selectOption('whole');
  await button(page, 'start').click();
  await expect(button(page, 'stop')).toBeFocused();
  await expect(room(page).locator('#done')).toBeFocused({ timeout: 120_000 });
  await expect(room(page)).toContainText(/trained on 7 pictures\. Each picture was left out once: so \d+\s% were/);
  await expect(room(page).locator('[data-warning=few-pictures]')).toBeVisible();
  await accessible(page);
  expect(
    seen.filter((url) => !url.replace('blob:', '').startsWith(new URL(app.site.url).origin)),
    'nothing leaves',
  ).toEqual([]);

  const saving = page.waitForEvent('download');
  await button(page, 'save').click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toBe('clinic-a.head');
  const head = readFileSync(await saved.path());
  expect(head.subarray(0, 4).toString()).toBe('DHD1');

  await button(page, 'use').click();
  await expect(room(page).locator('[data-used]')).toContainText('Blue & others and Red spots');
  const result = await app.classify('spot.jpg');
  expect(result.ranking.map(({ id }) => id).sort()).toEqual(['blue-others', 'red-spots']);
  expect(result).toMatchObject({ tier: 'unknown', head: { title: 'Clinic A', pictures: 7, calibrated: false } });
  const card = page.locator('dermlet-result-card');
  await expect(card.locator('[data-own]')).toContainText('These are own categories, those of Clinic A');
  await expect(card).toContainText('Concern cannot be judged here');
  await expect(card).toContainText('say nothing about whether there is cause for concern');
  await expect(page.locator('dermlet-ranking a')).toHaveCount(0);
  await expect(page.locator('dermlet-scores-card')).toContainText('that is no promise for others');
  expect((await app.details()).get('Knows')).toBe('Clinic A');

  await button(page, 'back').click();
  await expect(button(page, 'open')).toBeFocused();
  await expect.poll(async () => (await app.results()).at(-1)!.result.ranking.length, { timeout: 60_000 }).toBe(8);
  await expect(card.locator('[data-own]')).toHaveCount(0);

  await room(page).locator('#file').setInputFiles({ name: 'a.head', mimeType: '', buffer: head });
  await expect.poll(async () => (await app.results()).at(-1)!.result.head?.title, { timeout: 60_000 }).toBe('Clinic A');
  // Another network has no use for it.
  await app.model(/Six categories/).check();
  await expect(room(page).locator('[data-used]')).toHaveCount(0);
  await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 60_000 }).toBeGreaterThan(4);
  await room(page).locator('#file').setInputFiles({ name: 'a.head', mimeType: '', buffer: head });
  await expect(fault(page)).toContainText('OTHER_NETWORK');
  await expect(fault(page)).toContainText('trained on the network skin-8');
  // A page that sets it all the same is told so, and so is the person.
  await page.evaluate(
    (bytes) => {
      document.querySelector('dermlet-classifier')!.head = new Blob([new Uint8Array(bytes)]);
    },
    [...head],
  );
  await expect(app.notice.first()).toContainText('trained on another neural network', { timeout: 60_000 });
  await button(page, 'back').click();
  await expect(app.notice).toHaveCount(0);
  // Nothing of it is kept: not in storage, not after loading the page again.
  const kept = await page.evaluate(() => Object.keys(localStorage).filter((key) => /head/.test(key)));
  expect(kept).toEqual([]);
});

test('exported by the command line, a saved head is a model that the page opens and that answers alike', async ({
  app,
  page,
}, testInfo) => {
  await trained(app, page, testInfo);
  await button(page, 'use').click();
  const byHead = await app.classify('spot.jpg');
  expect(byHead.head?.title).toBe('Clinic A');
  const saving = page.waitForEvent('download');
  await button(page, 'save').click();
  const saved = await (await saving).path();
  const model = testInfo.outputPath('own-model');
  const command = [join(root, 'tools/cli/main.ts'), 'export-head', '--head', saved, '--out', model];
  await promisify(execFile)(join(root, 'node_modules/.bin/tsx'), command, { cwd: root });

  const opener = page.locator('dermlet-open-model');
  await opener.locator('#folder').setInputFiles(model);
  await expect(opener.getByRole('status')).toContainText('Clinic A', { timeout: 60_000 });
  // The photo that is there is looked at anew.
  const last = async () => (await app.results()).at(-1)!.result;
  await expect.poll(async () => (await last()).model.name, { timeout: 60_000 }).toBe('clinic-a');
  const byModel = await last();
  expect(byModel).toMatchObject({ tier: 'unknown', outcome: byHead.outcome, predictionSet: byHead.predictionSet });
  expect(byModel.head).toBeUndefined();
  expect(byModel.ranking.map(({ id }) => id)).toEqual(byHead.ranking.map(({ id }) => id));
  for (const [at, { id, probability }] of byModel.ranking.entries())
    expect(Math.abs(probability - byHead.ranking[at]!.probability), id).toBeLessThan(1e-4);
  await expect(room(page).locator('[data-used]')).toHaveCount(0);
  await expect(app.notice).toHaveCount(0);
});

test('training is stopped, keeps nothing, and can begin again', async ({ app, page }, testInfo) => {
  await openRoom(app, page);
  await room(page).locator('#folder').setInputFiles(folder(testInfo));
  await button(page, 'start').click();
  await expect(room(page).locator('[data-progress]')).toContainText(/Photo \d of 7/, { timeout: 60_000 });
  await button(page, 'stop').click();
  await expect(room(page).getByRole('status')).toHaveText('Stopped. Nothing was kept.');
  await expect(button(page, 'start')).toBeFocused();
  await expect(button(page, 'save')).toHaveCount(0);
  await room(page).getByRole('combobox').selectOption('whole');
  await button(page, 'start').click();
  await expect(button(page, 'save')).toBeVisible({ timeout: 120_000 });
});

test('what cannot be trained on or used says why, by a code, and what was in use goes on', async ({
  app,
  page,
}, testInfo) => {
  await openRoom(app, page);
  const one = folder(testInfo, { 'Only one': ['spot.jpg', 'spot-422.jpg'] });
  await room(page).locator('#folder').setInputFiles(one);
  await expect(fault(page)).toContainText('TOO_FEW_CATEGORIES');
  const single = folder(testInfo, { 'A single photo': ['spot-444.jpg'] });
  await room(page).locator('#folder').setInputFiles(single);
  await expect(fault(page)).toContainText('A single photo has fewer than two photos');
  await expect(button(page, 'start')).toHaveCount(0);
  writeFileSync(join(single, 'A single photo', 'broken.jpg'), 'no picture');
  await room(page).locator('#folder').setInputFiles(single);
  await button(page, 'start').click();
  await expect(fault(page)).toContainText('TOO_FEW_PHOTOS', { timeout: 120_000 });
  await accessible(page);
  for (const buffer of [Buffer.from('no head'), Buffer.alloc(0), readFileSync(picture('spot.jpg'))]) {
    await room(page).locator('#file').setInputFiles({ name: 'x.head', mimeType: '', buffer });
    await expect(fault(page)).toContainText('NOT_A_HEAD');
  }
  expect((await app.classify('spot.jpg')).head).toBeUndefined();
});

test('the photos of the list with a reader’s labels are trained on too', async ({ app, page }) => {
  app.neverRefuse();
  await openRoom(app, page);
  await expect(button(page, 'list')).toHaveCount(0);
  const names = ['spot.jpg', 'spot-422.jpg', 'spot-444.jpg', 'spot-cmyk.jpg'];
  await app.choose(...names);
  await expect.poll(async () => (await app.results()).length, { timeout: 120_000 }).toBe(4);
  await page.getByRole('button', { name: 'All photos' }).click();
  const reading = page.locator('dermlet-reading');
  for (const [at, name] of names.entries()) {
    await page.locator('dermlet-review').getByRole('button', { name }).click();
    // What is typed before the form is this photo's goes with the one before.
    await expect(reading.getByRole('heading')).toContainText(name);
    await reading.getByRole('textbox').fill(at % 2 ? 'Odd' : 'Even');
    await reading.locator('button[type=submit]').click();
  }
  await expect(button(page, 'list')).toContainText('(4)');
  await button(page, 'list').click();
  await expect(room(page).getByRole('row')).toHaveText([/Category/, /Even\s*2/, /Odd\s*2/]);
  await room(page).getByRole('textbox').fill('Mine');
  await room(page).getByRole('combobox').selectOption('whole');
  await button(page, 'start').click();
  await button(page, 'use').click({ timeout: 120_000 });
  await expect
    .poll(async () => (await app.results()).filter(({ result }) => result.head?.title === 'Mine').length, {
      timeout: 120_000,
    })
    .toBe(4);
});

for (const language of ['en', 'de', 'ar'])
  test(`360 px at twice the text, ${language}: all is in view`, async ({ app, page }, testInfo) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.addInitScript((tag) => localStorage.setItem('dermlet-language', tag), language);
    await page.addInitScript(() => {
      document.addEventListener('DOMContentLoaded', () =>
        document.documentElement.style.setProperty('font-size', '200%'),
      );
    });
    await trained(app, page, testInfo);
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await wide()).toBeLessThanOrEqual(0);
    for (const one of await room(page).locator('button:visible').all()) {
      const box = (await one.boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(360);
      expect(box.height).toBeGreaterThanOrEqual(24);
    }
    await accessible(page);
  });
