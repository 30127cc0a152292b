// What is locked or compiled in, compared with the vulnerabilities that are known here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ageWarning, compare, everythingUsed, isOlder, knownAdvisories } from './advisories.mjs';

describe('advisories', () => {
  const { refreshed, advisories } = knownAdvisories();
  const used = everythingUsed();

  test('nothing is used with a known vulnerability that nobody decided on, and no decision is out of date', () =>
    assert.deepEqual(compare(advisories, used), { open: [], stale: [] }));

  test('a list that is old says so, and fails nothing', (context) => {
    const warning = ageWarning(refreshed);
    if (warning) context.diagnostic(`warning: ${warning}`);
    const on = (/** @type {string} */ day) => ageWarning('2026-01-01', new Date(day));
    assert.equal(on('2026-06-30'), null);
    assert.match(on('2026-07-01') ?? '', /181 days ago: docs\/supply-chain\.md/);
  });

  test('every lock and what is compiled in is looked at', () => {
    for (const [ecosystem, name] of /** @type {const} */ ([
      ['npm', 'onnxruntime-web'],
      ['npm', 'wasm-vips'],
      ['npm', 'webpack'],
      ['pypi', 'torch'],
      ['pypi', 'ruff'],
      ['pypi', 'tensorflow-cpu'],
      ['compiled', 'libde265'],
      // Read out of their headers.
      ['compiled', 'stb_image'],
      ['compiled', 'tl::expected'],
    ]))
      assert.ok(
        used.some((one) => one.ecosystem === ecosystem && one.name === name && /^\d/.test(one.version)),
        name,
      );
  });

  test('one that is new, or that an update mended, is told', () => {
    /** @type {import('./advisories.mjs').Advisory} */
    const made = { ecosystem: 'npm', name: 'lit', below: '999.0.0', ids: ['CVE-0000-1'], what: 'Made up.' };
    assert.match(compare([made], used).open.join(), /^lit 3\.\S+: CVE-0000-1, mended in 999\.0\.0\. Made up\.$/);
    const accepted = { looked: '2026-01-02', why: 'Made up.' };
    assert.deepEqual(compare([{ ...made, accepted }], used), { open: [], stale: [] });
    assert.deepEqual(compare([{ ...made, below: '1.0.0', accepted }], used).stale, ['lit: CVE-0000-1']);
    assert.deepEqual(compare([{ ...made, ecosystem: 'pypi' }], used).open, []);
  });

  test('versions are compared by their numbers', () => {
    for (const [a, b] of [
      ['1.9.0', '1.10.0'],
      ['1.0.15', '1.0.16'],
      ['2.13.0+cpu', '2.13.1'],
      ['1.0', '1.0.1'],
    ])
      assert.ok(isOlder(a ?? '', b ?? '') && !isOlder(b ?? '', a ?? ''), `${a} ${b}`);
    assert.ok(!isOlder('1.3.2', '1.3.2') && !isOlder('1.3.2.0', '1.3.2'));
  });

  test('every entry says what, since when and why', () => {
    const date = /^\d{4}-\d\d-\d\d$/;
    assert.match(refreshed, date);
    for (const { ids, what, below, accepted } of advisories) {
      assert.ok(ids.length > 0 && ids.every((id) => /^(CVE-\d{4}-\d+|GHSA(-\w{4}){3}|PYSEC-\d{4}-\d+)$/.test(id)));
      assert.match(below, /^\d+\.\d/);
      assert.ok(what.length > 10);
      if (accepted) assert.ok(date.test(accepted.looked) && accepted.why.length > 20);
    }
  });
});
