/** Answers and labels -> figures, against values worked out by hand. */
import { describe, expect, test } from 'vitest';
import { compactJson } from '../../tools/cli/evaluate.js';
import { allFigures, type EvaluationOptions, parsePart } from '../../tools/cli/evaluation.js';
import { CUTS } from '../../tools/cli/figures.js';
import { findPairs } from '../../tools/cli/pairs.js';
import { report } from '../../tools/cli/report.js';
import type { Answered } from '../../tools/cli/scored.js';
import { seededRandom } from '../../tools/cli/statistics.js';
import { UsageError } from '../../tools/cli/usage.js';

const IDS = ['a', 'b', 'c'];

interface Told {
  label: string;
  probabilities: number[];
  predictionSet: number[];
  excess?: number;
  set?: string;
  group?: string;
  modality?: string;
  skinTone?: string;
  kind?: string;
  outcome?: Answered['outcome'];
  tier?: Answered['tier'];
}

let made = 0;
function answer({
  label,
  probabilities,
  predictionSet,
  excess = -1,
  set = 's',
  group,
  modality = 'photo',
  skinTone = '',
  kind = '',
  outcome,
  tier = 'unknown',
}: Told): Answered {
  const image = `${made++}.jpg`;
  return {
    row: { set, image, label, group: group ?? image, split: 'val', modality, sourceLabel: kind, skinTone },
    modality,
    framing: 'whole',
    outcome:
      outcome ?? (predictionSet.length === 0 ? 'not-recognised' : predictionSet.length === 1 ? 'single' : 'several'),
    rejection: excess,
    excess,
    probabilities,
    predictionSet,
    tier,
  };
}

const options: EvaluationOptions = {
  ids: IDS,
  merge: [],
  positive: 'b',
  malignant: ['b', 'c'],
  benign: ['a'],
  parts: [],
  resamples: 50,
};

const rows = [
  answer({ label: 'a', probabilities: [0.9, 0.1, 0], predictionSet: [0] }),
  answer({ label: 'a', probabilities: [0.6, 0.3, 0.1], predictionSet: [0, 1], set: 't' }),
  answer({ label: 'b', probabilities: [0.7, 0.25, 0.05], predictionSet: [0], modality: 'dermoscopy' }),
  answer({ label: 'b', probabilities: [0.2, 0.7, 0.1], predictionSet: [1, 0] }),
  answer({ label: 'c', probabilities: [0.3, 0.1, 0.6], predictionSet: [], excess: 1 }),
  answer({ label: 'other', probabilities: [0.4, 0.3, 0.3], predictionSet: [0], excess: -0.5, kind: 'rash/x' }),
  answer({ label: 'none', probabilities: [0.5, 0.25, 0.25], predictionSet: [], excess: 2, kind: 'cat' }),
  answer({
    label: 'none',
    probabilities: [1, 0, 0],
    predictionSet: [],
    excess: 2,
    kind: 'wall',
    outcome: 'poor-quality',
  }),
];

