/** What callers of the classifier say and hear: options, progress, stages. */
import type { Rect } from '../../../wasm_src/bindings/dermlet.js';
import type { Concern } from './contract.js';

export type BackendChoice = 'auto' | 'wasm' | 'webgpu';

/** What `load` is doing. `total` is 0 while unknown; `loaded` never falls within one phase. Bytes. */
export interface LoadProgress {
  phase: 'engine' | 'model' | 'self-test';
  loaded: number;
  total: number;
  /** True when the bytes came out of Cache Storage and nothing was fetched. */
  cached: boolean;
}

export interface LoadOptions {
  /** `auto`: WebGPU when there is a hardware adapter and it passes the self-test, else WASM. */
  backend?: BackendChoice;
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
  /** Milliseconds without a call after which the worker is ended to give its memory back; 0 never. Default 60000. */
  idleTimeout?: number;
  /**
   * Folder of the engine's files (`dermlet.wasm`, `ort-wasm-*`), ending in '/'; models by name lie in `../models/` from
   * it. Default: where this module was served from.
   */
  assetBase?: string | URL;
}

export interface ListOptions {
  /** As of `LoadOptions`. */
  assetBase?: string | URL;
  signal?: AbortSignal;
}

/** Where one call is. `queued` only when another call is ahead. */
export type Stage = 'queued' | 'starting' | 'decoding' | 'analysing' | 'explaining' | 'done';

export interface ClassifyOptions {
  signal?: AbortSignal;
  /**
   * How the picture was taken: id of one of the model's modalities, or `auto`, which goes by the picture. Default
   * `auto`; a model that cannot tell takes its default modality. Of a lesion: for the pictures that name none.
   */
  modality?: string;
  /**
   * What the network is shown:
   * - pixels of the upright picture
   * - `auto`: a frame around the spot where it is small in the picture, else the picture as it is
   * - `whole`: the picture as it is
   * Default `auto`; a model without a locator takes the picture as it is. A lesion's pictures have crops of their own
   * instead.
   */
  crop?: Crop;
  /**
   * Takes the mean of the network's answers for all eight turns and reflections of the picture (four of them where the
   * network's input is not a square), with the calibration made for it where the model has one. Takes about eight times
   * as long. Default false.
   */
  testTimeAugmentation?: boolean;
  /**
   * Adds `explanation` (and the overlay when `images` is asked for): the first-ranked class, or the class id given.
   * Default false.
   */
  explain?: boolean | string;
  /** Adds `result.images`: upright preview, the network's view, the heat-map overlay. Default false. */
  images?: boolean;
  onStage?: (stage: Stage) => void;
}

export type Crop = Rect | 'auto' | 'whole';

/**
 * A whole file as Blob or bytes; the address of one on the page's own origin; or pixels, which are taken for sRGB.
 * Who decoded pixels decided what they are: `source.bitExact` is false of them.
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
  /** As in `ClassifyOptions`, whose own counts when absent. */
  modality?: string;
  /** As in `ClassifyOptions`; default `auto`. */
  crop?: Crop;
}

/** What is known of a loaded model; the manifest's public part. */
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
  /** Whether `modality: 'auto'` goes by the picture. */
  recognisesModality: boolean;
  /** Whether `crop: 'auto'` looks for the spot. */
  findsSpots: boolean;
  /**
   * The two modalities whose pictures of one lesion can be combined; absent where the model knows of none. Two pictures
   * of one modality always can.
   */
  combines?: [string, string];
  coverage: number;
}

/** A model that can be loaded by its name, as the list of models has it before anything of it is loaded. */
export interface ModelSummary {
  name: string;
  title: string;
  version: string;
  /** Of the network's file. */
  bytes: number;
  /** The model's folder, absolute, ending in '/'. */
  url: string;
  license: { id: string; url: string; nonCommercial: boolean };
  cardUrl: string;
  /** How many classes it knows. */
  classes: number;
  /** The one that the page takes when nobody chose; exactly one is. */
  default: boolean;
  /** This version is kept on this device: loading it needs no network. */
  kept: boolean;
}
