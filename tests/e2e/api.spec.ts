/** The classifier's public API in an embedder's page: `import('./dermlet.js')` and nothing else. */
import type { Page } from '@playwright/test';
import type { Classifier, LoadProgress, Result } from '../../web/src/classifier/index.js';
import { expect, type Site, startServiceWorker, test, withServiceWorker } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';

type Api = typeof import('../../web/src/classifier/index.js');

declare global {
  interface Window {
    /** Set by each test's first step. */
    api: Api;
    bytes: (name: string) => Promise<ArrayBuffer>;
    codeOf: (promise: Promise<unknown>) => Promise<string>;
  }
}

async function openApi(page: Page, site: Site): Promise<void> {
  await page.goto(`${site.url}api.html`);
  await page.evaluate(async () => {
    window.api = (await import(new URL('dermlet.js', document.baseURI).href)) as Api;
    window.bytes = async (name) => (await fetch(`pictures/${name}`)).arrayBuffer();
    window.codeOf = (promise) =>
      promise.then(
        () => 'no error',
        (error: unknown) =>
          error instanceof window.api.DermletError ? error.code : `not a DermletError: ${String(error)}`,
      );
  });
}

test.beforeEach(({ page, site }) => openApi(page, site));

test('classifies Blob, ArrayBuffer and Uint8Array alike and leaves them intact', async ({ page }) => {
  const { results, lengths } = await page.evaluate(async () => {
    const classifier = await window.api.Classifier.load('models/skin-8/manifest.json', { backend: 'wasm' });
    const buffer = await window.bytes('spot.jpg');
    // A view into the middle of a larger buffer: only its own bytes are the picture.
    const larger = new Uint8Array(buffer.byteLength + 20);
    larger.set(new Uint8Array(buffer), 10);
    const view = larger.subarray(10, 10 + buffer.byteLength);
    const results = [];
    for (const input of [new Blob([buffer]), buffer, view])
      results.push(await classifier.classify(input, { explain: true }));
    classifier.dispose();
    return { results, lengths: [buffer.byteLength, view.byteLength] };
  });
  expect(lengths[0]).toBeGreaterThan(0);
  expect(lengths[1]).toBe(lengths[0]);
  for (const result of results) {
    expectSame(result, await nodeResult('spot.jpg'));
    expect(result.explanation?.values).toHaveLength(
      (result.explanation?.rows ?? 0) * (result.explanation?.columns ?? 0),
    );
    expect(result.explanation?.classId).toBe(result.ranking[0]?.id);
  }
});

