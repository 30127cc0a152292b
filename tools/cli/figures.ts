/** The figures that `evaluate` prints and writes. */
import {
  MAX_MALIGNANT_LOW,
  MAX_POSITIVE_LOW,
  MIN_MALIGNANT_HIGH,
  OUTCOMES,
  type Outcome,
  type Tier,
} from '../../web/src/classifier/node/index.js';
import { grouped, refused, type Scored, single } from './scored.js';
import {
  accuracy,
  balancedAccuracy,
  bootstrap,
  type ClassCounts,
  calibrationError,
  countClasses,
  type Interval,
  mean,
  meanOfDefined,
  perfectCalibrationError,
  precision,
  type Reliability,
  recall,
  reliability,
  ScoreOrder,
  share,
  type Weights,
} from './statistics.js';

/** null: not defined, such as an AUC with one class only. */
export type Figure = number | null;

/** Bins of every calibration figure. */
export const CALIBRATION_BINS = 15;
/** Fewer groups (lesions, patients) say little: no figures of such a skin tone, and classes with fewer are named. */
export const LEAST_GROUPS = 20;

/** Names of the figures that have an interval. */
export type FigureName =
  | 'accuracy'
  | 'balancedAccuracy'
  | 'macroAuc'
  | 'positiveAuc'
  | 'positiveSensitivityAt95Specificity'
  | 'positiveCoverage'
  | 'malignantAuc'
  | 'calibrationError'
  | 'coverage'
  | 'meanSetSize'
  | 'shareRefused'
  | 'tierHighSensitivity'
  | 'tierHighSpecificity'
  | 'tierLowSensitivity'
  | 'tierLowSpecificity'
  | 'malignantLow'
  | 'positiveLow'
  | 'benignLow'
  | 'benignHigh';

/** Answered pictures of one kind, by tier. */
export interface TierCounts {
  pictures: number;
  low: number;
  moderate: number;
  high: number;
}

/**
 * Tiers of answered pictures, by what the pictures are. Malignant: the malignant classes; others: all other classes;
 * benign: those of low concern.
 */
export interface TierFigures {
  malignant: TierCounts;
  positive: TierCounts | null;
  others: TierCounts;
  benign: TierCounts;
  /** `high` against the rest: share of malignant in it, share of others below it. */
  high: { sensitivity: Figure; specificity: Figure };
  /** Above `low` against `low`: share of malignant above it, share of others in it. */
  low: { sensitivity: Figure; specificity: Figure };
  /** Share of each kind in a tier. */
  malignantLow: Figure;
  positiveLow: Figure;
  benignLow: Figure;
  benignHigh: Figure;
  best: BestCuts;
}

/**
 * What the tiers would do with cuts that were chosen on these very pictures, for the shares of `CUTS`: with these
 * probabilities no cuts do better. Null where a kind of picture is missing.
 */
export interface BestCuts {
  /** The greatest share of benign pictures in low. */
  benignLow: Figure;
  /** The least share of benign pictures in high. */
  benignHigh: Figure;
}

/** What `BestCuts` keep: at most such shares of malignant and positive pictures in low, at least such in high. */
export const CUTS = {
  malignantLow: MAX_MALIGNANT_LOW,
  positiveLow: MAX_POSITIVE_LOW,
  malignantHigh: MIN_MALIGNANT_HIGH,
};

export interface MainFigures {
  pictures: number;
  groups: number;
  /** Classes with at least one group (lesion, patient) here and fewer than `LEAST_GROUPS`, and how many those are. */
  few: Record<string, number>;
  accuracy: Figure;
  balancedAccuracy: Figure;
  macroAuc: Figure;
  positive: {
    class: string;
    pictures: number;
    auc: Figure;
    sensitivityAt95Specificity: Figure;
    /** Share of the class's answered pictures whose prediction set holds it. */
    coverage: Figure;
  } | null;
  /** All malignant classes against the rest, before merging. */
  malignant: { classes: string[]; pictures: number; auc: Figure } | null;
  calibrationError: Figure;
  /** The calibration error to expect from perfectly calibrated predictions of this number. */
  calibrationErrorIfPerfect: { median: Figure; percentile95: Figure };
  predictionSets: {
    /** Pictures with a prediction set: neither refused nor unusable. */
    answered: number;
    coverage: Figure;
    meanSize: Figure;
    shareSingle: Figure;
  };
  tiers: TierFigures;
  outcomes: Record<Outcome, number>;
  /** Share refused or unusable. */
  shareRefused: Figure;
  /** 95 % by bootstrap over groups. */
  intervals: Partial<Record<FigureName, Interval>>;
}

