/** The worker's side of the protocol, separate from the worker so that it can be tested on any message port. */
import { messageOf } from './abort.js';
import { ALL_PASSED, Engine, type PassedTests } from './engine.js';
import { engineKeys } from './engine-files.js';
import { type BrowserEnvironment, browserEnvironment } from './environment.js';
import { DermletError } from './errors.js';
import { hold } from './file-store.js';
import { withFiles } from './input.js';
import { inside } from './inside.js';
import type { InspectedFile } from './inspection.js';
import { announceKept } from './kept-channel.js';
import { type FileEntry, filesOf, type Manifest } from './manifest.js';
import { keptVersion, keyIn, ModelStore, modelKeys, type Versions } from './model-store.js';
import { RestartNeeded } from './network.js';
import { openedFetch } from './opened-files.js';
import type { BackendChoice, FailedUpdate, LoadProgress, Stage } from './options.js';
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
  /** Runs everything once; absent: not wanted. */
  warmUp?: (() => Promise<void>) | undefined;
  /** Resolves when all that was loaded is kept, or cannot be; absent where nothing is kept. */
  keeping?: Promise<unknown> | undefined;
  /** As `EngineWorker.keep`. */
  keep?: (ahead: boolean) => Promise<string[] | null>;
  /** The files of engine and model; absent where nothing is kept. */
  files?: () => InspectedFile[];
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
  const { folder, opened } = settings;
  const open = () =>
    new ModelStore(
      folder,
      opened ? { fetch: openedFetch(folder, opened), caches: null } : { addresses: settings.modelAddresses },
    );
  const store = open();
  const { manifest, kept, failed }: Versions = settings.manifest
    ? { manifest: settings.manifest }
    : await store.versions();
  // Before anything of them is read, so that no other tab that updates removes it meanwhile.
  hold([...modelKeys(settings.folder, manifest), ...engineKeys(settings.assetBase)]);
  const releaseKept = hold(kept ? modelKeys(settings.folder, kept) : []);
  try {
    const { engine, keep, files, warmUp, commit } = await loadVersion(settings, store, manifest, onProgress);
    releaseKept();
    return {
      engine,
      keep,
      files,
      warmUp,
      keeping: commit(),
      failedUpdate: failed && { code: failed.code, message: failed.message },
    };
  } catch (error) {
    if (!kept || !(error instanceof DermletError) || error.code === 'ABORTED') throw error;
    const loading = loadVersion(settings, open(), kept, onProgress);
    const { engine, keep, files, warmUp, commit } = await loading.catch(() => Promise.reject(error));
    const failedUpdate = { version: manifest.version, code: error.code, message: error.message };
    return { engine, keep, files, warmUp, keeping: commit(), failedUpdate };
  }
};

interface LoadedVersion {
  engine: Engine;
  /** Keeps it; not waited for before the first photo. Never throws. */
  commit(): Promise<void>;
  keep(ahead: boolean): Promise<string[] | null>;
  files(): InspectedFile[];
  warmUp: (() => Promise<void>) | undefined;
}

