/**
 * The engine's public API. Calls queue and run one at a time in a module worker, which is ended when idle and restarted
 * when needed; the caller notices neither.
 */
import { abortedError, messageOf, throwIfAborted } from './abort.js';
import { engineFolder, shippedIn } from './asset-base.js';
import { spawnWorker } from './browser-worker.js';
import type { CallOptions, CheckOptions } from './engine.js';
import { engineKeys } from './engine-files.js';
import { EngineWorker, NeedsAnother, NotStarted, type Ready, type Spawn } from './engine-worker.js';
import { DermletError } from './errors.js';
import { hold } from './file-store.js';
import { bytesOf, type Kept, keptInput, withPixelSources } from './given.js';
import type { Head, HeadInfo } from './head.js';
import { type InputOf, isList, ofPicture, type PictureOf } from './input.js';
import type { Inspection } from './inspection.js';
import { LIMITS } from './limits.js';
import { type Manifest, modelInfo } from './manifest.js';
import { modelKeys } from './model-store.js';
import { defaultModel, explainUnknown, listModelsFrom, resolveModel } from './models.js';
import type { OpenAtlas } from './open-atlas.js';
import { type ModelFiles, openedFolder, textsOf } from './opened-files.js';
import type {
  BackendChoice,
  ClassifyInput,
  ClassifyOptions,
  Crop,
  FailedUpdate,
  LesionPicture,
  ListOptions,
  LoadOptions,
  LoadProgress,
  ModelInfo,
  ModelSummary,
  Stage,
  TrainingExample,
  TrainOptions,
} from './options.js';
import type { LoadSettings, WireInput } from './protocol.js';
import type { Quality, Result } from './result.js';
import type { Fallback } from './runtime.js';
import { imported } from './scripts.js';

/** Pictures of one lesion in one call; the core can combine no more. */
const MAX_LESION_PICTURES = 2;

/** What tests and Node replace. @internal */
export interface Internals {
  spawn: Spawn;
  /** Milliseconds that a worker may take to finish an aborted call before it is ended. */
  stuckAfter: number;
}

interface Job<Answer> {
  input: InputOf<Kept>;
  signal: AbortSignal | undefined;
  queuedAt: number;
  /** Asks the worker. */
  ask(worker: EngineWorker, input: WireInput): Promise<Answer>;
  /** With what the worker does not know. @param waited milliseconds in the queue, and in all */
  complete(answer: Answer, waited: { queue: number; total: number }): Answer;
  resolve(answer: Answer): void;
  reject(error: Error): void;
  /** Set once the caller has a result or an error. */
  settled: boolean;
  stage(stage: Stage): void;
}

/**
 * @example
 * const classifier = await Classifier.load('skin-8');
 * const result = await classifier.classify(file, { explain: true });
 */
export class Classifier {
  readonly model: ModelInfo;
  /** Set if a newer version of the model is there and could not be used: the one kept on this device is. */
  readonly failedUpdate: FailedUpdate | undefined;
  /** What is known of the head that judges in place of the network's last layer. */
  readonly head: HeadInfo | undefined;
  readonly #manifest: Manifest;
  readonly #settings: LoadSettings;
  readonly #internals: Internals;
  readonly #idleTimeout: number;
  readonly #jobs: Job<unknown>[] = [];
  #current: Job<unknown> | undefined;
  #worker: EngineWorker | undefined;
  #way: Way;
  #fallback: Fallback | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #disposed = false;
  /** Addresses of all that was kept, by which the worker starts without a network; null: not all was. */
  #kept: readonly string[] | null = null;
  /** Of a model that was opened from this device, to be revoked. */
  readonly #texts: Record<string, string> | undefined;
  /** Lets other tabs remove this version's files. */
  readonly #release: () => void;