export interface ClassFigures {
  pictures: number;
  recall: Figure;
  precision: Figure;
  auc: Figure;
  /** Share of the class's answered pictures whose prediction set holds it. */
  coverage: Figure;
  meanSetSize: Figure;
}

export interface LesionFigures extends MainFigures {
  perClass: Record<string, ClassFigures>;
  /** Counts: rows are the truth, columns the first-ranked class. */
  confusion: number[][];
  reliability: Reliability;
  /** Answered pictures by size of their prediction set, from 0. */
  setSizes: number[];
  /** Corners [false positive rate, true positive rate], three decimals. */
  roc: { positive: [number, number][]; malignant: [number, number][] };
}

export interface ToneFigures {
  pictures: number;
  groups: number;
  /** null: too few groups. */
  figures: MainFigures | null;
}

export interface FigureOptions {
  /** Class ids after merging. */
  classes: readonly string[];
  /** Index of the class of the one-against-all figures, -1 for none. */
  positive: number;
  /** The model's own classes that count as malignant. */
  malignant: readonly string[];
  resamples: number;
}

export const figure = (value: number): Figure => (Number.isNaN(value) ? null : value);

/** Index of the greatest; the first of equals. */
export const first = (values: readonly number[]): number =>
  values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);

const holdsTruth = (row: Scored): boolean => row.predictionSet.includes(row.truth);
const sizeOfSet = ({ predictionSet }: Scored): number => predictionSet.length;
const inTier =
  (tier: Tier) =>
  (row: Scored): boolean =>
    row.tier === tier;
const count = (rows: readonly Scored[], outcome: Outcome): number =>
  rows.filter((row) => row.outcome === outcome).length;

/** Everything a resample needs, so that the bootstrap sorts nothing. */
export class Prepared {
  readonly truth: number[];
  readonly predicted: number[];
  readonly confidence: number[];
  readonly right: boolean[];
  readonly orders: ScoreOrder[];
  readonly malignantOrder: ScoreOrder;
  readonly answered: Scored[];

  constructor(
    readonly rows: readonly Scored[],
    readonly options: FigureOptions,
  ) {
    this.truth = rows.map((row) => row.truth);
    this.predicted = rows.map(({ probabilities }) => first(probabilities));
    this.confidence = rows.map(({ probabilities }, i) => probabilities[this.predicted[i]!]!);
    this.right = rows.map((row, i) => row.truth === this.predicted[i]);
    const order = (score: (row: Scored) => number, positive: (row: Scored) => boolean) =>
      new ScoreOrder(rows.map(score), rows.map(positive));
    this.orders = options.classes.map((_id, k) =>
      order(
        ({ probabilities }) => probabilities[k]!,
        ({ truth }) => truth === k,
      ),
    );
    this.malignantOrder = order(
      ({ malignant }) => malignant.probability,
      ({ malignant }) => malignant.truth,
    );
    this.answered = rows.filter((row) => !refused(row));
  }

  counts(weights?: Weights): ClassCounts[] {
    return countClasses(this.truth, this.predicted, this.options.classes.length, weights);
  }

  /** All figures that have an interval; NaN where not defined. */
  figures(weights?: Weights): Record<FigureName, number> {
    const { rows, options, orders } = this;
    const counts = this.counts(weights);
    const among = (chosen: (row: Scored) => boolean) =>
      rows.map((row, i) => (chosen(row) ? (weights ? weights[i]! : 1) : 0));
    const answered = among((row) => !refused(row));
    return {
      accuracy: accuracy(counts),
      balancedAccuracy: balancedAccuracy(counts),
      macroAuc: meanOfDefined(orders.map((order) => order.auc(weights))),
      positiveAuc: orders[options.positive]?.auc(weights) ?? NaN,
      positiveSensitivityAt95Specificity: orders[options.positive]?.sensitivityAt(0.95, weights) ?? NaN,
      positiveCoverage: share(
        rows.map(holdsTruth),
        among((row) => row.truth === options.positive && !refused(row)),
      ),
      malignantAuc: this.malignantOrder.auc(weights),
      calibrationError: calibrationError(this.confidence, this.right, CALIBRATION_BINS, weights),
      coverage: share(rows.map(holdsTruth), answered),
      meanSetSize: mean(rows.map(sizeOfSet), answered),
      shareRefused: share(rows.map(refused), weights),
      ...this.#tiers(among),
    };
  }