describe('tiers', () => {
  const tiered = (label: string, tier: Answered['tier'], more: Partial<Told> = {}) =>
    answer({ label, tier, probabilities: [0.6, 0.3, 0.1], predictionSet: tier === 'unknown' ? [] : [0], ...more });
  // b and c are malignant, b the positive class; a is benign, d neither.
  const four = { ...options, ids: [...IDS, 'd'] };
  const own = [
    ...(['low', 'high', 'high', 'moderate', 'unknown'] as const).map((tier) => tiered('b', tier)),
    ...(['high', 'high'] as const).map((tier) => tiered('c', tier, { modality: 'dermoscopy', skinTone: 'milk:3' })),
    ...(['low', 'low', 'low', 'high', 'unknown'] as const).map((tier) => tiered('a', tier)),
    ...(['moderate', 'low'] as const).map((tier) => tiered('d', tier)),
    tiered('none', 'high'),
  ].map((each) => ({ ...each, probabilities: [...each.probabilities, 0] }));
  const figures = allFigures(own, four);

  test('against class, of answered pictures alone', () => {
    const { tiers } = figures.overall;
    expect(tiers.malignant).toEqual({ pictures: 6, low: 1, moderate: 1, high: 4 });
    expect(tiers.positive).toEqual({ pictures: 4, low: 1, moderate: 1, high: 2 });
    expect(tiers.others).toEqual({ pictures: 6, low: 4, moderate: 1, high: 1 });
    expect(tiers.benign).toEqual({ pictures: 4, low: 3, moderate: 0, high: 1 });
  });

  test('sensitivity and specificity of both cuts', () => {
    const { tiers, intervals } = figures.overall;
    expect(tiers.high).toEqual({ sensitivity: 4 / 6, specificity: 5 / 6 });
    expect(tiers.low).toEqual({ sensitivity: 5 / 6, specificity: 4 / 6 });
    expect(tiers).toMatchObject({ malignantLow: 1 / 6, positiveLow: 1 / 4, benignLow: 3 / 4, benignHigh: 1 / 4 });
    const [low, high] = intervals.tierHighSensitivity!;
    expect(low).toBeLessThan(4 / 6);
    expect(high).toBeGreaterThan(4 / 6);
  });

  test('the best cuts are those of all that keep the shares', () => {
    const random = seededRandom(5);
    const drawn = Array.from({ length: 400 }, (_, i) => {
      const label = 'bca'[i % 3]!;
      const malignant = label === 'a' ? random() ** 2 : Math.sqrt(random());
      const [b, d] = [malignant * random(), (1 - malignant) * random() * 0.5];
      const probabilities = [1 - malignant - d, b, malignant - b, d];
      return { ...tiered(label, 'moderate'), probabilities };
    });
    const raised = ([a]: number[]) => 1 - a!;
    const high = ([, b, c]: number[]) => b! + c!;
    const of = (...labels: string[]) =>
      drawn.filter(({ row }) => labels.includes(row.label)).map((each) => each.probabilities);
    const under = (kind: number[][], score: (values: number[]) => number, cut: number) =>
      kind.filter((values) => score(values) < cut - 1e-12).length / kind.length;
    let [benignLow, benignHigh] = [0, 1];
    for (let cut = 0; cut <= 1; cut += 1e-4) {
      const held = { malignant: under(of('b', 'c'), raised, cut), positive: under(of('b'), raised, cut) };
      if (held.malignant <= CUTS.malignantLow && held.positive <= CUTS.positiveLow)
        benignLow = Math.max(benignLow, under(of('a'), raised, cut));
      if (1 - under(of('b', 'c'), high, cut) >= CUTS.malignantHigh)
        benignHigh = Math.min(benignHigh, 1 - under(of('a'), high, cut));
    }
    const { best } = allFigures(drawn, four).overall.tiers;
    expect(benignLow).toBeGreaterThan(0.05);
    expect(benignHigh).toBeLessThan(0.9);
    expect(best.benignLow).toBeCloseTo(benignLow, 2);
    expect(best.benignHigh).toBeCloseTo(benignHigh, 2);
    expect(best.benignLow).toBeGreaterThanOrEqual(benignLow);
    expect(best.benignHigh).toBeLessThanOrEqual(benignHigh);
  });

  test('by modality and set, and not defined where nothing of the kind is there', () => {
    expect(figures.byModality.dermoscopy!.tiers).toMatchObject({
      high: { sensitivity: 1, specificity: null },
      benignLow: null,
      positiveLow: null,
    });
    expect(figures.bySet.s!.tiers.malignant.pictures).toBe(6);
    expect(figures.bySkinTone.s!['milk:3']).toMatchObject({ figures: null }); // too few lesions to say
  });

  test('are printed', () => {
    const text = report(figures);
    expect(text).toMatch(/concern tier of answered pictures +pictures +low +moderate +high\nmalignant +6 +1 +1 +4\n/);
    expect(text).toMatch(/tier high: sensitivity, malignant in it +0\.667 +\(/);
    expect(text).toMatch(/\ndermoscopy +2 +1\.00/);
    expect(text).toMatch(/\nphoto +0\.75 +0\.00 +0\.25 +1\.00\n/);
  });

  test('merging classes changes nothing of them', () => {
    const merged = allFigures(own, { ...four, merge: ['c:a'] }).overall.tiers;
    expect(merged).toEqual(figures.overall.tiers);
  });
});

describe('figures', () => {
  const figures = allFigures(rows, options);
  const { overall, refusal } = figures;

  test('negatives count for refusal and not for accuracy', () => {
    expect(overall).toMatchObject({ pictures: 5, accuracy: 0.8, shareRefused: 0.2 });
    expect(overall.balancedAccuracy).toBeCloseTo((1 + 0.5 + 1) / 3);
    expect(overall.outcomes).toEqual({
      single: 2,
      several: 2,
      'not-recognised': 1,
      'poor-quality': 0,
      'no-spot': 0,
      'several-spots': 0,
    });
  });
  test('prediction sets count over answered pictures', () => {
    expect(overall.predictionSets).toMatchObject({ answered: 4, coverage: 0.75, meanSize: 1.5, shareSingle: 0.5 });
    expect(overall.setSizes).toEqual([0, 2, 2, 0]);
    expect(overall.perClass.a).toMatchObject({ pictures: 2, recall: 1, coverage: 1, meanSetSize: 1.5 });
    expect(overall.perClass.b).toMatchObject({ pictures: 2, recall: 0.5, coverage: 0.5 });
    expect(overall.perClass.c).toMatchObject({ pictures: 1, recall: 1, coverage: null });
  });
  // b: 0.25, 0.7 against 0.1, 0.3, 0.1: (2 + 3) of 6.
  test('one against the rest, with its own coverage', () => {
    expect(overall.positive).toMatchObject({ class: 'b', pictures: 2, coverage: 0.5 });
    expect(overall.positive!.auc).toBeCloseTo(5 / 6);
    expect(overall.roc.positive[0]).toEqual([0, 0]);
    expect(overall.roc.positive.at(-1)).toEqual([1, 1]);
  });
  // Probability of b and c: 0.3, 0.8, 0.7 against 0.1, 0.4: (1 + 2 + 2) of 6.
  test('malignant classes together against the rest', () => {
    expect(overall.malignant).toMatchObject({ classes: ['b', 'c'], pictures: 3 });
    expect(overall.malignant!.auc).toBeCloseTo(5 / 6);
  });
  test('confusion: rows the truth, columns the first-ranked class', () => {
    expect(overall.confusion).toEqual([
      [2, 0, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });
  test('reliability holds every picture', () => {
    expect(overall.reliability.pictures).toHaveLength(15);
    expect(overall.reliability.pictures.reduce((sum, pictures) => sum + pictures, 0)).toBe(5);
  });
  test('every figure with an interval lies where its interval can be', () => {
    const names = [
      'accuracy',
      'balancedAccuracy',
      'macroAuc',
      'positiveAuc',
      'positiveCoverage',
      'malignantAuc',
      'calibrationError',
      'coverage',
      'shareRefused',
    ];
    expect(Object.keys(overall.intervals)).toEqual(expect.arrayContaining(names));
    for (const [low, high] of Object.values(overall.intervals)) expect(low).toBeLessThanOrEqual(high);
  });
  test('by set and by modality; what is not defined is null', () => {
    expect(Object.keys(figures.bySet)).toEqual(['s', 't']);
    expect(figures.bySet.t!.macroAuc).toBeNull();
    expect(figures.bySet.t!.roc.positive).toEqual([]);
    expect(figures.byModality.dermoscopy).toMatchObject({ pictures: 1, accuracy: 0 });
  });
  test('refusal by the excess over the threshold, certainty by the greatest probability', () => {
    // Against the photos alone, as all are photos. -0.5, 2, 2 against -1, -1, -1, 1: 3 + 4 + 4 of 12.
    expect(refusal!.all.auroc).toBeCloseTo(11 / 12);
    // 0.6, 0.5, 0 against 0.1, 0.4, 0.3, 0.4: 4 + 4 + 0 of 12.
    expect(refusal!.all.aurocUncertainty).toBeCloseTo(8 / 12);
    expect(refusal!.lesionsRefused).toBe(0.2);
    expect(refusal!.lesionsRefusedByModality).toEqual({ dermoscopy: 0, photo: 0.25 });
    expect(refusal!.byLabel.other).toMatchObject({
      pictures: 1,
      shareRefused: 0,
      shareSingle: 1,
      auroc: 0.75,
      aurocUncertainty: 1,
    });
    expect(refusal!.byLabel.none).toMatchObject({ pictures: 2, refused: 2, poorQuality: 1, notRecognised: 1 });
    expect(Object.keys(refusal!.byKind)).toEqual(['none: cat', 'none: wall', 'other: rash']);
    expect(refusal!.byKind['none: cat']!.intervals.auroc).toBeDefined();
  });
  test('each modality by itself, weighted by its negatives; one without lesions has no say', () => {
    const more = [
      answer({ label: 'other', probabilities: [0.9, 0.1, 0], predictionSet: [], modality: 'dermoscopy', excess: -5 }),
      answer({ label: 'other', probabilities: [0.9, 0.1, 0], predictionSet: [], modality: 'x', excess: 9 }),
    ];
    // 11 / 12 for the three photos, 0 for the dermoscopic picture.
    expect(allFigures([...rows, ...more], options).refusal!.all.auroc).toBeCloseTo(((11 / 12) * 3) / 4);
  });
  test('can be written and read for people, with no lesions too', () => {
    expect(report(figures)).toMatch(/b \+ c against the rest, AUC +0\.833/);
    const none = allFigures(rows.slice(5), { ...options, positive: undefined });
    expect(JSON.parse(JSON.stringify(none))).toMatchObject({
      overall: { pictures: 0, accuracy: null, positive: null },
    });
    expect(report(none)).toMatch(/Real lesions refused: –/);
  });
});

describe('parts', () => {
  test('are read', () => {
    expect(parsePart('ham:x,y:c:a,d:b')).toEqual({ name: 'ham', sets: ['x', 'y'], merge: ['c:a', 'd:b'] });
    expect(parsePart('pad:pad-20')).toEqual({ name: 'pad', sets: ['pad-20'], merge: [] });
  });
  test.each(['ham', 'ham:', ':x', 'Ham:x', '../x:y'])('%s is wrong use', (text) =>
    expect(() => parsePart(text)).toThrow(UsageError),
  );
  const merged = { name: 'p', sets: ['s'], merge: ['c:a'] };
  const part = allFigures(rows, { ...options, parts: [merged] }).parts.p!;
  test('have their own sets and classes; the same pictures are not classified again', () => {
    expect(part.classes).toEqual(['a', 'b']);
    expect(part.lesions).toMatchObject({ pictures: 4 });
    // c counts as a, and 0.3 + 0.6 for a makes it right.
    expect(part.lesions.perClass.a).toMatchObject({ pictures: 2, recall: 1 });
  });
  // c is malignant although it is merged into a: 0.3, 0.8, 0.7 against 0.1.
  test('merging does not change what is malignant', () =>
    expect(part.lesions.malignant).toMatchObject({ pictures: 3, auc: 1 }));
  test('are the figures of the same rows alone', () => {
    const alone = allFigures(
      rows.filter(({ row }) => row.set === 's'),
      { ...options, merge: ['c:a'] },
    );
    expect(part.lesions).toEqual(alone.overall);
  });
});

test('classes of fewer than 20 lesions or patients are named with how many, however many their pictures', () => {
  const of = (label: string, groups: number, each = 1) =>
    Array.from({ length: groups * each }, (_, i) =>
      answer({
        label,
        probabilities: [0.6, 0.3, 0.1],
        predictionSet: [0],
        group: `${label}${i % groups}`,
        set: label === 'c' ? 'u' : 's',
      }),
    );
  const figures = allFigures([...of('a', 20), ...of('b', 19, 2), ...of('c', 1)], options);
  expect(figures.overall.few).toEqual({ b: 19, c: 1 });
  expect(figures.bySet.s!.few).toEqual({ b: 19 });
  expect(report(figures)).toContain('all: fewer than 20 lesions or patients of b 19, c 1');
  expect(report(figures)).toContain('\nu: fewer than 20 lesions or patients of c 1');
});

describe('skin tone', () => {
  const toned = (tone: string, count: number, perGroup = 1, set = 's') =>
    Array.from({ length: count }, (_, i) =>
      answer({
        label: IDS[i % 2]!,
        probabilities: [0.6, 0.3, 0.1],
        predictionSet: [0],
        skinTone: tone,
        group: `${set}-${tone}-${Math.floor(i / perGroup)}`,
        set,
      }),
    );
  const { bySkinTone } = allFigures(
    [...toned('x:1', 20), ...toned('x:2', 19), ...toned('x:3', 40, 4), ...toned('', 3), ...toned('', 25, 1, 'u')],
    options,
  );
  test('20 groups say something, 19 do not, nor do many pictures of few groups', () => {
    expect(bySkinTone.s!['x:1']).toMatchObject({ pictures: 20, groups: 20, figures: { accuracy: 0.5 } });
    expect(bySkinTone.s!['x:2']).toEqual({ pictures: 19, groups: 19, figures: null });
    expect(bySkinTone.s!['x:3']).toEqual({ pictures: 40, groups: 10, figures: null });
  });
  test('what is not stated is counted, and a set that states nothing is left out', () => {
    expect(bySkinTone.s!['not stated']).toMatchObject({ pictures: 3, figures: null });
    expect(Object.keys(bySkinTone)).toEqual(['s']);
  });
});

describe('pairs', () => {
  const row = (set: string, image: string, group: string, label = 'a') => ({ set, image, group, label });
  test('join one picture of each modality of one group and label, each lesion once', () => {
    const all = [
      row('d', '1', 'g1'),
      row('p', '1', 'g1'),
      row('d', '2', 'g2'),
      row('p', '9', 'g3'),
      row('p', '3', 'g3'),
      row('d', '3', 'g3'),
      row('p', '4', 'g2', 'b'),
    ];
    const modalities = ['derm', 'photo', 'derm', 'photo', 'photo', 'derm', 'photo'];
    expect(findPairs(all, modalities, ['derm', 'photo'])).toEqual([
      { group: 'g1', pictures: [0, 1] },
      { group: 'g3', pictures: [5, 4] },
    ]);
  });

  const random = seededRandom(3);
  const said = (label: string, share: number, modality: string, group: string) => {
    const right = random() < share;
    const k = IDS.indexOf(label);
    const guess = right ? k : (k + 1) % 3;
    return answer({
      label,
      probabilities: IDS.map((_, i) => (i === guess ? 0.8 : 0.1)),
      predictionSet: [guess],
      modality,
      group,
    });
  };
  const lesions = Array.from({ length: 150 }, (_, i) => IDS[i % 3]!);
  const answers = lesions.flatMap((label, i) => [
    said(label, 0.7, 'derm', `g${i}`),
    said(label, 0.5, 'photo', `g${i}`),
  ]);
  const together = lesions.map((label, i) => said(label, 0.9, 'combined', `g${i}`));
  const pairs = lesions.map((_, i) => ({
    pair: { group: `g${i}`, pictures: [2 * i, 2 * i + 1] as [number, number] },
    together: together[i]!,
  }));
  const figures = allFigures(answers, options, { modalities: ['derm', 'photo'], pairs }).pairs!;

  test('each alone and both together, on the same lesions', () => {
    const accuracyOf = (rows: Answered[]) =>
      rows.filter(({ row: own, predictionSet }) => IDS[predictionSet[0]!] === own.label).length / rows.length;
    expect(figures.lesions).toBe(150);
    expect(figures.together.accuracy).toBeCloseTo(accuracyOf(together));
    expect(figures.alone.derm!.accuracy).toBeCloseTo(accuracyOf(answers.filter(({ modality }) => modality === 'derm')));
    expect(figures.difference.photo!.accuracy!.value).toBeCloseTo(
      figures.together.accuracy! - figures.alone.photo!.accuracy!,
    );
  });
  test('the interval of the difference is paired: none where nothing differs', () => {
    const same = pairs.map(({ pair }, i) => ({ pair, together: { ...answers[2 * i]!, modality: 'combined' } }));
    const { difference } = allFigures(answers, options, { modalities: ['derm', 'photo'], pairs: same }).pairs!;
    expect(difference.derm!.balancedAccuracy).toEqual({ value: 0, interval: [0, 0] });
    const [low, high] = difference.photo!.accuracy!.interval!;
    expect(low).toBeLessThan(difference.photo!.accuracy!.value!);
    expect(high).toBeGreaterThan(difference.photo!.accuracy!.value!);
  });
  test('are told to people', () =>
    expect(report(allFigures(answers, options, { modalities: ['derm', 'photo'], pairs }))).toMatch(
      /150 lesions with both pictures +derm +photo +both together/,
    ));
});

describe('what is written', () => {
  test('is JSON with a list of numbers on one line, rounded, and text as it is', () => {
    const value = {
      curve: [
        [0, 0.12345678],
        [1, null],
      ],
      text: '[ 1,  2 ]',
      none: [],
      names: ['a', 'b'],
      small: 1e-9,
      many: 123456,
    };
    const text = compactJson(value);
    expect(text).toContain('\n    [0, 0.123457],\n    [1, null]\n');
    expect(JSON.parse(text)).toEqual({
      ...value,
      curve: [
        [0, 0.123457],
        [1, null],
      ],
      small: 0,
    });
  });
});

test('a network or head without tiers has no figures of them', () => {
  const { tiers, intervals } = allFigures(rows, options).overall;
  expect(tiers.high).toEqual({ sensitivity: null, specificity: null });
  expect(tiers.low).toEqual({ sensitivity: null, specificity: null });
  expect(tiers.best).toEqual({ benignLow: null, benignHigh: null });
  expect([tiers.malignantLow, tiers.benignHigh, intervals.tierLowSensitivity]).toEqual([null, null, undefined]);
});
