/** The classifier in Node: same queue, aborts and idle timeout, with a worker thread that reads files from disk. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../abort.js';
import { Classifier as AnyClassifier } from '../classifier.js';
import type { WorkerLike } from '../engine-worker.js';
import type { Head, HeadInfo } from '../head.js';
import { isList, ofPicture } from '../input.js';
import { LIMITS } from '../limits.js';
import { modelInfo } from '../manifest.js';
import type {
  ClassifyInput,
  ClassifyOptions,
  LesionPicture,
  LoadOptions,
  ModelInfo,
  TrainingExample,
  TrainOptions,
} from '../options.js';
import type { FromWorker, ToWorker, WireError } from '../protocol.js';
import type { Result } from '../result.js';
import { defaultModel, folderOf, loadManifest } from './engine.js';
import { coreFile } from './files.js';
import { readPictureFile } from './picture-file.js';
import type { TestAnswer, TestRun } from './worker.js';

/** Plain JavaScript, because a thread does not inherit the TypeScript loader. */
const script = new URL('./worker.mjs', import.meta.url);

/** What somebody waits for, and what ends the waiting. */
const ASKS: ReadonlySet<ToWorker['type']> = new Set(['load', 'classify', 'check', 'train', 'look-up', 'inspect']);
const ANSWERS: ReadonlySet<FromWorker['type']> = new Set([
  'ready',
  'load-failed',
  'restart-needed',
  'result',
  'checked',
  'trained',
  'looked-up',
  'inspected',
  'failed',
]);

/** What is asked of a thread. The package's types name none of Node's, which not every program has. */
export interface TestThread {
  on(event: 'message', listener: (message: TestAnswer | { error: WireError }) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  terminate(): Promise<unknown>;
}

/** A thread that answers the run with one message. */
export const startTest = (run: TestRun): TestThread => new Worker(script, { workerData: run });

/** A worker thread behind the interface of a browser's worker. It keeps the process alive only while it works. */
function spawnThread(): WorkerLike {
  const thread = new Worker(script);
  let awaited = 0;
  const expect = (more: number): void => {
    awaited += more;
    if (awaited > 0) thread.ref();
    else thread.unref();
  };
  expect(0);
  thread.on('message', ({ type }: FromWorker) => {
    if (ANSWERS.has(type)) expect(-1);
  });
  return {
    postMessage(message: ToWorker, transfer) {
      if (ASKS.has(message.type)) expect(1);
      thread.postMessage(message, transfer as ArrayBuffer[]);
    },
    addEventListener(type, listener) {
      thread.on(type, (value: unknown) => {
        const event = new Event(type);
        listener(Object.assign(event, type === 'message' ? { data: value } : { message: messageOf(value) }));
      });
      // One that ends without a word.
      if (type === 'error') thread.on('exit', () => listener(Object.assign(new Event(type), { message: 'it ended' })));
    },
    terminate: () => void thread.terminate(),
  };
}

/** Opens a path or file URL: in Node, strings are paths, not addresses. */
async function opened(input: ClassifyInput): Promise<ClassifyInput> {
  if (typeof input !== 'string' && !(input instanceof URL)) return input;
  return new Blob([await readPictureFile(input)]);
}

const folderAddress = (model: string): URL => pathToFileURL(`${resolve(folderOf(model))}/`);

/**
 * @example
 * const classifier = await Classifier.load('skin-8');
 * const result = await classifier.classify('photo.jpg');
 * classifier.dispose();
 */
export class Classifier {
  readonly #inner: AnyClassifier;

  private constructor(inner: AnyClassifier) {
    this.#inner = inner;
  }

  get model(): ModelInfo {
    return this.#inner.model;
  }

  /**
   * @param model a model's name, its folder or its manifest.json
   * @throws DermletError INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_CORRUPT, BACKEND_FAILED, ABORTED
   */
  static async load(
    model: string = defaultModel,
    options: Pick<LoadOptions, 'signal' | 'onProgress' | 'idleTimeout' | 'head'> = {},
  ): Promise<Classifier> {
    const all: LoadOptions = { ...options, backend: 'wasm', assetBase: pathToFileURL(coreFile) };
    const internals = { spawn: spawnThread, stuckAfter: LIMITS.stuck };
    return new Classifier(await AnyClassifier.loadWith(folderAddress(model), all, internals));
  }

  /**
   * As in browsers, but without pixels; strings are paths, and URLs are file URLs.
   * @throws DermletError with any code
   */
  async classify(input: ClassifyInput | readonly LesionPicture[], options: ClassifyOptions = {}): Promise<Result> {
    if (!isList(input)) return this.#inner.classify(await opened(input), options);
    const pictures = input.map(async (entry, index) => ({
      ...entry,
      picture: await ofPicture(index, input.length, () => opened(entry.picture)),
    }));
    return this.#inner.classify(await Promise.all(pictures), options);
  }

  /** As in browsers. @throws DermletError with any code */
  trainHead(examples: readonly TrainingExample[], options: TrainOptions = {}): Promise<Head> {
    return this.#inner.trainHead(examples, options);
  }

  get head(): HeadInfo | undefined {
    return this.#inner.head;
  }

  /** Ends the thread; calls not yet answered are rejected with DISPOSED. May be called twice. */
  dispose(): void {
    this.#inner.dispose();
  }
}

/**
 * What is known of a model without loading it.
 * @throws DermletError INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_CORRUPT
 */
export async function readModelInfo(model: string = defaultModel): Promise<ModelInfo> {
  return modelInfo(await loadManifest(model), folderAddress(model).href);
}
