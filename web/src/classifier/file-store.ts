/**
 * The one place that fetches and keeps the engine's files and the models': each is known by its sha256, which is
 * checked when it has come and on every read of the kept copy. What is wrong is dropped and fetched again. Cache
 * Storage is optional: if it is absent, denied or full, everything works except offline use.
 */
import { throwIfAborted } from './abort.js';
import { download, type Fetch, htmlInstead, looksLikeHtml } from './download.js';
import { DermletError } from './errors.js';
import { sha256 } from './sha256.js';

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

export class FileStore {
  readonly #fetch: Fetch;
  readonly #caches: CacheStorage | null;
  readonly #signal: AbortSignal | undefined;
  readonly #coming = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  readonly #keeping = new Set<Promise<void>>();
  #cache: Promise<Cache | null> | undefined;

  /** `name` of the cache. */
  constructor(
    readonly name: string,
    { fetch: fetcher, caches, signal }: FileStoreOptions = {},
  ) {
    this.#fetch = fetcher ?? ((url, init) => fetch(url, init));
    this.#caches = caches === undefined ? platformCaches() : caches;
    this.#signal = signal;
  }

  /**
   * The file's bytes, verified; not to be changed, as who asks at the same time gets the same. Progress counts the
   * bytes that are sent.
   * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, ABORTED
   */
  file(wanted: Promised, onProgress?: FileProgress): Promise<Uint8Array<ArrayBuffer>> {
    const coming =
      this.#coming.get(wanted.key) ?? this.#file(wanted, onProgress).finally(() => this.#coming.delete(wanted.key));
    this.#coming.set(wanted.key, coming);
    return coming;
  }

  async #file(wanted: Promised, onProgress: FileProgress | undefined): Promise<Uint8Array<ArrayBuffer>> {
    throwIfAborted(this.#signal);
    const kept = await this.#keptFile(wanted);
    if (kept) {
      onProgress?.(wanted.bytes, wanted.bytes, true);
      return kept;
    }
    const bytes = await this.#fetchFile(wanted, onProgress);
    throwIfAborted(this.#signal);
    // Not awaited: the first answer does not need it.
    this.keep(wanted.key, bytes, 'application/octet-stream');
    return bytes;
  }

  async #fetchFile(wanted: Promised, onProgress: FileProgress | undefined): Promise<Uint8Array<ArrayBuffer>> {
    const first = { compressed: wanted.compressed, cache: wanted.cache };
    try {
      return await this.#attempt(wanted, first, onProgress);
    } catch (error) {
      throwIfAborted(this.#signal);
      // Nothing answered: asking for it in another form would not help.
      if (!(error instanceof DermletError) || error.cause instanceof TypeError) throw error;
      if (error.code !== 'MODEL_CORRUPT' && !wanted.compressed) throw error;
      return this.#attempt(wanted, { compressed: undefined, cache: 'reload' }, onProgress);
    }
  }

  async #attempt(
    wanted: Promised,
    { compressed, cache }: Pick<Promised, 'compressed' | 'cache'>,
    onProgress: FileProgress | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { url, bytes: total } = compressed ?? wanted;
    onProgress?.(0, total, false);
    const bytes = await download(url, {
      fetch: this.#fetch,
      signal: this.#signal,
      ...(cache ? { cache } : {}),
      limit: wanted.bytes,
      ...(compressed ? { inflated: wanted.bytes } : {}),
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
      return bytes;
    } catch {
      await this.forget(wanted.key);
      return undefined;
    }
  }

  /** Whether there is a kept copy, right or not. */
  async has({ key }: Pick<Promised, 'key'>): Promise<boolean> {
    return ((await (await this.#open())?.match(key).catch(() => undefined)) ?? undefined) !== undefined;
  }

  /** Whether the kept copy is there and right. */
  async isKept(wanted: Promised): Promise<boolean> {
    await this.settled();
    return (await this.#keptFile(wanted)) !== undefined;
  }

  /** Resolves when all that was to be kept is, or could not be. */
  async settled(): Promise<void> {
    await Promise.all(this.#keeping);
  }

  keep(key: string, bytes: Uint8Array<ArrayBuffer>, type: string): void {
    const keeping: Promise<void> = this.#put(key, bytes, type).finally(() => this.#keeping.delete(keeping));
    this.#keeping.add(keeping);
  }

  async #put(key: string, bytes: Uint8Array<ArrayBuffer>, type: string): Promise<void> {
    try {
      const headers = { 'content-type': type, 'content-length': String(bytes.length) };
      await (await this.#open())?.put(key, new Response(bytes, { headers }));
    } catch {
      // Storage full or denied: the next visit fetches again.
    }
  }

  async read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const response = await (await this.#open())?.match(key);
      return response && new Uint8Array(await response.arrayBuffer());
    } catch {
      return undefined;
    }
  }

  async forget(key: string): Promise<void> {
    try {
      await (await this.#open())?.delete(key);
    } catch {
      // The next read rejects it again.
    }
  }

  /** Removes what `old` says of its address, and nothing that another tab holds. */
  async forgetAll(old: (key: string) => boolean): Promise<void> {
    try {
      const cache = await this.#open();
      for (const { url } of (await cache?.keys()) ?? [])
        if (old(url)) await unlessHeld(url, async () => void (await cache?.delete(url)));
    } catch {
      // An old version left behind only costs space.
    }
  }

  #open(): Promise<Cache | null> {
    this.#cache ??= Promise.resolve()
      .then(() => this.#caches?.open(this.name) ?? null)
      .catch(() => null);
    return this.#cache;
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

/** Absent in insecure contexts; throws in some privacy modes. */
export function platformCaches(): CacheStorage | null {
  try {
    return globalThis.caches ?? null;
  } catch {
    return null;
  }
}
