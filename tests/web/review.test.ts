/** Many photos: their order, which are listed, how a reader and the network agree, and what is exported. */
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { DermletError, type Result } from '../../web/src/classifier/index.js';
import { closerOf } from '../../web/src/element/closer/ask.js';
import type { Answers } from '../../web/src/element/questions/advice.js';
import { raisedBy } from '../../web/src/element/questions/raised.js';
import { agreementOf } from '../../web/src/element/review/agreement.js';
import { csvOf, jsonOf } from '../../web/src/element/review/exported.js';
import { finishedWords } from '../../web/src/element/review/finished.js';
import { kindOf, listed, rowsInView, type Wanted } from '../../web/src/element/review/order.js';
import { type Reading, sorted } from '../../web/src/element/review/readings.js';
import type { Closer, Photo } from '../../web/src/element/session.js';

type Some = Pick<Photo, 'id' | 'name' | 'state' | 'said'>;

function done(
  id: number,
  name: string,
  tier: string,
  outcome: string,
  probability: number,
  closer: Closer | null = null,
): Some {
  const ranking = [
    { id: 'mole', name: 'Mole', probability, concern: 'low', inSet: true },
    { id: 'melanoma', name: 'Melanoma', probability: 1 - probability, concern: 'high', inSet: false },
  ];
  const result = {
    outcome,
    tier,
    ranking,
    predictionSet: ['mole'],
    modality: 'photo',
    testTimeAugmentation: closer?.thorough ?? false,
    model: { name: 'skin-8', version: '1.2.0', sha256: 'ab12', title: 'Skin' },
    images: { view: { width: 1, height: 1, rgba: [1, 2, 3, 255] } },
  } as unknown as Result;
  const seen = { modality: null, crop: null, closer };
  return { id, name, said: null, state: { kind: 'done', result, seen } as Photo['state'] };
}

const PHOTOS: readonly Some[] = [
  done(1, 'b10.jpg', 'low', 'single', 0.75),
  done(2, 'b9.jpg', 'high', 'several', 0.5),
  { id: 3, name: 'C.jpg', said: null, state: { kind: 'waiting' } },
  {
    id: 4,
    name: '=HYPERLINK("x")',
    said: null,
    state: { kind: 'failed', error: new DermletError('CORRUPT_IMAGE', 'broken') },
  },
  done(5, 'a "quoted", name\n.jpg', 'unknown', 'not-recognised', 0.9),
];
/** As it is after a person said that it bleeds. */
const bleeding = (photo: Some): Some => {
  const answers: Answers = { signs: ['bleeds'], age: null, place: null };
  return { ...photo, said: { answers, raised: (tier) => raisedBy(answers, tier) } };
};
const ALL: Wanted = { sort: 'added', kind: null, category: null, text: '' };
const ids = (wanted: Partial<Wanted>) => listed(PHOTOS, { ...ALL, ...wanted }).map(({ id }) => id);

describe('order', () => {
  test('by tier the most urgent is first, by score those without an answer are last, by name numbers count', () => {
    expect(ids({ sort: 'tier' })).toEqual([2, 5, 1, 4, 3]);
    expect(ids({ sort: 'score' }).slice(0, 2)).toEqual([1, 2]);
    expect(ids({ sort: 'name' }).filter((id) => id < 4)).toEqual([2, 1, 3]);
  });

  test('lists by tier or state, by a category that an answer names, and by text', () => {
    expect(ids({ kind: 'high' })).toEqual([2]);
    expect(ids({ kind: 'pending' })).toEqual([3]);
    // The fifth has no answer: what stands first in its ranking is none.
    expect(ids({ category: 'mole' })).toEqual([1, 2]);
    expect(ids({ text: ' c.JPG ' })).toEqual([3]);
  });

  test('goes by the tier that the answers of a person raised, as the answer itself does', () => {
    const photos = [...PHOTOS.slice(1), bleeding(PHOTOS[0]!)];
    expect(photos.map(kindOf)).toEqual(['high', 'pending', 'failed', 'unknown', 'high']);
    expect(listed(photos, { ...ALL, sort: 'tier' }).map(({ id }) => id)).toEqual([2, 1, 5, 4, 3]);
    expect(listed(photos, { ...ALL, kind: 'low' })).toEqual([]);
  });

  test('draws the rows in view and some around them, whatever the place', () => {
    expect(rowsInView(500, 50, 0, 400)).toEqual({ first: 0, end: 14 });
    expect(rowsInView(500, 50, 10_000, 400)).toEqual({ first: 195, end: 214 });
    expect(rowsInView(500, 50, 1e9, 400)).toEqual({ first: 486, end: 500 });
    expect(rowsInView(3, 50, 900, 400)).toEqual({ first: 0, end: 3 });
    expect(rowsInView(0, 50, 0, 400)).toEqual({ first: 0, end: 0 });
  });
});

test('what is told once all were looked at is a sentence', () => {
  const photos = [...PHOTOS.filter(({ id }) => id !== 3), bleeding(done(6, 'd', 'low', 'single', 0.7))];
  expect(finishedWords(photos)).toBe(
    'All 5 photos were looked at: 2 of high concern, 1 whose concern cannot be judged, 1 of low concern and 1 could ' +
      'not be read or scored.',
  );
  expect(finishedWords(photos.slice(0, 1))).toBe('1 photo was looked at: 1 of low concern.');
});

