/**
 * The one place that fetches and keeps the engine's files and the models': each is known by its sha256, which is
 * checked when it has come and on every read of the kept copy. What is wrong is dropped and fetched again. Cache
 * Storage is optional: if it is absent, denied or full, everything works except offline use.
 */
import { throwIfAborted } from './abort.js';
import { inCache, platformCaches } from './cache-storage.js';
import { download, type Fetch, htmlInstead, looksLikeHtml, platformFetch } from './download.js';
import { DermletError } from './errors.js';
import { inside } from './inside.js';
import { LIMITS } from './limits.js';
import { AHEAD, Line, type Place } from './line.js';
import { sha256 } from './sha256.js';
import type { Unzstd } from './unzstd.js';
import { Late, within } from './within.js';

/** A file as it is promised by whoever names it. */
export interface Promised {
  /** For messages. */
  name: string;
  url: string;
  /** Its address in the cache, which holds its sha256. */
  key: string;
  bytes: number;
  sha256: string;
  /** The same in fewer bytes (Zstandard). */
  compressed?: { url: string; bytes: number } | undefined;
  /** Of the first request; undefined: the HTTP cache's rules. */
  cache?: RequestCache | undefined;
}

export type FileProgress = (loaded: number, total: number, cached: boolean) => void;

export interface FileStoreOptions {
  fetch?: Fetch | undefined;
  /** undefined: the platform's, if there is one. null: none. */
  caches?: CacheStorage | null | undefined;
  signal?: AbortSignal | undefined;
  /** Shared with other stores whose files come over the same line. */
  line?: Line | undefined;
  /** Undefined: files are fetched as they are. */
  unzstd?: Unzstd | undefined;
}

/** @throws DermletError MODEL_CORRUPT if size or sha256 is another */
export async function verify(
  { name, bytes: size, sha256: sum }: Pick<Promised, 'name' | 'bytes' | 'sha256'>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  if (bytes.length !== size)
    throw new DermletError('MODEL_CORRUPT', `${name} has ${bytes.length} bytes, but should have ${size}.`);
  if ((await sha256(bytes)) !== sum)
    throw new DermletError('MODEL_CORRUPT', `${name} is damaged or changed: its sha256 is not the one it should have.`);
}

const isNetwork = (cause: unknown): boolean => cause instanceof TypeError || cause instanceof Late;

export class FileStore {
  readonly #fetch: Fetch;
  readonly #caches: CacheStorage | null;
  readonly #signal: AbortSignal | undefined;
  readonly #line: Line;
  readonly #unzstd: Unzstd | undefined;
  readonly #coming = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  readonly #keeping = new Set<Promise<void>>();
  /** Files that were given, by key. */
  readonly #given = new Map<string, Promised>();
  /** Keys of kept copies that were read back and verified. */
  readonly #right = new Set<string>();

  /** `name` of the cache. */
  constructor(
    readonly name: string,
    { fetch: fetcher, caches, signal, line = new Line(), unzstd }: FileStoreOptions = {},
  ) {
    this.#fetch = fetcher ?? platformFetch;
    this.#caches = caches === undefined ? platformCaches() : caches;
    this.#signal = signal;
    this.#line = line;
    this.#unzstd = unzstd;
  }

  /**
   * The file's bytes, verified; not to be changed, as who asks at the same time gets the same. Progress counts the
   * bytes that are sent.
   * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, ABORTED
   */
  file(wanted: Promised, onProgress?: FileProgress): Promise<Uint8Array<ArrayBuffer>> {
    // What is inside this program is on the device already.
    const told: FileProgress | undefined = inside ? (loaded, total) => onProgress?.(loaded, total, true) : onProgress;
    const coming =
      this.#coming.get(wanted.key) ?? this.#file(wanted, told).finally(() => this.#coming.delete(wanted.key));
    this.#coming.set(wanted.key, coming);
    return coming;
  }