async function loadVersion(
  settings: LoadSettings,
  store: ModelStore,
  manifest: Manifest,
  onProgress: (progress: LoadProgress) => void,
): Promise<LoadedVersion> {
  const [tally, ofEngine] = [new Tally(), new Tally()];
  const report = (progress: LoadProgress) => onProgress({ ...progress, all: tally.all });
  const environment = browserEnvironment({
    assetBase: settings.assetBase,
    addresses: settings.engineAddresses,
    threads: settings.threads,
    networks: settings.wholeRuntime ? undefined : networksOf(manifest),
    line: store.line,
    onFile: (file, loaded, total, cached) => {
      for (const each of [tally, ofEngine]) each.report(file, loaded, total, cached);
      if (!cached) report({ phase: 'engine', ...ofEngine.all, cached });
    },
  });
  // Asked again for all of the runtime, it goes on with the backend that it had.
  const small = environment.reduced || settings.wholeRuntime;
  const backend = settings.backend === 'auto' && small ? 'wasm' : settings.backend;
  // Not awaited: what has begun by then is counted already.
  void expectAll(tally, backend, store, environment, manifest).then(() => {
    const { loaded, total } = tally.all;
    if (loaded < total) report({ phase: 'engine', ...ofEngine.all, cached: false });
  });
  const fromStore = (entry: FileEntry) =>
    store.file(entry, (loaded, total, cached) => {
      tally.report(entry.path, loaded, total, cached);
      if (entry === manifest.file && loaded > 0) report({ phase: 'model', loaded, total, cached });
    });
  // What tests the engine as soon as it has started: asked for before that, after the network.
  const tests = new Map<FileEntry, Promise<Uint8Array<ArrayBuffer>>>();
  const file = (entry: FileEntry): Promise<Uint8Array<ArrayBuffer>> => {
    const coming = tests.get(entry) ?? fromStore(entry);
    if (entry === manifest.file && settings.warmUp) {
      for (const test of [manifest.selfTest.picture, manifest.selfTest.reference]) {
        const testing = fromStore(test);
        testing.catch(() => tests.delete(test)); // whoever asks for it is told
        tests.set(test, testing);
      }
    }
    return coming;
  };
  const engine = await Engine.load({
    manifest,
    environment,
    head: settings.head,
    backend,
    file,
    passed: passedTests(settings),
    onSelfTest: () => report({ phase: 'self-test', loaded: 0, total: 0, cached: false }),
  });
  const warmUp = async () => {
    await engine.warmUp();
    tests.clear();
  };
  let committing: Promise<boolean> | undefined;
  const commit = async () => {
    committing = store.commit(manifest);
    const [kept] = await Promise.all([committing, environment.commit()]);
    if (kept) announceKept();
  };
  const keep = async (ahead: boolean) => {
    if (ahead) await environment.fetchAhead();
    if (inside) return [];
    if (settings.opened) return null;
    // Storage may have been cleared since it was committed.
    const committed = (await committing) === true && (await keptVersion(settings.folder)) === manifest.version;
    if (!committed || !(await environment.kept())) return null;
    const stored = [...modelKeys(settings.folder, manifest), ...environment.keys()];
    return [import.meta.url, ...environment.scripts(engine.runtime.backend), ...stored];
  };
  const files = () => {
    const given = new Set(store.given());
    const ofModel = filesOf(manifest).map((entry) => ({
      ...fileOf('model', entry.path, entry),
      verified: given.has(keyIn(settings.folder, entry)),
    }));
    return [...environment.given().map((file) => fileOf('engine', file.name, file)), ...ofModel];
  };
  // On WebGPU the self-test was already a warm-up.
  const cold = settings.warmUp && engine.runtime.backend === 'wasm';
  return { engine, commit, keep, files, warmUp: cold ? warmUp : undefined };
}

const networksOf = ({ file, locator }: Manifest): string[] =>
  [file, locator?.file].flatMap((entry) => entry?.sha256 ?? []);

const fileOf = (
  part: InspectedFile['part'],
  name: string,
  { bytes, sha256 }: Pick<FileEntry, 'bytes' | 'sha256'>,
): InspectedFile => ({ part, name, bytes, sha256, verified: true });

/** Of a model that this page has had loaded, so that it has passed, whatever is kept of that. */
class PassedHere extends KeptTests {
  override async when(version: string): Promise<number> {
    return (await super.when(version)) ?? 0;
  }
}

/** Of an opened model nothing is kept: it is tested whenever it is loaded. */
function passedTests({ folder, manifest, opened }: LoadSettings): PassedTests | undefined {
  if (opened) return manifest ? ALL_PASSED : undefined;
  // A manifest that comes from the page is of a model that this page has had loaded.
  return manifest ? new PassedHere(folder) : new KeptTests(folder);
}

