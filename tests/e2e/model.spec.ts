import { sha256 } from '../../tools/build/hash.mjs';
import { expect, test, withServiceWorker } from './fixtures.js';

const MODEL = 'models/skin-8/skin-8.onnx';

test('a model with one byte flipped is refused; once it is correct, retrying works', async ({ app, page, site }) => {
  const bytes = site.read(MODEL);
  const at = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  site.answers.set(MODEL, { body: bytes });
  await page.goto(site.url);
  await expect(app.notice).toContainText('MODEL_CORRUPT');
  await app.choose('spot.jpg');
  await expect(app.notice.first()).toBeVisible();
  expect(await app.results()).toEqual([]);
  site.answers.delete(MODEL);
  await page.getByRole('button', { name: 'Try again' }).click();
  await app.untilReady();
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(1);
});

const UNAVAILABLE: { what: string; path: string; answer: { status?: number; type?: string; body: string } }[] = [
  { what: 'a missing model', path: MODEL, answer: { status: 404, type: 'text/plain', body: 'Not found' } },
  {
    what: 'an HTML page in place of the model',
    path: MODEL,
    answer: { type: 'text/html', body: '<!doctype html><title>Sign in</title>' },
  },
  {
    what: 'an HTML page in place of the manifest',
    path: 'models/skin-8/manifest.json',
    answer: { type: 'text/html', body: '<!doctype html>' },
  },
  {
    what: 'an HTML page in place of the engine',
    path: 'engine/dermlet.wasm',
    answer: { type: 'text/html', body: '<!doctype html>' },
  },
  {
    what: "a missing file of the network's runtime",
    path: 'engine/ort-wasm-simd-threaded.reduced.wasm',
    answer: { status: 404, type: 'text/plain', body: '' },
  },
];

for (const { what, path, answer } of UNAVAILABLE) {
  test(`${what} is reported plainly`, async ({ app, page, site }) => {
    site.answers.set(path, answer);
    await page.goto(site.url);
    await expect(app.notice).toContainText('MODEL_UNAVAILABLE');
    await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
  });
}

test('a model that is made for a newer Dermlet is told as that', async ({ app, page, site }) => {
  site.answers.set('models/skin-8/manifest.json', { body: '{"manifestVersion": 99}' });
  await page.goto(site.url);
  await expect(app.notice).toContainText('MODEL_TOO_NEW');
  await expect(app.notice).toContainText('made for a newer Dermlet');
});

test('a manifest of an older version is refused', async ({ app, page, site }) => {
  site.answers.set('models/skin-8/manifest.json', { body: '{"manifestVersion": 1}' });
  await page.goto(site.url);
  await expect(app.notice).toContainText('MODEL_CORRUPT');
});

const CORRUPT: [what: string, path: string, change: (bytes: Buffer) => Buffer][] = [
  ['one flipped bit in the runtime', 'engine/ort-wasm-simd-threaded.reduced.wasm', flipped],
  ['half of the runtime', 'engine/ort-wasm-simd-threaded.reduced.wasm', half],
  ['one flipped bit in the core', 'engine/dermlet.wasm', flipped],
  ['half of the network', MODEL, half],
];

function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length >> 1]! ^= 1;
  return changed;
}

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length >> 1);
}

for (const [what, path, change] of CORRUPT) {
  test(`${what} is noticed, not kept, and mended when the host is`, async ({ app, page, site }) => {
    // The compressed file too, which `answers` would otherwise leave to the host.
    site.answers.set(`${path}.zst`, { body: change(site.read(`${path}.zst`)) });
    site.answers.set(path, { body: change(site.read(path)), type: 'application/octet-stream' });
    await page.goto(site.url);
    await expect(app.notice).toContainText('MODEL_CORRUPT');
    for (const each of [path, `${path}.zst`]) site.answers.delete(each);
    await page.reload();
    await app.untilReady();
    await app.classify('spot.jpg');
  });
}

for (const [what, answer] of [
  ['is missing', { status: 404, type: 'text/plain', body: '' }],
  ['is answered with 503', { status: 503, type: 'text/plain', body: 'Busy' }],
  ['is still the old one', undefined],
] as const) {
  test(`a new version whose network ${what} leaves the kept one in use, until it comes`, async ({
    app,
    page,
    site,
  }) => {
    await app.open();
    const before = await app.classify('spot.jpg');
    await expect
      .poll(() => page.evaluate(async () => (await caches.match(`${document.baseURI}models/skin-8/manifest.json`))?.ok))
      .toBe(true);
    site.changeJson('models/skin-8/manifest.json', (manifest: { version: string; file: { sha256: string } }) => {
      manifest.version = '99.0.0';
      manifest.file.sha256 = sha256('another');
    });
    if (answer) site.answers.set(MODEL, answer);
    await page.reload();
    await app.untilReady();
    const after = await app.classify('spot.jpg');
    expect(after.model).toEqual(before.model);
    // The second visit may have threads, which add up in another order.
    expect(after.ranking.map(({ id }) => id)).toEqual(before.ranking.map(({ id }) => id));
    for (const [i, { probability }] of after.ranking.entries())
      expect(probability).toBeCloseTo(before.ranking[i]!.probability, 5);
    await expect(page.getByText('A newer version of the model (99.0.0)')).toBeVisible();
  });
}

withServiceWorker('on the second visit the model comes from this device', async ({ app, page, site }) => {
  await app.open();
  expect(site.count(/skin-8\.onnx/)).toBe(1);
  await page.reload();
  await app.untilReady();
  await app.classify('spot.jpg');
  expect(site.count(/skin-8\.onnx/)).toBe(1);
});
