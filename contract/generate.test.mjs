// The contract is complete, and the generated files match it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { named, readContract, readDocuments } from './contract.mjs';
import { generated, stale } from './generate.mjs';

const contract = readContract();
const documents = readDocuments();

/**
 * The documents with an extra field in the manifest.
 * @param {object} field
 */
function withField(field) {
  const changed = structuredClone(documents);
  Object.assign(named(changed.definitions, 'Manifest').properties ?? {}, { added: field });
  return () => generated(contract, changed);
}

describe('the contract', () => {
  test('and the message catalogues match the generated files', () => {
    assert.deepEqual(stale(), [], 'generated files differ from their sources: run `npm run generate`');
  });

  test('has a sentence for each value', () => {
    const entries = Object.values(contract.enumerations).flatMap(({ about, values }) => [
      about,
      ...Object.values(values).map((value) => value.about),
    ]);
    for (const about of [...entries, ...Object.values(contract.qualityChecks).map((check) => check.about)])
      assert.match(about, /^\S.*[.]$/);
  });

  test('has one manifest key for each quality check', () => {
    const keys = Object.values(contract.qualityChecks).map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length);
    for (const { limit, from, to } of Object.values(contract.qualityChecks)) {
      assert.ok(['least', 'most'].includes(limit));
      assert.ok(from < to);
    }
  });
});

describe('the generator', () => {
  test('writes a new value everywhere', () => {
    const changed = structuredClone(contract);
    named(changed.enumerations, 'Concern').values.grave = { about: 'Worse.' };
    const files = generated(changed, documents);
    for (const path of [
      'wasm_src/core/contract.h',
      'wasm_src/bindings/contract.d.ts',
      'web/src/classifier/documents.ts',
      'tools/train/dermlet_train/contract.py',
      'models/manifest.schema.json',
    ])
      assert.match(named(files, path), /['"]grave['"]/, path);
    assert.match(named(files, 'wasm_src/core/contract.h'), /kGrave,/);
  });

  test('refuses what it cannot write as a check', () => {
    assert.throws(
      withField({ type: 'array', items: { type: 'string' }, uniqueItems: true }),
      /no rule for uniqueItems/,
    );
    assert.throws(withField({ type: 'date' }), /no rule for type date/);
    assert.throws(withField({ $ref: '#/$defs/Nowhere' }), /defines no Nowhere/);
    assert.throws(withField({ type: 'array', items: { type: 'string' }, maxItems: 4 }), /no greatest length/);
  });
});