/** Held until the worker ends. */
function live(name: string, begun: () => void): void {
  const holding = () => {
    begun();
    return new Promise<never>(() => undefined);
  };
  // Denied or never given: the page then hears of its end by its silence.
  void navigator.locks?.request(name, holding).catch(() => undefined);
}

/** Tells the tally of what will come, so that its total does not grow as each file begins. */
async function expectAll(
  tally: Tally,
  backend: BackendChoice,
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

/** Milliseconds in which a photo that waited for the engine comes: everything then runs for that. */
const WARM_UP_AFTER = 500;

/** Serves one page. The page sends one call at a time; a call that comes before the last has ended waits here. */
export function serve(port: ServerPort, load: LoadEngine = loadBrowserEngine): void {
  let loaded: Promise<LoadedEngine> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let asked = false;
  const post = (message: FromWorker, transfer: Transferable[] = []) => port.postMessage(message, transfer);

  const start = async (settings: LoadSettings) => {
    if (settings.life !== undefined) live(settings.life, () => post({ type: 'alive' }));
    loaded = load(settings, (progress) => post({ type: 'progress', progress }));
    try {
      const { engine, failedUpdate, keeping, warmUp } = await loaded;
      const { manifest, runtime, head } = engine;
      const { fallback } = runtime;
      post({ type: 'ready', manifest, fallback, failedUpdate, head, keeping: keeping !== undefined });
      void keeping?.finally(() => post({ type: 'settled' }));
      if (warmUp)
        setTimeout(() => {
          if (!asked) last = last.then(warmUp);
        }, WARM_UP_AFTER);
    } catch (error) {
      if (error instanceof RestartNeeded)
        post({ type: 'restart-needed', restart: error.restart, reason: messageOf(error) });
      else post({ type: 'load-failed', error: toWire(error) });
    }
  };

  const stopped = new Set<number>();
  const answer = async (message: Extract<ToWorker, { id: number }>): Promise<void> => {
    const { id } = message;
    try {
      if (!loaded) throw new Error('a call before load');
      const { engine, files } = await loaded;
      switch (message.type) {
        case 'classify': {
          const input = withFiles(message.input, (bytes) => new Uint8Array(bytes));
          const onStage = (stage: Stage) => post({ type: 'stage', id, stage });
          const result = await engine.classify(input, message.options, onStage);
          return post({ type: 'result', id, result }, resultBuffers(result));
        }
        case 'check': {
          const quality = await engine.check(new Uint8Array(message.input), message.options);
          return post({ type: 'checked', id, quality });
        }
        case 'train': {
          const onProgress = (progress: number) => post({ type: 'training', id, progress });
          const stop = () => stopped.has(id);
          const trained = await engine.train(message.examples, message.spec, onProgress, stop);
          return post({ type: 'trained', id, trained });
        }
        case 'look-up':
          return post({ type: 'looked-up', id, answer: await engine.lookUp(message.question) });
        case 'inspect': {
          const inspection = { ...(await engine.inspect(message.test)), files: files?.() ?? [] };
          return post({ type: 'inspected', id, inspection });
        }
      }
    } catch (error) {
      if (error instanceof RestartNeeded && message.type === 'classify') {
        const { input } = message;
        const reason = messageOf(error);
        post({ type: 'restart-needed', restart: error.restart, reason, id, input }, inputBuffers(input));
      } else post({ type: 'failed', id, error: toWire(error) });
    } finally {
      stopped.delete(id);
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
    else if (data.type === 'stop') stopped.add(data.id);
    else if (data.type === 'close-atlas')
      // In turn, so that one that is being opened is closed too.
      last = last.then(async () => (await loaded)?.engine.atlases.delete(data.key)).catch(() => undefined);
    else {
      asked = true;
      last = last.then(() => answer(data));
    }
  });
}
