/**
 * Decompresses a Zstandard file while it arrives, with the official decoder as WebAssembly (`zstddec`): a decoder in
 * JavaScript took seven times as long, which is seconds on a phone.
 */
import packed from '../../../build/zstd/decoder.js';
import { messageOf } from './abort.js';
import type { Inflater } from './download.js';
import { DermletError } from './errors.js';

/** Addresses and sizes are bytes of `memory`; sizes and what `ZSTD_decompressStream` returns are unsigned. */
interface Decoder {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_DStreamInSize(): number;
  ZSTD_DStreamOutSize(): number;
  /** @param output, input address of a struct of three words: what is there, of how many bytes, how many are done */
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

/** Results above are errors (`ZSTD_isError`): the negatives of codes below 120. */
const LAST_SIZE = 2 ** 32 - 120;
const WORD = 4;

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  // No Blob: WebKit reads none where the page was opened from a file.
  const binary = new Response(bytes).body!.pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(binary).arrayBuffer());
}

/** Makes what decompresses one file, whose memory is freed with it. @param url for messages */
export type Unzstd = (url: string, bytes: number) => Promise<Inflater>;

/** Undefined where the platform has no `DecompressionStream`, in which the decoder itself comes. */
export const unzstd: Unzstd | undefined =
  typeof DecompressionStream === 'function'
    ? async (url, bytes) => {
        compiled ??= compile();
        compiled.catch(() => {
          compiled = undefined; // for want of memory, say: the next file tries again
        });
        const imports = { env: { emscripten_notify_memory_growth() {} } };
        const { exports } = await WebAssembly.instantiate(await compiled, imports);
        return new Frames(exports as unknown as Decoder, url, bytes);
      }
    : undefined;

class Frames implements Inflater {
  readonly #whole: Uint8Array<ArrayBuffer>;
  #length = 0;
  readonly #context: number;
  readonly #taken: { at: number; bytes: number };
  readonly #given: { at: number; bytes: number };
  readonly #input: number;
  readonly #output: number;
  /** Whether a frame is whole, and nothing came after it. */
  #ended = false;

  /** @param bytes of the decompressed file; more are refused before they are kept */
  constructor(
    readonly decoder: Decoder,
    readonly url: string,
    bytes: number,
  ) {
    this.#whole = new Uint8Array(bytes);
    this.#context = decoder.ZSTD_createDCtx();
    const buffer = (size: number) => ({ at: decoder.malloc(size), bytes: size });
    this.#taken = buffer(decoder.ZSTD_DStreamInSize());
    this.#given = buffer(decoder.ZSTD_DStreamOutSize());
    this.#input = decoder.malloc(3 * WORD);
    this.#output = decoder.malloc(3 * WORD);
    const all = [this.#context, this.#taken.at, this.#given.at, this.#input, this.#output];
    if (all.includes(0)) throw new DermletError('BACKEND_FAILED', `There is no memory left to decompress ${url}.`);
  }

  push(part: Uint8Array): void {
    const { bytes } = this.#taken;
    for (let at = 0; at < part.length; at += bytes) this.#decompress(part.subarray(at, at + bytes));
  }

  finish(): Uint8Array<ArrayBuffer> {
    if (!this.#ended) throw new DermletError('MODEL_CORRUPT', `${this.url} is cut off.`);
    return this.#whole.subarray(0, this.#length);
  }

  #decompress(part: Uint8Array): void {
    const { decoder } = this;
    // A view of the memory ends when that grows.
    new Uint8Array(decoder.memory.buffer).set(part, this.#taken.at);
    const write = (struct: number, { at, bytes }: { at: number; bytes: number }) =>
      new Uint32Array(decoder.memory.buffer, struct, 3).set([at, bytes, 0]);
    const done = (struct: number) => new Uint32Array(decoder.memory.buffer, struct, 3)[2]!;
    write(this.#input, { ...this.#taken, bytes: part.length });
    // What fills the output may not be all.
    for (let full = false; full || done(this.#input) < part.length; ) {
      write(this.#output, this.#given);
      const left = this.#run();
      const length = done(this.#output);
      if (this.#length + length > this.#whole.length)
        throw new DermletError(
          'MODEL_CORRUPT',
          `${this.url} is larger than the ${this.#whole.length} bytes that it should have.`,
        );
      this.#whole.set(new Uint8Array(decoder.memory.buffer, this.#given.at, length), this.#length);
      this.#length += length;
      this.#ended = left === 0;
      full = length === this.#given.bytes && !this.#ended;
    }
  }

  /** @returns a hint of how many bytes are still to come; 0: a frame is whole */
  #run(): number {
    let left: number;
    try {
      left = this.decoder.ZSTD_decompressStream(this.#context, this.#output, this.#input) >>> 0;
    } catch (cause) {
      throw this.#damaged(messageOf(cause), cause);
    }
    if (left > LAST_SIZE) throw this.#damaged(`error ${2 ** 32 - left} of Zstandard`);
    return left;
  }

  #damaged(why: string, cause?: unknown): DermletError {
    return new DermletError('MODEL_CORRUPT', `${this.url} is damaged or cut off: ${why}.`, { cause });
  }
}
