/**
 * Figures of a classifier, pure. Every figure takes optional weights, one a picture, so that a bootstrap resample is a
 * vector of counts and nothing is sorted twice. A figure that is not defined (no picture, one class only) is NaN.
 */

export type Weights = ArrayLike<number> | undefined;

const weightAt = (weights: Weights, index: number): number => (weights ? weights[index]! : 1);

/** Share of pictures for which `holds`. */
export function share(holds: readonly boolean[], weights?: Weights): number {
  let sum = 0;
  let total = 0;
  holds.forEach((value, i) => {
    total += weightAt(weights, i);
    if (value) sum += weightAt(weights, i);
  });
  return sum / total;
}

export function mean(values: readonly number[], weights?: Weights): number {
  let sum = 0;
  let total = 0;
  values.forEach((value, i) => {
    sum += value * weightAt(weights, i);
    total += weightAt(weights, i);
  });
  return sum / total;
}

export interface ClassCounts {
  /** Pictures whose truth is the class. */
  truth: number;
  /** Pictures for which the class was predicted. */
  predicted: number;
  /** Both. */
  right: number;
}

export function countClasses(
  truth: readonly number[],
  predicted: readonly number[],
  classCount: number,
  weights?: Weights,
): ClassCounts[] {
  const counts = Array.from({ length: classCount }, () => ({ truth: 0, predicted: 0, right: 0 }));
  truth.forEach((label, i) => {
    const weight = weightAt(weights, i);
    counts[label]!.truth += weight;
    counts[predicted[i]!]!.predicted += weight;
    if (label === predicted[i]) counts[label]!.right += weight;
  });
  return counts;
}

export const recall = ({ right, truth }: ClassCounts): number => right / truth;
export const precision = ({ right, predicted }: ClassCounts): number => right / predicted;

export function accuracy(counts: readonly ClassCounts[]): number {
  const right = counts.reduce((sum, count) => sum + count.right, 0);
  return right / counts.reduce((sum, count) => sum + count.truth, 0);
}

/** Mean recall over the classes that are present. */
export function balancedAccuracy(counts: readonly ClassCounts[]): number {
  return meanOfDefined(counts.map(recall));
}

/** Mean of the values that are numbers. */
export function meanOfDefined(values: readonly number[]): number {
  const defined = values.filter((value) => !Number.isNaN(value));
  return defined.reduce((sum, value) => sum + value, 0) / defined.length;
}

/** Pictures sorted by a score, once; `positive` marks those that should score high. */
export class ScoreOrder {
  readonly #order: Int32Array;

  constructor(
    readonly scores: readonly number[],
    readonly positive: readonly boolean[],
  ) {
    this.#order = Int32Array.from(scores, (_score, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  }

  /** Weight of positives and negatives in each run of equal scores, lowest score first. */
  *#runs(weights: Weights): Generator<{ positives: number; negatives: number }> {
    let positives = 0;
    let negatives = 0;
    for (let k = 0; k < this.#order.length; k++) {
      const i = this.#order[k]!;
      if (this.positive[i]) positives += weightAt(weights, i);
      else negatives += weightAt(weights, i);
      const next = this.#order[k + 1];
      if (next !== undefined && this.scores[next] === this.scores[i]) continue;
      yield { positives, negatives };
      positives = 0;
      negatives = 0;
    }
  }

  /**
   * Area under the ROC curve: the chance that a positive scores higher than a negative, a tie counting half
   * (Mann-Whitney).
   */
  auc(weights?: Weights): number {
    let below = 0;
    let area = 0;
    let positives = 0;
    for (const run of this.#runs(weights)) {
      area += run.positives * (below + run.negatives / 2);
      below += run.negatives;
      positives += run.positives;
    }
    return area / (positives * below);
  }

  /**
   * The ROC curve's corners from (0, 0) to (1, 1), strictest threshold first: [share of negatives, share of positives]
   * at or over it. Ties are one sloping step; points between two others on a straight line are left out. Empty when a
   * class is missing.
   */
  curve(): [number, number][] {
    const runs = [...this.#runs(undefined)].reverse();
    const positives = runs.reduce((sum, run) => sum + run.positives, 0);
    const negatives = runs.reduce((sum, run) => sum + run.negatives, 0);
    if (positives === 0 || negatives === 0) return [];
    // Counts rather than shares make the collinearity test exact.
    const corners: [number, number][] = [[0, 0]];
    for (const run of runs) {
      const [x, y] = corners.at(-1)!;
      const before = corners.at(-2);
      const next: [number, number] = [x + run.negatives, y + run.positives];
      if (before && (x - before[0]) * (next[1] - y) === (y - before[1]) * (next[0] - x)) corners.pop();
      corners.push(next);
    }
    return corners.map(([x, y]) => [x / negatives, y / positives]);
  }

  /**
   * The greatest share of positives found by a threshold that leaves at least `specificity` of the negatives below it.
   */
  sensitivityAt(specificity: number, weights?: Weights): number {
    const runs = [...this.#runs(weights)];
    const positives = runs.reduce((sum, run) => sum + run.positives, 0);
    const negatives = runs.reduce((sum, run) => sum + run.negatives, 0);
    if (positives === 0 || negatives === 0) return NaN;
    let found = 0;
    let falseAlarms = 0;
    for (const run of runs.reverse()) {
      falseAlarms += run.negatives;
      if (falseAlarms > (1 - specificity) * negatives + 1e-9) break;
      found += run.positives;
    }
    return found / positives;
  }
}

/** One bin of a reliability diagram; sums, so that weights need no second pass. */
interface BinSums {
  weight: number;
  confidence: number;
  right: number;
}

/** Bins are open below and closed above, as in the papers: exactly 2/15 belongs to the second. */
const binOf = (confidence: number, bins: number): number =>
  Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));

