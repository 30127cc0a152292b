/** The interface of the module that learns, as `learn.cc` gives it. */
import type { Failure, HeadWeights, ModuleOptions } from './dermlet.js';

/** Embeddings of labelled pictures, one after the other. */
export interface TrainingExamples {
  embeddings: Float32Array;
  /** Index of each one's class. */
  labels: readonly number[];
  /** Those of one number are left out together; empty: each by itself. */
  groups: readonly number[];
  /** Each one's rejection score; may be empty. */
  rejections: readonly number[];
  classes: number;
}

/** `wasm_src/core/learn/head.h` says what each means. */
export interface TrainingSpec {
  inversePenalty: number;
  balanced: boolean;
  iterations: number;
  folds: number;
  setMass: number;
}

/** What heads said of pictures that they had not seen. Shares are 0..1. */
export interface HeldOut {
  folds: number;
  leaveOneOut: boolean;
  correct: number;
  accuracy: number;
  /** Wilson's 95 % interval of the accuracy. */
  least: number;
  most: number;
  /** Mean of the classes' shares that were right. */
  balancedAccuracy: number;
  /** A row for each label, in it how often each class ranked first. */
  confusion: number[];
  /** Share whose label is in the set. */
  setCoverage: number;
  /** Mean number of classes in it. */
  setSize: number;
}

export interface Trained extends HeadWeights {
  ok: true;
  weights: Float32Array<ArrayBuffer>;
  bias: Float32Array<ArrayBuffer>;
  iterations: number;
  converged: boolean;
  /** About one in twenty pictures like the examples has a rejection score over it; null without scores. */
  rejectionLimit: number | null;
  heldOut: HeldOut;
}

/** No call keeps a view into WASM memory; every array returned is the caller's own. */
export interface LearnModule {
  /** Begins to train a head; the training that was under way ends. */
  startTraining(examples: TrainingExamples, spec: TrainingSpec): { ok: true } | Failure;
  /** Goes on with it. `progress`: 0..1. */
  advanceTraining(iterations: number): { ok: true; done: boolean; progress: number } | Failure;
  /** Gives what was trained, once it is done, and frees its memory; else ends it. */
  endTraining(): Trained | Failure;
  /** An embedding as an atlas keeps it: whole numbers from -127 to 127, and what they are multiplied by. */
  quantise(embedding: Float32Array): { ok: true; values: Int8Array<ArrayBuffer>; scale: number } | Failure;
  /** Makes room for the vectors to look up, of so many bytes together; the atlas before is closed. */
  openAtlas(bytes: number, scales: Float32Array): { ok: true } | Failure;
  /** Keeps the next of them, one after the other, their bytes as they are. */
  fillAtlas(vectors: Uint8Array): { ok: true } | Failure;
  /** Of the open atlas, once it is filled, most similar first; at most 100. `similarities`: cosines. */
  nearest(embedding: Float32Array, count: number): { ok: true; indices: number[]; similarities: number[] } | Failure;
  /** Share of the `count` nearest by exact search that `nearest` finds too, over so many of the embeddings. 0..1. */
  recall(
    embeddings: Float32Array,
    width: number,
    count: number,
    queries: number,
  ): { ok: true; recall: number } | Failure;
  /** Bytes of WASM memory now held; it never shrinks. */
  memoryBytes(): number;
}

export default function createLearn(options?: ModuleOptions): Promise<LearnModule>;
