/**
 * WebP, AVIF and HEIC in a real browser: each one's pixels against the PNG of the same drawing, and which files are
 * requested.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { siteDir as built } from '../../tools/build/serve.mjs';
import { expect, requestsOf, type Site, test } from './fixtures.js';

/**
 * Greatest mean |difference| from the PNG's view over red, green and blue, in levels of 255: the encoders' loss.
 * Lossless files are exact.
 */
const LOSSY = 3;

const FILES: readonly [name: string, png: string, path: string, tolerance: number][] = [
  ['lossless.webp', 'drawing.png', 'webcodecs', 0],
  ['lossless-alpha.webp', 'alpha.png', 'webcodecs', 0],
  ['lossy.webp', 'drawing.png', 'webcodecs', LOSSY],
  ['orientation-6.webp', 'drawing.png', 'webcodecs', LOSSY],
  ['profile.webp', 'profile.png', 'webcodecs', 0],
  ['animated.webp', 'drawing.png', 'webcodecs', LOSSY],
  ['lossy.avif', 'drawing.png', 'webcodecs', LOSSY],
  ['alpha.avif', 'alpha.png', 'webcodecs', LOSSY],
  ['profile.avif', 'profile.png', 'webcodecs', LOSSY],
  ['animated.avif', 'drawing.png', 'webcodecs', LOSSY],
  ...[2, 3, 4, 5, 6, 7, 8]
    .map((n) => [`orientation-${n}.avif`, 'drawing.png', 'webcodecs', LOSSY] as const)
    .map((each) => [...each] as [string, string, string, number]),
  ['lossy.heic', 'drawing.png', 'libheif', LOSSY],
  ['orientation-6.heic', 'drawing.png', 'libheif', LOSSY],
  ['profile.heic', 'profile.png', 'libheif', LOSSY],
  ['no-colours.avif', 'drawing.png', 'webcodecs', LOSSY],
  ['subsampled-422.avif', 'drawing.png', 'webcodecs', LOSSY],
  ['mif1.avif', 'profile.png', 'webcodecs', LOSSY],
  ['mif1.heic', 'profile.png', 'libheif', LOSSY],
  ['tiles-profile.heic', 'profile.png', 'libheif', LOSSY],
  ['tiles-several-ipma.heic', 'profile.png', 'libheif', LOSSY],
  ['tiles-identity.heic', 'profile.png', 'libheif', LOSSY],
  ['tiles-turned.heic', 'profile.png', 'libheif', LOSSY],
];

test('each file shows what the PNG of its drawing shows', async ({ page, site }) => {
  test.setTimeout(180_000);
  await page.goto(`${site.url}api.html`);
  const answers = await page.evaluate(async (files) => {
    const { Classifier } = (await import(
      new URL('dermlet.js', location.href).href
    )) as typeof import('../../web/src/classifier/index.js');
    const classifier = await Classifier.load('skin-8');
    const classify = async (name: string) =>
      classifier.classify(await (await fetch(`pictures/foreign/${name}`)).blob(), { images: true });
    const drawings = new Map<string, Awaited<ReturnType<typeof classify>>>();
    const found = [];
    for (const [name, png] of files) {
      const [own, wanted] = [await classify(name), drawings.get(png) ?? (await classify(png))];
      drawings.set(png, wanted);
      const [a, b] = [own.images!.view.rgba, wanted.images!.view.rgba];
      let sum = 0;
      for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
      found.push({ name, difference: sum / ((a.length / 4) * 3), source: own.source });
    }
    classifier.dispose();
    return found;
  }, FILES);
  for (const [i, [name, , path, tolerance]] of FILES.entries()) {
    const { difference, source } = answers[i]!;
    console.log(`      ${name}: ${difference.toFixed(2)} levels, ${source.decodePath}, ${source.colour}`);
    expect.soft(difference, name).toBeLessThanOrEqual(tolerance);
    expect
      .soft(source, name)
      .toMatchObject({ decodePath: path, bitExact: false, width: 160, height: 120, format: name.split('.')[1] });
  }
});

/** Puts a line at the start of the worker's script: workers have no init scripts. */
function beginWorkerWith(site: Site, line: string): void {
  const folder = join(process.env.DERMLET_SITE ?? built, 'assets');
  const name = readdirSync(folder).find((file) => /^worker-.*\.js$/.test(file));
  const path = `assets/${name}`;
  site.answers.set(path, { body: `${line}\n${site.read(path).toString()}`, type: 'text/javascript' });
}

test('a frame that WebCodecs would convert from other primaries is read from a canvas', async ({ app }) => {
  await app.open();
  const { source } = await app.classify('foreign/bt2020.avif');
  expect(source).toMatchObject({ decodePath: 'canvas', colour: 'unsupported-profile' });
});

