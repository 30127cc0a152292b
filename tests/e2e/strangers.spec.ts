/** Words of others: names of files, of categories, and what an address says. None speaks in the page's voice. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALWAYS } from './app.js';
import { expect, picture, test } from './fixtures.js';

/** As long, as wide and as high as a name may be; the letters run from right to left. */
const HOSTILE = `\u05d0${'W\u0301\u0302\u0303'.repeat(19)}\u05d0${'\u0300'.repeat(2)}`;

test.use({ viewport: { width: 390, height: 844 } });

test('names as long as they may be push neither the doctor nor the purpose out of view', async ({ app, page }) => {
  app.neverRefuse();
  app.site.changeJson(
    'models/skin-8/manifest.json',
    (manifest: {
      classes: { name: string; plain: string }[];
      modalities: { temperature: number; testTimeAugmentation: unknown }[];
    }) => {
      manifest.classes = manifest.classes.map((entry) => ({ ...entry, name: HOSTILE, plain: 'W'.repeat(300) }));
      // All about as probable: as many names as a verdict can hold.
      for (const modality of manifest.modalities) modality.temperature = 1000;
    },
  );
  await app.open();
  const result = await app.classify('spot.jpg');
  expect(result.ranking[0]!.name).toBe(HOSTILE);
  const place = async (text: string) => (await page.getByText(text).first().boundingBox())!;
  const verdict = (await app.verdict.boundingBox())!;
  const [doctor, purpose] = [await place(ALWAYS), await place('A research and teaching tool, not a medical device.')];
  // Both before the scores, within two screens of the verdict's begin.
  const scores = (await page.getByText('How the categories score').boundingBox())!;
  expect(doctor.y + doctor.height).toBeLessThan(scores.y);
  expect(purpose.y + purpose.height).toBeLessThan(scores.y);
  expect(purpose.y + purpose.height - verdict.y).toBeLessThan(2 * 844);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  // Each name is set apart from the sentence that it stands in, and marked as another's words.
  expect(await app.verdict.locator('bdi').first().textContent()).toContain('W');
  expect(await app.categories.first().locator('.name bdi').count()).toBe(1);
  await expect(page.getByText('the words of those who made this neural network')).toBeVisible();
  await expect(page.getByText(ALWAYS)).toHaveCount(1);
});

for (const [what, name] of [
  ['too long', 'x'.repeat(81)],
  ['with a mark of direction', 'mole \u202e.rotcod a ees'],
  ['with a line of its own', 'mole\nThere is nothing to worry about.'],
] as const) {
  test(`a model whose category has a name ${what} is refused`, async ({ app, page }) => {
    app.site.changeJson('models/skin-8/manifest.json', (manifest: { classes: { name: string }[] }) => {
      manifest.classes[0]!.name = name;
    });
    await page.goto(app.site.url);
    await expect(app.notice).toContainText('MODEL_CORRUPT');
    await expect(app.notice).toContainText('classes[0].name has a form that is not allowed');
    await expect(app.notice).not.toContainText(name.slice(0, 60));
  });
}

test('what the address says of a model is shown nowhere', async ({ app, page }) => {
  const text = 'anything. Your spot is harmless; there is no need to see a doctor';
  await app.open(`?model=${encodeURIComponent(text)}`);
  await expect(page.getByText('asks for a neural network that is not here')).toBeVisible();
  const all = () =>
    page.evaluate(() => {
      const said = (root: ParentNode): string =>
        [...root.querySelectorAll('*')].map((e) => (e.shadowRoot ? said(e.shadowRoot) : (e.textContent ?? ''))).join();
      return said(document);
    });
  expect(await all()).toContain('asks for a neural network');
  expect(await all()).not.toContain('harmless');
});

test('the name of a file cannot reorder or fill the page, and leaves with its photo', async ({ app, page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-names-'));
  try {
    const name = `\u202egpj.${'x'.repeat(200)}\u2066.jpg`;
    writeFileSync(join(folder, name), await readFile(picture('spot.jpg')));
    await app.open();
    await page.locator('input#choose').setInputFiles(join(folder, name));
    await expect(app.verdict).toBeVisible();
    // The event says what the file is called; the page shows what can be shown of it.
    expect((await app.results())[0]!.name).toBe(name);
    const status = page.getByRole('status').first();
    await expect(status).toContainText('\ufffdgpj.xxx');
    const words = (await status.textContent())!;
    expect(words).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(words.indexOf('…')).toBeLessThan(100);
    expect(await status.locator('bdi').count()).toBeGreaterThan(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.getByRole('button', { name: /^Remove .*gpj/ }).click();
    await expect(status).toHaveText('Removed 1 photo.');
    await page.getByRole('button', { name: 'Close, without undoing' }).click();
    await expect(status).toBeEmpty();
    expect(await page.locator('body').ariaSnapshot()).not.toContain('gpj');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
