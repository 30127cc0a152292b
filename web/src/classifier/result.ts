/** What `classify` returns. Plain versioned data; every front end, export and endpoint is a projection of it. */
import type { Picture, Quality, QualityCheck, Rect, Spot } from '../../../wasm_src/bindings/dermlet.js';
import type {
  ColourSource,
  Concern,
  Format,
  Framing,
  Outcome,
  QualityCheckId,
  RejectionMethod,
  Tier,
} from './contract.js';
import type { DecodePath } from './foreign.js';
import type { HeadInfo } from './head.js';

export type {
  ColourSource,
  Concern,
  DecodePath,
  Format,
  Framing,
  Outcome,
  Picture,
  Quality,
  QualityCheck,
  QualityCheckId,
  Rect,
  Spot,
  Tier,
};

export interface RankedClass {
  id: string;
  name: string;
  /** One calm sentence about the category, from the manifest. */
  plain?: string;
  /** Calibrated probability, 0..1; all classes sum to 1. */
  probability: number;
  concern: Concern;
  /** Whether the class is in the prediction set. */
  inSet: boolean;
}

export type Backend = 'wasm' | 'webgpu';

export interface Runtime {
  backend: Backend;
  threads: number;
  /** Present if another backend was asked for or tried first: which, and why it did not run. */
  fallback?: { from: Backend; reason: string };
  /**
   * Milliseconds. `queue`: waiting for earlier calls; `prepare`: bytes to tensor; `inference`: the network;
   * `interpret`: outputs to result. Sums over all pictures and views.
   */
  timings: { queue: number; prepare: number; inference: number; interpret: number; total: number };
}

/** How unlike the training pictures: higher is less like them; rejected above the threshold (null: never). */
export interface Rejection {
  method: RejectionMethod;
  score: number;
  threshold: number | null;
}

/**
 * How the part that the network saw (`source.region`) was chosen, and the spots found in doing so, best first, in
 * pixels of the upright picture.
 */
export interface Frame {
  framing: Framing;
  spots: Spot[];
}

/** Which modality the scores were interpreted as, and why. */
export interface ModalityChoice {
  /**
   * `caller`: asked for; `picture`: recognised from the picture; `default`: not asked for, and the model cannot tell.
   */
  by: 'caller' | 'picture' | 'default';
  /** The modality recognised and its probability, if the model can tell: may differ from the one asked for. */
  recognised?: { modality: string; probability: number };
}

export interface Source {
  /** From the file's bytes; `pixels` if the caller passed pixels. */
  format: Format | 'pixels';
  bytes: number;
  /** Upright, pixels. */
  width: number;
  height: number;
  /** EXIF orientation 1-8 as found. */
  orientation: number;
  /** How the file's colours became sRGB. */
  colour: ColourSource;
  /** What decoded the picture. */
  decodePath: DecodePath;
  /** Whether the same bytes give the same pixels everywhere: true only for `core`. */
  bitExact: boolean;
  /** The part of the upright picture shown to the network. */
  region: Rect;
}

/** The pictures of one lesion, in the order given. */
export interface Lesion {
  perPicture: {
    modality: string;
    modalityChoice: ModalityChoice;
    frame: Frame;
    /** Pictures that are unusable or do not show exactly one spot are left out of the combination. */
    usable: boolean;
    quality: Quality;
    source: Source;
    rejection: Rejection;
    /** By class id, from this picture alone. */
    probabilities: Record<string, number>;
  }[];
  /** Whether the result combines two pictures; else it comes from the primary one. */
  combined: boolean;
  /**
   * Index of the first usable picture (0 if none is): the result's `modality`, `quality`, `source`, `explanation` and
   * `images` are from it.
   */
  primaryIndex: number;
}

export interface Result {
  resultVersion: 2;
  model: { name: string; version: string; sha256: string; title: string };
  outcome: Outcome;
  tier: Tier;
  modality: string;
  modalityChoice: ModalityChoice;
  /** Whether the scores are means over the dihedral views. */
  testTimeAugmentation: boolean;
  /**
   * All classes, most probable first, whatever the outcome. Show no class as an answer unless the outcome is `single`
   * or `several`.
   */
  ranking: RankedClass[];
  /**
   * Class ids, the first few of `ranking`; contains the true class for about `coverage` of pictures like those the
   * network was calibrated on.
   */
  predictionSet: string[];
  coverage: number;
  /**
   * For two pictures combined: how far the one more like the training pictures is above its own threshold, with
   * threshold 0.
   */
  rejection: Rejection;
  quality: Quality;
  source: Source;
  frame: Frame;
  /**
   * Class activation grid of one class over `source.region`, 0..1 relative to its greatest value, rows from the top.
   */
  explanation?: { classId: string; rows: number; columns: number; values: number[] };
  /** Present if pictures of one lesion were given. */
  lesion?: Lesion;
  runtime: Runtime;
  /** The network's pooled features of the primary picture, if asked for: what a head is trained on. */
  embedding?: number[];
  /** Present if a head of somebody's own made the scores, in place of the network's last layer. */
  head?: HeadInfo;
  /** Pixels for display, absent if not asked for. Not JSON: `withoutImages` drops them. */
  images?: ResultImages;
}

export interface ResultImages {
  /** The whole upright picture, longest side at most 1024 pixels. */
  preview?: Picture;
  /** Exactly what the network saw. */
  view: Picture;
  /** Heat map to lay over `source.region`. */
  overlay?: Picture;
}

/** The part of a result that can be written as JSON. */
export function withoutImages(result: Result): Omit<Result, 'images'> {
  const { images: _images, ...plain } = result;
  return plain;
}
