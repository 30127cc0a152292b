/** Memory: a device with little of it, and what many photos hold. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectGarbage, held, listen, lookThrough, MOST_MORE, total, until } from '../bench/held.js';
import { noiseJpeg } from '../bench/noise-jpeg.mjs';
import { blankPng, withMostMemory } from '../core/limited.mjs';
import { expect, test } from './fixtures.js';

test.use({ serviceWorkers: 'allow' });

// The engine's module, as served, may grow to 48 MiB at most.
test('a photo that needs more memory than available is refused as too large, and the next one works', async ({
  app,
  page,
  site,
}, testInfo) => {
  site.replaceEngine('dermlet.wasm', Buffer.from(withMostMemory(site.read('engine/dermlet.wasm'), 48)));
  const large = testInfo.outputPath('large.png');
  writeFileSync(large, blankPng(4000, 3000));
  await app.open();
  for (const times of [1, 2]) {
    await app.choose(large);
    await expect.poll(() => page.evaluate(() => window.heard.errors.length), { timeout: 60_000 }).toBe(times);
    expect(await page.evaluate(() => window.heard.errors.at(-1))).toMatchObject({
      name: 'large.png',
      code: 'IMAGE_TOO_LARGE',
    });
    await expect(app.notice).toContainText('IMAGE_TOO_LARGE');
    await expect(app.verdict).toHaveCount(0);
    const result = await app.classify('spot.jpg');
    expect(result.quality.usable).toBe(true);
    expect(await page.evaluate(() => window.heard.results.length)).toBe(times);
  }
});

test('40 photos of 12 megapixels, each looked at, hold no more than the target beside the page without one', async ({
  launchOptions,
  playwright,
  site,
}, testInfo) => {
  test.skip(process.platform !== 'linux', 'what a process holds is read from /proc');
  test.setTimeout(300_000);
  const count = 40;
  const [profile, folder] = [testInfo.outputPath('profile'), testInfo.outputPath('photos')];
  mkdirSync(folder, { recursive: true });
  const bytes = noiseJpeg(4000, 3000);
  const files = Array.from({ length: count }, (_, index) => join(folder, `photo-${index + 1}.jpg`));
  for (const [index, file] of files.entries()) writeFileSync(file, Buffer.concat([bytes, Buffer.of(index)]));
  site.neverRefuse();
  // A browser of its own, whose processes are known by its profile.
  const context = await playwright.chromium.launchPersistentContext(profile, launchOptions);
  try {
    await listen(context);
    const page = await context.newPage();
    const after = async (pause: number) => {
      await page.waitForTimeout(pause);
      await collectGarbage(page);
      return total(held(profile));
    };
    await page.goto(site.url);
    await until(page, 'ready', 1, 60_000);
    const empty = await after(3000);
    expect(empty, 'the processes were found').toBeGreaterThan(100);
    await page.locator('input#choose').setInputFiles(files);
    await until(page, 'answers', count, 180_000);
    await lookThrough(page, count);
    const more = (await after(2000)) - empty;
    testInfo.annotations.push({ type: 'MiB more', description: more.toFixed(0) });
    expect(more, 'pictures of all of them are there').toBeGreaterThan(10);
    expect(more).toBeLessThanOrEqual(MOST_MORE);
  } finally {
    await context.close();
  }
});
