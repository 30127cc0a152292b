/** What the page says of similar cases, and which files it takes for their pictures. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { DermletError, type Result, type SimilarCase } from '../../web/src/classifier/index.js';
import { Classifier } from '../../web/src/classifier/node/index.js';
import { alike, faultWords, fileWords, isKnown, labelsOf, mayCompare } from '../../web/src/element/similar/cases.js';
import { isRead, picturesOf } from '../../web/src/element/similar/pictures.js';
import { picture } from './support.js';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const one = (label: string, name?: string): SimilarCase => ({
  label,
  sha256: hash(name ?? label),
  similarity: 0.9,
  ...(name === undefined ? {} : { name }),
});

test('counts labels, the commonest first and of equals the more similar one', () => {
  expect(labelsOf(['b', 'a', 'c', 'a', 'b'].map((label) => one(label)))).toEqual([
    { label: 'b', count: 2 },
    { label: 'a', count: 2 },
    { label: 'c', count: 1 },
  ]);
  expect(labelsOf([])).toEqual([]);
});

test('a similarity is told by how alike the archive’s own neighbours are', () => {
  const usual = { median: 0.8, low: 0.6 };
  expect([0.95, 0.8, 0.7, 0.6, 0.59, -1].map((similarity) => alike(similarity, usual))).toEqual([
    'near',
    'near',
    'far',
    'far',
    'hardly',
    'hardly',
  ]);
});

test('a case is named by its file, set apart from the sentence, else by its hash', () => {
  expect(fileWords(one('nv', 'nv/a\u202eb.jpg'))).toBe('File \u2068nv/a\ufffdb.jpg\u2069');
  expect(fileWords(one('nv'))).toBe(`File whose SHA-256 begins with \u2068${hash('nv').slice(0, 12)}\u2069`);
});

test('only usable photos are compared, and those that the network knew are told apart', () => {
  const result = (outcome: string, usable = true) =>
    ({ outcome, quality: { usable }, embedding: [1] }) as unknown as Result;
  expect(mayCompare(result('single'))).toBe(true);
  expect(mayCompare(result('poor-quality', false))).toBe(false);
  expect(
    ['single', 'several', 'not-recognised', 'no-spot', 'several-spots'].map((each) => isKnown(result(each))),
  ).toEqual([true, true, false, false, false]);
});

test('each fault has words of its own, and one that is not known some too', () => {
  const codes = ['MODEL_CORRUPT', 'MODEL_TOO_NEW', 'INVALID_ARGUMENT', 'UNREADABLE_FILE', 'PART_MISSING'] as const;
  const words = [...codes, 'BACKEND_FAILED' as const].map((code) => faultWords(new DermletError(code, 'x')));
  expect(new Set(words).size).toBe(words.length);
  expect(faultWords(new DermletError('MODEL_UNAVAILABLE', 'x'))).toBe(
    faultWords(new DermletError('PART_MISSING', 'x')),
  );
});

/** As a folder input gives it. */
const file = (path: string, content: string): File =>
  Object.defineProperty(new File([content], path.split('/').at(-1)!), 'webkitRelativePath', { value: path });

test('pictures are found by name around and in the opened folder, and only if they are the same', async () => {
  const cases = ['nv/1/a.jpg', 'nv/2/a.jpg', 'mel/c.jpg'].map((name) => one(name.split('/')[0]!, name));
  const own = cases.map(({ name }) => name!);
  const found = async (prefix: string, cut = 0, change = '') =>
    [
      ...(
        await picturesOf(
          cases,
          own.map((name) => file(`${prefix}${name.split('/').slice(cut).join('/')}`, name + change)),
        )
      ).keys(),
    ].length;
  expect(await found('archive/')).toBe(3);
  expect(await found('disk/2024/archive/')).toBe(3);
  expect(await found('nv/', 1)).toBe(3); // a.jpg is there twice: the hash says which is which
  expect(await found('archive/', 0, 'edited')).toBe(0);
  expect((await picturesOf([one('nv')], [file('archive/nv', 'nv')])).size).toBe(0); // no name
  const gone = file('archive/mel/c.jpg', 'mel/c.jpg');
  gone.arrayBuffer = () => Promise.reject(new Error('gone'));
  expect((await picturesOf(cases, [gone])).size).toBe(0);
});

test('a picture that the core refuses is not displayed, and what it reads is, whatever the network says', async () => {
  const classifier = await Classifier.load();
  try {
    const { signal } = new AbortController();
    const read = (name: string) => isRead(new Blob([picture(name)]), classifier, signal);
    expect(await read('spot.jpg')).toBe(true);
    for (const name of ['huge.png', 'corrupt.jpg', 'note.txt']) expect(await read(name), name).toBe(false);
    expect(await isRead(new Blob([picture('spot.jpg')]), classifier, AbortSignal.abort()), 'stopped').toBe(false);
  } finally {
    classifier.dispose();
  }
});
