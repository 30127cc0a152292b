/**
 * The network on WebGPU with SwiftShader's adapter, a software GPU. Slow, and as strict as a real one.
 */
import { createHash } from 'node:crypto';
import type { Page } from '@playwright/test';
import { expect, requestsOf, test } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';
import { ownNetwork } from './own-model.js';
import type { Site } from './site.js';

const PAGE = 'webgpu.html';
const MANIFEST = 'models/skin-8/manifest.json';
const REFERENCE = 'models/skin-8/selftest.json';

test.beforeEach(async ({ page, site }) => {
  site.addPage(
    PAGE,
    '<dermlet-classifier model="models/skin-8/" backend="webgpu" load="now"></dermlet-classifier>' +
      '<script type="module" src="dermlet.js"></script>',
  );
  await expectAdapter(page, site);
});

/** Without an adapter these tests would all pass on WASM and prove nothing. */
async function expectAdapter(page: Page, site: Site): Promise<void> {
  await page.goto(`${site.url}api.html`);
  const adapter = await page.evaluate(async () => {
    interface Gpu {
      requestAdapter(): Promise<{ info: { vendor: string; architecture: string } } | null>;
    }
    const found = await (navigator as unknown as { gpu?: Gpu }).gpu?.requestAdapter();
    return found ? `${found.info.vendor} ${found.info.architecture}` : null;
  });
  expect(adapter, 'a WebGPU adapter').toMatch(/swiftshader/i);
}

/** As if this machine's graphics processor computed wrongly: what is read back from it has another first value. */
function breakGpu(site: Site): void {
  const path = site.files().find((each) => /^assets\/worker-.*\.js$/.test(each))!;
  const line = `const range = GPUBuffer.prototype.getMappedRange;
    GPUBuffer.prototype.getMappedRange = function (...args) {
      const mapped = range.apply(this, args);
      if (mapped.byteLength >= 4) new Float32Array(mapped, 0, 1)[0] += 50;
      return mapped;
    };\n`;
  site.answers.set(path, { body: line + site.read(path).toString(), type: 'text/javascript' });
}

test('the full path on WebGPU gives the same result as WASM in Node', async ({ app, page, site }) => {
  await page.goto(site.url + PAGE);
  await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 120_000 }).toBe(1);
  await app.choose('spot.jpg');
  await expect(app.verdict).toBeVisible({ timeout: 120_000 });
  const result = (await app.results())[0]?.result;
  if (result === undefined) throw new Error('no result was told');
  expect(result.runtime).toMatchObject({ backend: 'webgpu' });
  expect(result.runtime.fallback).toBeUndefined();
  expectSame(result, await nodeResult('spot.jpg'));
  expect((await app.details()).get('Backend')).toMatch(/^WebGPU/);
});

test('a failed self-test falls back to WASM, and the page says so', async ({ app, page, site }) => {
  breakGpu(site);
  await page.goto(site.url + PAGE);
  await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 120_000 }).toBe(1);
  const result = await app.classify('spot.jpg');
  expect(result.runtime.backend).toBe('wasm');
  expect(result.runtime.fallback?.from).toBe('webgpu');
  expect(result.runtime.fallback?.reason).toMatch(/self-test/);
  const rows = await app.details();
  expect(rows.get('Backend')).toMatch(/^WebAssembly/);
  expect(rows.get('Instead of')).toMatch(/WebGPU.*self-test/);
  expectSame(result, await nodeResult('spot.jpg'));
});

test('a reference that no network gives is refused, on WASM too', async ({ app, page, site }) => {
  const body = site.changeJson(REFERENCE, (reference: { scores: number[] }) => {
    reference.scores = reference.scores.map((score) => score + 1);
  });
  site.changeJson(MANIFEST, (manifest: { selfTest: { reference: { bytes: number; sha256: string } } }) => {
    manifest.selfTest.reference.bytes = body.length;
    manifest.selfTest.reference.sha256 = createHash('sha256').update(body).digest('hex');
  });
  await page.goto(site.url + PAGE);
  await expect(app.notice).toContainText('MODEL_CORRUPT', { timeout: 120_000 });
});

test("a reference that is not the manifest's is refused", async ({ app, page, site }) => {
  site.changeJson(REFERENCE, (reference: { scores: number[] }) => reference.scores.reverse());
  await page.goto(site.url + PAGE);
  await expect(app.notice).toContainText('MODEL_CORRUPT', { timeout: 120_000 });
});

test('a software GPU is not chosen automatically', async ({ app, site }) => {
  await app.open();
  const result = await app.classify('spot.jpg');
  expect(result.runtime.backend).toBe('wasm');
  expect(result.runtime.fallback).toBeUndefined();
  expect(site.count(/asyncify\.wasm/)).toBe(0);
});

test('by itself it is left to networks that are not shipped: its runtime is large', async ({ app, page, site }) => {
  test.slow();
  const worker = site.files().find((each) => /^assets\/worker-.*\.js$/.test(each))!;
  site.before(worker, "Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => ({ vendor: 'a card' }) });");
  const seen = requestsOf(page);
  const asked = () => seen.filter((url) => /asyncify\.wasm/.test(url)).length;
  await app.open();
  expect((await app.classify('spot.jpg')).runtime.backend).toBe('wasm');
  expect(asked()).toBe(0);
  await app.settings();
  await page.locator('dermlet-open-model #folder').setInputFiles(ownNetwork());
  await expect.poll(asked, { timeout: 60_000 }).toBe(1);
});