describe('agreement', () => {
  const pairs = (...all: [string, string, number][]) =>
    all.flatMap(([reader, network, times]) => Array.from({ length: times }, () => ({ reader, network })));

  test("Cohen's kappa of the textbook's table", () => {
    const found = agreementOf(pairs(['yes', 'yes', 20], ['yes', 'no', 5], ['no', 'yes', 10], ['no', 'no', 15]));
    expect(found).toMatchObject({ count: 50, agreed: 35, share: 0.7 });
    expect(found.kappa).toBeCloseTo(0.4, 12);
  });

  test('is 1 for full, below 0 for less than by chance, and undefined where nothing could differ', () => {
    expect(agreementOf(pairs(['a', 'a', 3], ['b', 'b', 1])).kappa).toBe(1);
    expect(agreementOf(pairs(['a', 'b', 2], ['b', 'a', 2])).kappa).toBe(-1);
    expect(agreementOf(pairs(['a', 'a', 7]))).toEqual({ count: 7, agreed: 7, share: 1, kappa: null });
    expect(agreementOf([])).toEqual({ count: 0, agreed: 0, share: null, kappa: null });
  });
});

describe('readings', () => {
  const own: Reading = { label: 'a tattoo', category: null, first: true };
  const mole: Reading = { label: 'mole', category: 'Mole', first: false };
  const photos = [
    { id: 1, reading: own },
    { id: 2, reading: mole },
    { id: 3, reading: null },
  ];
  const classes = (...ids: string[]) => ids.map((id) => ({ id, name: id, concern: 'low' as const }));

  test('of a category that the network lacks are set aside; own words are always kept', () => {
    expect(sorted(photos, classes('mole'))).toEqual({
      readings: new Map([
        [1, own],
        [2, mole],
      ]),
      aside: [],
    });
    expect(sorted(photos, classes('wart'))).toEqual({ readings: new Map([[1, own]]), aside: [mole] });
    // An own word that is an id by chance is no category.
    expect(sorted([{ id: 1, reading: { ...own, label: 'mole' } }], classes('wart')).readings.size).toBe(1);
  });

  test('are all kept while the categories are not known yet', () => {
    expect(sorted(photos, null).readings.size).toBe(2);
  });
});

describe('export', () => {
  const readings = new Map<number, Reading>([
    [1, { label: '@own, label', category: null, first: true }],
    [2, { label: 'mole', category: 'Mole', first: false }],
  ]);

  test('CSV: each photo a row; cells that would be formulas are text; no answer where there is none', () => {
    const rows: Record<string, string>[] = parse(csvOf(PHOTOS, readings), { bom: true, columns: true });
    expect(rows).toHaveLength(5);
    expect(rows[0]).toMatchObject({
      name: 'b10.jpg',
      outcome: 'single',
      tier: 'low',
      set: 'mole',
      first_category: 'mole',
      first_score: '0.750000',
      ranking: 'mole=0.750000 melanoma=0.250000',
      model_version: '1.2.0',
      model_sha256: 'ab12',
      reader_label: "'@own, label",
      reader_first: 'true',
    });
    expect(rows[3]).toMatchObject({ name: `'=HYPERLINK("x")`, state: 'failed', error: 'CORRUPT_IMAGE', tier: '' });
    expect(rows[4]).toMatchObject({ name: 'a "quoted", name\n.jpg', first_category: '', set: '' });
    for (const start of ['+1', '-1', '\t=1', '\r=1'])
      expect(csvOf([{ id: 9, name: start, said: null, state: { kind: 'waiting' } }], new Map())).toContain(`'${start}`);
  });

  test('CSV: the tier as it is shown, and that of the network; JSON: the result as it came', () => {
    const photos = [bleeding(PHOTOS[0]!), PHOTOS[1]!];
    expect(parse(csvOf(photos, readings), { bom: true, columns: true })).toMatchObject([
      { tier: 'high', network_tier: 'low' },
      { tier: 'high', network_tier: 'high' },
    ]);
    expect(JSON.parse(jsonOf(photos, readings)).photos[0].result.tier).toBe('low');
  });

  test('an answer from two photos names the other one, and a thorough one says so', () => {
    const other = { name: 'b9.jpg', file: new Blob(), modality: null, crop: null };
    const both = done(6, 'b10.jpg', 'low', 'single', 0.75, closerOf(true, other));
    const rows = parse(csvOf([both, PHOTOS[0]!], readings), { bom: true, columns: true });
    expect(rows).toMatchObject([
      { thorough: 'true', together_with: 'b9.jpg' },
      { thorough: 'false', together_with: '' },
    ]);
    const { photos } = JSON.parse(jsonOf([both, PHOTOS[0]!], readings));
    expect([photos[0].togetherWith, photos[1].togetherWith]).toEqual(['b9.jpg', undefined]);
  });

  test('JSON: whole results without pixels', () => {
    const { photos } = JSON.parse(jsonOf(PHOTOS, readings));
    expect(photos[0]).toMatchObject({ name: 'b10.jpg', result: { tier: 'low' }, reader: { first: true } });
    expect(photos[0].result.images).toBeUndefined();
    expect(photos[3]).toEqual({ name: '=HYPERLINK("x")', state: 'failed', error: 'CORRUPT_IMAGE' });
  });
});
