import { expect, test } from './fixtures.js';

const FILES: { name: string; code: string }[] = [
  { name: 'picture.gif', code: 'UNSUPPORTED_FORMAT' },
  { name: 'document.pdf', code: 'UNSUPPORTED_FORMAT' },
  { name: 'note.txt', code: 'UNSUPPORTED_FORMAT' },
  { name: 'drawing.svg', code: 'UNSUPPORTED_FORMAT' },
  { name: 'empty.jpg', code: 'CORRUPT_IMAGE' },
  { name: 'cut-off.jpg', code: 'CORRUPT_IMAGE' },
  { name: 'corrupt.jpg', code: 'CORRUPT_IMAGE' },
  { name: 'corrupt.png', code: 'CORRUPT_IMAGE' },
  { name: 'huge.png', code: 'IMAGE_TOO_LARGE' },
];

test('each unusable file is refused with its own message, and the next photo works', async ({ app, page }) => {
  await app.open();
  for (const [i, { name, code }] of FILES.entries()) {
    await test.step(name, async () => {
      await app.choose(name);
      await expect.poll(() => page.evaluate(() => window.heard.errors.length)).toBe(i + 1);
      expect(await page.evaluate(() => window.heard.errors.at(-1))).toMatchObject({ name, code });
      await expect(app.notice).toContainText(code);
      // An error is never shown with a score.
      await expect(app.verdict).toHaveCount(0);
      await expect(app.categories).toHaveCount(0);
    });
  }
  const result = await app.classify('spot.jpg');
  expect(result.quality.usable).toBe(true);
  await expect(app.notice).toHaveCount(0);
});

test('messages name the apparent file type', async ({ app, page }) => {
  await app.open();
  for (const [name, word] of [
    ['picture.gif', 'GIF'],
    ['document.pdf', 'PDF'],
    ['drawing.svg', 'SVG'],
  ] as const) {
    await app.choose(name);
    await expect(app.notice).toContainText(word);
    await page.getByRole('button', { name: `Remove ${name}` }).click();
  }
});

test('a photo among broken files is classified', async ({ app, page }) => {
  await app.open();
  await app.choose('cut-off.jpg', 'spot.jpg', 'note.txt');
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(1);
  await expect
    .poll(() => page.evaluate(() => window.heard.errors.map(({ name }) => name).sort()))
    .toEqual(['cut-off.jpg', 'note.txt']);
  expect((await app.results())[0]?.name).toBe('spot.jpg');
});