test('reports the progress of loading and classifying', async ({ page, site }) => {
  const told = await page.evaluate(async () => {
    const progress: LoadProgress[] = [];
    const classifier = await window.api.Classifier.load('models/skin-8/', {
      backend: 'wasm',
      onProgress: (step) => progress.push({ ...step }),
    });
    const stages: string[][] = [[], []];
    const bytes = await window.bytes('spot.jpg');
    await Promise.all(
      stages.map((list) => classifier.classify(bytes, { explain: true, onStage: (stage) => list.push(stage) })),
    );
    const { model } = classifier;
    classifier.dispose();
    return { progress, stages, model };
  });
  for (const phase of ['engine', 'model']) {
    const steps = told.progress.filter((step) => step.phase === phase);
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.map(({ loaded }) => loaded)).toEqual(steps.map(({ loaded }) => loaded).sort((a, b) => a - b));
    expect(steps.at(-1)?.loaded).toBe(steps.at(-1)?.total);
  }
  // All that comes, as it is sent; the total is known early.
  const sizes = ['models/skin-8/skin-8.onnx', 'models/skin-8/locator.onnx', 'engine/dermlet.wasm']
    .concat('engine/ort-wasm-simd-threaded.reduced.wasm')
    .map((path) => site.read(site.files().includes(`${path}.zst`) ? `${path}.zst` : path).length);
  const most = sizes.reduce((a, b) => a + b);
  const totals = told.progress.map(({ all }) => all!.total);
  expect(Math.max(...totals)).toBeGreaterThanOrEqual(most);
  expect(Math.max(...totals)).toBeLessThan(1.1 * most);
  expect(totals.filter((total) => total >= most).length).toBeGreaterThan(totals.length / 2);
  expect(told.progress.at(-1)!.all).toEqual({ loaded: totals.at(-1), total: totals.at(-1) });
  expect(told.stages[0]).toEqual(['decoding', 'analysing', 'explaining', 'done']);
  expect(told.stages[1]).toEqual(['queued', 'decoding', 'analysing', 'explaining', 'done']);
  expect(told.model).toMatchObject({ name: 'skin-8' });
  expect(told.model.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test('a model is tested once on WASM, and one whose manifest does not fit is refused', async ({ page, site }) => {
  const phases = () =>
    page.evaluate(async () => {
      const seen = new Set<string>();
      const onProgress = ({ phase }: { phase: string }) => seen.add(phase);
      try {
        (await window.api.Classifier.load('models/skin-8/', { backend: 'wasm', onProgress })).dispose();
        return { seen: [...seen] };
      } catch (error) {
        return { seen: [...seen], code: (error as { code: string }).code };
      }
    });
  expect((await phases()).seen).toContain('self-test');
  expect((await phases()).seen).not.toContain('self-test');
  // Another core under the same address: a section is added that has no effect.
  const section = Buffer.from([0, 4, 3, ...Buffer.from('new')]);
  site.replaceEngine('dermlet.wasm', Buffer.concat([site.read('engine/dermlet.wasm'), section]));
  await openApi(page, site);
  expect((await phases()).seen).toContain('self-test');
  expect((await phases()).seen).not.toContain('self-test');
  site.changeJson('models/skin-8/manifest.json', (manifest: { input: { channels: string } }) => {
    manifest.input.channels = 'BGR';
  });
  expect(await phases()).toMatchObject({
    seen: expect.arrayContaining(['self-test']) as string[],
    code: 'MODEL_CORRUPT',
  });
});

test('an aborted call is rejected at once and frees the queue', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const classifier = await window.api.Classifier.load('models/skin-8/', { backend: 'wasm' });
    const bytes = await window.bytes('spot.jpg');
    const running = new AbortController();
    const waiting = new AbortController();
    const calls = [
      window.codeOf(
        classifier.classify(bytes, {
          signal: running.signal,
          onStage: (stage) => stage === 'analysing' && running.abort(),
        }),
      ),
      window.codeOf(classifier.classify(bytes, { signal: waiting.signal })),
      window.codeOf(classifier.classify(bytes)),
    ];
    waiting.abort();
    const codes = await Promise.all(calls);
    const already = await window.codeOf(classifier.classify(bytes, { signal: AbortSignal.abort() }));
    const after = await classifier.classify(bytes);
    classifier.dispose();
    return { codes, already, after };
  });
  expect(told.codes).toEqual(['ABORTED', 'ABORTED', 'no error']);
  expect(told.already).toBe('ABORTED');
  expectSame(told.after, await nodeResult('spot.jpg'));
});

test('loading can be aborted', async ({ page }) => {
  const code = await page.evaluate(() => {
    const controller = new AbortController();
    return window.codeOf(
      window.api.Classifier.load('models/skin-8/', { signal: controller.signal, onProgress: () => controller.abort() }),
    );
  });
  expect(code).toBe('ABORTED');
  await expect.poll(() => page.workers().length).toBe(0);
});

