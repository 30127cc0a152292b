/**
 * Starts the module worker. A page's content policy binds a worker that the page makes of a line of its own, and not
 * one that comes from an address: so the worker is such a line, which imports the script. It is also how a script of
 * another origin becomes a worker at all.
 */
import { messageOf } from './abort.js';
import { bootstrapOf, trusted } from './bootstrap.js';
import { whyMissing } from './causes.js';
import type { Spawn, WorkerLike } from './engine-worker.js';
import { DermletError } from './errors.js';
import { inside } from './inside.js';
import { LIMITS } from './limits.js';
import type { ToWorker } from './protocol.js';
import { serviceWorkers } from './requests.js';
import { checkScript, hasHash } from './scripts.js';
import { shipped } from './shipped.js';
import { within } from './within.js';

const OPTIONS: WorkerOptions = { type: 'module', name: 'dermlet' };

/** Why a worker from another origin may not start, and what helps: the browser's own error says almost nothing. */
const adviceFor = (script: URL): string =>
  `The page's origin (${location.origin}) is not the one that Dermlet was served from (${script.origin}). Then that ` +
  `server must allow it (Access-Control-Allow-Origin), and a content security policy needs "worker-src blob:" and ` +
  `"script-src ${script.origin}"; or serve Dermlet's files from the page's own origin ("dermlet copy-assets").`;

export const spawnWorker: Spawn = () => {
  if (inside) return inside.start();
  const started = ahead;
  ahead = undefined;
  return started ?? newWorker();
};

let ahead: WorkerLike | undefined;

/** Starts the worker of whoever asks for one next: its script runs while that is still at work. */
export function startAhead(): void {
  if (inside) return;
  try {
    ahead ??= new WorkerAhead(newWorker());
  } catch {
    // Whoever asks for one is told.
  }
}

function newWorker(): WorkerLike {
  const script = shipped().worker;
  return hasHash(pathOf(script)) ? new CheckedWorker(script) : startWorker(script);
}

/** As the build knows it. */
const pathOf = (script: URL): string => script.pathname.slice(script.pathname.lastIndexOf('/') + 1);

const startWorker = (script: URL): WorkerLike =>
  script.origin === location.origin ? new OwnWorker(script) : startBound(script);

spawnWorker.explain = async (error) => {
  if (inside) return new DermletError('BACKEND_FAILED', error.message, { cause: error });
  const script = shipped().worker;
  const why = await whyMissing(script.href, error.cause ?? error);
  if (script.origin === location.origin) return why.code === 'MODEL_UNAVAILABLE' ? error : why;
  return new DermletError(why.code, `${error.message} ${adviceFor(script)}`, { cause: why });
};

/** A service worker answers for scripts that it keeps. */
spawnWorker.canStart = async (scripts) => {
  if (inside) return true;
  if (!serviceWorkers()?.controller) return false;
  try {
    const looked = Promise.all(scripts.map((script) => caches.match(script, { ignoreSearch: true })));
    const kept = await within(looked, LIMITS.cache, 'Cache Storage');
    return kept.every((response) => response !== undefined);
  } catch {
    return false;
  }
};

/** A worker that the page's policy binds. @throws in WebKit if that policy forbids such workers */
function startBound(script: URL): Worker {
  const bootstrap = bootstrapOf(script.href);
  const worker = new Worker(bootstrap.address, OPTIONS);
  for (const type of ['message', 'error']) worker.addEventListener(type, bootstrap.forget, { once: true });
  return worker;
}

type Listening = Parameters<WorkerLike['addEventListener']>;