  #tiers(among: (chosen: (row: Scored) => boolean) => number[]) {
    const { rows, options } = this;
    const of = (tier: Tier, kind: (row: Scored) => boolean, inside = true) =>
      share(
        rows.map((row) => inTier(tier)(row) === inside),
        // A network or head without tiers has none to be right about.
        among((row) => kind(row) && !refused(row) && row.tier !== 'unknown'),
      );
    return {
      tierHighSensitivity: of('high', KINDS.malignant),
      tierHighSpecificity: of('high', KINDS.others, false),
      tierLowSensitivity: of('low', KINDS.malignant, false),
      tierLowSpecificity: of('low', KINDS.others),
      malignantLow: of('low', KINDS.malignant),
      positiveLow: of('low', ({ truth }) => truth === options.positive),
      benignLow: of('low', KINDS.benign),
      benignHigh: of('high', KINDS.benign),
    };
  }
}

const KINDS = {
  malignant: ({ malignant }: Scored) => malignant.truth,
  others: ({ malignant }: Scored) => !malignant.truth,
  benign: ({ benign }: Scored) => benign,
};

function tierCounts(rows: readonly Scored[], kind: (row: Scored) => boolean): TierCounts {
  const own = rows.filter(kind);
  const of = (tier: Tier) => own.filter(inTier(tier)).length;
  return { pictures: own.length, low: of('low'), moderate: of('moderate'), high: of('high') };
}

const below = (values: readonly number[], cut: number): number => share(values.map((value) => value < cut));

function bestCuts(rows: readonly Scored[], positive: number): BestCuts {
  const tiered = rows.filter(({ tier }) => tier !== 'unknown');
  const of = (kind: (row: Scored) => boolean, score: (row: Scored) => number) =>
    tiered
      .filter(kind)
      .map(score)
      .sort((a, b) => a - b);
  const raised = ({ raised }: Scored) => raised;
  const high = ({ malignant }: Scored) => malignant.probability;
  const malignant = of(KINDS.malignant, raised);
  if (malignant.length === 0) return { benignLow: null, benignHigh: null };
  // The first that may not be below the cut.
  const firstOut = (values: readonly number[], most: number) => values[Math.floor(most * values.length)] ?? Infinity;
  const positives = of(({ truth }) => truth === positive, raised);
  const moderate = Math.min(firstOut(malignant, CUTS.malignantLow), firstOut(positives, CUTS.positiveLow));
  const scores = of(KINDS.malignant, high);
  const reaches = scores[scores.length - Math.ceil(CUTS.malignantHigh * scores.length)]!;
  return {
    benignLow: figure(below(of(KINDS.benign, raised), moderate)),
    benignHigh: figure(1 - below(of(KINDS.benign, high), reaches)),
  };
}

function tierFigures({ answered, options }: Prepared, values: Record<FigureName, number>): TierFigures {
  return {
    malignant: tierCounts(answered, KINDS.malignant),
    positive: options.positive < 0 ? null : tierCounts(answered, ({ truth }) => truth === options.positive),
    others: tierCounts(answered, KINDS.others),
    benign: tierCounts(answered, KINDS.benign),
    high: { sensitivity: figure(values.tierHighSensitivity), specificity: figure(values.tierHighSpecificity) },
    low: { sensitivity: figure(values.tierLowSensitivity), specificity: figure(values.tierLowSpecificity) },
    malignantLow: figure(values.malignantLow),
    positiveLow: figure(values.positiveLow),
    benignLow: figure(values.benignLow),
    benignHigh: figure(values.benignHigh),
    best: bestCuts(answered, options.positive),
  };
}

const groupsOf = (rows: readonly Scored[]): string[] => rows.map(({ group }) => group);

const groupCount = (rows: readonly Scored[]): number => new Set(groupsOf(rows)).size;

function fewOf(rows: readonly Scored[], classes: readonly string[]): Record<string, number> {
  const counts = classes.map((id, k): [string, number] => [id, groupCount(rows.filter(({ truth }) => truth === k))]);
  return Object.fromEntries(counts.filter(([, groups]) => groups > 0 && groups < LEAST_GROUPS));
}

