// The module's memory on a 48-megapixel baseline photo, in Node: what the benchmark prints beside its times, held to
// its target without timing anything.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { noiseJpeg } from './noise-jpeg.mjs';

const root = resolve(import.meta.dirname, '..', '..');
const folder = join(root, 'build', 'wasm');
const LIMIT = 96 * 2 ** 20;
const [WIDTH, HEIGHT] = [8000, 6000];

test('a baseline photo of 48 megapixels is prepared within 96 MiB', async (t) => {
  const { default: createDermlet } = await import(pathToFileURL(join(folder, 'dermlet.js')).href);
  const module = await createDermlet({ wasmBinary: await readFile(join(folder, 'dermlet.wasm')) });
  const { input } = JSON.parse(await readFile(join(root, 'models', 'skin-8', 'manifest.json'), 'utf8'));
  const bytes = noiseJpeg(WIDTH, HEIGHT);
  assert.ok(bytes.length > 12e6, `${bytes.length} bytes are fewer than a photo of this size has`);
  // As the page asks for it: with a preview.
  const prepared = module.prepare(
    bytes,
    { ...input, quality: {}, cropPct: input.cropPct ?? 1, previewSide: 1024, views: 1, whole: null },
    null,
  );
  assert.equal(prepared.ok, true, prepared.message);
  assert.deepEqual([prepared.source.width, prepared.source.height], [WIDTH, HEIGHT]);
  const memory = module.memoryBytes();
  t.diagnostic(`a file of ${(bytes.length / 2 ** 20).toFixed(1)} MiB, ${(memory / 2 ** 20).toFixed(1)} MiB of memory`);
  assert.ok(memory <= LIMIT, `${(memory / 2 ** 20).toFixed(1)} MiB`);
});