/** A worker that was started before anybody listened: who does then hears what it has said. */
class WorkerAhead implements WorkerLike {
  readonly #said = new Map<Listening[0], Event[]>([
    ['message', []],
    ['messageerror', []],
    ['error', []],
  ]);

  constructor(readonly worker: WorkerLike) {
    for (const type of this.#said.keys())
      worker.addEventListener(type, (event) => void this.#said.get(type)?.push(event));
  }

  postMessage(...sent: Parameters<WorkerLike['postMessage']>): void {
    this.worker.postMessage(...sent);
  }

  addEventListener(...[type, listener]: Listening): void {
    const said = this.#said.get(type) ?? [];
    this.#said.delete(type);
    this.worker.addEventListener(type, listener);
    queueMicrotask(() => said.forEach(listener));
  }

  terminate(): void {
    this.worker.terminate();
  }
}

/** A worker that starts once its script was compared with its hash; what it is sent waits until then. */
class CheckedWorker implements WorkerLike {
  #worker: WorkerLike | undefined;
  #ended = false;
  readonly #listening: Listening[] = [];
  readonly #sent: Parameters<WorkerLike['postMessage']>[] = [];

  constructor(script: URL) {
    void this.#start(script);
  }

  postMessage(...sent: Parameters<WorkerLike['postMessage']>): void {
    if (this.#worker) this.#worker.postMessage(...sent);
    else this.#sent.push(sent);
  }

  addEventListener(...listening: Listening): void {
    if (this.#worker) this.#worker.addEventListener(...listening);
    else this.#listening.push(listening);
  }

  terminate(): void {
    this.#ended = true;
    this.#worker?.terminate();
  }

  async #start(script: URL): Promise<void> {
    try {
      await checkScript(pathOf(script), script.href);
      if (this.#ended) return;
      this.#worker = startWorker(script);
      for (const listening of this.#listening) this.#worker.addEventListener(...listening);
      for (const sent of this.#sent) this.#worker.postMessage(...sent);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** As a worker that does not start: of what is no fault of the bytes, `explain` knows more. */
  #fail(error: unknown): void {
    if (this.#ended) return;
    const isWrong = error instanceof DermletError && error.code === 'MODEL_CORRUPT';
    const event = new ErrorEvent('error', { message: messageOf(error), ...(isWrong ? { error } : {}) });
    for (const [type, listener] of this.#listening) if (type === 'error') listener(event);
  }
}

/** The page's policy forbids bound workers ("worker-src" without "blob:"). */
let refused = false;

/**
 * A worker from the page's own origin: a bound one, or, where the page's policy forbids those, one from the script's
 * address, which only the policy that its server sends binds. Chromium and Firefox report a refusal by an event,
 * later; WebKit throws.
 */
class OwnWorker implements WorkerLike {
  #worker: Worker;
  readonly #listening: Listening[] = [];
  /** What it was sent before it was heard of. */
  #sent: ToWorker[] | undefined = [];

  constructor(readonly script: URL) {
    this.#worker = refused ? this.#fromAddress() : this.#bound();
  }

  postMessage(message: ToWorker, transfer: Transferable[]): void {
    this.#sent?.push(message);
    this.#worker.postMessage(message, transfer);
  }

  addEventListener(...listening: Listening): void {
    this.#listening.push(listening);
    this.#worker.addEventListener(...listening);
  }

  terminate(): void {
    this.#settled();
    this.#worker.terminate();
  }

  #fromAddress(): Worker {
    this.#sent = undefined;
    return new Worker(trusted(this.script.href), OPTIONS);
  }

  #bound(): Worker {
    globalThis.addEventListener('securitypolicyviolation', this.#onViolation);
    try {
      const worker = startBound(this.script);
      for (const type of ['message', 'error']) worker.addEventListener(type, this.#settled, { once: true });
      return worker;
    } catch {
      this.#settled();
      refused = true;
      return this.#fromAddress();
    }
  }

  readonly #settled = (): void => {
    this.#sent = undefined;
    globalThis.removeEventListener('securitypolicyviolation', this.#onViolation);
  };

  readonly #onViolation = ({ effectiveDirective, blockedURI, disposition }: SecurityPolicyViolationEvent): void => {
    if (disposition !== 'enforce' || effectiveDirective !== 'worker-src' || !blockedURI.startsWith('blob')) return;
    refused = true;
    const sent = this.#sent ?? [];
    const bound = this.#worker;
    this.#settled();
    bound.terminate();
    for (const listening of this.#listening) bound.removeEventListener(...listening);
    this.#worker = this.#fromAddress();
    for (const listening of this.#listening) this.#worker.addEventListener(...listening);
    for (const message of sent) this.#worker.postMessage(message);
  };
}
