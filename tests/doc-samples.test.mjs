// Every sample that people copy is run by a test, or says why not; and what the samples name is there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ALL, DOCUMENTS, NOT_RUN, RUN_BY, sample, samplesIn } from './doc-samples.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

/** One line for each part: what runs it, or why nothing does. */
const lines = [...RUN_BY, ...NOT_RUN].flatMap(([by, document, ...parts]) =>
  parts.map((part) => ({
    by,
    document,
    part,
    has: (/** @type {string} */ text) => part === ALL || text.includes(part),
  })),
);

describe('samples of the documents', () => {
  for (const document of DOCUMENTS)
    test(`${document}: each is run by a test, or says why not`, () => {
      for (const { text } of samplesIn(document)) {
        const found = lines.filter((line) => line.document === document && line.has(text));
        assert.equal(found.length, 1, `tests/doc-samples.mjs names ${found.length} times what runs\n${text}`);
      }
    });

  test('nothing is named that is not there, or stands there twice', () => {
    for (const { document, part, has } of lines) {
      assert.ok(DOCUMENTS.includes(document), document);
      const { length } = samplesIn(document).filter(({ text }) => has(text));
      assert.ok(part === ALL ? length > 0 : length === 1, `${document}: ${length} samples with '${part}'`);
    }
    assert.throws(() => sample('README.md', 'no sample has this'), /README\.md has no samples with/);
  });

  test('what runs a sample is a test of the suite, and asks for it by the same words', () => {
    const suite = [
      /^tests\/web\/.*\.test\.ts$/,
      /^tests\/e2e\/.*\.spec\.ts$/,
      /^tools\/train\/tests\/test_\w+\.py$/,
      /^tests\/(package\/package|hosting)\.test\.mjs$/,
    ];
    const program = read('tools/build/test.mjs');
    for (const [tests, document, ...parts] of RUN_BY) {
      assert.ok(suite.some((pattern) => pattern.test(tests)) && existsSync(join(root, tests)), tests);
      if (tests.endsWith('.test.mjs')) assert.ok(program.includes(`'${tests}'`), `npm test does not run ${tests}`);
      const code = read(tests);
      assert.ok(code.includes(document), `${tests} does not name ${document}`);
      for (const part of parts)
        assert.ok(code.includes(part === ALL ? 'samplesIn(' : part), `${tests} does not take '${part}' of ${document}`);
    }
  });
});

describe('what samples name', () => {
  const all = DOCUMENTS.flatMap((document) => samplesIn(document).map(({ text }) => ({ document, text })));
  /**
   * @param {RegExp} pattern  with one group
   * @param {(name: string) => boolean} isThere
   * @param {number} least  so many are found at least
   */
  function assertThere(pattern, isThere, least) {
    const found = all.flatMap(({ document, text }) =>
      [...text.matchAll(pattern)].map(([, name = '']) => ({ document, name })),
    );
    assert.ok(found.length >= least, `${found.length} match ${pattern}`);
    assert.deepEqual(
      found.filter(({ name }) => !isThere(name)),
      [],
    );
  }

  test('npm scripts are there', () => {
    const { scripts } = JSON.parse(read('package.json'));
    assertThere(/\bnpm (?:run )?((?!run\b|ci\b|install\b|pack\b)[\w:-]+)/g, (name) => name in scripts, 25);
  });

  test('parts of `npm test` are there', () => {
    const program = read('tools/build/test.mjs');
    const isPart = (/** @type {string} */ id) => program.includes(`id: '${id}'`);
    assertThere(/(?:npm test|attack) -- --only ([\w,]+)/g, (list) => list.split(',').every(isPart), 2);
  });

  test('files of the repository are there', () => {
    const isThere = (/** @type {string} */ path) => existsSync(join(root, path));
    assertThere(/(?<![\w./])((?:tests|tools|contract|docs|web|wasm_src)\/[\w./-]*\w)/g, isThere, 6);
  });
});
