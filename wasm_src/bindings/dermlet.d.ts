/** The WebAssembly module's interface, written by hand: `wasm_src/bindings/bindings.cc` must say the same. */

/** Stable names of the core's error codes; `wasm_src/core/result.h` lists them. */
export type CoreErrorCode = 'UNSUPPORTED_FORMAT' | 'CORRUPT_IMAGE' | 'IMAGE_TOO_LARGE' | 'INVALID_ARGUMENT';

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

export interface PrepareSpec {
  width: number;
  height: number;
  layout: 'NCHW' | 'NHWC';
  channels: 'RGB' | 'BGR';
  fit: 'cover' | 'stretch';
  filter: 'bilinear' | 'bicubic' | 'lanczos';
  mean: readonly number[];
  std: readonly number[];
  minSide: number;
  minContrast: number;
  /** Longest side of the upright preview in pixels; 0 makes none. */
  previewSide: number;
}

export interface QualityCheck {
  id: 'too_small' | 'flat';
  value: number;
  limit: number;
  passed: boolean;
}

/**
 * How the file's colours became sRGB:
 * - `assumed-srgb`: the file says nothing, so they were taken as sRGB
 * - `srgb`: the file says that they are
 * - `converted`: from the file's ICC profile, or its gAMA and cHRM
 * - `unsupported-profile`: the file's profile is broken or of a kind that is not read; the colours were left as they are
 */
export type ColourSource = 'assumed-srgb' | 'srgb' | 'converted' | 'unsupported-profile';

export interface Prepared {
  ok: true;
  /** One picture in the spec's layout; its own buffer, may be transferred. */
  tensor: Float32Array<ArrayBuffer>;
  /** Exactly what was normalised into the tensor. */
  view: Picture;
  /** The whole upright picture; null when `previewSide` is 0. */
  preview: Picture | null;
  /** The part of the upright picture that the view shows. */
  region: Rect;
  source: { format: 'jpeg' | 'png' | 'bmp'; width: number; height: number; orientation: number; colour: ColourSource };
  quality: { usable: boolean; checks: QualityCheck[] };
}

export interface ModelOutputs {
  scores: Float32Array;
  /** Class-major grid of K * mapHeight * mapWidth; null when the model has none. */
  maps: Float32Array | null;
  mapHeight: number;
  mapWidth: number;
  embedding: Float32Array | null;
}

export interface DecisionSpec {
  scoresAre: 'logits' | 'probabilities';
  temperature: number;
  setThresholds: readonly number[];
  /** null never refuses. */
  rejectionThreshold: number | null;
  concern: readonly ('low' | 'moderate' | 'high')[];
  highConcernMass: number;
}

/** `classIndex` -1 explains the first-ranked class; width and height are the overlay's, in pixels. */
export interface Explain {
  classIndex: number;
  width: number;
  height: number;
}

export interface Interpreted {
  ok: true;
  probabilities: number[];
  ranking: number[];
  predictionSet: number[];
  outcome: 'single' | 'several' | 'not-recognised' | 'poor-quality';
  tier: 'low' | 'moderate' | 'high' | 'unknown';
  rejection: number;
  heatMap: { classIndex: number; rows: number; columns: number; values: number[]; overlay: Picture } | null;
}

/** No call keeps a view into WASM memory; every array returned is the caller's own. */
export interface DermletModule {
  prepare(bytes: Uint8Array, spec: PrepareSpec, crop: Rect | null): Prepared | Failure;
  interpret(outputs: ModelOutputs, spec: DecisionSpec, usable: boolean, explain: Explain | null): Interpreted | Failure;
  /** Bytes of WASM memory now held; it never shrinks. */
  memoryBytes(): number;
}

export interface ModuleOptions {
  wasmBinary?: ArrayBuffer | Uint8Array;
  locateFile?(path: string): string;
}

export default function createDermlet(options?: ModuleOptions): Promise<DermletModule>;
