/**
 * Where a model's files come from: the network, and Cache Storage so that later loads need no network.
 *
 * The manifest is fetched network-first, so that a new version is seen; the kept copy is used if the network fails or
 * is too slow. Files are keyed by their sha256 and verified on every read, kept copies too. Cache Storage is optional:
 * if it is absent, denied or full, everything works except offline use. What is kept is always one complete version:
 * the manifest is stored only after its network (the ONNX file), and then older versions are removed.
 */
import { throwIfAborted } from './abort.js';
import { type Addresses, addressIn } from './asset-base.js';
import { download, type Fetch, htmlInstead, looksLikeHtml } from './download.js';
import { DermletError } from './errors.js';
import { type FileEntry, filesOf, type Manifest, parseManifestText } from './manifest.js';
import { sha256 } from './sha256.js';

const CACHE = 'dermlet-models';

export interface StoreOptions {
  fetch?: Fetch;
  /** undefined: the platform's, if there is one. null: none. */
  caches?: CacheStorage | null;
  signal?: AbortSignal | undefined;
  /** Addresses of files that are not in the model's folder. */
  addresses?: Addresses | undefined;
  /** Milliseconds to wait for a fresh manifest if there is a kept one. Default 4000. */
  keptAfter?: number;
}

export type FileProgress = (loaded: number, total: number, cached: boolean) => void;

/** @throws DermletError MODEL_CORRUPT if size or sha256 differs from the manifest's */
export async function verifyFile(entry: FileEntry, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (bytes.length !== entry.bytes) {
    throw new DermletError(
      'MODEL_CORRUPT',
      `${entry.path} has ${bytes.length} bytes, but its manifest says ${entry.bytes}.`,
    );
  }
  if ((await sha256(bytes)) !== entry.sha256)
    throw new DermletError('MODEL_CORRUPT', `${entry.path} is damaged or changed: its sha256 is not its manifest's.`);
}

/** The folder of a model, ending in '/', from its address or its manifest's. @throws DermletError INVALID_ARGUMENT */
export function modelFolder(modelUrl: string | URL, base?: string): string {
  let url: URL;
  try {
    url = new URL(modelUrl, base);
  } catch (cause) {
    throw new DermletError('INVALID_ARGUMENT', `'${String(modelUrl)}' is not the address of a model.`, { cause });
  }
  url.hash = '';
  url.search = '';
  if (url.pathname.endsWith('/manifest.json')) return new URL('./', url).href;
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}

export class ModelStore {
  readonly #fetch: Fetch;
  readonly #caches: CacheStorage | null;
  readonly #signal: AbortSignal | undefined;
  readonly #keptAfter: number;
  readonly #addresses: Addresses | undefined;
  /** The manifest's key in the cache. */
  readonly #manifestUrl: string;
  #cache: Promise<Cache | null> | undefined;

  /** `folder` as `modelFolder` gives it. */
  constructor(
    readonly folder: string,
    options: StoreOptions = {},
  ) {
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#caches = options.caches === undefined ? platformCaches() : options.caches;
    this.#signal = options.signal;
    this.#keptAfter = options.keptAfter ?? 4000;
    this.#addresses = options.addresses;
    this.#manifestUrl = new URL('manifest.json', folder).href;
  }