  private constructor(settings: LoadSettings, loaded: Loaded, idleTimeout: number, internals: Internals) {
    this.#settings = settings;
    this.#manifest = loaded.ready.manifest;
    this.#worker = loaded.worker;
    this.#way = loaded.way;
    this.#fallback = loaded.ready.fallback;
    this.#idleTimeout = idleTimeout;
    this.#internals = internals;
    this.failedUpdate = loaded.ready.failedUpdate;
    this.#release = hold([...modelKeys(settings.folder, this.#manifest), ...engineKeys(settings.assetBase)]);
    this.head = loaded.ready.head;
    const { folder, opened } = settings;
    this.#texts = opened ? textsOf(opened, this.#manifest) : undefined;
    this.model = modelInfo(this.#manifest, folder, this.#texts ?? settings.modelAddresses);
    this.#restIdle();
  }

  /**
   * Fetches engine and model (or takes the kept copies) and starts the worker.
   * @param model a name from `listModels` (`'skin-8'`), or the address of a model's folder or manifest.json, relative
   * to the page; or the files of a model's folder by name, as a person has opened them: they are read here, sent
   * nowhere and not kept; when absent, that list's default
   * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, MODEL_TOO_NEW, BACKEND_FAILED, PART_MISSING,
   * WRONG_MEDIA_TYPE, CROSS_ORIGIN, POLICY_BLOCKED, SANDBOXED, OPENED_AS_FILE, INVALID_ARGUMENT (a name that is not
   * listed; the message gives those that are), ABORTED
   */
  static load(model?: string | URL | ModelFiles, options: LoadOptions = {}): Promise<Classifier> {
    return Classifier.loadWith(model, options, { spawn: spawnWorker, stuckAfter: LIMITS.stuck });
  }

  /** @internal */
  static async loadWith(
    given: string | URL | ModelFiles | undefined,
    options: LoadOptions,
    internals: Internals,
  ): Promise<Classifier> {
    throwIfAborted(options.signal);
    const here = globalThis.location?.href;
    const assetBase = engineFolder(options.assetBase, here);
    const head = options.head && (await headOf(options.head));
    const model = given ?? (await defaultModel(assetBase, options.signal));
    const opened = typeof model === 'string' || model instanceof URL ? undefined : model;
    const folder = opened ? openedFolder(assetBase) : resolveModel(model as string | URL, assetBase, here);
    const settings: LoadSettings = {
      folder,
      assetBase,
      opened,
      modelAddresses: shippedIn(folder),
      engineAddresses: shippedIn(assetBase),
      backend: checkedBackend(options.backend),
      head,
      warmUp: true,
    };
    const loaded = await start(settings, internals.spawn, guarded(options.onProgress), options.signal).catch(
      async (error: unknown) => {
        throw opened ? error : await explainUnknown(model as string | URL, error, assetBase);
      },
    );
    return new Classifier(settings, loaded, options.idleTimeout ?? 60_000, internals);
  }

  /**
   * Classifies one picture, or one lesion from one or two pictures of it: `result.lesion` then describes each. The
   * caller's buffers stay intact. Pass the file where there is one: it gives the same result everywhere, while pixels
   * that a browser decoded may not.
   * @throws DermletError with any code
   */
  async classify(input: ClassifyInput | readonly LesionPicture[], options: ClassifyOptions = {}): Promise<Result> {
    if (this.#disposed) throw disposedError();
    throwIfAborted(options.signal);
    const kept = isList(input) ? keptLesion(input, options) : keptInput(input);
    const onStage = guarded(options.onStage);
    return this.#enqueue<Result>(kept, options.signal, onStage, {
      ask: (worker, bytes, stage) => worker.classify(bytes, callOptions(options), stage),
      complete: (answer, { queue, total }) => {
        const result = withPixelSources(answer, kept);
        this.#fallback = result.runtime.fallback ?? this.#fallback;
        return withWaiting(result, queue, total, this.#fallback);
      },
    });
  }

  /**
   * What the quality gate says of one picture, as it is: whether it is sharp and bright enough to be scored. No network
   * is run, so this is quick. Without a modality the limits are those of the default one.
   * @throws DermletError with any code
   */
  async check(input: ClassifyInput, options: Pick<ClassifyOptions, 'modality' | 'signal'> = {}): Promise<Quality> {
    const { modality } = options;
    const wanted: CheckOptions = modality === undefined ? {} : { modality };
    return this.#ask(options.signal, (worker, bytes) => worker.check(bytes as ArrayBuffer, wanted), keptInput(input));
  }

  /** A head as one file, for `load` (`docs/retrain.md`). */
  static async headFile(head: Head): Promise<Uint8Array<ArrayBuffer>> {
    const { headFile } = await imported(() => import('./head-file.js'));
    return headFile(head);
  }

  /** What a head's file holds. @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW */
  static readHead(file: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<Head> {
    return headOf(file);
  }

  /**
   * Trains a last layer of your own on labelled pictures, here on this device: classify each with `embedding: true`,
   * and give the results with their labels. `Classifier.headFile` makes a file of it, which `load` takes.
   * @throws DermletError INVALID_ARGUMENT (what is wrong with the examples), ABORTED, BACKEND_FAILED, DISPOSED
   */
  async trainHead(examples: readonly TrainingExample[], options: TrainOptions = {}): Promise<Head> {
    if (this.#disposed) throw disposedError();
    throwIfAborted(options.signal);
    if (this.head) throw new DermletError('INVALID_ARGUMENT', 'A head is trained on a model without one.');
    const { trainingJob } = await imported(() => import('./training.js'));
    const { examples: embeddings, spec, finish } = trainingJob(this.model, examples, options);
    const onProgress = guarded(options.onProgress);
    const { signal } = options;
    return finish(await this.#ask(signal, (worker) => worker.train(embeddings, spec, onProgress, signal)));
  }

  /**
   * Opens a portal's archive of labelled cases (`dermlet atlas` makes one), to look up those most like a result
   * (`docs/similar.md`). The file is read here and sent nowhere; it stays open until `close` or `dispose`.
   * @throws DermletError MODEL_CORRUPT (no atlas, or a damaged one), MODEL_TOO_NEW, INVALID_ARGUMENT (made by another
   * network), UNREADABLE_FILE, ABORTED, BACKEND_FAILED (no memory for it), MODEL_UNAVAILABLE, PART_MISSING, DISPOSED
   */
  async openAtlas(
    file: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<OpenAtlas> {
    const { OpenAtlas } = await imported(() => import('./open-atlas.js'));
    return OpenAtlas.open(file, this.model, signal, {
      ask: (question, stop) => this.#ask(stop, (worker) => worker.lookUp(question)),
      forget: (key) => this.#worker?.closeAtlas(key),
    });
  }

  /**
   * What runs in the worker, and what it was checked by. Starts the worker anew if it was ended.
   * @param options.test whether to run the self-test again
   * @throws DermletError with any code
   */
  async inspect({ test = false, signal }: { test?: boolean; signal?: AbortSignal } = {}): Promise<Inspection> {
    const inspection = await this.#ask(signal, (worker) => worker.inspect(test));
    const fallback = inspection.fallback ?? this.#fallback;
    return { ...inspection, ...(fallback ? { fallback } : {}) };
  }

  /** What is no photo's answer, in turn with those. */
  async #ask<Answer>(
    signal: AbortSignal | undefined,
    ask: (worker: EngineWorker, input: WireInput) => Promise<Answer>,
    input: InputOf<Kept> = [],
  ): Promise<Answer> {
    if (this.#disposed) throw disposedError();
    throwIfAborted(signal);
    return this.#enqueue<Answer>(input, signal, () => undefined, { ask, complete: (answer) => answer });
  }

  #enqueue<Answer>(
    input: InputOf<Kept>,
    signal: AbortSignal | undefined,
    onStage: (stage: Stage) => void,
    {
      ask,
      complete,
    }: {
      ask(worker: EngineWorker, input: WireInput, stage: (stage: Stage) => void): Promise<Answer>;
      complete: Job<Answer>['complete'];
    },
  ): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const onAbort = () => this.#abort(job, signal);
      const settle = () => {
        if (job.settled) return false;
        job.settled = true;
        signal?.removeEventListener('abort', onAbort);
        return true;
      };
      const job: Job<Answer> = {
        input,
        signal,
        queuedAt: performance.now(),
        settled: false,
        ask: (worker, bytes) => ask(worker, bytes, job.stage),
        complete,
        resolve: (answer) => settle() && resolve(answer),
        reject: (error) => settle() && reject(error),
        stage: (name) => !job.settled && onStage(name),
      };
      signal?.addEventListener('abort', onAbort);
      if (this.#current) job.stage('queued');
      this.#jobs.push(job);
      void this.#work();
    });
  }

  /**
   * Fetches what only some photos need (the decoder of HEIC), so that no photo causes a request from then on. Resolves
   * to whether all of it is kept on this device: then every photo can be classified without a network.
   */
  async keepAll(): Promise<boolean> {
    this.#kept = (await this.#worker?.keep(true)) ?? null;
    return this.#kept !== null;
  }

  /**
   * Whether all that `keepAll` kept is there still, and works without a network: storage may be cleared at any time.
   * Causes no request.
   */
  async isKept(): Promise<boolean> {
    if (!this.#kept) return false;
    if (this.#worker && !this.#worker.dead) return (await this.#worker.keep(false)) !== null;
    return (await this.#internals.spawn.canStart?.(this.#kept)) ?? false;
  }

  /** Ends the worker; calls not yet answered are rejected with DISPOSED. May be called twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#release();
    for (const url of Object.values(this.#texts ?? {})) URL.revokeObjectURL(url);
    clearTimeout(this.#idleTimer);
    for (const job of [this.#current, ...this.#jobs.splice(0)]) job?.reject(disposedError());
    this.#worker?.leave(disposedError());
    this.#worker = undefined;
  }

  /** Runs jobs until none is left. */
  async #work(): Promise<void> {
    if (this.#current) return;
    clearTimeout(this.#idleTimer);
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      this.#current = job;
      if (!job.settled) await this.#run(job);
      this.#current = undefined;
    }
    this.#restIdle();
  }

  /** Answers one job; never throws. */
  async #run(job: Job<unknown>): Promise<void> {
    const began = performance.now();
    try {
      const input = await wireInput(job.input, job.signal);
      if (job.settled) return;
      const answer = await this.#askIn(job, input);
      const waited = { queue: began - job.queuedAt, total: performance.now() - job.queuedAt };
      job.resolve(job.complete(answer, waited));
    } catch (error) {
      job.reject(
        error instanceof DermletError ? error : new DermletError('BACKEND_FAILED', messageOf(error), { cause: error }),
      );
    }
  }

  async #askIn(job: Job<unknown>, input: WireInput): Promise<unknown> {
    const worker = await this.#liveWorker(job);
    try {
      return await job.ask(worker, input);
    } catch (error) {
      if (!(error instanceof NeedsAnother) || !error.input || this.#disposed) throw error;
      this.#way = otherwise(this.#way, error);
      return this.#askIn(job, error.input);
    }
  }

  /** The worker, restarted if it was ended or died. After a fallback from WebGPU, WebGPU is not tried again. */
  async #liveWorker(job: Job<unknown>): Promise<EngineWorker> {
    if (this.#worker && !this.#worker.dead) return this.#worker;
    job.stage('starting');
    const settings: LoadSettings = {
      ...this.#settings,
      backend: this.#fallback ? 'wasm' : this.#settings.backend,
      ...this.#way,
      manifest: this.#manifest,
      warmUp: false,
    };
    const loaded = await start(
      settings,
      this.#internals.spawn,
      () => undefined,
      undefined,
      (worker) => (this.#worker = worker),
    );
    if (this.#disposed) {
      loaded.worker.end(disposedError());
      throw disposedError();
    }
    this.#way = loaded.way;
    this.#fallback = loaded.ready.fallback ?? this.#fallback;
    return loaded.worker;
  }

  /** Rejects at once; a running call continues, its result ignored, for at most `stuckAfter` milliseconds. */
  #abort(job: Job<unknown>, signal: AbortSignal | undefined): void {
    job.reject(abortedError(signal));
    const place = this.#jobs.indexOf(job);
    if (place >= 0) this.#jobs.splice(place, 1);
    if (job !== this.#current) return;
    setTimeout(() => {
      if (this.#current === job) this.#worker?.end(abortedError(signal));
    }, this.#internals.stuckAfter);
  }

  #restIdle(): void {
    if (this.#disposed || this.#idleTimeout <= 0) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (!this.#internals.spawn.canStart) this.#rest();
      else void this.#restIfItCanStart(this.#internals.spawn.canStart);
    }, this.#idleTimeout);
    // In Node an idle timer must not keep the process alive.
    (this.#idleTimer as { unref?(): void }).unref?.();
  }

  #rest(): void {
    this.#worker?.leave();
    this.#worker = undefined;
  }

  /** A worker that could not be started again without a network goes on: the network may be gone by then. */
  async #restIfItCanStart(canStart: (scripts: readonly string[]) => Promise<boolean>): Promise<void> {
    const worker = this.#worker;
    const timer = this.#idleTimer;
    const can = (await canStart([])) && (await worker?.keep(false).then((scripts) => scripts && canStart(scripts)));
    if (this.#disposed || this.#current || timer !== this.#idleTimer) return;
    if (can) this.#rest();
    else this.#restIdle();
  }
}

/**
 * The models deployed beside the engine, the default first.
 * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, MODEL_TOO_NEW, INVALID_ARGUMENT, ABORTED
 */
export function listModels(options: ListOptions = {}): Promise<ModelSummary[]> {
  return listModelsFrom(options);
}

/** How a worker is started: with less than it would take by itself, or more. */
type Way = Pick<LoadSettings, 'threads' | 'wholeRuntime'>;

interface Loaded {
  worker: EngineWorker;
  ready: Ready;
  way: Way;
}

/** How the next worker is started. @throws DermletError BACKEND_FAILED, where that was tried */
function otherwise(way: Way, error: NeedsAnother): Way {
  const other: Way = error.restart === 'one-thread' ? { ...way, threads: 1 } : { ...way, wholeRuntime: true };
  if (other.threads === way.threads && other.wholeRuntime === way.wholeRuntime)
    throw new DermletError('BACKEND_FAILED', error.message, { cause: error });
  return other;
}

/** Starts a worker; another if that one asks for it. */
async function start(
  settings: LoadSettings,
  spawn: Spawn,
  onProgress: (progress: LoadProgress) => void,
  signal?: AbortSignal,
  onSpawn: (worker: EngineWorker) => void = () => undefined,
): Promise<Loaded> {
  const attempt = async (way: Way): Promise<Loaded> => {
    const worker = new EngineWorker(spawn, { ...settings, ...way }, onProgress);
    onSpawn(worker);
    const onAbort = () => worker.end(abortedError(signal));
    signal?.addEventListener('abort', onAbort);
    try {
      return { worker, ready: await worker.ready, way };
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  };
  for (let way: Way = { threads: settings.threads, wholeRuntime: settings.wholeRuntime }; ; ) {
    try {
      return await attempt(way);
    } catch (error) {
      if (error instanceof NotStarted && spawn.explain) throw await spawn.explain(error);
      if (!(error instanceof NeedsAnother)) throw error;
      throwIfAborted(signal);
      way = otherwise(way, error);
    }
  }
}

/** @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW */
async function headOf(file: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<Head> {
  const { readHead, MAX_HEAD_BYTES } = await imported(() => import('./head-file.js'));
  // No more is read than shows that it is too large.
  const bytes = file instanceof Blob ? await file.slice(0, MAX_HEAD_BYTES + 1).arrayBuffer() : file;
  return readHead(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
}

function disposedError(): DermletError {
  return new DermletError('DISPOSED', 'The classifier was disposed.');
}

function checkedBackend(backend: BackendChoice = 'auto'): BackendChoice {
  if (!['auto', 'wasm', 'webgpu'].includes(backend))
    throw new DermletError('INVALID_ARGUMENT', `There is no backend '${String(backend)}'.`);
  return backend;
}

function callOptions({
  modality,
  crop,
  explain,
  images,
  testTimeAugmentation,
  embedding,
}: ClassifyOptions): CallOptions {
  return {
    ...(modality === undefined ? {} : { modality }),
    ...(crop === undefined ? {} : { crop: plainCrop(crop) }),
    ...(testTimeAugmentation === undefined ? {} : { testTimeAugmentation }),
    ...(explain === undefined ? {} : { explain }),
    ...(embedding === undefined ? {} : { embedding }),
    ...(images === undefined ? {} : { images }),
  };
}

/** Callers may pass any object with these numbers, such as a DOMRect; only plain data can be sent to the worker. */
function plainCrop(crop: Crop): Crop {
  if (typeof crop !== 'object') return crop;
  const { x, y, width, height } = crop;
  return { x, y, width, height };
}

function keptLesion(pictures: readonly LesionPicture[], { crop }: ClassifyOptions): PictureOf<Kept>[] {
  if (pictures.length < 1 || pictures.length > MAX_LESION_PICTURES) {
    throw new DermletError('INVALID_ARGUMENT', `A lesion has one or two pictures, not ${pictures.length}.`);
  }
  if (crop !== undefined) throw new DermletError('INVALID_ARGUMENT', 'Each picture of a lesion has a crop of its own.');
  return pictures.map((picture) => ({
    bytes: keptInput(picture?.picture),
    ...(picture.modality === undefined ? {} : { modality: picture.modality }),
    ...(picture.crop === undefined ? {} : { crop: plainCrop(picture.crop) }),
  }));
}

async function wireInput(input: InputOf<Kept>, signal: AbortSignal | undefined): Promise<WireInput> {
  if (!isList(input)) return bytesOf(input, signal);
  return Promise.all(
    input.map(async (picture, index) => ({
      ...picture,
      bytes: await ofPicture(index, input.length, () => bytesOf(picture.bytes, signal)),
    })),
  );
}

/** The worker does not know the queue, nor a fallback that happened before it was restarted. */
function withWaiting(result: Result, queue: number, total: number, fallback: Fallback | undefined): Result {
  return {
    ...result,
    runtime: {
      ...result.runtime,
      ...(fallback ? { fallback } : {}),
      timings: { ...result.runtime.timings, queue, total },
    },
  };
}

/** A caller's callback that throws must not stop the engine; its error is reported as uncaught. */
function guarded<T>(callback: ((value: T) => void) | undefined): (value: T) => void {
  return (value) => {
    try {
      callback?.(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
