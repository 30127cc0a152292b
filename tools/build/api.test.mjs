// The reference of what the package exports.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiText } from './api.mjs';

const text = apiText();
/** @param {string} name */
const of = (name) => new RegExp(`^### ${name}\\n[\\s\\S]*?(?=^##)`, 'm').exec(text)?.[0] ?? '';

test('each entry has a chapter, and a name that two export is described once', () => {
  const chapters = [...text.matchAll(/^## `(.+)`$/gm)].map(([, entry]) => entry);
  // As tools/build/package.mjs exports them.
  const entries = ['', '/element', '/embed', '/handler', '/messages', '/node'].map((path) => `dermlet${path}`);
  assert.deepEqual(chapters, entries);
  assert.equal(text.match(/^### DermletError$/gm)?.length, 1);
  assert.match(text, /as described above: .*\[`DermletError`\]\(#dermleterror\)/);
});

test('members stand with their types, their comments and what they throw; nothing internal does', () => {
  assert.match(
    of('Classifier'),
    /^- `static load\(model\?: string .*Promise<Classifier>`: Fetches .*Throws DermletError /m,
  );
  assert.match(of('LoadOptions'), /^- `backend\?: BackendChoice`: `auto`: WASM for/m);
  assert.match(of('ErrorCode'), /^- `CORRUPT_IMAGE`: The right format, but broken/m);
  assert.doesNotMatch(text, /loadWith|Internals|#\w+\(|\basync\b/);
  assert.doesNotMatch(text, /static styles|render\(\)|connectedCallback/);
});