  /**
   * @throws DermletError MODEL_UNAVAILABLE (neither network nor a kept copy), MODEL_CORRUPT (fetched, but not a valid
   * manifest), ABORTED
   */
  async manifest(): Promise<Manifest> {
    const fresh = this.#freshManifest();
    fresh.catch(() => undefined); // awaited below; must not count as unhandled when the kept copy wins
    const kept = await this.#keptManifest();
    try {
      return await (kept ? unlessSlow(fresh, kept, this.#keptAfter) : fresh);
    } catch (error) {
      throwIfAborted(this.#signal);
      if (kept && error instanceof DermletError && error.code === 'MODEL_UNAVAILABLE') return kept;
      throw error;
    }
  }

  /**
   * One verified file of the model.
   * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, ABORTED
   */
  async file(entry: FileEntry, onProgress?: FileProgress): Promise<Uint8Array<ArrayBuffer>> {
    throwIfAborted(this.#signal);
    const kept = await this.#keptFile(entry);
    if (kept) {
      onProgress?.(entry.bytes, entry.bytes, true);
      return kept;
    }
    onProgress?.(0, entry.bytes, false);
    const url = addressIn(this.folder, entry.path, this.#addresses);
    const bytes = await download(url, {
      fetch: this.#fetch,
      signal: this.#signal,
      cache: 'no-cache', // the HTTP cache may hold an older version under the same name
      limit: entry.bytes,
      onBytes: (loaded) => onProgress?.(loaded, entry.bytes, false),
    });
    if (bytes.length !== entry.bytes && looksLikeHtml(bytes)) throw htmlInstead(url);
    await verifyFile(entry, bytes);
    throwIfAborted(this.#signal);
    await this.#keep(this.#key(entry), bytes, 'application/octet-stream');
    return bytes;
  }

  /** Keeps the manifest of a model whose network is kept, and removes its older versions' files. */
  async commit(manifest: Manifest): Promise<void> {
    const cache = await this.#open();
    if (!cache) return;
    await this.#keep(this.#manifestUrl, new TextEncoder().encode(JSON.stringify(manifest)), 'application/json');
    const current = new Set(filesOf(manifest).map((entry) => this.#key(entry)));
    try {
      for (const { url } of await cache.keys()) {
        if (this.#isFile(url) && !current.has(url)) await cache.delete(url);
      }
    } catch {
      // An old version left behind only costs space.
    }
  }

  #key(entry: FileEntry): string {
    return new URL(`${entry.path}?sha256=${entry.sha256}`, this.folder).href;
  }

  #isFile(url: string): boolean {
    return url.startsWith(this.folder) && !url.slice(this.folder.length).includes('/') && url.includes('?sha256=');
  }

  #open(): Promise<Cache | null> {
    this.#cache ??= Promise.resolve()
      .then(() => this.#caches?.open(CACHE) ?? null)
      .catch(() => null);
    return this.#cache;
  }

  async #freshManifest(): Promise<Manifest> {
    const url = addressIn(this.folder, 'manifest.json', this.#addresses);
    const bytes = await download(url, {
      fetch: this.#fetch,
      signal: this.#signal,
      cache: 'no-cache',
      limit: 4 << 20,
    });
    if (looksLikeHtml(bytes)) throw htmlInstead(url);
    return parseManifestText(new TextDecoder().decode(bytes));
  }

  async #keptManifest(): Promise<Manifest | undefined> {
    const bytes = await this.#read(this.#manifestUrl);
    if (!bytes) return undefined;
    try {
      return parseManifestText(new TextDecoder().decode(bytes));
    } catch {
      await this.#forget(this.#manifestUrl);
      return undefined;
    }
  }

  async #keptFile(entry: FileEntry): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const key = this.#key(entry);
    const bytes = await this.#read(key);
    if (!bytes) return undefined;
    try {
      await verifyFile(entry, bytes);
      return bytes;
    } catch {
      await this.#forget(key);
      return undefined;
    }
  }

  async #read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const response = await (await this.#open())?.match(key);
      return response && new Uint8Array(await response.arrayBuffer());
    } catch {
      return undefined;
    }
  }

  async #keep(key: string, bytes: Uint8Array<ArrayBuffer>, type: string): Promise<void> {
    try {
      await (await this.#open())?.put(
        key,
        new Response(bytes, { headers: { 'content-type': type, 'content-length': String(bytes.length) } }),
      );
    } catch {
      // Storage full or denied: the next visit fetches again.
    }
  }

  async #forget(key: string): Promise<void> {
    try {
      await (await this.#open())?.delete(key);
    } catch {
      // The next read rejects it again.
    }
  }
}

/**
 * The version of the model kept for a folder; undefined if none is kept or the cache cannot be read. A manifest is kept
 * only after its network.
 */
export async function keptVersion(
  folder: string,
  caches: CacheStorage | null = platformCaches(),
): Promise<string | undefined> {
  try {
    const response = await (await caches?.open(CACHE))?.match(new URL('manifest.json', folder).href);
    return response && parseManifestText(await response.text()).version;
  } catch {
    return undefined;
  }
}

/** Absent in insecure contexts; throws in some privacy modes. */
function platformCaches(): CacheStorage | null {
  try {
    return globalThis.caches ?? null;
  } catch {
    return null;
  }
}

function unlessSlow<T>(fresh: Promise<T>, kept: T, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(kept), milliseconds)));
  return Promise.race([fresh, late]).finally(() => clearTimeout(timer));
}
