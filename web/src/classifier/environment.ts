/**
 * What the engine needs from where it runs: its own files and the machine's capabilities. The browser's is here, Node's
 * in `node/engine.ts`.
 */
import { messageOf } from './abort.js';
import { type Addresses, addressIn } from './asset-base.js';
import { imported, isMissingScript, whyMissing } from './causes.js';
import { download, type Fetch, requireWasm } from './download.js';
import { DermletError } from './errors.js';
import type { DecodeForeign } from './foreign.js';
import type { CreateLibheif, Libheif } from './libheif.js';
import type { Backend } from './result.js';

export interface Environment {
  /** Address of dermlet.wasm, for messages. */
  readonly coreUrl: string;
  /** @throws DermletError MODEL_UNAVAILABLE */
  coreWasm(): Promise<Uint8Array<ArrayBuffer>>;
  /** ONNX Runtime's binary for a backend. @throws DermletError MODEL_UNAVAILABLE */
  runtimeWasm(backend: Backend): Promise<Uint8Array<ArrayBuffer>>;
  /** Address of the script for that binary; undefined if it is part of the import. */
  runtimeScript(backend: Backend): string | undefined;
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

/**
 * Sizes of onnxruntime-web 1.30.0's binaries: hosts that compress do not send the size, and a progress bar needs it. A
 * test compares them.
 */
export const RUNTIME_BYTES: Record<Backend, number> = { wasm: 14_239_897, webgpu: 26_781_914 };

export interface BrowserEnvironmentOptions {
  /** Folder of the engine's files, absolute, ending in '/'. */
  assetBase: string;
  /** Addresses of files that are not in that folder. */
  addresses?: Addresses | undefined;
  /** Undefined: as many as the page's isolation and the processor allow. */
  threads?: number | undefined;
  /** Bytes of all files so far, and of all files known to come. */
  onBytes?: (loaded: number, total: number) => void;
  signal?: AbortSignal | undefined;
  fetch?: Fetch;
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

export function browserEnvironment(options: BrowserEnvironmentOptions): Environment {
  const address = (file: string) => addressIn(options.assetBase, file, options.addresses);
  const sizes = new Map<string, { loaded: number; total: number }>();
  const report = (url: string, loaded: number, expected: number) => {
    sizes.set(url, { loaded, total: Math.max(loaded, expected) });
    const all = [...sizes.values()];
    options.onBytes?.(
      all.reduce((sum, file) => sum + file.loaded, 0),
      all.reduce((sum, file) => sum + file.total, 0),
    );
  };
  const load = async (url: string, expected: number) => {
    const bytes = await download(url, {
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      signal: options.signal,
      onBytes: (loaded) => report(url, loaded, expected),
    });
    requireWasm(url, bytes);
    return bytes;
  };
  // Glue and binary must be from one build: without a version, an old binary in the HTTP cache could meet new glue
  // after a site update.
  const core = new URL(address('dermlet.wasm'));
  if (typeof __DERMLET_CORE_VERSION__ === 'string') core.searchParams.set('v', __DERMLET_CORE_VERSION__);
  const coreUrl = core.href;
  // Kept once fetched; each picture gets its own instance, since an instance's memory never shrinks.
  let wasm: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const libheif = async (): Promise<Libheif> => {
    const url = address('libheif.wasm');
    wasm ??= download(url, { fetch: options.fetch ?? ((input, init) => fetch(input, init)) });
    try {
      requireWasm(url, await wasm);
      const { default: create } = (await import(/* @vite-ignore */ address('libheif.mjs'))) as {
        default: CreateLibheif;
      };
      return await create({ wasmBinary: await wasm });
    } catch (cause) {
      wasm = undefined; // the next picture fetches it again
      const why = isMissingScript(cause) ? await whyMissing(address('libheif.mjs'), cause) : cause;
      throw new DermletError(
        'DECODER_UNAVAILABLE',
        `The decoder for HEIC pictures could not be started: ${messageOf(why)}`,
        { cause: why },
      );
    }
  };
  return {
    decodeForeign: async (bytes, format) =>
      (await imported(() => import('./browser-decoder.js'))).decodeInBrowser(bytes, format, libheif),
    coreUrl,
    coreWasm: () => load(coreUrl, 0),
    runtimeWasm: (backend) => load(address(`${RUNTIME_FILES[backend]}.wasm`), RUNTIME_BYTES[backend]),
    runtimeScript: (backend) => address(`${RUNTIME_FILES[backend]}.mjs`),
    threads: options.threads ?? allowedThreads(),
    gpu: (globalThis.navigator as { gpu?: GpuLike } | undefined)?.gpu,
  };
}
