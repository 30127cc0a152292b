/** The WebAssembly module's interface, as `bindings.cc` gives it; contract.d.ts lists the values. */
import type {
  ChannelOrder,
  ColourKind,
  ColourSource,
  Concern,
  CoreErrorCode,
  Filter,
  Fit,
  ForeignFormat,
  Format,
  Framing,
  Layout,
  Outcome,
  QualityCheckId,
  Scores,
  SetRule,
  Tier,
  TierCuts,
} from './contract.js';

export type * from './contract.js';

export interface Failure {
  ok: false;
  code: CoreErrorCode;
  message: string;
}

/** Pixels of the upright picture. */
export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** RGBA, 8 bits a channel, rows from the top, not premultiplied: what `ImageData` takes. */
export interface Picture {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** What a file is. A foreign one's pixels are decoded elsewhere. */
export type Sniffed = { ok: true } & (
  | { format: ForeignFormat; foreign: true }
  | { format: Exclude<Format, ForeignFormat>; foreign: false }
);

/** What a file says of its colours. */
export type Colours =
  | { kind: Exclude<ColourKind, 'profile' | 'primaries'> }
  /** An ICC profile. */
  | { kind: 'profile'; profile: Uint8Array }
  /**
   * `primaries`: CIE x and y of white, red, green and blue; `exponent` of the power law, null where the curve is that
   * of sRGB.
   */
  | { kind: 'primaries'; primaries: readonly number[]; exponent: number | null };

/** What a file's header says. Sizes are within the limits. */
export interface Header {
  format: Format;
  /** As stored: before it is turned upright. */
  width: number;
  height: number;
  /** EXIF 1-8. */
  orientation: number;
  /** Of colour, as stored: 1 grey, 3 red, green and blue, 4 inks. */
  channels: number;
  colours: Colours;
}

export interface Inspected extends Header {
  ok: true;
  /**
   * Of a foreign format: pairs of a place in the file and the byte to write there before it is decoded, so that whoever
   * does applies neither orientation nor colour profile. `prepare` sees to both.
   */
  neutralising: number[];
}

/** A picture of a foreign format: what `inspect` said of its file, and the pixels as stored, `neutralising` applied. */
export interface ForeignPicture {
  header: Header;
  pixels: Picture;
}

export interface TensorSpec {
  width: number;
  height: number;
  layout: Layout;
  channels: ChannelOrder;
  filter: Filter;
  mean: readonly number[];
  std: readonly number[];
}

export interface PrepareSpec extends TensorSpec {
  fit: Fit;
  /** Share of each side of the fitted part that is shown, its middle: over 0, at most 1. A crop is shown whole. */
  cropPct: number;
  /** The limits of the quality checks; one that is left out is not made. */
  quality: Readonly<Partial<Record<QualityCheckId, number>>>;
  /** Longest side of the upright preview in pixels; 0 makes none. */
  previewSide: number;
  /** Dihedral views in the tensor: 1, 4 (those that keep the shape), or 8 where width and height are equal. */
  views: number;
  /** A second tensor of the same picture: all of it, whatever the crop, squashed to this size; null: none. */
  whole: TensorSpec | null;
}

export interface QualityCheck {
  id: QualityCheckId;
  value: number;
  limit: number;
  passed: boolean;
}

export interface Prepared {
  ok: true;
  /** `views` pictures in the spec's layout, the upright one first; its own buffer, may be transferred. */
  tensor: Float32Array<ArrayBuffer>;
  /** Exactly what was normalised into the tensor's first picture. */
  view: Picture;
  /** The whole upright picture; null when `previewSide` is 0. */
  preview: Picture | null;
  /** The whole picture by `spec.whole`; null without it. */
  whole: Float32Array<ArrayBuffer> | null;
  /** The part of the upright picture that the view shows. */
  region: Rect;
  source: {
    format: Format;
    width: number;
    height: number;
    orientation: number;
    colour: ColourSource;
  };
  quality: Quality;
  /** What every check measures, in the order of `QualityCheckId`; `judgeQuality` holds them against other limits. */
  qualityValues: number[];
}

export interface Quality {
  /** Every check passed. */
  usable: boolean;
  checks: QualityCheck[];
}

/** A box in pixels of the upright picture, and how surely it holds a spot, 0 to 1. */
export interface Spot {
  x: number;
  y: number;
  width: number;
  height: number;
  score: number;
  /** A square of whole pixels that shows it: what to ask for as a crop. */
  frame: Rect;
}

/** `wasm_src/core/view/locate.h` says what each means. */
export interface LocateSpec {
  spotScore: number;
  rivalScore: number;
  rivalRatio: number;
  frameScore: number;
  frameScale: number;
  aloneShare: number;
  bothShare: number;
}

export interface Located {
  ok: true;
  framing: Framing;
  /** Around the best spot where the framing is `spot`, `both` or `several`, else the whole picture. */
  frame: Rect;
  /** Best first. */
  spots: Spot[];
}

/** A linear probe on the embedding: `weights` has a row for each modality, one after the other. */
export interface ModalityProbe {
  weights: readonly number[];
  bias: readonly number[];
}

/** What the network answered for one picture: for each of its views, one after the other. */
export interface ModelOutputs {
  /** views * K */
  scores: Float32Array;
  /** Class-major grids, views * K * mapHeight * mapWidth; null when the model has none. */
  maps: Float32Array | null;
  mapHeight: number;
  mapWidth: number;
  /** views * D */
  embedding: Float32Array | null;
  views: number;
}

export interface DecisionSpec {
  scoresAre: Scores;
  temperature: number;
  sets: SetRule;
  /** null: every tier is `unknown`. */
  tiers: TierCuts | null;
  /** null never refuses. */
  rejectionThreshold: number | null;
  /**
   * A rejection model's file (`wasm_src/core/decision/rejection.h`), which scores by logits and embedding; left out or
   * null: energy.
   */
  rejectionModel?: Uint8Array | null;
  concern: readonly Concern[];
  /**
   * Judges in place of the network's own last layer, by the embedding; the classes are its. Rejection stays the
   * network's, and there is no heat map.
   */
  head?: HeadWeights | null;
}

/** `weights`: a row for each class. */
export interface HeadWeights {
  weights: Float32Array;
  bias: Float32Array;
}

/** `classIndex` -1 explains the first-ranked class; width and height are the overlay's, in pixels. */
export interface Explain {
  classIndex: number;
  width: number;
  height: number;
}

/** One picture of a lesion; `spec` is by its modality, the overlay's size its own. */
export interface LesionOutputs {
  outputs: ModelOutputs;
  /** Of the frame where the framing is `both`, and `outputs` those of the picture; else null. */
  frameOutputs: ModelOutputs | null;
  spec: DecisionSpec;
  usable: boolean;
  framing: Framing;
  explain: Explain | null;
}

/**
 * How the scores of pictures of different modalities become one; `weights` in the order of the pictures.
 * `wasm_src/core/decision/combine.h` has the formula.
 */
export interface CombinationSpec {
  weights: readonly number[];
  temperature: number;
  sets: SetRule;
  tiers: TierCuts;
}

export interface Decision {
  probabilities: number[];
  ranking: number[];
  /** The first of `ranking`. */
  predictionSet: number[];
  outcome: Outcome;
  tier: Tier;
  rejection: number;
  /** null never refuses. */
  rejectionThreshold: number | null;
}

export interface Interpreted {
  ok: true;
  /** Of all usable pictures together. */
  decision: Decision;
  /** Of the primary picture. */
  heatMap: { classIndex: number; rows: number; columns: number; values: number[]; overlay: Picture } | null;
  /** Of the primary picture, the mean over its views; empty if the network gives none. */
  embedding: Float32Array<ArrayBuffer>;
  /** Of each picture by itself, in their order. */
  perPicture: Decision[];
  /** Of the first usable picture; 0 when none is. */
  primaryIndex: number;
  /** Whether two pictures were usable and so combined. */
  combined: boolean;
}

/** No call keeps a view into WASM memory; every array returned is the caller's own. */
export interface DermletModule {
  /** What a file is, by its first bytes; no more of it are copied. */
  sniff(bytes: Uint8Array): Sniffed | Failure;
  /** What a whole file's header says; nothing is decoded. */
  inspect(bytes: Uint8Array): Inspected | Failure;
  /** A whole JPEG, PNG or BMP file, or the pixels of a file of a foreign format. */
  prepare(source: Uint8Array | ForeignPicture, spec: PrepareSpec, crop: Rect | null): Prepared | Failure;
  /** One or two pictures of one lesion; `combination` null joins two of one modality. */
  interpret(pictures: readonly LesionOutputs[], combination: CombinationSpec | null): Interpreted | Failure;
  /**
   * Holds a prepared picture's `qualityValues` against the limits of a modality that was not known when it was
   * prepared.
   */
  judgeQuality(values: readonly number[], limits: PrepareSpec['quality']): (Quality & { ok: true }) | Failure;
  /** The locator's output, 3 * rows * columns values, for a picture of so many pixels. */
  locate(
    output: Float32Array,
    rows: number,
    columns: number,
    picture: { width: number; height: number },
    spec: LocateSpec,
  ): Located | Failure;
  /** The most probable modality by one view's embedding, and its probability. */
  recogniseModality(
    embedding: Float32Array,
    probe: ModalityProbe,
  ): { ok: true; index: number; probability: number } | Failure;
  /** Bytes of WASM memory now held; it never shrinks. */
  memoryBytes(): number;
}

export interface ModuleOptions {
  wasmBinary?: ArrayBuffer | Uint8Array;
  locateFile?(path: string): string;
}

export default function createDermlet(options?: ModuleOptions): Promise<DermletModule>;
