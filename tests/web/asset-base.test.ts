/** Where the engine's files and the models are looked for, with and without a bundler that moved them. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { addressIn, engineFolder, shippedIn } from '../../web/src/classifier/asset-base.js';
import { listModelsFrom, resolveModel } from '../../web/src/classifier/models.js';

const files = vi.hoisted(() => ({ value: undefined as Record<string, string> | undefined }));
vi.mock('../../web/src/classifier/shipped.js', () => ({
  shipped: () => ({ worker: new URL('https://h/worker.js'), files: files.value }),
}));
afterEach(() => (files.value = undefined));

const moved = {
  'engine/dermlet.wasm': 'https://h/assets/dermlet-1a.wasm',
  'models/index.json': 'https://h/assets/index-2b.json?no-inline',
  'models/skin-8/manifest.json': 'https://h/assets/manifest-3c.json',
  'models/skin-8/LICENSE': 'https://h/assets/LICENSE-5e',
  'models/skin-open/manifest.json': 'https://h/assets/manifest-4d.json',
};

test('files that nobody moved lie in their folders', () => {
  const root = 'https://h/node_modules/dermlet/dist/';
  files.value = Object.fromEntries(Object.keys(moved).map((path) => [path, root + path]));
  expect(engineFolder(undefined, undefined)).toBe(`${root}engine/`);
});

describe('files that a bundler moved', () => {
  test('are found by the names that they had', () => {
    files.value = moved;
    const engine = engineFolder(undefined, undefined);
    expect(addressIn(engine, 'dermlet.wasm', shippedIn(engine))).toBe(moved['engine/dermlet.wasm']);
    const folders = ['skin-8', 'skin-open'].map((name) => resolveModel(name, engine, undefined));
    expect(new Set(folders).size).toBe(2); // or what is kept of one would be taken for the other's
    expect(folders.map((folder) => addressIn(folder, 'manifest.json', shippedIn(folder)))).toEqual([
      moved['models/skin-8/manifest.json'],
      moved['models/skin-open/manifest.json'],
    ]);
  });

  test('are none that every object has', () =>
    expect(addressIn('https://h/models/x/', 'constructor', { 'a.onnx': 'https://h/b.onnx' })).toBe(
      'https://h/models/x/constructor',
    ));

  test('do not hide files elsewhere', () => {
    files.value = moved;
    const engine = engineFolder('/dermlet/engine', 'https://h/page.html');
    expect(engine).toBe('https://h/dermlet/engine/');
    expect(shippedIn(engine)).toBeUndefined();
    expect(shippedIn(resolveModel('skin-8', engine, undefined))).toBeUndefined();
  });

  test('are in the list of models by their own addresses', async () => {
    files.value = moved;
    const entry = {
      name: 'skin-8',
      title: 'Title',
      version: '1.0.0',
      bytes: 1,
      license: { id: 'MIT', path: 'LICENSE', nonCommercial: false },
      card: 'LICENSE',
      classes: 2,
      default: true,
    };
    const fetch = vi.fn(async (_url: string) => new Response(JSON.stringify({ indexVersion: 1, models: [entry] })));
    const [model] = await listModelsFrom({}, { fetch, caches: null });
    expect(fetch.mock.calls[0]?.[0]).toBe(moved['models/index.json']);
    expect(model!.license.url).toBe(moved['models/skin-8/LICENSE']);
    expect(shippedIn(model!.url)).toHaveProperty('manifest.json');
  });
});