  /** How a file is asked for first. */
  #smallest(wanted: Promised): Promised['compressed'] {
    return this.#unzstd && wanted.compressed;
  }

  async #file(wanted: Promised, onProgress: FileProgress | undefined): Promise<Uint8Array<ArrayBuffer>> {
    throwIfAborted(this.#signal);
    const place = this.#line.enter();
    try {
      const kept = await this.#keptFile(wanted);
      if (kept) {
        this.#given.set(wanted.key, wanted);
        onProgress?.(wanted.bytes, wanted.bytes, true);
        return kept;
      }
      onProgress?.(0, (this.#smallest(wanted) ?? wanted).bytes, false); // it counts among what is to come
      await place.turn;
      const bytes = await this.#fetchFile(wanted, onProgress, place);
      throwIfAborted(this.#signal);
      this.#given.set(wanted.key, wanted);
      // Not awaited: the first answer does not need it.
      this.keep(wanted.key, bytes, 'application/octet-stream');
      return bytes;
    } finally {
      place.leave();
    }
  }

  async #fetchFile(
    wanted: Promised,
    onProgress: FileProgress | undefined,
    place: Place,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const compressed = this.#smallest(wanted);
    const report: FileProgress = (loaded, total, cached) => {
      if (total - loaded <= AHEAD) place.leave();
      onProgress?.(loaded, total, cached);
    };
    report(0, (compressed ?? wanted).bytes, false);
    try {
      return await this.#attempt(wanted, { compressed, cache: wanted.cache }, report);
    } catch (error) {
      throwIfAborted(this.#signal);
      // Nothing answered: asking for it in another form would not help.
      if (!(error instanceof DermletError) || isNetwork(error.cause)) throw error;
      if (error.code !== 'MODEL_CORRUPT' && !compressed) throw error;
      return this.#attempt(wanted, { compressed: undefined, cache: 'reload' }, onProgress);
    }
  }

  async #attempt(
    wanted: Promised,
    { compressed, cache }: Pick<Promised, 'compressed' | 'cache'>,
    onProgress: FileProgress | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { url, bytes: total } = compressed ?? wanted;
    const unzstd = compressed && this.#unzstd;
    const bytes = await download(url, {
      fetch: this.#fetch,
      signal: this.#signal,
      ...(cache ? { cache } : {}),
      limit: wanted.bytes,
      inflate: unzstd && (() => unzstd(url, wanted.bytes)),
      onBytes: (loaded) => onProgress?.(Math.min(loaded, total), total, false),
    });
    if (bytes.length !== wanted.bytes && looksLikeHtml(bytes)) throw htmlInstead(url);
    await verify(wanted, bytes);
    onProgress?.(total, total, false);
    return bytes;
  }

  async #keptFile(wanted: Promised): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = await this.read(wanted.key);
    if (!bytes) return undefined;
    try {
      await verify(wanted, bytes);
      this.#right.add(wanted.key);
      return bytes;
    } catch {
      await this.forget(wanted.key);
      return undefined;
    }
  }

  /** Bytes that a file would come in; 0 if there is a kept copy, right or not. */
  async coming(wanted: Promised): Promise<number> {
    const kept = await this.#inCache((cache) => cache.match(wanted.key));
    return kept ? 0 : (this.#smallest(wanted) ?? wanted).bytes;
  }

  /** Whether the kept copy is there and right; one that was read back before only has to be there still. */
  async isKept(wanted: Promised): Promise<boolean> {
    await this.settled();
    if (!this.#right.has(wanted.key)) return (await this.#keptFile(wanted)) !== undefined;
    return (await this.#inCache((cache) => cache.match(wanted.key))) !== undefined;
  }

  /** Whether every file that was given here is kept. */
  async allKept(): Promise<boolean> {
    for (const wanted of this.#given.values()) if (!(await this.isKept(wanted))) return false;
    return true;
  }

  /** Keys of the files that were given here. */
  keys(): string[] {
    return [...this.#given.keys()];
  }

  /** The files that were given here: each was verified. */
  given(): readonly Promised[] {
    return [...this.#given.values()];
  }

  /** Resolves when all that was to be kept is, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(this.#keeping);
  }

  /** If the storage is full, denied or silent, the next visit fetches again. */
  keep(key: string, bytes: Uint8Array<ArrayBuffer>, type: string): void {
    const headers = { 'content-type': type, 'content-length': String(bytes.length) };
    const keeping: Promise<void> = this.#inCache(
      (cache) => cache.put(key, new Response(bytes, { headers })),
      LIMITS.cacheFile,
    ).finally(() => this.#keeping.delete(keeping));
    this.#keeping.add(keeping);
  }

  read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#inCache(async (cache) => {
      const response = await within(cache.match(key), LIMITS.cache, 'Cache Storage');
      return response && new Uint8Array(await response.arrayBuffer());
    }, LIMITS.cacheFile);
  }

  /** What stays is rejected by the next read again. */
  async forget(key: string): Promise<void> {
    await this.#inCache((cache) => cache.delete(key));
  }

  /** Removes what `old` says of its address, and nothing that another tab holds. What stays only costs space. */
  async forgetAll(old: (key: string) => boolean): Promise<void> {
    await this.#inCache(async (cache) => {
      for (const { url } of await cache.keys())
        if (old(url)) await unlessHeld(url, async () => void (await cache.delete(url)));
    }, LIMITS.cacheFile);
  }

  #inCache<T>(use: (cache: Cache) => Promise<T>, milliseconds?: number): Promise<T | undefined> {
    return inCache(this.#caches, this.name, use, milliseconds);
  }
}

const lockOf = (key: string): string => `dermlet:${key}`;
const platformLocks = (): LockManager | undefined =>
  (globalThis.navigator as { locks?: LockManager } | undefined)?.locks;

/** Holds kept files, so that no other tab removes them. Returns what ends that. */
export function hold(keys: readonly string[]): () => void {
  const locks = platformLocks();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  // Where locks are denied there is no Cache Storage either.
  for (const key of keys) void locks?.request(lockOf(key), { mode: 'shared' }, () => held).catch(() => undefined);
  return release;
}

async function unlessHeld(key: string, remove: () => Promise<void>): Promise<void> {
  const locks = platformLocks();
  if (!locks) return remove();
  await locks.request(lockOf(key), { ifAvailable: true }, (lock) => (lock ? remove() : undefined));
}
