// The size budget of the project's own engine as downloaded: Embind glue and WASM, each gzipped.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { CORE_FILES, LEARN_FILES } from './artifacts.mjs';
import { root } from './steps.mjs';

/** @type {[name: string, files: string[], budget: number][]} */
const BUDGETS = [
  ['dermlet.js and dermlet.wasm', CORE_FILES, 110 * 1024],
  ['learn.js and learn.wasm', LEARN_FILES, 48 * 1024],
];

for (const [name, files, budget] of BUDGETS) {
  test(`${name} stay within ${budget / 1024} KB gzipped`, (t) => {
    const sizes = files.map((path) => gzipSync(readFileSync(join(root, path)), { level: 9 }).length);
    const total = sizes.reduce((a, b) => a + b);
    t.diagnostic(`${(total / 1024).toFixed(1)} KB`);
    assert.ok(total <= budget, `${sizes.join(' + ')} = ${total} bytes, ${budget} are allowed`);
  });
}