function binSums(confidence: readonly number[], right: readonly boolean[], bins: number, weights: Weights): BinSums[] {
  const sums = Array.from({ length: bins }, () => ({ weight: 0, confidence: 0, right: 0 }));
  confidence.forEach((value, i) => {
    const weight = weightAt(weights, i);
    const bin = sums[binOf(value, bins)]!;
    bin.weight += weight;
    bin.confidence += weight * value;
    if (right[i]) bin.right += weight;
  });
  return sums;
}

/**
 * Expected calibration error over bins of equal width: mean |confidence - accuracy|, weighted by the pictures in each
 * (Naeini 2015, Guo 2017).
 */
export function calibrationError(
  confidence: readonly number[],
  right: readonly boolean[],
  bins = 15,
  weights?: Weights,
): number {
  const sums = binSums(confidence, right, bins, weights);
  const total = sums.reduce((sum, { weight }) => sum + weight, 0);
  return sums.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0) / total;
}

/** A reliability diagram, one entry a bin, lowest confidence first. */
export interface Reliability {
  pictures: number[];
  /** Mean confidence and share right; null in an empty bin. */
  confidence: (number | null)[];
  accuracy: (number | null)[];
}

/** Bins of equal width over 0..1 of the first-ranked class's probability. */
export function reliability(confidence: readonly number[], right: readonly boolean[], bins = 15): Reliability {
  const sums = binSums(confidence, right, bins, undefined);
  const meanOf = (sum: number, { weight }: BinSums) => (weight > 0 ? sum / weight : null);
  return {
    pictures: sums.map(({ weight }) => weight),
    confidence: sums.map((bin) => meanOf(bin.confidence, bin)),
    accuracy: sums.map((bin) => meanOf(bin.right, bin)),
  };
}

/**
 * The calibration error that the same predictions would show if they were perfectly calibrated: whether each is right
 * is drawn with its own confidence. Binning a finite sample never gives 0, and the fewer the pictures the further from
 * it (Bröcker & Smith 2007, consistency resampling).
 */
export function perfectCalibrationError(
  confidence: readonly number[],
  { bins = 15, resamples = 1000, seed = 1 }: { bins?: number; resamples?: number; seed?: number } = {},
): { median: number; percentile95: number } {
  const random = seededRandom(seed);
  const errors = Array.from({ length: resamples }, () =>
    calibrationError(
      confidence,
      confidence.map((value) => random() < value),
      bins,
    ),
  ).sort((a, b) => a - b);
  return { median: quantile(errors, 0.5), percentile95: quantile(errors, 0.95) };
}

/** Uniform 0..1 from a seed (mulberry32), so that an interval is the same every time. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Linear between the two nearest, as numpy's default. `sorted` ascending. */
export function quantile(sorted: readonly number[], q: number): number {
  const place = (sorted.length - 1) * q;
  const below = Math.floor(place);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  return low + (high - low) * (place - below);
}

export type Interval = [low: number, high: number];

export interface BootstrapOptions {
  resamples?: number;
  seed?: number;
  /** Share inside the interval. */
  level?: number;
}

/**
 * Percentile bootstrap that draws whole groups (patients, lesions) with replacement, since pictures of one group are
 * not independent.
 * @param groups one a picture
 * @param figures all figures for one resample
 */
export function bootstrap<K extends string>(
  groups: readonly string[],
  figures: (weights: Float64Array) => Record<K, number>,
  { resamples = 1000, seed = 1, level = 0.95 }: BootstrapOptions = {},
): Record<K, Interval> {
  const numbers = new Map<string, number>();
  const groupOf = groups.map((group) => {
    const known = numbers.get(group) ?? numbers.size;
    numbers.set(group, known);
    return known;
  });
  const random = seededRandom(seed);
  const drawn = new Map<K, number[]>();
  const weights = new Float64Array(groups.length);
  for (let n = 0; n < resamples && numbers.size > 0; n++) {
    const times = new Int32Array(numbers.size);
    for (let i = 0; i < numbers.size; i++) times[Math.floor(random() * numbers.size)]! += 1;
    groupOf.forEach((group, i) => (weights[i] = times[group]!));
    for (const [name, value] of Object.entries(figures(weights)) as [K, number][]) {
      if (Number.isNaN(value)) continue;
      const values = drawn.get(name);
      if (values) values.push(value);
      else drawn.set(name, [value]);
    }
  }
  const tail = (1 - level) / 2;
  const intervals = {} as Record<K, Interval>;
  for (const [name, values] of drawn) {
    values.sort((a, b) => a - b);
    intervals[name] = [quantile(values, tail), quantile(values, 1 - tail)];
  }
  return intervals;
}
