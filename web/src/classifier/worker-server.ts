/** The worker's side of the protocol, separate from the worker so that it can be tested on any message port. */
import { messageOf } from './abort.js';
import { Engine } from './engine.js';
import { type BrowserEnvironment, browserEnvironment } from './environment.js';
import { DermletError } from './errors.js';
import { withFiles } from './input.js';
import { announceKept } from './kept-channel.js';
import type { Manifest } from './manifest.js';
import { ModelStore, type Versions } from './model-store.js';
import { ThreadsFailed } from './network.js';
import type { FailedUpdate, LoadProgress } from './options.js';
import { KeptTests } from './passed-tests.js';
import { type FromWorker, inputBuffers, type LoadSettings, resultBuffers, type ToWorker, toWire } from './protocol.js';
import { Tally } from './tally.js';

/** The part of a worker's global scope, or of a port, that is used. */
export interface ServerPort {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: { data: ToWorker }) => void): void;
}

export interface LoadedEngine {
  engine: Engine;
  /** Set if a newer version of the model could not be used and the kept one is. */
  failedUpdate?: FailedUpdate | undefined;
  /** As `EngineWorker.keep`. */
  keep?: (ahead: boolean) => Promise<string[] | null>;
}

export type LoadEngine = (
  settings: LoadSettings,
  onProgress: (progress: LoadProgress) => void,
) => Promise<LoadedEngine>;

/**
 * Loads manifest, engine files and model, each with its progress. A new version of the model is used only if all of it
 * comes and works: until then the kept one goes on.
 */
export const loadBrowserEngine: LoadEngine = async (settings, onProgress) => {
  const store = new ModelStore(settings.folder, { addresses: settings.modelAddresses });
  const { manifest, kept, failed }: Versions = settings.manifest
    ? { manifest: settings.manifest }
    : await store.versions();
  try {
    const loaded = await loadVersion(settings, store, manifest, onProgress);
    return { ...loaded, failedUpdate: failed && { code: failed.code, message: failed.message } };
  } catch (error) {
    if (!kept || !(error instanceof DermletError) || error.code === 'ABORTED') throw error;
    const loaded = await loadVersion(settings, store, kept, onProgress).catch(() => Promise.reject(error));
    return { ...loaded, failedUpdate: { version: manifest.version, code: error.code, message: error.message } };
  }
};

async function loadVersion(
  settings: LoadSettings,
  store: ModelStore,
  manifest: Manifest,
  onProgress: (progress: LoadProgress) => void,
): Promise<Required<Pick<LoadedEngine, 'engine' | 'keep'>>> {
  const tally = new Tally();
  const report = (progress: LoadProgress) => onProgress({ ...progress, all: tally.all });
  const environment = browserEnvironment({
    assetBase: settings.assetBase,
    addresses: settings.engineAddresses,
    threads: settings.threads,
    onFile: (file, ...bytes) => tally.report(file, ...bytes),
    onBytes: (loaded, total) => report({ phase: 'engine', loaded, total, cached: false }),
  });
  // Not awaited: what has begun by then is counted already.
  void expectAll(tally, settings, store, environment, manifest);
  const engine = await Engine.load({
    manifest,
    environment,
    backend: settings.backend,
    file: (entry) =>
      store.file(entry, (loaded, total, cached) => {
        tally.report(entry.path, loaded, total, cached);
        if (entry === manifest.file) report({ phase: 'model', loaded, total, cached });
      }),
    // A manifest that comes from the page is of a model that this page has had loaded.
    passed: settings.manifest ? { has: async () => true, add: async () => undefined } : new KeptTests(settings.folder),
    onSelfTest: () => report({ phase: 'self-test', loaded: 0, total: 0, cached: false }),
  });
  // On WebGPU the self-test was already a warm-up.
  if (settings.warmUp && engine.runtime.backend === 'wasm') await engine.warmUp();
  // Nobody waits for this: the first photo must not either.
  const committing = store.commit(manifest);
  void Promise.all([committing, environment.commit()]).then(() => announceKept(settings.folder));
  const keep = async (ahead: boolean) => {
    if (ahead) await environment.fetchAhead();
    const kept = (await Promise.all([committing, environment.kept()])).every(Boolean);
    return kept ? [import.meta.url, ...environment.scripts(engine.runtime.backend)] : null;
  };
  return { engine, keep };
}

/** Tells the tally of what will come, so that its total does not grow as each file begins. */
async function expectAll(
  tally: Tally,
  { backend }: LoadSettings,
  store: ModelStore,
  environment: BrowserEnvironment,
  { file, locator, rejection }: Manifest,
): Promise<void> {
  const webgpu = backend === 'webgpu' || (backend === 'auto' && environment.gpu !== undefined);
  const sized = [file, locator?.file, rejection?.file].flatMap((entry) => (entry ? [entry] : []));
  const coming = await Promise.all([
    // With `auto` it turns out later whether there is a graphics processor: a guess would have to be taken back.
    webgpu && backend === 'auto' ? [] : environment.coming(webgpu ? 'webgpu' : 'wasm'),
    ...sized.map(async (entry): Promise<[string, number][]> => [[entry.path, await store.coming(entry)]]),
  ]);
  for (const [name, bytes] of coming.flat()) tally.expect(name, bytes);
}

/** Serves one page. The page sends one call at a time; a call that comes before the last has ended waits here. */
export function serve(port: ServerPort, load: LoadEngine = loadBrowserEngine): void {
  let loaded: Promise<LoadedEngine> | undefined;
  let last: Promise<void> = Promise.resolve();
  const post = (message: FromWorker, transfer: Transferable[] = []) => port.postMessage(message, transfer);

  const start = async (settings: LoadSettings) => {
    loaded = load(settings, (progress) => post({ type: 'progress', progress }));
    try {
      const { engine, failedUpdate } = await loaded;
      post({ type: 'ready', manifest: engine.manifest, fallback: engine.runtime.fallback, failedUpdate });
    } catch (error) {
      if (error instanceof ThreadsFailed) post({ type: 'threads-failed', reason: messageOf(error) });
      else post({ type: 'load-failed', error: toWire(error) });
    }
  };

  const classify = async ({ id, input, options }: Extract<ToWorker, { type: 'classify' }>) => {
    try {
      if (!loaded) throw new Error('classify before load');
      const { engine } = await loaded;
      const result = await engine.classify(
        withFiles(input, (bytes) => new Uint8Array(bytes)),
        options,
        (stage) => post({ type: 'stage', id, stage }),
      );
      post({ type: 'result', id, result }, resultBuffers(result));
    } catch (error) {
      if (error instanceof ThreadsFailed)
        post({ type: 'threads-failed', reason: messageOf(error), id, input }, inputBuffers(input));
      else post({ type: 'failed', id, error: toWire(error) });
    }
  };

  let answered: Promise<void> = Promise.resolve();
  const keep = async (ahead: boolean) => {
    // What cannot be fetched is not kept.
    const scripts = await loaded?.then((there) => there.keep?.(ahead) ?? null).catch(() => null);
    post({ type: 'kept', scripts: scripts ?? null });
  };

  port.addEventListener('message', ({ data }) => {
    if (data.type === 'load') void start(data.settings);
    else if (data.type === 'keep') answered = answered.then(() => keep(data.ahead));
    else last = last.then(() => classify(data));
  });
}
