/** The classifier's options, progress and stages. */
import type { Rect } from '../../../wasm_src/bindings/dermlet.js';
import type { Concern, ErrorCode } from './contract.js';
import type { Result } from './result.js';

export type BackendChoice = 'auto' | 'wasm' | 'webgpu';

/** What `load` is doing. `total` is 0 while unknown; `loaded` never falls within one phase. Bytes. */
export interface LoadProgress {
  phase: 'engine' | 'model' | 'self-test';
  loaded: number;
  total: number;
  /** True if the bytes came from Cache Storage and nothing was fetched. */
  cached: boolean;
  /**
   * All that this load takes from the network, engine and model together, as it is sent (compressed where it is). What
   * is kept on this device is not part of it. `total` 0: nothing, or not known yet; absent in Node.
   */
  all?: { loaded: number; total: number };
}

export interface LoadOptions {
  /**
   * `auto`: WASM for the networks that Dermlet ships, which it runs in about a tenth of a second: for WebGPU a first
   * visit would fetch half as much again. For others WebGPU when there is a hardware adapter and it passes the
   * self-test, else WASM.
   */
  backend?: BackendChoice;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
  /**
   * The file of a head that `trainHead` made, used in place of the network's last layer: the classes are its own. It
   * must be of this very network.
   */
  head?: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>;
  /**
   * Milliseconds without a call after which the worker is ended to free its memory; 0: never. Default 60000. In a
   * browser it goes on where it could not be started again without a network: without a service worker that keeps its
   * scripts, or while its files are not kept on this device.
   */
  idleTimeout?: number;
  /**
   * Folder of the engine's files (`dermlet.wasm`, `ort-wasm-*`), ending in '/'; models by name are in `../models/` from
   * it. Default: `engine/` beside this module.
   */
  assetBase?: string | URL;
}

/** A labelled picture: what `classify` said of it with `embedding: true`. */
export interface TrainingExample {
  result: Pick<Result, 'model' | 'embedding' | 'rejection'>;
  /** A class's id. */
  label: string;
  /** Pictures of one lesion or person share one: they are left out together when the head is judged. */
  group?: string;
}

export interface TrainOptions {
  title?: string;
  /** Default: the labels in order; ids of the model's classes bring its names, others are their own names. */
  classes?: readonly { id: string; name: string; plain?: string; concern: Concern }[];
  /** What of the pictures was classified, if not `auto`; the head's default from then on. */
  crop?: 'auto' | 'whole';
  /** scikit-learn's C, over 0: smaller trusts the examples less. Default 4. */
  inversePenalty?: number;
  /** Each class counts alike, however many examples it has. Default true. */
  balanced?: boolean;
  /** 0 to 1. */
  onProgress?: (progress: number) => void;
  signal?: AbortSignal;
}

export interface ListOptions {
  /** As in `LoadOptions`. */
  assetBase?: string | URL;
  signal?: AbortSignal;
}

/** A call's progress. `queued` only if another call is ahead. */
export type Stage = 'queued' | 'starting' | 'decoding' | 'analysing' | 'explaining' | 'done';

export interface ClassifyOptions {
  signal?: AbortSignal;
  /**
   * How the picture was taken: id of one of the model's modalities, or `auto` to recognise it from the picture. Default
   * `auto`; a model that cannot tell uses its default modality. For a lesion: applies to pictures that give none.
   */
  modality?: string;
  /**
   * What the network is shown:
   * - pixels of the upright picture
   * - `auto`: a frame around the spot if it is small in the picture, else the picture as it is
   * - `whole`: the picture as it is
   * Default `auto`; a model without a locator uses the picture as it is. Not for a lesion, whose pictures have their
   * own crops.
   */
  crop?: Crop;
  /**
   * Averages the network's outputs over all eight rotations and reflections of the picture (four if the network's input
   * is not square), with the calibration made for it if the model has one. Takes about eight times as long. Default
   * false.
   */
  testTimeAugmentation?: boolean;
  /**
   * Adds `explanation` (and, with `images`, the overlay) for the first-ranked class or the given class id.
   * Default false.
   */
  explain?: boolean | string;
  /** Adds `result.embedding`, for `trainHead`. Default false. */
  embedding?: boolean;
  /** Adds `result.images`: upright preview, the network's view, the heat-map overlay. Default false. */
  images?: boolean;
  onStage?: (stage: Stage) => void;
}

export type Crop = Rect | 'auto' | 'whole';

/**
 * A whole file as Blob or bytes; the address of one on the page's own origin; or pixels, which are taken as sRGB.
 * Pixels depend on the decoder, so their `source.bitExact` is false.
 */
export type ClassifyInput =
  | Blob
  | ArrayBuffer
  | Uint8Array
  | string
  | URL
  | ImageBitmap
  | ImageData
  | HTMLCanvasElement
  | OffscreenCanvas;

/**
 * One of up to two pictures of one lesion. Two of different modalities need a model whose manifest says how their
 * scores are combined.
 */
export interface LesionPicture {
  picture: ClassifyInput;
  /** As in `ClassifyOptions`, whose value applies if absent. */
  modality?: string;
  /** As in `ClassifyOptions`; default `auto`. */
  crop?: Crop;
}

/** A newer version of the model that could not be used; the one kept on this device goes on. */
export interface FailedUpdate {
  /** Absent if its manifest could not be read. */
  version?: string;
  code: ErrorCode;
  message: string;
}

/** What is known about a model; the manifest's public part. */
export interface ModelInfo {
  name: string;
  version: string;
  title: string;
  sha256: string;
  bytes: number;
  license: { id: string; url: string; nonCommercial: boolean };
  cardUrl: string;
  classes: { id: string; name: string; plain?: string; concern: Concern }[];
  modalities: string[];
  defaultModality: string;
  /** Whether `modality: 'auto'` recognises the modality from the picture. */
  recognisesModality: boolean;
  /** Whether `crop: 'auto'` looks for the spot. */
  findsSpots: boolean;
  /**
   * Width and height whose ratio a crop must have for all of it to be shown to the network: of any other only its
   * centred part is. Absent: a crop of any shape is shown whole, squashed.
   */
  cropShape?: { width: number; height: number };
  /**
   * The two modalities whose pictures of one lesion can be combined; absent if the model defines none. Two pictures of
   * one modality always can.
   */
  combines?: [string, string];
  coverage: number;
}

/** A model that can be loaded by name, as listed before any of it is loaded. */
export interface ModelSummary {
  name: string;
  title: string;
  version: string;
  /** Size of the network's file. */
  bytes: number;
  /** The model's folder, absolute, ending in '/'. */
  url: string;
  license: { id: string; url: string; nonCommercial: boolean };
  cardUrl: string;
  /** Number of classes. */
  classes: number;
  /** Whether it is used when none is chosen; true for exactly one model. */
  default: boolean;
  /** This version is kept on this device: loading it needs no network. */
  kept: boolean;
}