withServiceWorker(
  'an idle worker is ended and restarted without the caller noticing, without the network',
  async ({ page, site }) => {
    // A service worker keeps its scripts.
    await startServiceWorker(page);
    await page.evaluate(async () => {
      const classifier = await window.api.Classifier.load('models/skin-8/', { backend: 'wasm', idleTimeout: 300 });
      Object.assign(window, { classifier, first: await classifier.classify(await window.bytes('spot.jpg')) });
    });
    await expect.poll(() => page.workers().length).toBe(0);
    const served = site.log.length;
    const { first, second, stages } = await page.evaluate(async () => {
      const { classifier, first } = window as unknown as { classifier: Classifier; first: Result };
      const stages: string[] = [];
      const second = await classifier.classify(await window.bytes('spot.jpg'), {
        onStage: (stage) => stages.push(stage),
      });
      return { first, second, stages };
    });
    expect(stages).toContain('starting');
    expect(site.log.slice(served).map(({ path }) => path)).toEqual(['pictures/spot.jpg']);
    expectSame(second, first, 1e-6);
  },
);

test('dispose ends the worker and rejects pending calls', async ({ page }) => {
  const codes = await page.evaluate(async () => {
    const classifier = await window.api.Classifier.load('models/skin-8/', { backend: 'wasm' });
    const bytes = await window.bytes('spot.jpg');
    const calls = [classifier.classify(bytes), classifier.classify(bytes)].map(window.codeOf);
    classifier.dispose();
    classifier.dispose();
    return Promise.all([...calls, window.codeOf(classifier.classify(bytes))]);
  });
  expect(codes).toEqual(['DISPOSED', 'DISPOSED', 'DISPOSED']);
  await expect.poll(() => page.workers().length).toBe(0);
});

test('a crop, a modality and a class to explain are accepted, and refused if invalid', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const classifier = await window.api.Classifier.load('models/skin-8/', { backend: 'wasm' });
    const bytes = await window.bytes('spot.jpg');
    const code = (options: object) => window.codeOf(classifier.classify(bytes, options));
    const last = classifier.model.classes.at(-1)?.id ?? '';
    const answer = {
      cropped: await classifier.classify(bytes, {
        crop: { x: 300, y: 200, width: 400, height: 300 },
        modality: 'dermoscopy',
        explain: last,
      }),
      last,
      codes: [
        await code({ crop: { x: 900, y: 0, width: 400, height: 300 } }),
        await code({ crop: { x: 0, y: 0, width: 0, height: 0 } }),
        await code({ crop: { x: 0.5, y: NaN, width: 10, height: 10 } }),
        await code({ modality: 'x-ray' }),
        await code({ explain: 'freckle' }),
        await window.codeOf(classifier.classify(5 as unknown as Blob)),
      ],
    };
    classifier.dispose();
    return answer;
  });
  expect(told.cropped.source.region).toEqual({ x: 350, y: 200, width: 300, height: 300 });
  expect(told.cropped.modality).toBe('dermoscopy');
  expect(told.cropped.explanation?.classId).toBe(told.last);
  expect(told.codes).toEqual(Array(6).fill('INVALID_ARGUMENT'));
});

test('files over the limit are refused unread, and decompression bombs after their header', async ({ page }) => {
  const codes = await page.evaluate(async () => {
    const classifier = await window.api.Classifier.load('models/skin-8/', { backend: 'wasm' });
    const huge = new Blob([new Uint8Array(window.api.MAX_FILE_BYTES + 1)]);
    const codes = [
      await window.codeOf(classifier.classify(huge)),
      await window.codeOf(classifier.classify(await window.bytes('huge.png'))),
    ];
    codes.push(await window.codeOf(classifier.classify(new ArrayBuffer(0))));
    codes.push(await window.codeOf(classifier.classify(await window.bytes('spot.jpg'))));
    classifier.dispose();
    return codes;
  });
  expect(codes).toEqual(['IMAGE_TOO_LARGE', 'IMAGE_TOO_LARGE', 'CORRUPT_IMAGE', 'no error']);
});

