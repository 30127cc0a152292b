/** Figures against values worked out by hand, or printed by scikit-learn (named where they are). */
import { describe, expect, test } from 'vitest';
import {
  accuracy,
  balancedAccuracy,
  bootstrap,
  calibrationError,
  countClasses,
  mean,
  meanOfDefined,
  perfectCalibrationError,
  precision,
  quantile,
  recall,
  reliability,
  ScoreOrder,
  seededRandom,
  share,
} from '../../tools/cli/statistics.js';

describe('accuracy', () => {
  // truth 0 0 0 0 1 1 2; predicted 0 0 0 1 1 0 2
  const counts = countClasses([0, 0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 1, 0, 2], 4);
  test('plain: 5 of 7', () => expect(accuracy(counts)).toBeCloseTo(5 / 7));
  test('balanced: mean of 3/4, 1/2, 1/1; the absent class does not count', () =>
    expect(balancedAccuracy(counts)).toBeCloseTo(0.75));
  test('recall and precision a class', () => {
    expect(counts.map(recall)).toEqual([0.75, 0.5, 1, NaN]);
    expect(counts.map(precision)).toEqual([0.75, 0.5, 1, NaN]);
  });
  test('weights are repetitions', () => {
    expect(accuracy(countClasses([0, 1], [0, 0], 2, [3, 1]))).toBeCloseTo(0.75);
    expect(balancedAccuracy(countClasses([0, 1], [0, 0], 2, [3, 0]))).toBe(1);
  });
  test('of nothing is not a number', () => expect(accuracy(countClasses([], [], 2))).toBeNaN());
});

describe('ROC', () => {
  const positive = (text: string) => [...text].map((letter) => letter === '+');
  test('perfect, inverted, useless', () => {
    expect(new ScoreOrder([1, 2, 3, 4], positive('--++')).auc()).toBe(1);
    expect(new ScoreOrder([1, 2, 3, 4], positive('++--')).auc()).toBe(0);
    expect(new ScoreOrder([5, 5, 5, 5], positive('-+-+')).auc()).toBe(0.5);
  });
  // Pairs: 0.35 beats 0.1; 0.35 loses to 0.4; 0.8 beats both: 3 of 4. scikit-learn's own example prints 0.75.
  test('a known value', () => expect(new ScoreOrder([0.1, 0.4, 0.35, 0.8], positive('--++')).auc()).toBe(0.75));
  // positives 2, 2, 3; negatives 1, 2, 3: 1 + 0.5 + 0, twice, and 1 + 1 + 0.5 = 5.5 of 9.
  test('ties count half', () =>
    expect(new ScoreOrder([2, 2, 3, 1, 2, 3], positive('+++---')).auc()).toBeCloseTo(5.5 / 9));
  test('one class only is not defined', () => {
    expect(new ScoreOrder([1, 2], positive('++')).auc()).toBeNaN();
    expect(new ScoreOrder([1, 2], positive('--')).sensitivityAt(0.95)).toBeNaN();
  });
  test('weights are repetitions', () => {
    const weighted = new ScoreOrder([2, 1, 3], positive('+--')).auc([2, 3, 1]);
    const repeated = new ScoreOrder([2, 2, 1, 1, 1, 3], positive('++----')).auc();
    expect(weighted).toBeCloseTo(repeated);
  });
  test('infinite scores keep their place', () =>
    expect(new ScoreOrder([-Infinity, 0, Infinity], positive('-+-')).auc()).toBe(0.5));

  const negatives = Array.from({ length: 20 }, (_, i) => i);
  test('sensitivity at 95 % specificity: one of 20 negatives may be over the threshold', () => {
    const order = new ScoreOrder(
      [...negatives, 18.5, 18.2, 17, 25],
      [...negatives.map(() => false), true, true, true, true],
    );
    expect(order.sensitivityAt(0.95)).toBe(0.75);
    expect(order.sensitivityAt(1)).toBe(0.25);
    expect(order.sensitivityAt(0)).toBe(1);
  });
  test('a tie across the threshold is not split', () => {
    const order = new ScoreOrder([...negatives.map(() => 1), 1, 2], [...negatives.map(() => false), true, true]);
    expect(order.sensitivityAt(0.95)).toBe(0.5);
  });
});

