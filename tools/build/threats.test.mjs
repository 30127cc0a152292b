// The threat model says what is there: files, tests and their titles, in the table and in the document.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { targets } from './fuzz.mjs';
import { root } from './steps.mjs';
import { attackPlan, DOCUMENT, documentText, faultsOf, holdsTitle, isMeant, standing, THREATS } from './threats.mjs';

/** @returns {import('./threats.mjs').Threat} */
const row = () => ({ id: 'x', may: '', holds: '', where: [], tests: {}, open: '' });

/** @typedef {import('./reports.mjs').Test} Test */

/** @type {(file: string, titles: string[], status?: Test['status']) => Test} */
const ran = (file, titles, status = 'passed') => ({ file, titles, status });

/** A run in which all that the rows name has passed. */
const all = () =>
  THREATS.flatMap(({ tests }) =>
    Object.entries(tests).flatMap(([path, titles]) => {
      if (/_fuzz\.\w+$/.test(path)) return [ran('', [`fuzz ${/(\w+)_fuzz/.exec(path)?.[1]}`])];
      if (path.endsWith('_test.cc')) {
        const [, suite] = /TEST(?:_[FP])?\((\w+),/.exec(readFileSync(join(root, path), 'utf8')) ?? [];
        return (titles.length > 0 ? titles : [`${suite}.Any`]).map((title) => ran('', [`${title}/0`]));
      }
      const file = path.endsWith('.mjs') ? '' : path;
      return (titles.length > 0 ? titles : ['any']).map((title) => ran(file, ['suite', title]));
    }),
  );

describe('the threat model', () => {
  test('names files, tests and titles that are there', () => assert.deepEqual(faultsOf(), []));

  test('would notice what is not', () => {
    const path = 'tests/web/given.test.ts';
    assert.deepEqual(faultsOf([{ ...row(), tests: { [path]: ['%s is refused', 'are a copy'] } }]), []);
    for (const [wrong, why] of /** @type {const} */ ([
      [{ tests: { [path]: ['is not there'] } }, `${path} has no test 'is not there'`],
      // In the file, and no title.
      [{ tests: { [path]: ['own origin'] } }, `${path} has no test 'own origin'`],
      [{ tests: { 'tests/web/gone.test.ts': [] } }, 'tests/web/gone.test.ts is no file of tests'],
      [{ tests: { 'README.md': [] } }, 'README.md is no file of tests'],
      [{ where: ['gone.ts'], open: 'x' }, 'there is no gone.ts'],
      [{}, 'neither tested nor open'],
    ]))
      assert.deepEqual(faultsOf([{ ...row(), ...wrong }]), [`x: ${why}`]);
    assert.deepEqual(
      faultsOf([
        { ...row(), open: 'all' },
        { ...row(), open: 'all' },
      ]),
      ['x: stands twice'],
    );
  });

  test('finds titles in every language', () => {
    assert.ok(holdsTitle('tests/core/foreign_test.cc', 'Foreign.HeadersAreRead'));
    assert.ok(!holdsTitle('tests/core/foreign_test.cc', 'Foreign.Headers'));
    assert.ok(holdsTitle('tools/train/tests/test_import_attacks.py', 'test_pickles'));
    assert.ok(!holdsTitle('tools/train/tests/test_import_attacks.py', 'test_pickle'));
    assert.ok(holdsTitle('tests/e2e/neighbours.spec.ts', 'in a frame of its own site it works as before'));
  });

  test('has a row for each fuzz target', () => {
    const named = THREATS.flatMap(({ tests }) =>
      Object.keys(tests).flatMap((path) => /(\w+)_fuzz/.exec(path)?.[1] ?? []),
    );
    assert.deepEqual([...new Set(named)].sort(), targets());
  });

  test('is what its document shows (npm run generate)', () =>
    assert.equal(readFileSync(join(root, DOCUMENT), 'utf8'), documentText()));
});

describe('an attack', () => {
  test('holds where all that is named has passed', () =>
    assert.deepEqual(
      standing(all()).filter(({ tested, passed, faults }) => faults.length > 0 || (tested && passed === 0)),
      [],
    ));

  test('fails where one that is named failed, was skipped or did not run', () => {
    const [path, title] = ['tests/e2e/neighbours.spec.ts', 'in a frame of its own site it works as before'];
    const others = all().filter(({ titles }) => !titles.includes(title));
    const faults = (/** @type {Test[]} */ tests) =>
      standing(tests).flatMap(({ id, faults }) => (id === 'frame' ? faults : []));
    assert.deepEqual(faults(others), [`${path}: ${title} did not run`]);
    assert.deepEqual(faults([...others, ran(path, [title], 'skipped')]), [`${path}: ${title} did not run`]);
    assert.deepEqual(faults([...others, ran(path, [title]), ran(path, [title], 'failed')]), [title]);
    assert.ok(standing([]).every(({ tested, faults }) => tested === faults.length > 0));
    // Of parts that were not to run nothing is said.
    assert.ok(standing([], ['web']).every(({ faults }) => faults.every((fault) => fault.startsWith('tests/web/'))));
    assert.ok(standing([], []).every(({ faults, passed }) => faults.length === 0 && passed === 0));
  });

  test('takes what varies in a title, and no other test', () => {
    assert.ok(isMeant(ran('a.test.ts', ['s', 'https://x is refused']), 'a.test.ts', ['%s is refused']));
    assert.ok(!isMeant(ran('a.test.ts', ['s', 'x is refused twice']), 'a.test.ts', ['%s is refused']));
    assert.ok(!isMeant(ran('b.test.ts', ['x is refused']), 'a.test.ts', ['%s is refused']));
    assert.ok(isMeant(ran('t/test_a.py', ['test_b[1]']), 't/test_a.py', ['test_b']));
    assert.ok(!isMeant(ran('t/test_a.py', ['test_bc']), 't/test_a.py', ['test_b']));
  });

  test('runs those parts, files and tests that are named', () => {
    const { parts, titles, core } = attackPlan();
    assert.ok(!parts.includes('') && parts.includes('fuzz') && !parts.includes('lint'));
    assert.match('chromium neighbours.spec.ts in a frame of its own site it works as before', titles);
    assert.doesNotMatch('chromium classify.spec.ts a photo can be dropped and pasted', titles);
    assert.match('Kinds/Damage.ACutFileIsAnErrorOrWasWhole/0', core);
    assert.ok(core.source.split('(').length - 1 < 10, 'more groups than CTest takes');
    assert.doesNotMatch('Decode.BmpsThatMakeNoSenseHaveTheirCodes', core);
  });
});
