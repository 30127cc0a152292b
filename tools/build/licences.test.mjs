// Licences of what is shipped: what has none, is not known or was not looked at stops the build.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { componentsOf, npmComponent, PACKAGES, packagesOf } from './licences.mjs';
import { root } from './steps.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'dermlet-licences-'));
after(() => rmSync(scratch, { recursive: true }));

/**
 * A package in a folder of its own.
 * @param {Record<string, string>} manifest
 * @param {Record<string, string>} [files]
 */
function made(manifest, files = {}) {
  const folder = mkdtempSync(join(scratch, 'package-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { name: manifest.name ?? '', folder };
}

describe('licences', () => {
  const { packages: locked } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));

  for (const [name, { looked }] of Object.entries(PACKAGES))
    test(`what ${name} holds was looked at for the version that is locked`, () =>
      assert.equal(
        locked[`node_modules/${name}`].version,
        looked,
        'Look at the new version: tools/build/licences/README.md says how.',
      ));

  test('the texts of ONNX Runtime are those of its version, and say so', () => {
    const note = readFileSync(join(root, 'tools/build/licences/README.md'), 'utf8');
    assert.ok(note.includes(`wheel \`onnxruntime\` ${locked['node_modules/onnxruntime-web'].version} on PyPI`));
  });

  test('a package with a text is shipped with all of its texts', () => {
    const given = made(
      { name: 'with', version: '1.0.0', license: 'Apache-2.0' },
      { 'LICENSE.md': 'You may.', NOTICE: 'By us.', 'README.md': 'Use it.' },
    );
    const { version, licence, texts } = npmComponent(given);
    assert.deepEqual([version, licence, texts.sort()], ['1.0.0', 'Apache-2.0', ['By us.', 'You may.']]);
  });

  test('a package without a text stops the build', () => {
    const given = made({ name: 'without', version: '1.0.0', license: 'MIT' }, { 'README.md': 'MIT' });
    assert.throws(() => npmComponent(given), /without 1\.0\.0 is shipped and brings no licence text/);
  });

  test('a package that was looked at in another version stops the build', () => {
    const given = made({ name: 'onnxruntime-web', version: '1.31.0', license: 'MIT' });
    assert.throws(() => npmComponent(given), /onnxruntime-web is 1\.31\.0; .* known for 1\.30\.0/);
  });

  test('modules belong to the innermost package, helpers to their bundler, our own to nobody', () => {
    const modules = [
      join(root, 'web/src/dermlet.ts'),
      join(root, 'node_modules/outer/node_modules/@scope/inner/index.js'),
      '\0rolldown/runtime.js',
      '\0@oxc-project+runtime@0.1.2/helpers/esm/decorate.js',
    ];
    assert.deepEqual(
      packagesOf(modules).map(({ name, version }) => [name, version]),
      [
        ['@scope/inner', undefined],
        ['rolldown', undefined],
        ['@oxc-project/runtime', '0.1.2'],
      ],
    );
  });

  test('what a package holds of others in its own files is named too, in the version that is there', () => {
    const found = packagesOf([join(root, 'node_modules/dcmjs/build/dcmjs.es.js')]);
    assert.deepEqual(
      found.map(({ name, version }) => [name, version]),
      [
        ['dcmjs', undefined],
        ['@babel/runtime-corejs3', undefined],
        ['lodash.clonedeep', undefined],
        ['loglevel', undefined],
        ['pako', '2.1.0'],
      ],
    );
    const script = readFileSync(join(root, 'node_modules/dcmjs/build/dcmjs.es.js'), 'utf8');
    assert.match(script, /pako 2\.1\.0/);
    for (const part of found) assert.ok(npmComponent(part).texts.length > 0, part.name);
  });

  test('code that nobody is named for stops the build', () => {
    assert.throws(() => packagesOf(['\0polyfills']), /polyfills is bundled, and nobody says whose it is/);
    assert.throws(() => packagesOf([join(scratch, 'copied.js')]), /copied\.js is bundled/);
  });

  test('a binary, or a file of the engine, that nobody is named for stops the build', () => {
    for (const path of ['engine/other.mjs', 'node/new-decoder.wasm', 'engine/packed.wasm.zst']) {
      const dist = mkdtempSync(join(scratch, 'dist-'));
      mkdirSync(join(dist, path, '..'), { recursive: true });
      writeFileSync(join(dist, path), '');
      assert.throws(() => componentsOf(dist, []), new RegExp(`${path}: nobody says whose it is`));
    }
  });
});
