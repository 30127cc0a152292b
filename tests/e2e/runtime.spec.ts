/**
 * ONNX Runtime with what the shipped networks need, and all of it where that is not enough: no photo is answered
 * otherwise for it.
 */
import { placesIn, readFunctions, reduced } from '../../tools/build/runtime/reduce.mjs';
import { expect, requestsOf, test } from './fixtures.js';
import { ownNetwork, TITLE } from './own-model.js';
import type { Site } from './site.js';

const PART = 'ort-wasm-simd-threaded.reduced.wasm';
const WHOLE = 'ort-wasm-simd-threaded.wasm';
/** Of what only the locator runs; found with `--trace-wasm-compilation-times`. */
const ONLY_OF_LOCATOR = 3422;

/** Serves less of the runtime than it needs. */
async function withhold(site: Site, keeps: (place: number) => boolean): Promise<void> {
  const places = placesIn((await readFunctions()).kept);
  site.replaceEngine(
    PART,
    reduced(site.read(`engine/${WHOLE}`), (place) => places.has(place) && keeps(place)),
  );
}

const asked = (seen: readonly string[]) =>
  [PART, WHOLE].map((name) => seen.filter((url) => new URL(url).pathname.includes(`/engine/${name}`)).length);

test('a first visit fetches what the network needs, and an own network the rest', async ({ app, page }) => {
  test.slow();
  app.neverRefuse();
  const seen = requestsOf(page);
  await app.open();
  expect(asked(seen)).toEqual([1, 0]);
  await app.settings();
  await page.locator('dermlet-open-model #folder').setInputFiles(ownNetwork());
  await expect(page.locator('dermlet-open-model').getByRole('status')).toContainText(TITLE, { timeout: 60_000 });
  expect((await app.classify('spot.jpg')).model.name).toBe('own');
  expect(asked(seen)).toEqual([1, 1]);
});

for (const [what, keeps] of [
  ['at its start', () => false],
  ['in the middle of a photo', (place: number) => place !== ONLY_OF_LOCATOR],
] as const)
  test(`what is missing ${what} comes with all of the runtime, and the answer is the same`, async ({
    app,
    page,
    site,
  }) => {
    test.slow();
    await app.open();
    const wanted = await app.classify('spot.jpg');
    await withhold(site, keeps);
    const seen = requestsOf(page);
    await app.open();
    expect(asked(seen)).toEqual([1, what === 'at its start' ? 1 : 0]);
    const { ranking, frame, outcome } = await app.classify('spot.jpg');
    expect({ ranking, frame, outcome }).toEqual({
      ranking: wanted.ranking,
      frame: wanted.frame,
      outcome: wanted.outcome,
    });
    await app.classify('spot-gray.jpg');
    expect(asked(seen)).toEqual([1, 1]);
  });
