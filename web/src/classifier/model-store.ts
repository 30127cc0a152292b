/**
 * A model's files, by its manifest; `file-store.ts` fetches, verifies and keeps them.
 *
 * The manifest is fetched network-first, so that a new version is seen; the kept copy is used if the network fails or
 * is too slow. What is kept is always one complete version: the manifest is stored only after all files that were
 * loaded were read back, and then older versions are removed.
 */
import { throwIfAborted } from './abort.js';
import { type Addresses, addressIn } from './asset-base.js';
import { download, type Fetch, htmlInstead, looksLikeHtml } from './download.js';
import { DermletError } from './errors.js';
import { type FileProgress, FileStore, type Promised, platformCaches, verify } from './file-store.js';
import { type FileEntry, filesOf, type Manifest, parseManifestText } from './manifest.js';

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

const keyIn = (folder: string, { path, sha256 }: FileEntry): string => new URL(`${path}?sha256=${sha256}`, folder).href;

const sameFiles = (a: Manifest, b: Manifest): boolean =>
  a.version === b.version && modelKeys('https://h/', a).join() === modelKeys('https://h/', b).join();

export class ModelStore {
  readonly #fetch: Fetch;
  readonly #files: FileStore;
  readonly #signal: AbortSignal | undefined;
  readonly #keptAfter: number;
  readonly #addresses: Addresses | undefined;
  /** The manifest's key in the cache. */
  readonly #manifestUrl: string;
  readonly #asked = new Set<FileEntry>();

  /** `folder` as `modelFolder` gives it. */
  constructor(
    readonly folder: string,
    options: StoreOptions = {},
  ) {
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#files = new FileStore(CACHE, { fetch: this.#fetch, caches: options.caches, signal: options.signal });
    this.#signal = options.signal;
    this.#keptAfter = options.keptAfter ?? 4000;
    this.#addresses = options.addresses;
    this.#manifestUrl = new URL('manifest.json', folder).href;
  }

  /**
   * The version to load, and the whole one kept here if that is another. A new manifest that cannot be read (made for
   * another version of Dermlet, damaged) leaves the kept one, and `failed` says why.
   * @throws DermletError MODEL_UNAVAILABLE (neither network nor a kept copy), MODEL_CORRUPT (fetched, but not a valid
   * manifest, and none kept), ABORTED
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
  async file(entry: FileEntry, onProgress?: FileProgress): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.#files.file(this.#promised(entry), onProgress);
    this.#asked.add(entry);
    return bytes;
  }

  /** Bytes that this file would come in; 0 if it is kept. */
  async coming(entry: FileEntry): Promise<number> {
    return (await this.#files.has(this.#promised(entry))) ? 0 : (entry.compressed?.bytes ?? entry.bytes);
  }

  /**
   * Keeps the manifest of a model whose loaded files were all kept, and removes its older versions' files. If one could
   * not be kept, what was kept before stays. Resolves to whether all is kept.
   */
  async commit(manifest: Manifest): Promise<boolean> {
    for (const entry of this.#asked) if (!(await this.#files.isKept(this.#promised(entry)))) return false;
    this.#files.keep(this.#manifestUrl, new TextEncoder().encode(JSON.stringify(manifest)), 'application/json');
    await this.#files.settled();
    const current = new Set(modelKeys(this.folder, manifest));
    await this.#files.forgetAll((url) => this.#isFile(url) && !current.has(url));
    return (await this.#keptManifest()) !== undefined;
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
    } catch {
      await this.#files.forget(this.#manifestUrl);
      return undefined;
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

function unlessSlow<T>(fresh: Promise<T>, kept: T, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(kept), milliseconds)));
  return Promise.race([fresh, late]).finally(() => clearTimeout(timer));
}
