/**
 * Fetches whole files with progress, and reports plainly when something else arrives. The usual wrong response of a
 * static host is an HTML page with status 200 (single-page fallback, captive portal, sign-in page).
 */
import { abortedError, messageOf, throwIfAborted } from './abort.js';
import { whyNotFetched } from './causes.js';
import { DermletError } from './errors.js';
import { inside } from './inside.js';
import { LIMITS } from './limits.js';
import { nextTask } from './task.js';
import { Late, within } from './within.js';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Asks for a file by its address: inside this program, where that is one file, else on the network. */
export const platformFetch: Fetch = (url, init) => (inside ? inside.fetch(url, init) : fetch(url, init));

export interface Download {
  fetch: Fetch;
  signal?: AbortSignal | undefined;
  /** Bytes so far. */
  onBytes?: ((loaded: number) => void) | undefined;
  /** Stops with MODEL_CORRUPT beyond this many bytes. */
  limit?: number;
  /** Decompresses a Zstandard file as it comes, unless the host has done so. */
  inflate?: (() => Promise<Inflater>) | undefined;
  cache?: RequestCache;
}

/** Takes a compressed file in parts. */
export interface Inflater {
  /** @throws DermletError MODEL_CORRUPT */
  push(part: Uint8Array): void;
  /** The whole file. @throws DermletError MODEL_CORRUPT if its end is missing */
  finish(): Uint8Array<ArrayBuffer>;
}

/** Turns an error from fetch or from reading the body into a DermletError. */
function failure(url: string, cause: unknown, signal?: AbortSignal): DermletError {
  if (signal?.aborted) return abortedError(signal);
  if (cause instanceof DermletError) return cause;
  return new DermletError('MODEL_UNAVAILABLE', `${url} could not be fetched: ${messageOf(cause)}`, { cause });
}

/**
 * @throws DermletError MODEL_UNAVAILABLE (network, no answer in time, status, an HTML page), CROSS_ORIGIN,
 * POLICY_BLOCKED, SANDBOXED, OPENED_AS_FILE, ABORTED
 */
export async function fetchOk(url: string, { fetch, signal, cache }: Download): Promise<Response> {
  throwIfAborted(signal);
  let response: Response;
  const request = new AbortController();
  const onAbort = () => request.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  try {
    const coming = fetch(url, {
      signal: request.signal,
      ...(cache ? { cache } : {}),
      credentials: 'same-origin',
      referrerPolicy: 'no-referrer',
    });
    response = await within(coming, LIMITS.still, 'The server', signal);
  } catch (cause) {
    signal?.removeEventListener('abort', onAbort);
    request.abort();
    const error = failure(url, cause, signal);
    if (error.code !== 'MODEL_UNAVAILABLE' || cause instanceof Late || cause === error) throw error;
    throw (await whyNotFetched(url, cause)) ?? error;
  }
  if (!response.ok)
    throw new DermletError('MODEL_UNAVAILABLE', `${url} could not be fetched: the server answered ${response.status}.`);
  if (/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) throw htmlInstead(url);
  return response;
}

export function htmlInstead(url: string): DermletError {
  return new DermletError('MODEL_UNAVAILABLE', `${url}: the server sent an HTML page in place of the file.`);
}

const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** Whether bytes begin as a Zstandard file does. A host may have decompressed it on the way, or sent something else. */
const isZstd = (bytes: Uint8Array): boolean => ZSTD_MAGIC.every((byte, index) => bytes[index] === byte);

/** Bytes that are decompressed at a time. */
const STEP = 64 << 10;

/**
 * Decompresses what comes, in steps: on a slow device the line is faster, and how much has come must be known at once.
 */
class Unpacking {
  readonly #inflater: Promise<Inflater>;
  readonly #waiting: Uint8Array[] = [];
  #steps: Promise<void> | undefined;
  #failed: unknown;

  constructor(inflate: () => Promise<Inflater>) {
    this.#inflater = inflate();
    this.#inflater.catch(() => undefined); // told when it is asked for
  }

  /** @throws DermletError MODEL_CORRUPT, of what was pushed before */
  push(chunk: Uint8Array): void {
    if (this.#failed !== undefined) throw this.#failed;
    this.#waiting.push(chunk);
    this.#steps ??= this.#run().catch((error: unknown) => {
      this.#failed = error;
    });
  }

  /** @throws DermletError MODEL_CORRUPT */
  async finish(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#steps;
    if (this.#failed !== undefined) throw this.#failed;
    return (await this.#inflater).finish();
  }

  async #run(): Promise<void> {
    const inflater = await this.#inflater;
    while (this.#waiting.length > 0) {
      await nextTask(); // what has come in the meantime is taken first
      for (let taken = 0; taken < STEP && this.#waiting.length > 0; ) {
        const chunk = this.#waiting.shift()!;
        taken += chunk.length;
        inflater.push(chunk);
      }
    }
    this.#steps = undefined;
  }
}

/** @throws Late when no byte has come for long, DermletError ABORTED, and what the body and `take` throw */
export async function eachChunk(
  response: Response,
  take: (chunk: Uint8Array) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const next = () => within(reader.read(), LIMITS.still, 'The download', signal);
  try {
    for (let part = await next(); !part.done; part = await next()) take(part.value);
  } finally {
    // Ends a download no longer wanted; does nothing after the last chunk.
    void reader.cancel().catch(() => undefined);
  }
}

async function collect(
  url: string,
  response: Response,
  { onBytes, limit = Infinity, inflate, signal }: Download,
): Promise<Uint8Array<ArrayBuffer>> {
  let chunks: Uint8Array[] = [];
  let loaded = 0;
  let unpacking: Unpacking | undefined;
  const take = (chunk: Uint8Array) => {
    loaded += chunk.length;
    if (loaded > limit)
      throw new DermletError('MODEL_CORRUPT', `${url} is larger than the ${limit} bytes that it should have.`);
    onBytes?.(loaded);
    const first = unpacking === undefined && loaded >= 4 && loaded - chunk.length < 4;
    if (unpacking) unpacking.push(chunk);
    else chunks.push(chunk);
    if (first && inflate && isZstd(joined(chunks))) {
      unpacking = new Unpacking(inflate);
      for (const part of chunks) unpacking.push(part);
      chunks = [];
    }
  };
  await eachChunk(response, take, signal);
  return unpacking ? unpacking.finish() : joined(chunks);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** The file's bytes. @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT (over the limit), ABORTED */
export async function download(url: string, options: Download): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetchOk(url, options);
  try {
    const bytes = await collect(url, response, options);
    throwIfAborted(options.signal);
    return bytes;
  } catch (cause) {
    throw failure(url, cause, options.signal);
  }
}

/** True for bytes that begin like a markup page. */
export function looksLikeHtml(bytes: Uint8Array): boolean {
  return /^(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)/i.test(String.fromCharCode(...bytes.subarray(0, 64)));
}

/** @throws DermletError MODEL_UNAVAILABLE if the bytes are not WebAssembly; the message says if they are HTML */
export function requireWasm(url: string, bytes: Uint8Array): void {
  const magic = [0x00, 0x61, 0x73, 0x6d];
  if (magic.every((byte, index) => bytes[index] === byte)) return;
  if (looksLikeHtml(bytes)) throw htmlInstead(url);
  throw new DermletError('MODEL_UNAVAILABLE', `${url} is not a WebAssembly file.`);
}
