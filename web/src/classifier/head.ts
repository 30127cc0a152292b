/**
 * A last layer of somebody's own over a model: what it makes of the model's manifest, and what is known of it. Trained
 * by `Classifier.trainHead`, kept as one file (`head-file.ts`).
 */
import { DermletError } from './errors.js';
import type { HeadManifest, Manifest, Modality } from './manifest.js';

/** Plain data. */
export interface Head {
  manifest: HeadManifest;
  /** A row for each class. */
  weights: Float32Array<ArrayBuffer>;
  bias: Float32Array<ArrayBuffer>;
}

/**
 * What to be wary of:
 * - `few-pictures`: a class has fewer than 20
 * - `unbalanced`: a class has more than three times as many as another
 * - `no-better-than-guessing`: always naming the commonest class might be right as often
 * - `not-converged`: training ended before it was done
 */
export type HeadWarning = 'few-pictures' | 'unbalanced' | 'no-better-than-guessing' | 'not-converged';

/** What a result says of the head that made it. */
export interface HeadInfo {
  title: string;
  /** How many it was trained on. */
  pictures: number;
  /** Share of them that heads trained without them named rightly, and its 95 % interval. */
  accuracy: number;
  interval: [number, number];
  /** Whether each was left out by itself; else in several folds. */
  leaveOneOut: boolean;
  /** Always: its scores are softmax of logits, and its sets are not made of pictures kept for that. */
  calibrated: false;
  warnings: HeadWarning[];
}

const FEW = 20;
const UNBALANCED = 3;

/** What is to be said of the numbers of pictures, before anything is trained on them. */
export function countWarnings(pictures: readonly number[]): HeadWarning[] {
  const [least, most] = [Math.min(...pictures), Math.max(...pictures)];
  return [
    ...(least < FEW ? (['few-pictures'] as const) : []),
    ...(most > UNBALANCED * least ? (['unbalanced'] as const) : []),
  ];
}

export function headInfo({ title, pictures, converged, heldOut }: HeadManifest): HeadInfo {
  const all = pictures.reduce((sum, count) => sum + count, 0);
  return {
    title,
    pictures: all,
    accuracy: heldOut.accuracy,
    interval: [heldOut.least, heldOut.most],
    leaveOneOut: heldOut.leaveOneOut,
    calibrated: false,
    warnings: [
      ...countWarnings(pictures),
      ...(heldOut.least <= Math.max(...pictures) / all ? (['no-better-than-guessing'] as const) : []),
      ...(converged ? [] : (['not-converged'] as const)),
    ],
  };
}

/** Probability that the classes of a head's set reach together. */
export const SET_MASS = 0.9;

const higher = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : Math.max(a, b);

/**
 * The model's manifest as the head has it: its classes, a plain softmax, sets of `SET_MASS`, the share of its own
 * pictures whose class was in such a set, and no way to combine modalities. The model's rejection goes on, its limit
 * raised where the head's own pictures need it. Of a manifest that is one already it gives the same.
 * @throws DermletError INVALID_ARGUMENT where it is a head of another network
 */
export function withHead(base: Manifest, { manifest: head }: Head): Manifest {
  if (head.base.sha256 !== base.file.sha256)
    throw new DermletError(
      'INVALID_ARGUMENT',
      `The head was trained on ${head.base.name} ${head.base.version} and fits only that network; this is ` +
        `${base.name} ${base.version}.`,
    );
  const { combination: _combination, ...rest } = base;
  const modality = ({ testTimeAugmentation: _own, ...own }: Modality): Modality => ({
    ...own,
    temperature: 1,
    sets: { limits: head.classes.map(() => SET_MASS), penalty: 0, freeRanks: 0 },
    rejectionThreshold:
      head.rejectionThreshold === null
        ? own.rejectionThreshold
        : higher(own.rejectionThreshold, head.rejectionThreshold),
  });
  return {
    ...rest,
    classes: head.classes,
    modalities: base.modalities.map(modality),
    decision: { ...base.decision, coverage: head.heldOut.setCoverage },
  };
}
