/**
 * What the engine needs from where it runs: its own files and the machine's capabilities. The browser's is here, Node's
 * in `node/engine.ts`.
 */
import { messageOf } from './abort.js';
import { type Addresses, addressIn } from './asset-base.js';
import { isMissingScript, whyMissing } from './causes.js';
import type { Fetch } from './download.js';
import { type EngineFile, engineFiles, engineKey, engineKeys } from './engine-files.js';
import { DermletError } from './errors.js';
import { FileStore, type Promised } from './file-store.js';
import type { DecodeForeign } from './foreign.js';
import { inside } from './inside.js';
import type { CreateLibheif, Libheif } from './libheif.js';
import type { Line } from './line.js';
import type { Backend } from './result.js';
import { checkScript, imported } from './scripts.js';
import { unzstd } from './unzstd.js';

export interface Environment {
  /** Address of dermlet.wasm, for messages. */
  readonly coreUrl: string;
  /** sha256s of the binaries that answer on WASM: the core and ONNX Runtime's. */
  readonly hashes: readonly string[];
  /** @throws DermletError MODEL_UNAVAILABLE */
  coreWasm(): Promise<Uint8Array<ArrayBuffer>>;
  /** learn.wasm and its address, fetched when it is first asked for. @throws DermletError MODEL_UNAVAILABLE */
  learnWasm(): Promise<{ bytes: Uint8Array<ArrayBuffer>; url: string }>;
  /** ONNX Runtime's binary for a backend. @throws DermletError MODEL_UNAVAILABLE */
  runtimeWasm(backend: Backend): Promise<Uint8Array<ArrayBuffer>>;
  /** Address of the script for that binary; undefined if it is part of the import. */
  runtimeScript(backend: Backend): string | undefined;
  /** Whether that for WASM has only the functions that the model should need: another has all. */
  readonly reduced?: boolean;
  /** Threads that may be used, at least 1. More than 1 needs shared memory. */
  readonly threads: number;
  /** Decodes what the core does not. Fetches nothing until such a picture is given. */
  readonly decodeForeign?: DecodeForeign;
  /** navigator.gpu, or undefined. */
  readonly gpu: GpuLike | undefined;
}

/** The part of WebGPU that is used. */
export interface GpuLike {
  requestAdapter(): Promise<AdapterLike | null>;
}

export interface AdapterLike {
  readonly isFallbackAdapter?: boolean;
  readonly info?: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly description?: string;
    readonly isFallbackAdapter?: boolean;
  };
}

const RUNTIME_FILES: Record<Backend, string> = {
  wasm: 'ort-wasm-simd-threaded',
  webgpu: 'ort-wasm-simd-threaded.asyncify',
};

/** What runs the networks that it is listed for (`tools/build/runtime/reduce.mjs`), by the whole one's script. */
const REDUCED = `${RUNTIME_FILES.wasm}.reduced.wasm`;

export interface BrowserEnvironmentOptions {
  /** Folder of the engine's files, absolute, ending in '/'. */
  assetBase: string;
  /** Addresses of files that are not in that folder. */
  addresses?: Addresses | undefined;
  /** Undefined: as many as the page's isolation and the processor allow. */
  threads?: number | undefined;
  /** sha256s of the networks that will run, where they may run in less than all of ONNX Runtime. */
  networks?: readonly string[] | undefined;
  /** Bytes of a file so far and in all; `cached`: it was kept. */
  onFile?: (file: string, loaded: number, total: number, cached: boolean) => void;
  signal?: AbortSignal | undefined;
  /** Shared with the model's files. */
  line?: Line;
  fetch?: Fetch;
  /** undefined: the platform's, if there is one. null: none. */
  caches?: CacheStorage | null;
  /** The engine's files; default: those that this code was built with. */
  files?: Readonly<Record<string, EngineFile>>;
}

/**
 * At most 4: more gains little on a network of this size and heats phones. 1 without isolation, as there is no shared
 * memory.
 */
export function allowedThreads(
  scope: { crossOriginIsolated?: boolean; navigator?: { hardwareConcurrency?: number } } = globalThis,
): number {
  // WebKitGTK isolates and has no shared memory.
  const shared = scope.crossOriginIsolated === true && typeof SharedArrayBuffer === 'function';
  return shared ? Math.max(1, Math.min(scope.navigator?.hardwareConcurrency ?? 1, 4)) : 1;
}

const LIBHEIF = 'libheif';

/** In Cache Storage. */
const CACHE = 'dermlet-engine';

export interface BrowserEnvironment extends Environment {
  /** Once all that was fetched is kept and was read back: removes what other versions of the engine had kept. */
  commit(): Promise<void>;
  /**
   * Fetches what decodes HEIC and reads DICOM, so that such a photo causes no request.
   * @throws DermletError DECODER_UNAVAILABLE
   */
  fetchAhead(): Promise<void>;
  /** The binaries that a backend needs and that are not kept, with the bytes that they would come in. */
  coming(backend: Backend): Promise<[file: string, bytes: number][]>;
  /** Whether all of the engine's binaries that came are kept. */
  kept(): Promise<boolean>;
  /** Keys, in Cache Storage, of the engine's binaries that came. */
  keys(): string[];
  /** The engine's binaries that came: each was verified. */
  given(): readonly Promised[];
  /** Addresses of the scripts that a backend and what was fetched ahead come from. */
  scripts(backend: Backend): string[];
}

