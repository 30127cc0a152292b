/**
 * A model's files, by its manifest; `file-store.ts` fetches, verifies and keeps them.
 *
 * The manifest is fetched network-first, so that a new version is seen; the kept copy is used if the network fails or
 * is too slow. What is kept is always one complete version: the manifest is stored only after all files that were
 * loaded were read back, and then older versions are removed.
 */
import { throwIfAborted } from './abort.js';
import { type Addresses, addressIn } from './asset-base.js';
import { inCache, platformCaches } from './cache-storage.js';
import { download, type Fetch, htmlInstead, looksLikeHtml, platformFetch } from './download.js';
import { DermletError } from './errors.js';
import { type FileProgress, FileStore, type Promised, verify } from './file-store.js';
import { LIMITS } from './limits.js';
import { Line } from './line.js';
import { type FileEntry, filesOf, type Manifest, parseManifestText } from './manifest.js';
import { unzstd } from './unzstd.js';

const CACHE = 'dermlet-models';

export interface StoreOptions {
  fetch?: Fetch;
  /** undefined: the platform's, if there is one. null: none. */
  caches?: CacheStorage | null;
  signal?: AbortSignal | undefined;
  /** Addresses of files that are not in the model's folder. */
  addresses?: Addresses | undefined;
  /** Milliseconds to wait for a fresh manifest if there is a kept one. */
  keptAfter?: number;
}

/** @throws DermletError MODEL_CORRUPT if size or sha256 differs from the manifest's */
export const verifyFile = (entry: FileEntry, bytes: Uint8Array<ArrayBuffer>): Promise<void> =>
  verify({ ...entry, name: entry.path }, bytes);

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

export interface Versions {
  manifest: Manifest;
  kept?: Manifest;
  failed?: DermletError;
}

/** Where the files of a model are kept. */
export const modelKeys = (folder: string, manifest: Manifest): string[] =>
  filesOf(manifest).map((entry) => keyIn(folder, entry));

export const keyIn = (folder: string, { path, sha256 }: FileEntry): string =>
  new URL(`${path}?sha256=${sha256}`, folder).href;

const sameFiles = (a: Manifest, b: Manifest): boolean =>
  a.version === b.version && modelKeys('https://h/', a).join() === modelKeys('https://h/', b).join();

export class ModelStore {
  /** That its files come over, for others. */
  readonly line = new Line();
  readonly #fetch: Fetch;
  readonly #files: FileStore;
  readonly #signal: AbortSignal | undefined;
  readonly #keptAfter: number;
  readonly #addresses: Addresses | undefined;
  /** The manifest's key in the cache. */
  readonly #manifestUrl: string;

  /** `folder` as `modelFolder` gives it. */
  constructor(
    readonly folder: string,
    options: StoreOptions = {},
  ) {
    this.#fetch = options.fetch ?? platformFetch;
    const { caches, signal } = options;
    this.#files = new FileStore(CACHE, { fetch: this.#fetch, caches, signal, line: this.line, unzstd });
    this.#signal = options.signal;
    this.#keptAfter = options.keptAfter ?? LIMITS.manifest;
    this.#addresses = options.addresses;
    this.#manifestUrl = new URL('manifest.json', folder).href;
  }

  /**
   * The version to load, and the whole one kept here if that is another. A new manifest that cannot be read (made for
   * another version of Dermlet, damaged) leaves the kept one, and `failed` says why.
   * @throws DermletError MODEL_UNAVAILABLE (neither network nor a kept copy), MODEL_CORRUPT (fetched, but not a valid
   * manifest, and none kept), MODEL_TOO_NEW (as before, made for a newer Dermlet), ABORTED
   */
  async versions(): Promise<Versions> {
    const fresh = this.#freshManifest();
    fresh.catch(() => undefined); // awaited below; must not count as unhandled when the kept copy wins
    const kept = await this.#keptManifest();
    if (!kept) return { manifest: await fresh };
    try {
      const manifest = await unlessSlow(fresh, kept, this.#keptAfter);
      return sameFiles(manifest, kept) ? { manifest } : { manifest, kept };
    } catch (error) {
      throwIfAborted(this.#signal);
      if (!(error instanceof DermletError)) throw error;
      // Offline is no failed update.
      return error.code === 'MODEL_UNAVAILABLE' ? { manifest: kept } : { manifest: kept, failed: error };
    }
  }

  /**
   * One verified file of the model.
   * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, ABORTED
   */
  file(entry: FileEntry, onProgress?: FileProgress): Promise<Uint8Array<ArrayBuffer>> {
    return this.#files.file(this.#promised(entry), onProgress);
  }

  /** Keys of the files that were given here: each was verified. */
  given(): readonly string[] {
    return this.#files.keys();
  }

  /** Bytes that this file would come in; 0 if it is kept. */
  coming(entry: FileEntry): Promise<number> {
    return this.#files.coming(this.#promised(entry));
  }

  /**
   * Keeps the manifest of a model whose loaded files were all kept, and removes its older versions' files once it was
   * read back. If anything could not be kept, what was kept before stays.
   * @returns whether it is kept
   */
  async commit(manifest: Manifest): Promise<boolean> {
    if (!(await this.#files.allKept())) return false;
    const text = JSON.stringify(manifest);
    this.#files.keep(this.#manifestUrl, new TextEncoder().encode(text), 'application/json');
    await this.#files.settled();
    const kept = await this.#files.read(this.#manifestUrl);
    if (!kept || new TextDecoder().decode(kept) !== text) return false;
    const current = new Set(modelKeys(this.folder, manifest));
    await this.#files.forgetAll((url) => this.#isFile(url) && !current.has(url));
    return true;
  }

  #promised(entry: FileEntry): Promised {
    const { path, bytes, sha256, compressed } = entry;
    return {
      name: path,
      url: addressIn(this.folder, path, this.#addresses),
      key: keyIn(this.folder, entry),
      bytes,
      sha256,
      compressed: compressed && {
        url: addressIn(this.folder, compressed.path, this.#addresses),
        bytes: compressed.bytes,
      },
      cache: 'no-cache', // the HTTP cache may hold an older version under the same name
    };
  }

  #isFile(url: string): boolean {
    return url.startsWith(this.folder) && !url.slice(this.folder.length).includes('/') && url.includes('?sha256=');
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
    const bytes = await this.#files.read(this.#manifestUrl);
    if (!bytes) return undefined;
    try {
      return parseManifestText(new TextDecoder().decode(bytes));
    } catch (error) {
      // One for a newer Dermlet is right for the tab that has that.
      if (!(error instanceof DermletError) || error.code !== 'MODEL_TOO_NEW')
        await this.#files.forget(this.#manifestUrl);
      return undefined;
    }
  }
}

/** The version of the model of which every file is kept for a folder; undefined if none is, or nobody can tell. */
export async function keptVersion(
  folder: string,
  caches: CacheStorage | null = platformCaches(),
): Promise<string | undefined> {
  return inCache(caches, CACHE, async (cache) => {
    const response = await cache.match(new URL('manifest.json', folder).href);
    if (!response) return undefined;
    const manifest = parseManifestText(await response.text());
    const files = await Promise.all(modelKeys(folder, manifest).map((key) => cache.match(key)));
    return files.includes(undefined) ? undefined : manifest.version;
  });
}

function unlessSlow<T>(fresh: Promise<T>, kept: T, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(kept), milliseconds)));
  return Promise.race([fresh, late]).finally(() => clearTimeout(timer));
}
