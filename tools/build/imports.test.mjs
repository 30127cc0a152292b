// Tests biome.json's import rules: no import bypasses a folder's index or points against the dependency direction.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root } from './steps.mjs';
import { localBin } from './toolchain.mjs';

/**
 * A file, an import it may use, and one it may not; `#` before a name in particular.
 * @type {[file: string, may: string, mayNot: string][]}
 */
const RULES = [
  ['web/src/dermlet.ts', './element/index.js', './element/register.js'],
  ['web/src/classifier/new.ts', '../../../wasm_src/bindings/dermlet.js', '../element/index.js'],
  ['web/src/classifier/new.ts', './engine.js', './node/index.js'],
  ['web/src/classifier/new.ts', './engine.js', '../messages/index.js'],
  ['web/src/classifier/node/new.ts', '../engine.js', '../../messages/index.js'],
  ['web/src/messages/new.ts', '../classifier/index.js', '../classifier/result.js'],
  ['web/src/messages/new.ts', './quality.js', '../element/index.js'],
  ['web/src/handler/new.ts', '../messages/index.js', '../messages/answer.js'],
  ['web/src/handler/new.ts', '../classifier/index.js', '../element/index.js'],
  ['web/src/element/new.ts', '../classifier/index.js', '../classifier/models.js'],
  ['web/src/element/new.ts', '../classifier/inner.js', '../messages/say.js'],
  ['web/src/element/new.ts', '../messages/index.js', '../page/main.js'],
  ['web/src/element/new.ts', 'lit#css', 'lit#html'],
  ['web/src/element/crop/new.ts', '../../messages/index.js', '../../classifier/models.js'],
  ['web/src/element/crop/new.ts', '../html.js#html', 'lit#html'],
  ['web/src/page/new.ts', '../element/index.js', '../element/styles.js'],
  ['web/src/page/new.ts', '../embed/index.js', '../embed/protocol.js'],
  ['web/src/embed/new.ts', '../dermlet.js', '../element/index.js'],
  ['web/src/page/new.ts', '../element/index.js#html', 'lit#html'],
  ['web/src/page/new.ts', '../handler/index.js', '../handler/projections.js'],
  ['web/src/page/new.ts', '../classifier/index.js', '../classifier/inner.js'],
  ['web/src/sw/new.ts', 'workbox-core', '../page/main.js'],
  ['tools/cli/new.ts', '../../web/src/classifier/node/index.js', '../../web/src/classifier/engine.js'],
  ['tools/cli/new.ts', '../../web/src/handler/index.js', '../../web/src/element/index.js'],
  ['tools/cli/new.ts', '../../web/src/messages/cli.js', '../../web/src/messages/say.js'],
];

/** @type {string} */
let folder;
/** @type {string} */
let said;

/** Writes each import to its own file, in a tree with the same rules. */
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-imports-'));
  cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
  for (const [i, [file, may, mayNot]] of RULES.entries()) {
    for (const [kind, imported] of Object.entries({ may, mayNot })) {
      const [from, name = 'a'] = imported.split('#');
      const path = join(folder, file.replace('new', `${kind}-${i}`).replace('dermlet.ts', `${kind}-${i}.ts`));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `import { ${name} } from '${from}';\n\n${name}();\n`);
    }
  }
  const args = ['lint', '--colors=off', '--max-diagnostics=none', '--only=style/noRestrictedImports', '.'];
  const { stdout, stderr } = spawnSync(localBin('biome'), args, { cwd: folder, encoding: 'utf8' });
  said = stdout + stderr;
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe('imports', () => {
  for (const [i, [file, may, mayNot]] of RULES.entries())
    test(`${file}: ${may}, not ${mayNot}`, () => {
      assert.doesNotMatch(said, new RegExp(`/may-${i}\\.ts`), may);
      assert.match(said, new RegExp(`/mayNot-${i}\\.ts:1:\\d+ lint/style/noRestrictedImports`), mayNot);
    });
});
