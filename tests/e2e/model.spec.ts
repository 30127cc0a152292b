import { createHash } from 'node:crypto';
import { expect, test } from './fixtures.js';

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
    path: 'engine/ort-wasm-simd-threaded.wasm',
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

test('a manifest of another version is refused', async ({ app, page, site }) => {
  site.answers.set('models/skin-8/manifest.json', { body: '{"manifestVersion": 1}' });
  await page.goto(site.url);
  await expect(app.notice).toContainText('MODEL_CORRUPT');
});

test('a changed model is fetched again and the old one is not used', async ({ app, page, site }) => {
  await app.open();
  await app.classify('spot.jpg');
  const fetched = site.count(/skin-8\.onnx$/);
  // A new version whose file does not match its hash: the kept old file must not be used instead.
  site.changeJson('models/skin-8/manifest.json', (manifest: { version: string; file: { sha256: string } }) => {
    manifest.version = '99.0.0';
    manifest.file.sha256 = createHash('sha256').update('another').digest('hex');
  });
  await page.reload();
  await expect(app.notice).toContainText('MODEL_CORRUPT');
  expect(site.count(/skin-8\.onnx$/)).toBeGreaterThan(fetched);
});

test('on the second visit the model comes from this device', async ({ app, page, site }) => {
  await app.open();
  expect(site.count(/skin-8\.onnx$/)).toBe(1);
  await page.reload();
  await app.untilReady();
  await app.classify('spot.jpg');
  expect(site.count(/skin-8\.onnx$/)).toBe(1);
});
