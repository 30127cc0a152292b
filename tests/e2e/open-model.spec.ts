/** A model from this device: as a folder or a zip, read there, used, and never kept or asked for. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { BlobReader, BlobWriter, ZipWriter } from '@zip.js/zip.js';
import { type App, expect, requestsOf, test } from './fixtures.js';
import { hostileModel, ownModel, TITLE } from './own-model.js';
import { root } from './site.js';

async function zipOf(folder: string, options: { password?: string; inside?: string } = {}): Promise<Buffer> {
  const writer = new ZipWriter(new BlobWriter('application/zip'));
  for (const name of readdirSync(folder)) {
    const { inside = '', ...more } = options;
    await writer.add(inside + name, new BlobReader(new Blob([readFileSync(join(folder, name))])), more);
  }
  return Buffer.from(await (await writer.close()).arrayBuffer());
}

// Two networks are loaded here.
test.beforeEach(() => test.slow());

const opener = (page: Page) => page.locator('dermlet-open-model');
const said = (page: Page) => opener(page).getByRole('status');

async function openZip(page: Page, content: Buffer): Promise<void> {
  const file = { name: 'model.zip', mimeType: 'application/zip', buffer: content };
  await opener(page).locator('#zip').setInputFiles(file);
}

async function ready(app: App): Promise<void> {
  await app.open();
  await app.settings();
  await expect(opener(app.page)).toBeVisible();
}

test('a folder is used for the photos, told as a stranger’s, and left again', async ({ app, page }) => {
  app.neverRefuse();
  await ready(app);
  const seen = requestsOf(page);
  await opener(page).locator('#folder').setInputFiles(ownModel());
  await expect(said(page)).toContainText(TITLE, { timeout: 60_000 });
  expect((await app.classify('spot.jpg')).model).toMatchObject({ name: 'own', title: TITLE });
  expect(seen.filter((url) => /opened|models\//.test(url))).toEqual([]);
  const kept = await page.evaluate(async () => {
    const caches = await globalThis.caches.keys();
    const all = await Promise.all(caches.map(async (name) => (await globalThis.caches.open(name)).keys()));
    return all.flat().map(({ url }) => url);
  });
  expect(kept.filter((url) => url.includes('opened'))).toEqual([]);
  // A card is shown as text, whatever it holds.
  const card = page.locator('#weights [data-of=card]');
  await expect(card).toHaveAttribute('href', /^blob:/);
  const opening = page.context().waitForEvent('page');
  await card.click({ modifiers: ['Control'] });
  const shown = await opening;
  await expect.poll(() => shown.evaluate(() => document.contentType)).toBe('text/plain');
  expect(await shown.evaluate(() => document.body.textContent)).toContain('<script>');
  await shown.close();
  await app.model(/Eight categories/).check();
  await expect(said(page)).toHaveText('', { timeout: 60_000 });
  await expect.poll(async () => (await app.results()).at(-1)!.result.model.name, { timeout: 60_000 }).toBe('skin-8');
});

test('a zip of the folder works too, also with the folder in it', async ({ app, page }) => {
  await ready(app);
  await openZip(page, await zipOf(ownModel(), { inside: 'my model/' }));
  await expect(said(page)).toContainText(TITLE, { timeout: 60_000 });
  expect((await app.classify('spot.jpg')).model.name).toBe('own');
});

test('what is no model says why, and what was in use goes on', async ({ app, page }) => {
  await ready(app);
  const folder = ownModel();
  const whole = await zipOf(folder);
  const cut = whole.subarray(0, whole.length - 2000);
  const flipped = Buffer.from(whole);
  flipped[5000] = flipped[5000]! ^ 255;
  for (const [content, words] of [
    [Buffer.from('no zip at all'), 'not a zip file, or is damaged'],
    [cut, 'not a zip file, or is damaged'],
    [flipped, 'not a zip file, or is damaged'],
    [await zipOf(folder, { password: 'secret' }), 'locked with a password'],
    [await zipOf(join(root, 'tests/golden')), 'no manifest.json'],
  ] as const) {
    await openZip(page, content);
    await expect(said(page)).toContainText(words);
  }
  expect((await app.classify('spot.jpg')).model.name).toBe('skin-8');
});

test('a folder whose files are not what its manifest says is refused, and the page recovers', async ({ app, page }) => {
  await ready(app);
  const folder = ownModel();
  const network = readFileSync(join(folder, 'skin-8.onnx'));
  network[9000] = network[9000]! ^ 1;
  writeFileSync(join(folder, 'skin-8.onnx'), network);
  await opener(page).locator('#folder').setInputFiles(folder);
  await expect(app.notice).toContainText('MODEL_CORRUPT', { timeout: 60_000 });
  rmSync(join(folder, 'skin-8.onnx'));
  await opener(page).locator('#folder').setInputFiles(folder);
  await expect(app.notice).toContainText('is not among the files', { timeout: 60_000 });
  await app.model(/Eight categories/).check();
  expect((await app.classify('spot.jpg')).model.name).toBe('skin-8');
});

for (const network of ['greedy', 'cut'])
  test(`a hostile network whose hash is right (${network}) ends with its code, and another answers`, async ({
    app,
    page,
  }) => {
    await ready(app);
    await opener(page).locator('#folder').setInputFiles(hostileModel(network));
    await app.choose('spot.jpg');
    await expect(app.notice).toContainText('BACKEND_FAILED', { timeout: 60_000 });
    await app.model(/Eight categories/).check();
    await expect.poll(async () => (await app.results()).at(-1)?.result.model.name, { timeout: 60_000 }).toBe('skin-8');
  });

test('a network that never ends is left by choosing another', async ({ app, page }) => {
  await ready(app);
  await opener(page).locator('#folder').setInputFiles(hostileModel('endless'));
  await app.choose('spot.jpg');
  await page.waitForTimeout(5000);
  expect(await app.results()).toEqual([]);
  await app.model(/Eight categories/).check();
  await expect.poll(async () => (await app.results()).at(-1)?.result.model.name, { timeout: 90_000 }).toBe('skin-8');
});
