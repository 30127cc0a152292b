/** What runs in a worker, and what it was checked by: for those who would rather see than believe. */
import type { Backend, Runtime } from './result.js';

/** A file of the engine or of the model. */
export interface InspectedFile {
  part: 'engine' | 'model';
  name: string;
  bytes: number;
  /** In hexadecimal: what the file has to have. */
  sha256: string;
  /** Whether this worker has read the file and found this sha256; else it has not needed the file so far. */
  verified: boolean;
}

/** A run of the model's own test picture, whose answer is compared with the one that was shipped. */
export interface SelfTestRun {
  /** Milliseconds since 1970; null: it passed once, and this device has not kept when. */
  at: number | null;
  backend: Backend;
  passed: boolean;
  /** Greatest difference from the shipped answer and how much may be; absent where only the pass was kept. */
  measured?: { difference: number; tolerance: number };
}

export interface Inspection {
  backend: Backend;
  threads: number;
  fallback?: Runtime['fallback'];
  /** Version of ONNX Runtime. */
  onnxRuntime: string;
  /** Null: none was run for this backend, which took over from another one. */
  selfTest: SelfTestRun | null;
  /** Those of the engine first. */
  files: InspectedFile[];
}
