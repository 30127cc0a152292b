/** Figures for pictures outside the model's classes, compared with real lesions. */
import { type Figure, figure } from './figures.js';
import { grouped, refused, type Scored, single } from './scored.js';
import { bootstrap, type Interval, ScoreOrder, share } from './statistics.js';

export interface NegativeFigures {
  pictures: number;
  /** Not recognised or unusable. */
  refused: number;
  shareRefused: Figure;
  notRecognised: number;
  poorQuality: number;
  noSpot: number;
  severalSpots: number;
  /** Share with a single class in the answer. */
  shareSingle: Figure;
  /**
   * Of the rejection score, against evaluated lesions of the same modality: each modality has a threshold of its own,
   * so its scores are not compared with another's. Over several modalities the mean, weighted by negatives.
   */
  auroc: Figure;
  /** Of 1 - the greatest probability, against evaluated lesions of the same modality. */
  aurocUncertainty: Figure;
  /** 95 % by bootstrap over groups. */
  intervals: Partial<Record<'auroc' | 'aurocUncertainty' | 'shareRefused' | 'shareSingle', Interval>>;
}

export interface RefusalFigures {
  /** Share of real lesions refused or unusable. */
  lesionsRefused: Figure;
  lesionsRefusedInterval: Interval | null;
  lesionsRefusedByModality: Record<string, Figure>;
  all: NegativeFigures;
  byLabel: Record<string, NegativeFigures>;
  byKind: Record<string, NegativeFigures>;
}

/** The chance that a negative scores higher than a lesion of its own modality, as a function of the rows' weights. */
function withinModality(rows: readonly Scored[], score: (row: Scored) => number): (weights: Float64Array) => number {
  const parts = grouped(
    rows.map((row, index) => ({ row, index })),
    ({ row }) => row.modality,
  ).map(([, members]) => ({
    indices: members.map(({ index }) => index),
    order: new ScoreOrder(
      members.map(({ row }) => score(row)),
      members.map(({ row }) => row.truth < 0),
    ),
  }));
  return (weights) => {
    let area = 0;
    let negatives = 0;
    for (const { indices, order } of parts) {
      const own = Float64Array.from(indices, (index) => weights[index]!);
      const auc = order.auc(own);
      if (Number.isNaN(auc)) continue; // no negatives in this modality, or no lesions to compare them with
      const count = own.reduce((sum, weight, k) => (order.positive[k] ? sum + weight : sum), 0);
      area += count * auc;
      negatives += count;
    }
    return area / negatives;
  };
}

function against(negatives: readonly Scored[], lesions: readonly Scored[], resamples: number): NegativeFigures {
  const rows = [...negatives, ...lesions];
  const isNegative = rows.map(({ truth }) => truth < 0);
  const excess = withinModality(rows, (row) => row.excess);
  const uncertainty = withinModality(rows, ({ probabilities }) => 1 - Math.max(...probabilities));
  const refusedRows = rows.map(refused);
  const singleRows = rows.map(single);
  const figures = (weights: Float64Array) => {
    const onlyNegatives = weights.map((weight, i) => (isNegative[i] ? weight : 0));
    return {
      auroc: excess(weights),
      aurocUncertainty: uncertainty(weights),
      shareRefused: share(refusedRows, onlyNegatives),
      shareSingle: share(singleRows, onlyNegatives),
    };
  };
  const values = figures(new Float64Array(rows.length).fill(1));
  return {
    pictures: negatives.length,
    refused: negatives.filter(refused).length,
    shareRefused: figure(values.shareRefused),
    notRecognised: negatives.filter(({ outcome }) => outcome === 'not-recognised').length,
    poorQuality: negatives.filter(({ outcome }) => outcome === 'poor-quality').length,
    noSpot: negatives.filter(({ outcome }) => outcome === 'no-spot').length,
    severalSpots: negatives.filter(({ outcome }) => outcome === 'several-spots').length,
    shareSingle: figure(values.shareSingle),
    auroc: figure(values.auroc),
    aurocUncertainty: figure(values.aurocUncertainty),
    intervals: bootstrap(
      rows.map(({ group }) => group),
      figures,
      { resamples },
    ),
  };
}

export function refusalFigures(
  negatives: readonly Scored[],
  lesions: readonly Scored[],
  resamples: number,
): RefusalFigures {
  const by = (key: (row: Scored) => string) =>
    Object.fromEntries(grouped(negatives, key).map(([name, rows]) => [name, against(rows, lesions, resamples)]));
  const lesionsRefused = lesions.map(refused);
  const interval = bootstrap(
    lesions.map(({ group }) => group),
    (weights) => ({ refused: share(lesionsRefused, weights) }),
    { resamples },
  ).refused;
  return {
    lesionsRefused: figure(share(lesionsRefused)),
    lesionsRefusedInterval: interval ?? null,
    lesionsRefusedByModality: Object.fromEntries(
      grouped(lesions, ({ modality }) => modality).map(([id, rows]) => [id, figure(share(rows.map(refused)))]),
    ),
    all: against(negatives, lesions, resamples),
    byLabel: by(({ negative }) => negative!.label),
    byKind: by(({ negative }) => negative!.kind),
  };
}
