// The size budget of the project's own engine as downloaded: Embind glue and WASM, each gzipped.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WASM_FILES } from './artifacts.mjs';
import { root } from './steps.mjs';

const BUDGET = 110 * 1024;

test('dermlet.js and dermlet.wasm stay within 110 KB gzipped', (t) => {
  const sizes = WASM_FILES.map((path) => gzipSync(readFileSync(join(root, path)), { level: 9 }).length);
  const total = sizes.reduce((a, b) => a + b);
  t.diagnostic(`${(total / 1024).toFixed(1)} KB`);
  assert.ok(total <= BUDGET, `${sizes.join(' + ')} = ${total} bytes, ${BUDGET} are allowed`);
});
