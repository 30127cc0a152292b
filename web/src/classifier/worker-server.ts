/** The worker's side of the protocol, separate from the worker so that it can be tested on any message port. */
import { messageOf } from './abort.js';
import { Engine } from './engine.js';
import { browserEnvironment } from './environment.js';
import { withFiles } from './input.js';
import { ModelStore } from './model-store.js';
import { ThreadsFailed } from './network.js';
import type { LoadProgress } from './options.js';
import { KeptTests } from './passed-tests.js';
import { type FromWorker, inputBuffers, type LoadSettings, resultBuffers, type ToWorker, toWire } from './protocol.js';

/** The part of a worker's global scope, or of a port, that is used. */
export interface ServerPort {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: { data: ToWorker }) => void): void;
}

export type LoadEngine = (settings: LoadSettings, onProgress: (progress: LoadProgress) => void) => Promise<Engine>;

/** Loads manifest, engine files and model in parallel, each with its progress. */
export const loadBrowserEngine: LoadEngine = async (settings, onProgress) => {
  const store = new ModelStore(settings.folder, { addresses: settings.modelAddresses });
  const manifest = settings.manifest ?? (await store.manifest());
  const environment = browserEnvironment({
    assetBase: settings.assetBase,
    addresses: settings.engineAddresses,
    threads: settings.threads,
    onBytes: (loaded, total) => onProgress({ phase: 'engine', loaded, total, cached: false }),
  });
  const engine = await Engine.load({
    manifest,
    environment,
    backend: settings.backend,
    file: (entry) =>
      store.file(
        entry,
        entry === manifest.file
          ? (loaded, total, cached) => onProgress({ phase: 'model', loaded, total, cached })
          : undefined,
      ),
    // A manifest that comes from the page is of a model that this page has had loaded.
    passed: settings.manifest ? { has: async () => true, add: async () => undefined } : new KeptTests(settings.folder),
    onSelfTest: () => onProgress({ phase: 'self-test', loaded: 0, total: 0, cached: false }),
  });
  // On WebGPU the self-test was already a warm-up.
  if (settings.warmUp && engine.runtime.backend === 'wasm') await engine.warmUp();
  await store.commit(manifest);
  return engine;
};

/** Serves one page. The page sends one call at a time; a call that comes before the last has ended waits here. */
export function serve(port: ServerPort, load: LoadEngine = loadBrowserEngine): void {
  let engine: Promise<Engine> | undefined;
  let last: Promise<void> = Promise.resolve();
  const post = (message: FromWorker, transfer: Transferable[] = []) => port.postMessage(message, transfer);

  const start = async (settings: LoadSettings) => {
    engine = load(settings, (progress) => post({ type: 'progress', progress }));
    try {
      const { manifest, runtime } = await engine;
      post({ type: 'ready', manifest, fallback: runtime.fallback });
    } catch (error) {
      if (error instanceof ThreadsFailed) post({ type: 'threads-failed', reason: messageOf(error) });
      else post({ type: 'load-failed', error: toWire(error) });
    }
  };

  const classify = async ({ id, input, options }: Extract<ToWorker, { type: 'classify' }>) => {
    try {
      if (!engine) throw new Error('classify before load');
      const result = await (await engine).classify(
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
