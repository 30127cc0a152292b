/** Answers of the classifier, reduced to what the figures need, before and after merging classes. */
import type { Framing, Outcome, Result, Tier } from '../../web/src/classifier/node/index.js';
import type { LabelRow, Merged } from './labels.js';

/** An answered picture, or lesion of two pictures, in the model's own classes. */
export interface Answered {
  row: LabelRow;
  /** Id of the modality whose calibration was used. */
  modality: string;
  /** Id of the recognised modality, if the model recognises modalities. */
  recognised?: string;
  framing: Framing;
  outcome: Outcome;
  rejection: number;
  /**
   * Rejection score minus the threshold of the picture's modality: above 0 is refused. The score itself if there is no
   * threshold.
   */
  excess: number;
  /** In the order of the model's classes. */
  probabilities: number[];
  /** Indices of the model's classes. */
  predictionSet: number[];
  tier: Tier;
}

/** Ids of the model's own classes: malignant ones, and those of low concern. */
export interface Kinds {
  malignant: readonly string[];
  benign: readonly string[];
}

/** An answer after merging. */
export interface Scored {
  set: string;
  image: string;
  group: string;
  modality: string;
  /** As stated in the labels, `scale:tone`; may be empty. */
  skinTone: string;
  /** Index of the true class; -1 for a negative. */
  truth: number;
  /** For negatives: label and kind. */
  negative?: { label: string; kind: string };
  outcome: Outcome;
  rejection: number;
  excess: number;
  probabilities: number[];
  predictionSet: number[];
  /** Whether the label is malignant, and the summed probability of malignant classes. Not affected by merging. */
  malignant: { truth: boolean; probability: number };
  /** Whether the label is of low concern. */
  benign: boolean;
  /** Summed probability of all classes but those of low concern. Not affected by merging. */
  raised: number;
  tier: Tier;
}

/** @param ids the model's classes in the manifest's order */
export function answered(row: LabelRow, result: Result, ids: readonly string[]): Answered {
  const { score, threshold } = result.rejection;
  const probabilities = ids.map(() => 0);
  for (const { id, probability } of result.ranking) probabilities[ids.indexOf(id)] = probability;
  return {
    row,
    modality: result.modality,
    ...(result.modalityChoice.recognised ? { recognised: result.modalityChoice.recognised.modality } : {}),
    framing: result.frame.framing,
    outcome: result.outcome,
    rejection: score,
    excess: score - (threshold ?? 0),
    probabilities,
    predictionSet: result.predictionSet.map((id) => ids.indexOf(id)),
    tier: result.tier,
  };
}

export function scored(answer: Answered, ids: readonly string[], merged: Merged, { malignant, benign }: Kinds): Scored {
  const { row, modality, outcome, rejection, excess } = answer;
  const probabilities = merged.classes.map(() => 0);
  answer.probabilities.forEach((probability, k) => (probabilities[merged.into[k]!]! += probability));
  const truth = merged.classes.indexOf(merged.label(row.label));
  const kind = row.sourceLabel.split('/')[0] || row.label;
  return {
    set: row.set,
    image: row.image,
    group: row.group,
    modality,
    skinTone: row.skinTone,
    truth,
    ...(truth < 0 ? { negative: { label: row.label, kind: `${row.label}: ${kind}` } } : {}),
    outcome,
    rejection,
    excess,
    probabilities,
    predictionSet: [...new Set(answer.predictionSet.map((k) => merged.into[k]!))],
    malignant: {
      truth: malignant.includes(row.label),
      probability: ids.reduce((sum, id, k) => sum + (malignant.includes(id) ? answer.probabilities[k]! : 0), 0),
    },
    benign: benign.includes(row.label),
    raised: ids.reduce((sum, id, k) => sum + (benign.includes(id) ? 0 : answer.probabilities[k]!), 0),
    tier: answer.tier,
  };
}

/** No class was named. */
export const refused = ({ outcome }: Scored): boolean => outcome !== 'single' && outcome !== 'several';
export const single = ({ outcome }: Scored): boolean => outcome === 'single';

export function grouped<T>(rows: readonly T[], key: (row: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}
