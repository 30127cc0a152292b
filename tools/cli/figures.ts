/** Answers and labels -> the figures that `evaluate` prints and writes. */
import type { Outcome } from '../../web/src/classifier/result.js';
import {
  accuracy,
  balancedAccuracy,
  bootstrap,
  calibrationError,
  countClasses,
  mean,
  meanOfDefined,
  precision,
  recall,
  ScoreOrder,
  share,
  type Interval,
  type Weights,
} from './statistics.js';

/** One answered picture, after merging. */
export interface Scored {
  set: string;
  image: string;
  group: string;
  modality: string;
  /** Index of the true class; -1 for a picture of none of them. */
  truth: number;
  /** Of a picture of none of the classes: its label, and what kind it is. */
  negative?: { label: string; kind: string };
  outcome: Outcome;
  rejection: number;
  probabilities: number[];
  predictionSet: number[];
}

/** null stands for a figure that is not defined here, such as an AUC with one class only. */
type Figure = number | null;

export interface ClassFigures {
  pictures: number;
  recall: Figure;
  precision: Figure;
  auc: Figure;
  /** Share of the class's answered pictures whose prediction set holds it. */
  coverage: Figure;
  meanSetSize: Figure;
}

export interface LesionFigures {
  pictures: number;
  groups: number;
  accuracy: Figure;
  balancedAccuracy: Figure;
  macroAuc: Figure;
  positive: { class: string; pictures: number; auc: Figure; sensitivityAt95Specificity: Figure } | null;
  calibrationError: Figure;
  predictionSets: {
    /** Pictures with a prediction set: neither refused nor unusable. */
    answered: number;
    coverage: Figure;
    meanSize: Figure;
    shareSingle: Figure;
  };
  outcomes: Record<Outcome, number>;
  /** Share refused or unusable. */
  shareRefused: Figure;
  perClass: Record<string, ClassFigures>;
  /** 95 % by bootstrap over groups. */
  intervals: Record<string, Interval>;
}

export interface NegativeFigures {
  pictures: number;
  /** Not recognised or unusable. */
  refused: number;
  shareRefused: Figure;
  notRecognised: number;
  poorQuality: number;
  /** Given one class as if certain. */
  shareSingle: Figure;
  /** Rejection score against all real lesions evaluated. */
  auroc: Figure;
}

export interface RefusalFigures {
  auroc: Figure;
  aurocInterval: Interval | null;
  lesionsRefused: Figure;
  all: NegativeFigures;
  byLabel: Record<string, NegativeFigures>;
  byKind: Record<string, NegativeFigures>;
}

const figure = (value: number): Figure => (Number.isNaN(value) ? null : value);
const refused = ({ outcome }: Scored): boolean => outcome === 'not-recognised' || outcome === 'poor-quality';
const single = ({ outcome }: Scored): boolean => outcome === 'single';

/** Index of the greatest; the first of equals. */
export const first = (values: readonly number[]): number => values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);

function count(rows: readonly Scored[], outcome: Outcome): number {
  return rows.filter((row) => row.outcome === outcome).length;
}

/** Everything that one resample needs, so that a bootstrap sorts nothing. */
function prepared(rows: readonly Scored[], classes: readonly string[], positive: number) {
  const truth = rows.map((row) => row.truth);
  const predicted = rows.map(({ probabilities }) => first(probabilities));
  const confidence = rows.map(({ probabilities }, i) => probabilities[predicted[i]!]!);
  const right = rows.map((row, i) => row.truth === predicted[i]);
  const orders = classes.map(
    (_id, k) =>
      new ScoreOrder(
        rows.map(({ probabilities }) => probabilities[k]!),
        truth.map((label) => label === k),
      ),
  );
  const answered = rows.filter((row) => !refused(row));
  const held = rows.map((row) => row.predictionSet.includes(row.truth));
  const onlyAnswered = (weights: Weights) => rows.map((row, i) => (refused(row) ? 0 : weights ? weights[i]! : 1));
  const main = (weights?: Weights) => {
    const counts = countClasses(truth, predicted, classes.length, weights);
    return {
      accuracy: accuracy(counts),
      balancedAccuracy: balancedAccuracy(counts),
      macroAuc: meanOfDefined(orders.map((order) => order.auc(weights))),
      positiveAuc: orders[positive]?.auc(weights) ?? NaN,
      positiveSensitivityAt95Specificity: orders[positive]?.sensitivityAt(0.95, weights) ?? NaN,
      calibrationError: calibrationError(confidence, right, 15, weights),
      coverage: share(held, onlyAnswered(weights)),
    };
  };
  return { truth, predicted, orders, answered, main };
}

export interface FigureOptions {
  /** Class ids after merging. */
  classes: readonly string[];
  /** Index of the class of the one-against-all figures, -1 for none. */
  positive: number;
  resamples: number;
}

