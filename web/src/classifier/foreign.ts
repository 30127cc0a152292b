/**
 * Pictures that the core recognises but does not decode: WebP, AVIF and HEIC. The environment decodes them; the core
 * processes their pixels.
 */
import type { Picture } from '../../../wasm_src/bindings/dermlet.js';
import { FORMAT_PHRASES, type ForeignFormat } from './contract.js';
import { DermletError } from './errors.js';

export type { ForeignFormat };

/**
 * - `core`: this project's own decoder, bit-exact everywhere
 * - `webcodecs`: the browser's, through ImageDecoder
 * - `canvas`: the browser's, read from a canvas that was found to return pixels unchanged
 * - `libheif`: libheif in WebAssembly
 * - `libwebp`, `libavif`: those in WebAssembly, in Node
 * - `caller`: the caller, who passed pixels instead of a file
 */
export type DecodePath = 'core' | 'webcodecs' | 'canvas' | 'libheif' | 'libwebp' | 'libavif' | 'caller';

/** RGBA as stored in the file, with no orientation and no colour profile applied. */
export interface DecodedPicture extends Picture {
  path: Exclude<DecodePath, 'core' | 'caller'>;
}

/**
 * @throws DermletError UNSUPPORTED_FORMAT, CORRUPT_IMAGE, IMAGE_TOO_LARGE, DECODER_UNAVAILABLE, and what `imported`
 * gives
 */
export type DecodeForeign = (bytes: Uint8Array<ArrayBuffer>, format: ForeignFormat) => Promise<DecodedPicture>;

/** Pixels; the core's limit, applied again to the size that a decoder reports. */
export const MAX_PIXELS = 64_000_000;

export function unsupported(format: ForeignFormat, why: string): DermletError {
  return new DermletError(
    'UNSUPPORTED_FORMAT',
    `the file is ${FORMAT_PHRASES[format]}, and ${why}; save it as JPEG or PNG`,
  );
}

export function broken(format: ForeignFormat, cause?: unknown): DermletError {
  return new DermletError(
    'CORRUPT_IMAGE',
    `the file is ${FORMAT_PHRASES[format]} whose data is broken, or coded in a way that is not read`,
    { cause },
  );
}

/** @throws DermletError IMAGE_TOO_LARGE */
export function checkPixels(width: number, height: number): void {
  if (width * height > MAX_PIXELS)
    throw new DermletError(
      'IMAGE_TOO_LARGE',
      `the picture is ${width} x ${height} pixels; at most 64 million can be read`,
    );
}

/** A copy of a file with the core's patches: pairs of an offset and the byte to write there. */
export function patchedCopy(bytes: Uint8Array, patches: readonly number[]): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  for (let i = 0; i + 1 < patches.length; i += 2) copy[patches[i]!] = patches[i + 1]!;
  return copy;
}