describe('ROC curve', () => {
  // sklearn.metrics.roc_curve(y, s) and roc_auc_score(y, s)
  const scores = [0.1, 0.2, 0.2, 0.35, 0.4, 0.4, 0.6, 0.8, 0.8, 0.9];
  const labels = [0, 0, 1, 0, 1, 0, 1, 0, 1, 1].map(Boolean);
  test('is scikit-learn’s', () => {
    const order = new ScoreOrder(scores, labels);
    expect(order.auc()).toBeCloseTo(0.74, 10);
    expect(order.curve().map(([x]) => x)).toEqual([0, 0, 0.2, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(order.curve().map(([, y]) => y)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 0.8, 1, 1]);
  });
  test('leaves out points on a line', () => {
    expect(new ScoreOrder([1, 2, 3, 4], [false, false, true, true]).curve()).toEqual([
      [0, 0],
      [0, 1],
      [1, 1],
    ]);
    expect(new ScoreOrder([7, 7, 7], [false, true, true]).curve()).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
  test('of one class only is empty', () => expect(new ScoreOrder([1, 2], [true, true]).curve()).toEqual([]));
  test('rises from corner to corner, and the area under it is the AUC, whatever the scores', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 200; round++) {
      const length = 2 + Math.floor(random() * 40);
      const values = Array.from({ length }, () => Math.floor(random() * 12));
      const positive = values.map((_, i) => i === 0 || (i > 1 && random() < 0.3));
      const order = new ScoreOrder(values, positive);
      const curve = order.curve();
      expect([curve[0], curve.at(-1)]).toEqual([
        [0, 0],
        [1, 1],
      ]);
      let area = 0;
      curve.slice(1).forEach(([x, y], i) => {
        const [x0, y0] = curve[i]!;
        expect(x >= x0 && y >= y0).toBe(true);
        area += ((x - x0) * (y + y0)) / 2;
      });
      expect(area).toBeCloseTo(order.auc(), 10);
    }
  });
});

describe('calibration error', () => {
  // NumPy: bins by ceil(15 c) - 1, |sum of (confidence - right)| a bin, over 200.
  const confidence = Array.from({ length: 200 }, (_, i) => 0.3 + (0.65 * i) / 199);
  const right = confidence.map((_, i) => (i * 7) % 10 < 6);
  test('is NumPy’s', () => expect(calibrationError(confidence, right)).toBeCloseTo(0.1622713567839196, 12));
  test('a reliability diagram holds every picture once, and its error is the calibration error', () => {
    const bins = reliability(confidence, right);
    expect(bins.pictures).toEqual([0, 0, 0, 0, 11, 20, 21, 20, 20, 21, 20, 21, 20, 20, 6]);
    expect([bins.confidence[0], bins.accuracy[0]]).toEqual([null, null]);
    const error = bins.pictures.reduce(
      (sum, pictures, k) => sum + (pictures / 200) * Math.abs((bins.confidence[k] ?? 0) - (bins.accuracy[k] ?? 0)),
      0,
    );
    expect(error).toBeCloseTo(calibrationError(confidence, right), 12);
  });
  // NumPy, 20,000 draws: median 0.0796, 95th percentile 0.1139.
  test('of perfectly calibrated predictions is not 0', () => {
    const perfect = perfectCalibrationError(confidence, { resamples: 4000 });
    expect(perfect.median).toBeCloseTo(0.0796, 2);
    expect(perfect.percentile95).toBeCloseTo(0.1139, 2);
    expect(perfectCalibrationError(confidence, { resamples: 50, seed: 2 })).toEqual(
      perfectCalibrationError(confidence, { resamples: 50, seed: 2 }),
    );
  });
  test('of perfectly calibrated predictions falls with their number, and is 0 for certain ones', () => {
    const many = Array.from({ length: 20 }, () => confidence).flat();
    expect(perfectCalibrationError(many, { resamples: 100 }).median).toBeLessThan(
      perfectCalibrationError(confidence, { resamples: 100 }).median / 3,
    );
    expect(perfectCalibrationError([1, 1, 1], { resamples: 10 })).toEqual({ median: 0, percentile95: 0 });
    expect(perfectCalibrationError([]).median).toBeNaN();
  });
  test('is 0 when confidence is accuracy', () =>
    expect(calibrationError([0.75, 0.75, 0.75, 0.75], [true, true, true, false])).toBeCloseTo(0));
  // One bin: |0.9 - 0.5| with weight 2 of 4; other bin: |0.6 - 1| with weight 2 of 4.
  test('by hand', () => expect(calibrationError([0.9, 0.9, 0.6, 0.6], [true, false, true, true], 10)).toBeCloseTo(0.4));
  test('bins are closed above', () => {
    expect(calibrationError([0.5, 0.4], [true, false], 2)).toBeCloseTo(0.05); // both in the first: |0.45 - 0.5|
    expect(calibrationError([0, 1], [false, true], 15)).toBe(0);
  });
  test('weights are repetitions', () =>
    expect(calibrationError([0.9, 0.9], [true, false], 10, [3, 1])).toBeCloseTo(0.15));
});

test('share and mean', () => {
  expect(share([true, false, true, true])).toBe(0.75);
  expect(share([true, false], [1, 3])).toBe(0.25);
  expect(share([])).toBeNaN();
  expect(mean([1, 2, 6])).toBe(3);
  expect(mean([1, 5], [3, 1])).toBe(2);
  expect(meanOfDefined([1, NaN, 3])).toBe(2);
});

// numpy.quantile([1, 2, 3, 4], [0, 0.1, 0.5, 1]) -> [1, 1.3, 2.5, 4]
test('quantile is numpy’s', () => {
  expect([0, 0.1, 0.5, 1].map((q) => quantile([1, 2, 3, 4], q))).toEqual([1, 1.3, 2.5, 4]);
  expect(quantile([], 0.5)).toBeNaN();
});

describe('bootstrap', () => {
  const values = Array.from({ length: 200 }, (_, i) => i % 2 === 0);
  const groups = values.map((_, i) => `g${i}`);
  const figure = (weights: Float64Array) => ({ share: share(values, weights) });

  test('is the same for the same seed and covers what it should', () => {
    const first = bootstrap(groups, figure, { seed: 7 }).share;
    expect(bootstrap(groups, figure, { seed: 7 }).share).toEqual(first);
    expect(bootstrap(groups, figure, { seed: 8 }).share).not.toEqual(first);
    // Binomial: 0.5 +- 1.96 * sqrt(0.25 / 200) = 0.431 .. 0.569
    expect(first[0]).toBeCloseTo(0.431, 1);
    expect(first[1]).toBeCloseTo(0.569, 1);
  });

  test('draws groups, not pictures: fewer groups, wider interval', () => {
    const width = (names: string[]) => {
      const [low, high] = bootstrap(names, (weights) => ({
        share: share(
          values.map((_, i) => i < 100),
          weights,
        ),
      })).share;
      return high - low;
    };
    expect(width(values.map((_, i) => `g${Math.floor(i / 20)}`))).toBeGreaterThan(2 * width(groups));
  });

  test('leaves out resamples in which a figure is not defined', () => {
    const interval = bootstrap(['a', 'b'], (weights) => ({ x: weights[0]! > 0 ? 1 : NaN })).x;
    expect(interval).toEqual([1, 1]);
    expect(bootstrap([], () => ({ x: 1 }))).toEqual({});
  });

  test('the generator is even', () => {
    const random = seededRandom(1);
    const bins = new Int32Array(10);
    for (let i = 0; i < 10_000; i++) bins[Math.floor(random() * 10)]! += 1;
    for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
