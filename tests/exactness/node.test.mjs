// The WebAssembly builds, with SIMD and without, against the manifest of tensors; and the manifest against the
// pictures.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { check, parseManifest } from './cases.mjs';
import { figure } from './figures.mjs';
import { loadCore, manifestPath, pictureDir, pictureFiles } from './node.mjs';

const README = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');

const manifest = parseManifest(await readFile(manifestPath, 'utf8'));
/** @param {string} file */
const read = (file) => readFile(join(pictureDir, file));

test('the manifest holds every drawn picture', async () => {
  const files = manifest.pictures.map(({ file }) => file);
  assert.deepEqual(
    files,
    await pictureFiles(),
    'draw or remove pictures, then run node tests/exactness/make_manifest.mjs',
  );
});

test('the manifest holds every kind of answer', () => {
  const sources = manifest.pictures.map(({ expected }) => expected.replace(/ .*$/, ''));
  for (const format of ['jpeg', 'png', 'bmp'])
    assert.ok(
      sources.some((source) => source.startsWith(`${format}:`)),
      format,
    );
  for (let orientation = 1; orientation <= 8; orientation += 1)
    assert.ok(
      sources.some((source) => source.split(':')[2] === String(orientation)),
      String(orientation),
    );
  for (const colour of ['assumed-srgb', 'srgb', 'converted', 'unsupported-profile'])
    assert.ok(
      sources.some((source) => source.endsWith(`:${colour}`)),
      colour,
    );
  for (const code of ['UNSUPPORTED_FORMAT', 'CORRUPT_IMAGE', 'IMAGE_TOO_LARGE'])
    assert.ok(sources.includes(code), code);
});

// A check that cannot fail proves nothing: one bit of one pixel must be seen.
test('another tensor is noticed', async () => {
  const module = await loadCore();
  /** @type {typeof module.prepare} */
  const prepare = (...args) => {
    const prepared = module.prepare(...args);
    if (prepared.ok) prepared.tensor[0] = (prepared.tensor[0] ?? 0) + 2 ** -20;
    return prepared;
  };
  const pictures = manifest.pictures.filter(({ file }) => ['tiny.png', 'spot.jpg', 'note.txt'].includes(file));
  const { differences } = await check({ prepare }, { ...manifest, pictures }, read);
  assert.equal(differences.length, 2, differences.join('\n'));
});

for (const [preset, title] of [
  ['wasm', 'WebAssembly'],
  ['wasm-scalar', 'WebAssembly without SIMD'],
]) {
  test(`${title} in Node gives the same tensors`, async () => {
    const module = await loadCore(preset);
    const began = performance.now();
    const { compared, differences } = await check(module, manifest, read);
    assert.deepEqual(differences, []);
    const said = `${manifest.pictures.length} drawn pictures`;
    assert.ok(
      README.includes(said) && README.includes(`(${compared.toLocaleString('en')} answers)`),
      'README.md is old',
    );
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    figure(`${title}, Node ${process.versions.node}: ${compared} answers the same in ${seconds} s`);
  });
}