test('a missing model and invalid options have different error codes', async ({ page }) => {
  const codes = await page.evaluate(async () => [
    await window.codeOf(window.api.Classifier.load('models/nothing/')),
    await window.codeOf(window.api.Classifier.load('models/skin-8/', { backend: 'cuda' as 'wasm' })),
    await window.codeOf(window.api.Classifier.load('models/skin-8/', { assetBase: 'nowhere/' })),
  ]);
  expect(codes).toEqual(['MODEL_UNAVAILABLE', 'INVALID_ARGUMENT', 'MODEL_UNAVAILABLE']);
});

test('without WebGPU, asking for it falls back to WASM and says so', async ({ page }) => {
  const runtime = await page.evaluate(async () => {
    Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });
    const classifier = await window.api.Classifier.load('models/skin-8/', { backend: 'webgpu' });
    const result = await classifier.classify(await window.bytes('spot.jpg'));
    classifier.dispose();
    return result.runtime;
  });
  expect(runtime.backend).toBe('wasm');
  expect(runtime.fallback?.from).toBe('webgpu');
  expect(runtime.fallback?.reason).toMatch(/WebGPU/);
});

withServiceWorker('two models run at once on one page, are both kept, and end apart', async ({ page, site }) => {
  test.slow(); // two networks here, and two in Node
  // Without one that keeps scripts, nothing would start without a network.
  await startServiceWorker(page);
  const names = ['skin-8', 'skin-open'];
  const told = await page.evaluate(async (names) => {
    const { Classifier, keptVersion } = window.api;
    const load = (name: string) => Classifier.load(name, { backend: 'wasm' });
    const both = await Promise.all(names.map(load));
    const bytes = await window.bytes('spot.jpg');
    // In turns and at once: each keeps to its own model.
    const results = await Promise.all([0, 1, 1, 0].map((which) => both[which]!.classify(bytes)));
    const kept = await Promise.all(both.map((classifier) => classifier.keepAll()));
    const versions = await Promise.all(
      names.map((name) => keptVersion(new URL(`models/${name}/`, document.baseURI).href)),
    );
    both[0]!.dispose();
    const after = await both[1]!.classify(bytes);
    const code = await window.codeOf(both[0]!.classify(bytes));
    Object.assign(window, { other: both[1] });
    return { results, kept, versions, after, code, own: both.map(({ model }) => model.version) };
  }, names);
  const [first, second] = await Promise.all(names.map((name) => nodeResult('spot.jpg', name)));
  for (const [at, wanted] of [first, second, second, first].entries()) expectSame(told.results[at]!, wanted!);
  expectSame(told.after, second!);
  expect(told.code).toBe('DISPOSED');
  expect(told.kept).toEqual([true, true]);
  expect(told.versions).toEqual(told.own);
  await expect.poll(() => page.workers().length).toBe(1);

  // Neither removed what the other keeps: both start from this device.
  const served = site.log.length;
  const again = await page.evaluate(async (names) => {
    const both = await Promise.all(names.map((name) => window.api.Classifier.load(name, { backend: 'wasm' })));
    const kept = await Promise.all(both.map((classifier) => classifier.keepAll()));
    for (const classifier of both) classifier.dispose();
    (window as unknown as { other: Classifier }).other.dispose();
    return kept;
  }, names);
  expect(again).toEqual([true, true]);
  expect(
    site.log
      .slice(served)
      .map(({ path }) => path)
      .filter((path) => /\.(onnx|wasm)/.test(path)),
  ).toEqual([]);
});

test('two classifiers on one page do not disturb each other', async ({ page }) => {
  const [a, b] = await page.evaluate(async () => {
    const { Classifier } = window.api;
    const both = await Promise.all([
      Classifier.load('models/skin-8/', { backend: 'wasm' }),
      Classifier.load('models/skin-8/', { backend: 'wasm' }),
    ]);
    const bytes = await window.bytes('spot.jpg');
    const results = await Promise.all(both.map((classifier) => classifier.classify(bytes)));
    both[0].dispose();
    const again = await both[1].classify(bytes);
    both[1].dispose();
    return [results[0], again] as const;
  });
  expectSame(b, a as NonNullable<typeof a>, 1e-6);
});