async function libheifScript(address: string): Promise<CreateLibheif> {
  await checkScript(`engine/${LIBHEIF}.mjs`, address);
  const { default: create } = (await import(/* @vite-ignore */ address)) as { default: CreateLibheif };
  return create;
}

export function browserEnvironment(options: BrowserEnvironmentOptions): BrowserEnvironment {
  const files = options.files ?? engineFiles();
  const store = new FileStore(CACHE, { ...options, unzstd });
  const { networks } = options;
  const reduced = networks?.every((network) => files[REDUCED]?.networks?.includes(network)) === true;
  const binaryOf = (backend: Backend) => (reduced && backend === 'wasm' ? REDUCED : `${RUNTIME_FILES[backend]}.wasm`);
  /** Binaries without which a backend gives no answer. */
  const needed = (backend: Backend): string[] => ['dermlet.wasm', binaryOf(backend)];
  const address = (file: string) => addressIn(options.assetBase, file, options.addresses);
  // In its address: an old copy of the same name in an HTTP cache must not meet new code.
  const versioned = (url: string, sha256: string) => {
    const named = new URL(url);
    named.searchParams.set('v', sha256.slice(0, 12));
    return named.href;
  };
  const promise = (file: string, { bytes, sha256, compressed }: EngineFile): Promised => {
    return {
      name: file,
      url: versioned(address(file), sha256),
      key: engineKey(options.assetBase, file, sha256),
      bytes,
      sha256,
      compressed: compressed && { url: versioned(address(compressed.path), sha256), bytes: compressed.bytes },
    };
  };
  const load = async (file: string, reported = true) => {
    const entry = files[file];
    if (!entry) throw new DermletError('MODEL_UNAVAILABLE', `${file} is none of the engine's files.`);
    return store.file(
      promise(file, entry),
      reported ? (...progress) => options.onFile?.(file, ...progress) : undefined,
    );
  };
  // Kept once fetched; each picture gets its own instance, since an instance's memory never shrinks.
  let wasm: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const libheif = async <T>(use: (create: CreateLibheif, wasmBinary: Uint8Array) => T): Promise<Awaited<T>> => {
    wasm ??= load(`${LIBHEIF}.wasm`, false);
    try {
      await wasm;
      const create = inside ? inside.libheif() : await libheifScript(address(`${LIBHEIF}.mjs`));
      return await use(create, await wasm);
    } catch (cause) {
      wasm = undefined; // the next picture fetches it again
      const why = isMissingScript(cause) ? await whyMissing(address(`${LIBHEIF}.mjs`), cause) : cause;
      throw new DermletError(
        'DECODER_UNAVAILABLE',
        `The decoder for HEIC pictures could not be started: ${messageOf(why)}`,
        { cause: why },
      );
    }
  };
  const decoders = () => imported(() => import('./browser-decoder.js'));
  return {
    decodeForeign: async (bytes, format) =>
      (await decoders()).decodeInBrowser(bytes, format, () =>
        libheif((create, wasmBinary): Libheif | Promise<Libheif> => create({ wasmBinary })),
      ),
    fetchAhead: async () => {
      await decoders();
      await imported(() => import('./dicom.js'));
      await libheif(() => undefined);
    },
    coming: (backend) =>
      Promise.all(
        needed(backend).map(async (file): Promise<[string, number]> => {
          const entry = files[file];
          return [file, entry ? await store.coming(promise(file, entry)) : 0];
        }),
      ),
    kept: () => store.allKept(),
    keys: () => store.keys(),
    given: () => store.given(),
    scripts: (backend) => [address(`${RUNTIME_FILES[backend]}.mjs`), ...(wasm ? [address(`${LIBHEIF}.mjs`)] : [])],
    coreUrl: address('dermlet.wasm'),
    hashes: needed('wasm').flatMap((file) => files[file]?.sha256 ?? []),
    coreWasm: () => load('dermlet.wasm'),
    learnWasm: async () => ({ bytes: await load('learn.wasm', false), url: address('learn.wasm') }),
    runtimeWasm: (backend) => load(binaryOf(backend)),
    reduced,
    runtimeScript: (backend) => (inside ? undefined : address(`${RUNTIME_FILES[backend]}.mjs`)),
    threads: options.threads ?? allowedThreads(),
    // What it needs is three times as large as all of a program that is one file.
    gpu: inside ? undefined : (globalThis.navigator as { gpu?: GpuLike } | undefined)?.gpu,
    commit: async () => {
      if (!(await store.allKept())) return;
      const current = new Set(engineKeys(options.assetBase, files));
      await store.forgetAll((url) => url.startsWith(options.assetBase) && !current.has(url));
    },
  };
}
