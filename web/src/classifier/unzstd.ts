/** Decompresses a Zstandard file while it arrives. */
import { Decompress } from 'fzstd';
import { messageOf } from './abort.js';
import { DermletError } from './errors.js';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** Whether bytes begin as a Zstandard file does. A host may have decompressed it on the way, or sent something else. */
export const isZstd = (bytes: Uint8Array): boolean => MAGIC.every((byte, index) => bytes[index] === byte);

export class Unzstd {
  readonly #whole: Uint8Array<ArrayBuffer>;
  readonly #stream: Decompress;
  #length = 0;

  /**
   * @param url for messages
   * @param bytes of the decompressed file; more are refused before they are kept
   */
  constructor(
    readonly url: string,
    bytes: number,
  ) {
    this.#whole = new Uint8Array(bytes);
    this.#stream = new Decompress((part) => {
      if (this.#length + part.length > bytes)
        throw new DermletError('MODEL_CORRUPT', `${url} is larger than the ${bytes} bytes that it should have.`);
      this.#whole.set(part, this.#length);
      this.#length += part.length;
    });
  }

  /** @throws DermletError MODEL_CORRUPT */
  push(part: Uint8Array): void {
    this.#guarded(() => this.#stream.push(part));
  }

  /** The whole file. @throws DermletError MODEL_CORRUPT if its end is missing */
  finish(): Uint8Array<ArrayBuffer> {
    this.#guarded(() => this.#stream.push(new Uint8Array(0), true));
    return this.#whole.subarray(0, this.#length);
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (cause) {
      if (cause instanceof DermletError) throw cause;
      throw new DermletError('MODEL_CORRUPT', `${this.url} is damaged or cut off: ${messageOf(cause)}.`, { cause });
    }
  }
}
