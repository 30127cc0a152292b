/** The messages between page and worker. Everything is plain data; pictures and bytes are moved, not copied. */
import type { Trained, TrainingExamples, TrainingSpec } from '../../../wasm_src/bindings/learn.js';
import { messageOf } from './abort.js';
import type { Addresses } from './asset-base.js';
import type { CallOptions, CheckOptions } from './engine.js';
import { DermletError, type ErrorCode } from './errors.js';
import type { Head, HeadInfo } from './head.js';
import { filesIn, type InputOf } from './input.js';
import type { Inspection } from './inspection.js';
import type { Manifest } from './manifest.js';
import type { Restart } from './network.js';
import type { AtlasAnswer, AtlasQuestion } from './open-atlas.js';
import type { ModelFiles } from './opened-files.js';
import type { BackendChoice, FailedUpdate, LoadProgress, Stage } from './options.js';
import type { Told } from './requests.js';
import type { Quality, Result } from './result.js';
import type { Fallback } from './runtime.js';

/** An error on the wire: class instances do not survive the transfer, but the code must. */
export interface WireError {
  code: ErrorCode;
  message: string;
}

export function toWire(error: unknown): WireError {
  if (error instanceof DermletError) return { code: error.code, message: error.message };
  return { code: 'BACKEND_FAILED', message: `The engine failed: ${messageOf(error)}` };
}

export function fromWire({ code, message }: WireError): DermletError {
  return new DermletError(code, message);
}

export interface LoadSettings {
  /** The model folder's address, absolute, ending in '/'. */
  folder: string;
  /** The engine files' folder, absolute, ending in '/'. */
  assetBase: string;
  /** In place of a network, for a model that was opened from this device. */
  opened?: ModelFiles | undefined;
  /** Addresses of files that are not in those folders. */
  modelAddresses?: Addresses | undefined;
  engineAddresses?: Addresses | undefined;
  backend: BackendChoice;
  /** undefined: as many as isolation allows. */
  threads?: number | undefined;
  /** Whether all of ONNX Runtime is wanted, where less of it should be enough. */
  wholeRuntime?: boolean | undefined;
  /** Set when a worker is restarted: the model stays the one first loaded. */
  manifest?: Manifest | undefined;
  /** In place of the network's last layer. */
  head?: Head | undefined;
  /** Whether to run everything once after `ready`, if nothing is asked for by then. */
  warmUp: boolean;
  /** A lock that the worker holds as long as it lives: the browser takes it back when the worker ends, in any way. */
  life?: string | undefined;
}

export type WireInput = InputOf<ArrayBuffer>;

/** The input's buffers, to be moved. */
export const inputBuffers = (input: WireInput): ArrayBuffer[] => filesIn(input);

export type ToWorker =
  | { type: 'load'; settings: LoadSettings }
  | { type: 'classify'; id: number; input: WireInput; options: CallOptions }
  /** Asks for `checked`. */
  | { type: 'check'; id: number; input: ArrayBuffer; options: CheckOptions }
  /** Asks for `trained`, and `training` before it. */
  | { type: 'train'; id: number; examples: TrainingExamples; spec: TrainingSpec }
  /** A training is no longer wanted. */
  | { type: 'stop'; id: number }
  /** Asks for `looked-up`. */
  | { type: 'look-up'; id: number; question: AtlasQuestion }
  /** An atlas is no longer wanted. */
  | { type: 'close-atlas'; key: number }
  /** Asks for `inspected`. `test`: the self-test is run anew. */
  | { type: 'inspect'; id: number; test: boolean }
  /** Asks for `kept`. `ahead`: what only some photos need is fetched first. */
  | { type: 'keep'; ahead: boolean };

export type FromWorker =
  /** It holds its lock. */
  | { type: 'alive' }
  | { type: 'progress'; progress: LoadProgress }
  | {
      type: 'ready';
      manifest: Manifest;
      fallback: Fallback | undefined;
      failedUpdate?: FailedUpdate | undefined;
      head: HeadInfo | undefined;
      /** Whether it still keeps what it has loaded: `settled` follows. */
      keeping: boolean;
    }
  | { type: 'settled' }
  | { type: 'load-failed'; error: WireError }
  /** This worker must be replaced by one that is started otherwise. Returns the input of an unfinished call. */
  | { type: 'restart-needed'; restart: Restart; reason: string; id?: number; input?: WireInput }
  | { type: 'stage'; id: number; stage: Stage }
  | { type: 'result'; id: number; result: Result }
  | { type: 'checked'; id: number; quality: Quality }
  | { type: 'training'; id: number; progress: number }
  | { type: 'trained'; id: number; trained: Trained }
  | { type: 'looked-up'; id: number; answer: AtlasAnswer }
  | { type: 'inspected'; id: number; inspection: Inspection }
  | { type: 'failed'; id: number; error: WireError }
  /** Addresses of all that another worker would need, if its files are kept on this device; else null. */
  | { type: 'kept'; scripts: string[] | null }
  /** Network requests that the worker made. */
  | { type: 'requests'; made: Told };

/** The result's buffers, to be moved. */
export function resultBuffers({ images }: Result): ArrayBuffer[] {
  if (!images) return [];
  return [images.preview, images.view, images.overlay].flatMap((picture) => (picture ? [picture.rgba.buffer] : []));
}