function mainOf(prepared: Prepared): MainFigures {
  const { rows, options, answered } = prepared;
  const { classes, positive, malignant, resamples } = options;
  const values = prepared.figures();
  const perfect = perfectCalibrationError(prepared.confidence, { bins: CALIBRATION_BINS, resamples });
  return {
    pictures: rows.length,
    groups: groupCount(rows),
    few: fewOf(rows, classes),
    accuracy: figure(values.accuracy),
    balancedAccuracy: figure(values.balancedAccuracy),
    macroAuc: figure(values.macroAuc),
    positive:
      positive < 0
        ? null
        : {
            class: classes[positive]!,
            pictures: rows.filter(({ truth }) => truth === positive).length,
            auc: figure(values.positiveAuc),
            sensitivityAt95Specificity: figure(values.positiveSensitivityAt95Specificity),
            coverage: figure(values.positiveCoverage),
          },
    malignant:
      malignant.length === 0
        ? null
        : {
            classes: [...malignant],
            pictures: rows.filter((row) => row.malignant.truth).length,
            auc: figure(values.malignantAuc),
          },
    calibrationError: figure(values.calibrationError),
    calibrationErrorIfPerfect: { median: figure(perfect.median), percentile95: figure(perfect.percentile95) },
    predictionSets: {
      answered: answered.length,
      coverage: figure(values.coverage),
      meanSize: figure(values.meanSetSize),
      shareSingle: figure(share(answered.map(single))),
    },
    tiers: tierFigures(prepared, values),
    outcomes: Object.fromEntries(OUTCOMES.map((outcome) => [outcome, count(rows, outcome)])) as Record<Outcome, number>,
    shareRefused: figure(values.shareRefused),
    intervals: bootstrap(groupsOf(rows), (weights) => prepared.figures(weights), { resamples }),
  };
}

/** Figures without tables and curves. */
export const mainFigures = (rows: readonly Scored[], options: FigureOptions): MainFigures =>
  mainOf(new Prepared(rows, options));

function classFigures(prepared: Prepared): Record<string, ClassFigures> {
  const counts = prepared.counts();
  const perClass = prepared.options.classes.map((id, k): [string, ClassFigures] => {
    const own = prepared.answered.filter((row) => row.truth === k);
    return [
      id,
      {
        pictures: counts[k]!.truth,
        recall: figure(recall(counts[k]!)),
        precision: figure(precision(counts[k]!)),
        auc: figure(prepared.orders[k]!.auc()),
        coverage: figure(share(own.map(holdsTruth))),
        meanSetSize: figure(mean(own.map(sizeOfSet))),
      },
    ];
  });
  return Object.fromEntries(perClass);
}

const thousandths = (points: readonly [number, number][]): [number, number][] =>
  points.map(([x, y]) => [Math.round(x * 1000) / 1000, Math.round(y * 1000) / 1000]);

/** Figures for pictures of the model's classes; refused ones count for accuracy by their first-ranked class. */
export function lesionFigures(rows: readonly Scored[], options: FigureOptions): LesionFigures {
  const prepared = new Prepared(rows, options);
  const { classes, positive } = options;
  const confusion = classes.map(() => classes.map(() => 0));
  prepared.truth.forEach((truth, i) => confusion[truth]![prepared.predicted[i]!]!++);
  const setSizes = Array.from({ length: classes.length + 1 }, () => 0);
  for (const row of prepared.answered) setSizes[sizeOfSet(row)]!++;
  return {
    ...mainOf(prepared),
    perClass: classFigures(prepared),
    confusion,
    reliability: reliability(prepared.confidence, prepared.right, CALIBRATION_BINS),
    setSizes,
    roc: {
      positive: thousandths(prepared.orders[positive]?.curve() ?? []),
      malignant: thousandths(prepared.malignantOrder.curve()),
    },
  };
}

/**
 * By set and stated skin tone. Pictures without one are counted under 'not stated' if others of the set have one.
 */
export function toneFigures(
  lesions: readonly Scored[],
  options: FigureOptions,
): Record<string, Record<string, ToneFigures>> {
  const sets = grouped(lesions, ({ set }) => set).filter(([, rows]) => rows.some(({ skinTone }) => skinTone !== ''));
  const ofTone = (rows: readonly Scored[]): ToneFigures => {
    const groups = groupCount(rows);
    return { pictures: rows.length, groups, figures: groups < LEAST_GROUPS ? null : mainFigures(rows, options) };
  };
  return Object.fromEntries(
    sets.map(([set, rows]) => [
      set,
      Object.fromEntries(
        grouped(rows, ({ skinTone }) => skinTone || 'not stated').map(([tone, own]) => [tone, ofTone(own)]),
      ),
    ]),
  );
}
