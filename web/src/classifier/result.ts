/** What `classify` answers. Plain data with a version; every front end, export and endpoint is a projection of it. */
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
  /** Present when another backend was wanted or tried first: which, and why it is not the one that ran. */
  fallback?: { from: Backend; reason: string };
  /**
   * Milliseconds. `queue`: waiting for earlier calls; `prepare`: bytes to tensor; `inference`: the network;
   * `interpret`: outputs to result. Of all pictures and views.
   */
  timings: { queue: number; prepare: number; inference: number; interpret: number; total: number };
}

/** How unlike the training pictures: higher is less like them; refused above the threshold (null never refuses). */
export interface Rejection {
  method: RejectionMethod;
  score: number;
  threshold: number | null;
}

/**
 * How the part that the network saw (`source.region`) was found, and the spots that were found on the way, best first,
 * in pixels of the upright picture.
 */
export interface Frame {
  framing: Framing;
  spots: Spot[];
}

/** Which modality the scores were read as, and why. */
export interface ModalityChoice {
  /**
   * `caller`: it was asked for; `picture`: the picture looks like it; `default`: nobody asked, and the model cannot
   * tell.
   */
  by: 'caller' | 'picture' | 'default';
  /** What the picture looks like and how surely, where the model can tell: it may differ from what was asked for. */
  recognised?: { modality: string; probability: number };
}

export interface Source {
  /** By the file's bytes; `pixels` where the caller gave those. */
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
  /** Whether the same bytes give the same pixels everywhere: true of `core` alone. */
  bitExact: boolean;
  /** The part of the upright picture shown to the network. */
  region: Rect;
}

/** The pictures of one lesion, in the order in which they were given. */
export interface Lesion {
  perPicture: {
    modality: string;
    modalityChoice: ModalityChoice;
    frame: Frame;
    /** Pictures that are not usable, or do not show one spot, are left out of the combination. */
    usable: boolean;
    quality: Quality;
    source: Source;
    rejection: Rejection;
    /** By class id, of this picture alone. */
    probabilities: Record<string, number>;
  }[];
  /** Whether the result comes from two pictures together; else it is that of the one that is usable. */
  combined: boolean;
  /**
   * Index of the first usable picture (0 when none is): the result's `modality`, `quality`, `source`, `explanation` and
   * `images` are its.
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
   * Class ids, the first few of `ranking`; holds the truth for about `coverage` of pictures like those the network was
   * calibrated on.
   */
  predictionSet: string[];
  coverage: number;
  /**
   * Of two pictures combined: how far the one that is more like the training pictures is over its own threshold,
   * against 0.
   */
  rejection: Rejection;
  quality: Quality;
  source: Source;
  frame: Frame;
  /**
   * Class activation grid of one class over `source.region`, 0..1 relative to its greatest value, rows from the top.
   */
  explanation?: { classId: string; rows: number; columns: number; values: number[] };
  /** Where pictures were given as those of one lesion. */
  lesion?: Lesion;
  runtime: Runtime;
  /** Pixels for showing, absent where not asked for. Not JSON: `withoutImages` drops them. */
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

/** The JSON-able part of a result. */
export function withoutImages(result: Result): Omit<Result, 'images'> {
  const { images: _images, ...plain } = result;
  return plain;
}
