/** The WASM module that learns. Fetched when it is first asked for; each training has an instance of its own. */
import createLearn from '../../../build/wasm/learn.js';
import type { LearnModule, Trained, TrainingExamples, TrainingSpec } from '../../../wasm_src/bindings/learn.js';
import { messageOf } from './abort.js';
import { wanted } from './core.js';
import { requireWasm } from './download.js';
import { DermletError } from './errors.js';
import { clearUpperHalves } from './registers.js';

/** Milliseconds between two looks at what else was asked. */
const TURN = 50;
/** Of the fitting, between two looks at the clock. */
const ITERATIONS = 4;

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/**
 * @param stopped whether it is no longer wanted
 * @throws DermletError INVALID_ARGUMENT (examples that cannot be trained on), ABORTED, BACKEND_FAILED,
 * MODEL_UNAVAILABLE
 */
export async function train(
  wasm: LearnBinary,
  examples: TrainingExamples,
  spec: TrainingSpec,
  onProgress: (progress: number) => void,
  stopped: () => boolean,
): Promise<Trained> {
  const instance = await startLearn(wasm, 'What learns');
  wanted(guarded(() => instance.startTraining(examples, spec)));
  for (;;) {
    const began = performance.now();
    let step: { done: boolean; progress: number };
    do step = wanted(guarded(() => instance.advanceTraining(ITERATIONS)));
    while (!step.done && performance.now() - began < TURN);
    onProgress(step.progress);
    if (step.done) return wanted(guarded(() => instance.endTraining()));
    await turn();
    if (stopped()) throw new DermletError('ABORTED', 'The training was stopped.');
  }
}

/** Bytes of learn.wasm, and where they came from. */
export interface LearnBinary {
  bytes: Uint8Array;
  url: string;
}

/**
 * An instance of its own.
 * @param what the subject of the sentence if it cannot be started
 * @throws DermletError BACKEND_FAILED, MODEL_UNAVAILABLE (the bytes are no WebAssembly)
 */
export async function startLearn({ bytes, url }: LearnBinary, what: string): Promise<LearnModule> {
  requireWasm(url, bytes);
  try {
    // The bytes are copied: the glue may keep or detach what it is given.
    return await createLearn({ wasmBinary: bytes.slice(), locateFile: (path) => path });
  } catch (cause) {
    throw new DermletError('BACKEND_FAILED', `${what} could not be started: ${messageOf(cause)}`, { cause });
  }
}

/** The core itself never throws: this is a trap, or no memory. */
function guarded<T>(run: () => T): T {
  try {
    clearUpperHalves();
    return run();
  } catch (cause) {
    throw new DermletError('BACKEND_FAILED', `What learns failed: ${messageOf(cause)}`, { cause });
  }
}
