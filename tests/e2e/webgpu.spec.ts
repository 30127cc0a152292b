/**
 * The network on WebGPU with SwiftShader's adapter, a software GPU. Slow, and as strict as a real one.
 */
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { sha256 } from '../../tools/build/hash.mjs';
import { expect, requestsOf, test } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';
import { ownNetwork } from './own-model.js';
import { importedDir, type Site } from './site.js';

const PAGE = 'webgpu.html';
/** Where any network will do: it takes a second where `skin-8` takes half a minute. */
const SMALL = 'vgg-style';
const MANIFEST = `models/${SMALL}/manifest.json`;
const REFERENCE = `models/${SMALL}/selftest.json`;

test.beforeEach(({ page, site }) => expectAdapter(page, site));

async function openWith(model: string, page: Page, site: Site): Promise<void> {
  site.addPage(
    PAGE,
    `<dermlet-classifier model="models/${model}/" backend="webgpu" load="now"></dermlet-classifier>` +
      '<script type="module" src="dermlet.js"></script>',
  );
  await page.goto(site.url + PAGE);
}

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

/** As if this machine's graphics processor computed wrongly: the first two values that are read change places. */
function breakGpu(site: Site): void {
  const line = `const range = GPUBuffer.prototype.getMappedRange;
    GPUBuffer.prototype.getMappedRange = function (...args) {
      const mapped = range.apply(this, args);
      if (mapped.byteLength >= 8) new Float32Array(mapped, 0, 2).reverse();
      return mapped;
    };\n`;
  site.before(site.worker, line);
}

test('the full path on WebGPU gives the same result as WASM in Node', async ({ app, page, site }) => {
  await openWith('skin-8', page, site);
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
  site.addImported(SMALL);
  await openWith(SMALL, page, site);
  await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 120_000 }).toBe(1);
  const result = await app.classify('spot.jpg');
  expect(result.runtime.backend).toBe('wasm');
  expect(result.runtime.fallback?.from).toBe('webgpu');
  expect(result.runtime.fallback?.reason).toMatch(/self-test/);
  const rows = await app.details();
  expect(rows.get('Backend')).toMatch(/^WebAssembly/);
  expect(rows.get('Instead of')).toMatch(/WebGPU.*self-test/);
  expectSame(result, await nodeResult('spot.jpg', join(importedDir, SMALL)));
});

test('a reference that no network gives is refused, on WASM too', async ({ app, page, site }) => {
  site.addImported(SMALL);
  const body = site.changeJson(REFERENCE, (reference: { scores: number[] }) => {
    reference.scores = reference.scores.map((score) => score + 1);
  });
  site.changeJson(MANIFEST, (manifest: { selfTest: { reference: { bytes: number; sha256: string } } }) => {
    manifest.selfTest.reference.bytes = body.length;
    manifest.selfTest.reference.sha256 = sha256(body);
  });
  await openWith(SMALL, page, site);
  await expect(app.notice).toContainText('MODEL_CORRUPT', { timeout: 120_000 });
});

test("a reference that is not the manifest's is refused", async ({ app, page, site }) => {
  site.addImported(SMALL);
  site.changeJson(REFERENCE, (reference: { scores: number[] }) => reference.scores.reverse());
  await openWith(SMALL, page, site);
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
  site.before(
    site.worker,
    "Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => ({ vendor: 'a card' }) });",
  );
  const seen = requestsOf(page);
  const asked = () => seen.filter((url) => /asyncify\.wasm/.test(url)).length;
  await app.open();
  expect((await app.classify('spot.jpg')).runtime.backend).toBe('wasm');
  expect(asked()).toBe(0);
  await app.settings();
  await page.locator('dermlet-open-model #folder').setInputFiles(ownNetwork());
  await expect.poll(asked, { timeout: 60_000 }).toBe(1);
});
