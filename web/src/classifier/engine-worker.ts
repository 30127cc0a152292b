/** The page's side of one worker, from start to end. Not restartable: if it is dead, create a new one. */

import type { Trained, TrainingExamples, TrainingSpec } from '../../../wasm_src/bindings/learn.js';
import { messageOf } from './abort.js';
import type { CallOptions, CheckOptions } from './engine.js';
import { DermletError } from './errors.js';
import type { HeadInfo } from './head.js';
import type { Inspection } from './inspection.js';
import { LIMITS } from './limits.js';
import type { Manifest } from './manifest.js';
import type { Restart } from './network.js';
import type { AtlasAnswer, AtlasQuestion } from './open-atlas.js';
import type { FailedUpdate, LoadProgress, Stage } from './options.js';
import {
  type FromWorker,
  fromWire,
  inputBuffers,
  type LoadSettings,
  type ToWorker,
  type WireInput,
} from './protocol.js';
import { requestLog } from './requests.js';
import type { Quality, Result } from './result.js';
import type { Fallback } from './runtime.js';
import { after } from './within.js';

/** The part of Worker that is used; tests supply their own. */
export interface WorkerLike {
  postMessage(message: ToWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message' | 'error' | 'messageerror', listener: (event: Event) => void): void;
  terminate(): void;
}

export interface Spawn {
  (): WorkerLike;
  /** Why a worker did not start, from what it said of it. */
  explain?(error: NotStarted): Promise<DermletError>;
  /** Whether what a worker needs comes without a network, by its addresses; absent: it always does. */
  canStart?(scripts: readonly string[]): Promise<boolean>;
}

export interface Ready {
  manifest: Manifest;
  fallback: Fallback | undefined;
  failedUpdate?: FailedUpdate | undefined;
  head: HeadInfo | undefined;
}

/** The worker must be replaced by one that is started otherwise; `input` is that of the unfinished call. */
export class NeedsAnother extends Error {
  override readonly name = 'NeedsAnother';
  constructor(
    readonly restart: Restart,
    reason: string,
    readonly input: WireInput | undefined,
  ) {
    super(reason);
  }
}

/** The worker's script did not run. */
export class NotStarted extends DermletError {
  constructor(message: string | undefined, options?: ErrorOptions) {
    const why = message ? `: ${message.replace(/\.$/, '')}` : '';
    super('MODEL_UNAVAILABLE', `The worker could not be started${why}.`, options);
  }
}

const locks = (): LockManager | undefined => (globalThis.navigator as { locks?: LockManager } | undefined)?.locks;

type Answer = Result | Quality | Trained | AtlasAnswer | Inspection;

interface Call {
  resolve(answer: Answer): void;
  reject(error: Error): void;
  onStage(stage: Stage): void;
  onProgress?: (progress: number) => void;
}

export class EngineWorker {
  readonly ready: Promise<Ready>;
  readonly #worker: WorkerLike;
  readonly #calls = new Map<number, Call>();
  #settleReady!: { resolve(ready: Ready): void; reject(error: Error): void };
  readonly #asked: ((scripts: string[] | null) => void)[] = [];
  #started = false;
  #dead = false;
  /** It still keeps what it has loaded. */
  #keeping = false;
  #ready = false;
  #nextId = 1;
  /** Ends the waiting for its next word, while one is due. */
  #stopWatching: () => void = () => undefined;
  readonly #life = locks() ? `dermlet-worker:${crypto.randomUUID()}` : undefined;
  /** Ends the waiting for its lock. */
  readonly #ended = new AbortController();