/** Figures over pictures of the model's classes; refused ones count for accuracy with what the network said. */
export function lesionFigures(rows: readonly Scored[], { classes, positive, resamples }: FigureOptions): LesionFigures {
  const { truth, predicted, orders, answered, main } = prepared(rows, classes, positive);
  const counts = countClasses(truth, predicted, classes.length);
  const values = main();
  const holds = (row: Scored) => row.predictionSet.includes(row.truth);
  const size = ({ predictionSet }: Scored) => predictionSet.length;
  const perClass = classes.map((id, k): [string, ClassFigures] => {
    const own = answered.filter((row) => row.truth === k);
    return [
      id,
      {
        pictures: counts[k]!.truth,
        recall: figure(recall(counts[k]!)),
        precision: figure(precision(counts[k]!)),
        auc: figure(orders[k]!.auc()),
        coverage: figure(share(own.map(holds))),
        meanSetSize: figure(mean(own.map(size))),
      },
    ];
  });
  return {
    pictures: rows.length,
    groups: new Set(rows.map(({ group }) => group)).size,
    accuracy: figure(values.accuracy),
    balancedAccuracy: figure(values.balancedAccuracy),
    macroAuc: figure(values.macroAuc),
    positive:
      positive < 0
        ? null
        : {
            class: classes[positive]!,
            pictures: counts[positive]!.truth,
            auc: figure(values.positiveAuc),
            sensitivityAt95Specificity: figure(values.positiveSensitivityAt95Specificity),
          },
    calibrationError: figure(values.calibrationError),
    predictionSets: {
      answered: answered.length,
      coverage: figure(values.coverage),
      meanSize: figure(mean(answered.map(size))),
      shareSingle: figure(share(answered.map(single))),
    },
    outcomes: {
      single: count(rows, 'single'),
      several: count(rows, 'several'),
      'not-recognised': count(rows, 'not-recognised'),
      'poor-quality': count(rows, 'poor-quality'),
    },
    shareRefused: figure(share(rows.map(refused))),
    perClass: Object.fromEntries(perClass),
    intervals: bootstrap(
      rows.map(({ group }) => group),
      main,
      { resamples },
    ),
  };
}

function rejectionOrder(negatives: readonly Scored[], lesions: readonly Scored[]): ScoreOrder {
  const rows = [...negatives, ...lesions];
  return new ScoreOrder(
    rows.map(({ rejection }) => rejection),
    rows.map(({ truth }) => truth < 0),
  );
}

function negativeFigures(negatives: readonly Scored[], lesions: readonly Scored[]): NegativeFigures {
  return {
    pictures: negatives.length,
    refused: negatives.filter(refused).length,
    shareRefused: figure(share(negatives.map(refused))),
    notRecognised: count(negatives, 'not-recognised'),
    poorQuality: count(negatives, 'poor-quality'),
    shareSingle: figure(share(negatives.map(single))),
    auroc: figure(rejectionOrder(negatives, lesions).auc()),
  };
}

function grouped<T>(rows: readonly T[], key: (row: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Figures over pictures of none of the classes, against the real lesions. */
export function refusalFigures(negatives: readonly Scored[], lesions: readonly Scored[], resamples: number): RefusalFigures {
  const order = rejectionOrder(negatives, lesions);
  const interval = bootstrap(
    [...negatives, ...lesions].map(({ group }) => group),
    (weights) => ({ auroc: order.auc(weights) }),
    { resamples },
  ).auroc;
  const by = (key: (row: Scored) => string) => Object.fromEntries(grouped(negatives, key).map(([name, rows]) => [name, negativeFigures(rows, lesions)]));
  return {
    auroc: figure(order.auc()),
    aurocInterval: interval ?? null,
    lesionsRefused: figure(share(lesions.map(refused))),
    all: negativeFigures(negatives, lesions),
    byLabel: by(({ negative }) => negative!.label),
    byKind: by(({ negative }) => negative!.kind),
  };
}

export interface Figures {
  overall: LesionFigures;
  bySet: Record<string, LesionFigures>;
  byModality: Record<string, LesionFigures>;
  refusal: RefusalFigures | null;
}

export function allFigures(rows: readonly Scored[], options: FigureOptions): Figures {
  const lesions = rows.filter(({ truth }) => truth >= 0);
  const negatives = rows.filter(({ truth }) => truth < 0);
  const by = (key: (row: Scored) => string) => Object.fromEntries(grouped(lesions, key).map(([name, part]) => [name, lesionFigures(part, options)]));
  return {
    overall: lesionFigures(lesions, options),
    bySet: by(({ set }) => set),
    byModality: by(({ modality }) => modality),
    refusal: negatives.length > 0 ? refusalFigures(negatives, lesions, options.resamples) : null,
  };
}
