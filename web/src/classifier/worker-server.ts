/** The worker's side of the protocol, separate from the worker so that it can be tested on any message port. */
import { messageOf } from './abort.js';
import { Engine } from './engine.js';
import { browserEnvironment } from './environment.js';
import { DermletError } from './errors.js';
import { withFiles } from './input.js';
import { announceKept } from './kept-channel.js';
import { Line } from './line.js';
import type { FileEntry, Manifest } from './manifest.js';
import { ModelStore, type Versions } from './model-store.js';
import { ThreadsFailed } from './network.js';
import type { FailedUpdate, LoadProgress } from './options.js';
import { KeptTests } from './passed-tests.js';
import { type FromWorker, inputBuffers, type LoadSettings, resultBuffers, type ToWorker, toWire } from './protocol.js';

/** The part of a worker's global scope, or of a port, that is used. */
export interface ServerPort {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: { data: ToWorker }) => void): void;
}

export interface LoadedEngine {
  engine: Engine;
  /** Set if a newer version of the model could not be used and the kept one is. */
  failedUpdate?: FailedUpdate | undefined;
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
  const line = new Line();
  const store = new ModelStore(settings.folder, { addresses: settings.modelAddresses, line });
  const { manifest, kept, failed }: Versions = settings.manifest
    ? { manifest: settings.manifest }
    : await store.versions();
  try {
    const engine = await loadVersion(settings, store, line, manifest, onProgress);
    return { engine, failedUpdate: failed && { code: failed.code, message: failed.message } };
  } catch (error) {
    if (!kept || !(error instanceof DermletError) || error.code === 'ABORTED') throw error;
    const engine = await loadVersion(settings, store, line, kept, onProgress).catch(() => Promise.reject(error));
    return { engine, failedUpdate: { version: manifest.version, code: error.code, message: error.message } };
  }
};

async function loadVersion(
  settings: LoadSettings,
  store: ModelStore,
  line: Line,
  manifest: Manifest,
  onProgress: (progress: LoadProgress) => void,
): Promise<Engine> {
  const environment = browserEnvironment({
    assetBase: settings.assetBase,
    addresses: settings.engineAddresses,
    threads: settings.threads,
    line,
    onBytes: (loaded, total) => onProgress({ phase: 'engine', loaded, total, cached: false }),
  });
  // What tests the engine as soon as it has started: asked for before that, after the network.
  const tests = new Map<FileEntry, Promise<Uint8Array<ArrayBuffer>>>();
  const file = (entry: FileEntry): Promise<Uint8Array<ArrayBuffer>> => {
    if (entry !== manifest.file) return tests.get(entry) ?? store.file(entry);
    const coming = store.file(entry, (loaded, total, cached) => {
      if (loaded > 0) onProgress({ phase: 'model', loaded, total, cached });
    });
    if (settings.warmUp) {
      for (const test of [manifest.selfTest.picture, manifest.selfTest.reference]) {
        const testing = store.file(test);
        testing.catch(() => undefined); // whoever asks for it is told
        tests.set(test, testing);
      }
    }
    return coming;
  };
  const engine = await Engine.load({
    manifest,
    environment,
    backend: settings.backend,
    file,
    // A manifest that comes from the page is of a model that this page has had loaded.
    passed: settings.manifest ? { has: async () => true, add: async () => undefined } : new KeptTests(settings.folder),
    onSelfTest: () => onProgress({ phase: 'self-test', loaded: 0, total: 0, cached: false }),
  });
  // On WebGPU the self-test was already a warm-up.
  if (settings.warmUp && engine.runtime.backend === 'wasm') await engine.warmUp();
  tests.clear();
  // Nobody waits for this: the first photo must not either.
  void Promise.all([store.commit(manifest), environment.commit()]).then(([kept]) => kept && announceKept());
  return engine;
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

  port.addEventListener('message', ({ data }) => {
    if (data.type === 'load') void start(data.settings);
    else last = last.then(() => classify(data));
  });
}