test('without WebCodecs a canvas is used', async ({ app, page, site }) => {
  beginWorkerWith(site, 'delete self.ImageDecoder;');
  await app.open();
  for (const name of [
    'foreign/lossless-alpha.webp',
    'foreign/lossy.avif',
    'foreign/no-colours.avif',
    'foreign/subsampled-422.avif',
    'foreign/orientation-6.webp',
    'foreign/orientation-7.avif',
  ]) {
    const { source } = await app.classify(name);
    expect(source, name).toMatchObject({ decodePath: 'canvas', bitExact: false, width: 160, height: 120 });
  }
  expect((await app.classify('foreign/lossy.heic')).source.decodePath).toBe('libheif');
  await app.choose('foreign/corrupt.avif');
  await expect.poll(() => page.evaluate(() => window.heard.errors.at(-1)?.code)).toBe('CORRUPT_IMAGE');
});

test('a canvas that now and then alters a value by one level is not used', async ({ app, page, site }) => {
  beginWorkerWith(
    site,
    `delete self.ImageDecoder;
     const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
     OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...args) {
       const got = read.apply(this, args);
       for (let i = 1000; i < got.data.length; i += 4001) got.data[i] ^= 1;
       return got;
     };`,
  );
  await app.open();
  await app.choose('foreign/lossy.webp');
  await expect.poll(() => page.evaluate(() => window.heard.errors.at(-1)?.code)).toBe('UNSUPPORTED_FORMAT');
  await expect(app.notice).toContainText('alters the pixels');
  expect(await app.results()).toEqual([]);
});

test('libheif is fetched once nothing waits, from this origin', async ({ app, page, site }) => {
  const seen = requestsOf(page);
  await app.open();
  // Its script is among what the service worker keeps.
  expect(seen.filter((url) => /libheif\.wasm/.test(url))).toEqual([]);
  const parts = () => site.log.filter(({ path }) => /engine\/libheif\.(wasm|mjs)/.test(path)).map(({ path }) => path);
  await expect
    .poll(() => new Set(parts()), { timeout: 20_000 })
    .toEqual(new Set(['engine/libheif.wasm.zst', 'engine/libheif.mjs']));
  const result = await app.classify('foreign/lossy.heic');
  expect(result.source).toMatchObject({ format: 'heic', decodePath: 'libheif', bitExact: false });
  expect(parts().filter((path) => path === 'engine/libheif.wasm.zst')).toHaveLength(1);
  expect(seen.filter((url) => /^https?:/.test(url) && new URL(url).origin !== site.origin)).toEqual([]);
  expect((await app.details()).get('Decoded by')).toBe('libheif: may differ slightly from other decoders');
});

test('a file that cannot be decoded is reported, and the next photo works', async ({ app, page }) => {
  await app.open();
  const codes: [name: string, code: string][] = [
    ['huge.webp', 'IMAGE_TOO_LARGE'],
    ['huge.avif', 'IMAGE_TOO_LARGE'],
    ['huge.heic', 'IMAGE_TOO_LARGE'],
    ['cut-off.webp', 'CORRUPT_IMAGE'],
    ['corrupt.avif', 'CORRUPT_IMAGE'],
    ['corrupt.heic', 'CORRUPT_IMAGE'],
  ];
  for (const [i, [name, code]] of codes.entries()) {
    await app.choose(`foreign/${name}`);
    await expect.poll(() => page.evaluate(() => window.heard.errors.length)).toBe(i + 1);
    expect(await page.evaluate(() => window.heard.errors.at(-1))).toMatchObject({ name, code });
  }
  expect((await app.classify('foreign/lossy.webp')).source.decodePath).toBe('webcodecs');
});

test('a call can be aborted while its picture is being decoded', async ({ page, site }) => {
  await page.goto(`${site.url}api.html`);
  const told = await page.evaluate(async () => {
    const { Classifier } = (await import(
      new URL('dermlet.js', location.href).href
    )) as typeof import('../../web/src/classifier/index.js');
    const classifier = await Classifier.load('skin-8');
    const blob = async (name: string) => (await fetch(`pictures/${name}`)).blob();
    const heic = await blob('foreign/lossy.heic');
    const abort = new AbortController();
    const aborted = classifier.classify(heic, {
      signal: abort.signal,
      onStage: (stage) => stage === 'decoding' && abort.abort(),
    });
    const code = await aborted.then(
      () => 'no error',
      (error: { code: string }) => error.code,
    );
    const next = await classifier.classify(await blob('spot.jpg'));
    classifier.dispose();
    return { code, format: next.source.format };
  });
  expect(told).toEqual({ code: 'ABORTED', format: 'jpeg' });
});
