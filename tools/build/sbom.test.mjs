// The bill of materials of a release, of what is really locked and of the models that are really there.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { billOfMaterials, lockedPackages } from './sbom.mjs';
import { root } from './steps.mjs';

/** @param {string} path */
const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

describe('bill of materials', () => {
  const { packages } = json('package-lock.json');
  /** @param {string} name */
  const version = (name) => packages[`node_modules/${name}`].version;
  const models = readdirSync(join(root, 'models'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => json(`models/${name}/manifest.json`));
  const core = 'engine/dermlet.wasm';
  const ort = 'engine/ort-wasm-simd-threaded.wasm';
  const network = `models/${models[0].name}/${models[0].file.path}`;
  const make = () =>
    billOfMaterials({
      locked: lockedPackages(),
      parts: [
        { name: 'lit', version: version('lit'), licence: 'BSD-3-Clause', npm: true, files: [] },
        { name: 'onnxruntime-web', version: version('onnxruntime-web'), licence: 'MIT', npm: true, files: [ort] },
        { name: 'stb_image', version: '2.30', licence: 'MIT', npm: false, files: [core] },
        { name: 'musl', version: '', licence: 'MIT', npm: false, files: [core, ort] },
        { name: 'LLVM runtimes', version: '', licence: 'Apache-2.0 WITH LLVM-exception', npm: false, files: [core] },
        { name: 'EfficientNet-Lite', version: '', licence: 'Apache-2.0', npm: false, files: [network] },
      ],
      hashOf: (path) => (path === core ? 'c0'.repeat(32) : '0f'.repeat(32)),
      stb: '5b'.repeat(32),
      models,
      tarball: { name: 'dermlet', version: json('package.json').version, sha256: 'ab'.repeat(32) },
      time: '2026-01-02T03:04:05Z',
      tools: [{ name: 'Emscripten', version: '3.1.6' }],
    });
  const bill = make();
  /** @type {import('./sbom.mjs').Component[]} */
  const components = bill.components;
  /** @param {string} ref */
  const at = (ref) => components.find((component) => component['bom-ref'] === ref);
  /** @param {string} ref */
  const heldBy = (ref) => bill.dependencies.find((dependency) => dependency.ref === ref)?.dependsOn;

  test('is the same bytes for the same release', () => {
    assert.equal(JSON.stringify(make()), JSON.stringify(bill));
    assert.ok(!JSON.stringify(bill).includes('urn:uuid'));
  });

  test('tells what is in the package from what it was built with', () => {
    const packagesInIt = components.filter(({ purl, scope }) => purl && scope === 'required').map(({ name }) => name);
    assert.deepEqual(packagesInIt.sort(), ['lit', 'onnxruntime-web']);
    assert.equal(at(`vite@${version('vite')}`)?.scope, 'excluded');
    assert.ok(components.filter(({ scope }) => scope === 'excluded').length > 400);
  });

  test('has binaries, models and what is compiled in, with hashes and licences', () => {
    assert.deepEqual(at(`dist/${core}`)?.hashes, [{ alg: 'SHA-256', content: 'c0'.repeat(32) }]);
    assert.deepEqual(heldBy(`dist/${core}`), ['stb_image@2.30', 'musl', 'LLVM runtimes']);
    assert.deepEqual(at('stb_image@2.30')?.hashes, [{ alg: 'SHA-256', content: '5b'.repeat(32) }]);
    assert.deepEqual(at('LLVM runtimes')?.licenses, [{ expression: 'Apache-2.0 WITH LLVM-exception' }]);
    assert.deepEqual(heldBy(network), ['EfficientNet-Lite']);
    for (const { name, version, file, license } of models) {
      const found = at(`models/${name}/${file.path}`);
      assert.deepEqual([found?.type, found?.version], ['machine-learning-model', version]);
      assert.deepEqual(found?.hashes, [{ alg: 'SHA-256', content: file.sha256 }]);
      assert.deepEqual(found?.licenses, [{ license: { id: license.id } }]);
    }
    for (const { name, scope, hashes, purl, type } of components)
      if (scope === 'excluded' || type !== 'library' || name === 'lit') assert.ok(hashes?.length, `${name} ${purl}`);
  });

  test('names every component once, and depends on nothing that is not in it', () => {
    const refs = components.map((component) => component['bom-ref']);
    assert.equal(new Set(refs).size, refs.length);
    const all = new Set([...refs, `dermlet@${json('package.json').version}`]);
    const used = bill.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
    assert.deepEqual(
      used.filter((ref) => !all.has(ref)),
      [],
    );
  });
});
