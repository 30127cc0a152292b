/** The retired servers' answers: their shapes, and none of their faults. */
import { describe, expect, test } from 'vitest';
import { toDiagnosis, toPredict } from '../../web/src/handler/projections.js';
import { doctor, plainPercent, summary } from '../../web/src/messages/index.js';
import { result } from './support.js';

const mole = result(
  [
    ['nv', 0.97123456, 'low', true],
    ['mel', 0.02, 'high', false],
    ['bkl', 0.00876544, 'low', false],
  ],
  'single',
  'low',
);
const doubtful = result(
  [
    ['nv', 0.9, 'low', true],
    ['mel', 0.09, 'high', true],
    ['bkl', 0.01, 'low', false],
  ],
  'several',
  'high',
);
const melanoma = result(
  [
    ['mel', 0.99, 'high', true],
    ['nv', 0.01, 'low', false],
  ],
  'single',
  'high',
);
const keratosis = result(
  [
    ['akiec', 0.8, 'moderate', true],
    ['nv', 0.2, 'low', false],
  ],
  'single',
  'moderate',
);
/** The high-concern classes together are over the cut, though none is in the set. */
const mass = result(
  [
    ['nv', 0.7, 'low', true],
    ['mel', 0.15, 'high', false],
    ['bcc', 0.15, 'high', false],
  ],
  'single',
  'high',
);
/** Nothing of high concern is put aside by the set, but the tier says that all of it together is little. */
const named = result(
  [
    ['nv', 0.93, 'low', true],
    ['mel', 0.05, 'high', true],
    ['bkl', 0.02, 'low', false],
  ],
  'several',
  'low',
);
const cat = result(
  [
    ['mel', 0.99, 'high', false],
    ['nv', 0.01, 'low', false],
  ],
  'not-recognised',
  'unknown',
);
const blur = result(
  [
    ['nv', 0.99, 'low', false],
    ['mel', 0.01, 'high', false],
  ],
  'poor-quality',
  'unknown',
);
const all = { mole, doubtful, melanoma, keratosis, mass, named, cat, blur };

describe('diagnosis', () => {
  test('has the old shape', () => {
    expect(toDiagnosis(mole)).toEqual({
      label: 'nv',
      diagnosis: 'Name of nv',
      confidence: 97.12,
      severity: 'Low',
      advice: expect.stringContaining('97 %') as string,
      isSafe: true,
    });
  });

  test.each([
    ['doubtful', 'nv', 'High'],
    ['melanoma', 'mel', 'High'],
    ['keratosis', 'akiec', 'Moderate'],
    ['mass', 'nv', 'High'],
  ] as const)('%s: severity is the tier, not the concern of the first class', (name, label, severity) => {
    expect(toDiagnosis(all[name])).toMatchObject({ label, severity, isSafe: false });
  });

  test('a low tier with a category of high concern in the set is Low, and still not safe', () =>
    expect(toDiagnosis(named)).toMatchObject({ severity: 'Low', isSafe: false }));

  test('isSafe is only ever true of a low tier where a class is named', () => {
    for (const answer of Object.values(all)) {
      if (toDiagnosis(answer).isSafe) expect([answer.tier, answer.outcome]).toEqual(['low', 'single']);
      expect(toDiagnosis({ ...answer, tier: 'moderate' }).isSafe).toBe(false);
      expect(toDiagnosis({ ...answer, outcome: 'not-recognised' }).isSafe).toBe(false);
    }
  });

  test.each([
    ['cat', /^Not recognised/],
    ['blur', /^Picture not usable, so no category is named\./],
  ] as const)('%s gets no class', (name, words) => {
    expect(toDiagnosis(all[name])).toMatchObject({
      label: null,
      confidence: 0,
      severity: 'Unknown',
      isSafe: false,
      diagnosis: expect.stringMatching(words) as string,
    });
  });
});

describe('predict', () => {
  test('has the old shape: top three, sorted, 0..1', () => {
    expect(toPredict(doubtful)).toEqual({
      predicted_class: 'Name of nv',
      confidence: 0.9,
      all_predictions: [
        { class_name: 'Name of nv', confidence: 0.9, risk_level: 'low', clinical_priority: 3 },
        { class_name: 'Name of mel', confidence: 0.09, risk_level: 'high', clinical_priority: 1 },
        { class_name: 'Name of bkl', confidence: 0.01, risk_level: 'low', clinical_priority: 3 },
      ],
      risk_level: 'high',
      clinical_priority: 1,
      medical_warning: expect.stringContaining('Name of mel') as string,
      requires_urgent_evaluation: true,
    });
  });

  test.each(['low', 'moderate', 'high'] as const)('risk follows the tier: %s', (tier) =>
    expect(toPredict({ ...named, tier })).toMatchObject({
      risk_level: tier === 'moderate' ? 'medium' : tier,
      requires_urgent_evaluation: tier === 'high',
    }),
  );

  test('risk is the class’s concern, not its name: melanocytic is not melanoma', () => {
    expect(toPredict(mole)).toMatchObject({ risk_level: 'low', requires_urgent_evaluation: false });
    expect(toPredict(mole).all_predictions[0]).toMatchObject({ risk_level: 'low' });
  });

  test('high confidence in a melanoma is not good news', () =>
    expect(toPredict(melanoma)).toMatchObject({ risk_level: 'high', requires_urgent_evaluation: true }));

  test.each(['cat', 'blur'] as const)('%s gets no class and no list', (name) => {
    expect(toPredict(all[name])).toMatchObject({
      predicted_class: null,
      confidence: 0,
      all_predictions: [],
      risk_level: 'unknown',
      clinical_priority: null,
      requires_urgent_evaluation: false,
    });
  });

  test('never more predictions than classes', () => expect(toPredict(melanoma).all_predictions).toHaveLength(2));
});

describe('words', () => {
  test.each(Object.entries(all))('%s: the doctor is always named, and no forbidden word said', (_name, answer) => {
    for (const text of [toDiagnosis(answer).advice, toPredict(answer).medical_warning]) {
      expect(text).toContain(doctor());
      expect(text).not.toMatch(/\bsafe\b|benign|detect|diagnos|you have|risk/i);
    }
  });

  test('what may not be left out is named', () =>
    expect(summary(doubtful)).toMatch(/Looks most like: Name of nv, score 90 %.*may also be: Name of mel, 9 %\./));
  test('a result that contradicts itself names nothing', () => {
    const broken = result([['nv', 1, 'low', false]], 'single', 'low');
    expect(toDiagnosis(broken)).toMatchObject({ label: null, isSafe: false });
    expect(toPredict(broken)).toMatchObject({ predicted_class: null, risk_level: 'unknown' });
  });

  test.each([
    [0.5, 0, '50 %'],
    [0.999, 0, '99 %'],
    [1, 0, '100 %'],
    [0.99996, 1, '99.9 %'],
    [0.00004, 1, '0.0 %'],
  ])('plainPercent(%d, %d) is %s', (share, decimals, expected) => expect(plainPercent(share, decimals)).toBe(expected));
});
