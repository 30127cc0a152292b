/** A device with little memory: the engine's module, as served, may grow to 48 MiB at most. */
import { writeFileSync } from 'node:fs';
import { blankPng, withMostMemory } from '../core/limited.mjs';
import { expect, test } from './fixtures.js';

test.use({ serviceWorkers: 'allow' });

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