  constructor(
    spawn: Spawn,
    settings: LoadSettings,
    readonly onProgress: (progress: LoadProgress) => void = () => undefined,
  ) {
    this.ready = new Promise<Ready>((resolve, reject) => (this.#settleReady = { resolve, reject }));
    this.ready.catch(() => undefined);
    try {
      this.#worker = spawn();
    } catch (cause) {
      if (cause instanceof DermletError) throw cause;
      throw new NotStarted(messageOf(cause), { cause });
    }
    this.#worker.addEventListener('message', (event) => this.#receive((event as MessageEvent<FromWorker>).data));
    this.#worker.addEventListener('error', (event) => {
      const { error, message } = event as ErrorEvent;
      if (error instanceof DermletError) this.end(error);
      else this.#crash(message);
    });
    this.#worker.addEventListener('messageerror', () => this.#crash('a message could not be read'));
    this.#worker.postMessage({ type: 'load', settings: { ...settings, life: this.#life } }, []);
    this.#expect(LIMITS.silence);
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Moves the input's bytes into the worker. @throws NeedsAnother, DermletError */
  classify(input: WireInput, options: CallOptions, onStage: (stage: Stage) => void): Promise<Result> {
    return this.#call((id) => ({ type: 'classify', id, input, options }), inputBuffers(input), onStage);
  }

  /** As `Engine.check`. Moves the bytes into the worker. @throws DermletError */
  check(input: ArrayBuffer, options: CheckOptions): Promise<Quality> {
    return this.#call((id) => ({ type: 'check', id, input, options }), [input]);
  }

  /** As `Engine.train`. @throws DermletError */
  train(
    examples: TrainingExamples,
    spec: TrainingSpec,
    onProgress: (progress: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<Trained> {
    const message = (id: number): ToWorker => {
      signal?.addEventListener('abort', () => !this.#dead && this.#worker.postMessage({ type: 'stop', id }, []));
      return { type: 'train', id, examples, spec };
    };
    return this.#call(message, [], undefined, onProgress);
  }

  /** As `Engine.lookUp`. @throws DermletError */
  lookUp(question: AtlasQuestion): Promise<AtlasAnswer> {
    return this.#call((id) => ({ type: 'look-up', id, question }));
  }

  /** As `Engine.closeAtlas`. */
  closeAtlas(key: number): void {
    if (!this.#dead) this.#worker.postMessage({ type: 'close-atlas', key }, []);
  }

  /** As `Engine.inspect`. @throws DermletError */
  inspect(test: boolean): Promise<Inspection> {
    return this.#call((id) => ({ type: 'inspect', id, test }));
  }

  #call<One extends Answer>(
    message: (id: number) => ToWorker,
    moved: ArrayBuffer[] = [],
    onStage: (stage: Stage) => void = () => undefined,
    onProgress?: (progress: number) => void,
  ): Promise<One> {
    if (this.#dead) return Promise.reject(new DermletError('BACKEND_FAILED', 'The worker has ended.'));
    const id = this.#nextId++;
    return new Promise<One>((resolve, reject) => {
      this.#calls.set(id, {
        resolve: (answer) => resolve(answer as One),
        reject,
        onStage,
        ...(onProgress ? { onProgress } : {}),
      });
      this.#expect(LIMITS.firstWord);
      this.#worker.postMessage(message(id), moved);
    });
  }

  /**
   * Addresses of all that another worker would need, if its files are kept on this device; else null.
   * @param ahead whether to fetch before what only some photos need
   */
  keep(ahead: boolean): Promise<string[] | null> {
    if (this.#dead) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.#worker.postMessage({ type: 'keep', ahead }, []);
    });
  }

  /** Ends the worker and frees its memory. Unfinished calls are rejected with `error`. */
  end(error?: Error): void {
    if (this.#dead) return;
    this.#close(error);
    this.#worker.terminate();
  }

  /** The same, but what it has loaded is kept first: it is not needed any more, and nothing is wrong with it. */
  leave(error?: Error): void {
    if (!this.#keeping) return this.end(error);
    if (this.#dead) return;
    this.#close(error);
    const stop = after(LIMITS.keeping, () => this.#worker.terminate());
    this.#settled = () => {
      stop();
      this.#worker.terminate();
    };
  }

  #settled: () => void = () => undefined;

  #close(error: Error = new DermletError('ABORTED', 'The worker was ended.')): void {
    this.#dead = true;
    this.#stopWatching();
    this.#ended.abort();
    this.#settleReady.reject(error);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    for (const answer of this.#asked.splice(0)) answer(null);
  }

  #crash(message: string | undefined): void {
    const error = this.#started
      ? new DermletError('BACKEND_FAILED', `The worker crashed${message ? `: ${message}` : ''}.`)
      : new NotStarted(message);
    this.end(error);
  }

  /** It must say something in this time. */
  #expect(milliseconds: number): void {
    this.#stopWatching();
    this.#stopWatching = after(milliseconds, () => this.#crash(`it gave no sign for ${milliseconds / 1000} s`));
  }

  /** It holds its lock: who gets that next knows that it has ended, killed or closed without a word. */
  async #watchLife(): Promise<void> {
    const name = this.#life!;
    const { signal } = this.#ended;
    try {
      // Where it can be had at once, page and worker do not share locks: Chromium parts them when storage is cleared.
      const shared = await locks()!.request(name, { ifAvailable: true }, (lock) => lock === null);
      if (shared && !signal.aborted) await locks()!.request(name, { signal }, () => this.#crash('it ended'));
    } catch {
      // Ended from here, or cleared: its silence then tells.
    }
  }

  #receive(message: FromWorker): void {
    if (message.type === 'settled') {
      this.#keeping = false;
      this.#settled();
    }
    if (this.#dead) return;
    this.#started = true;
    this.#handle(message);
    if (this.#dead) return;
    if (this.#ready && this.#calls.size === 0) this.#stopWatching();
    else this.#expect(LIMITS.silence);
  }

  #handle(message: FromWorker): void {
    switch (message.type) {
      case 'alive':
        return void this.#watchLife();
      case 'settled':
        return;
      case 'progress':
        return this.onProgress(message.progress);
      case 'ready':
        this.#ready = true;
        this.#keeping = message.keeping;
        return this.#settleReady.resolve(message);
      case 'load-failed':
        return this.end(fromWire(message.error));
      case 'restart-needed':
        return this.end(new NeedsAnother(message.restart, message.reason, message.input));
      case 'stage':
        return this.#calls.get(message.id)?.onStage(message.stage);
      case 'result':
        return this.#take(message.id)?.resolve(message.result);
      case 'training':
        return this.#calls.get(message.id)?.onProgress?.(message.progress);
      case 'trained':
        return this.#take(message.id)?.resolve(message.trained);
      case 'looked-up':
        return this.#take(message.id)?.resolve(message.answer);
      case 'checked':
        return this.#take(message.id)?.resolve(message.quality);
      case 'inspected':
        return this.#take(message.id)?.resolve(message.inspection);
      case 'failed':
        return this.#take(message.id)?.reject(fromWire(message.error));
      case 'kept':
        return this.#asked.shift()?.(message.scripts);
      case 'requests':
        return requestLog().add(message.made);
    }
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }
}
