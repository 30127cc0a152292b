/**
 * Node has no decoders of its own: libwebp, libavif and libheif in WebAssembly decode what the core does not. Each
 * picture has an instance of its own: its memory never shrinks, and a hostile file could have damaged it.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { broken, checkPixels, type DecodedPicture, type DecodeForeign, unsupported } from '../foreign.js';
import { type CreateLibheif, decodeHeic } from '../libheif.js';
import { avifBinary, avifScript, libheifBinary, libheifScript, webpBinary, webpScript } from './files.js';
import { read } from './read.js';

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** libwebp 1.4.0 of icodec 0.6.0. A file that is not read is null, or a sentence. */
interface Libwebp {
  decode(file: Uint8Array): Pixels | string | null;
}

/** libavif 1.0.1 and libaom 3.7.0 of @jsquash/avif 2.1.1. A file that is not read is null. */
interface Libavif {
  decode(file: Uint8Array, bitDepth: 8): Pixels | null;
}

type Create<Module> = (options: { wasmBinary: Uint8Array; printErr(text: string): void }) => Promise<Module>;

async function instanceOf<Module>(script: string, binary: string): Promise<Module> {
  const { default: create } = (await import(/* @vite-ignore */ pathToFileURL(script).href)) as {
    default: Create<Module>;
  };
  return create({ wasmBinary: await read(binary), printErr: () => undefined });
}

/** What libwebp's binding makes its result with. */
const RESULT = {
  _icodec_ImageData: (data: Uint8ClampedArray, width: number, height: number) => ({ data, width, height }),
};

/** An animation's mark in the flags of a WebP's first chunk, VP8X (RFC 9649, 2.7.1). */
const isAnimated = (file: Uint8Array): boolean => file[15] === 0x58 && (file[20]! & 2) !== 0;

/** @throws DermletError CORRUPT_IMAGE, UNSUPPORTED_FORMAT, IMAGE_TOO_LARGE */
async function decode(file: Uint8Array, format: 'webp' | 'avif'): Promise<DecodedPicture> {
  if (format === 'webp' && isAnimated(file)) throw unsupported(format, 'only browsers decode an animated one');
  Object.assign(globalThis, RESULT);
  const decoded =
    format === 'webp'
      ? await instanceOf<Libwebp>(webpScript(), webpBinary()).then((lib) => () => lib.decode(file))
      : await instanceOf<Libavif>(avifScript(), avifBinary()).then((lib) => () => lib.decode(file, 8));
  let pixels: Pixels | string | null;
  try {
    pixels = decoded();
  } catch (cause) {
    throw broken(format, cause); // a trap, or no memory
  }
  if (pixels === null || typeof pixels === 'string') throw broken(format, pixels ?? undefined);
  const { width, height, data } = pixels;
  checkPixels(width, height);
  return { path: format === 'webp' ? 'libwebp' : 'libavif', width, height, rgba: data };
}

/** @throws DermletError CORRUPT_IMAGE, UNSUPPORTED_FORMAT, IMAGE_TOO_LARGE, MODEL_UNAVAILABLE */
export const decodeInNode: DecodeForeign = async (bytes, format) => {
  if (format !== 'heic') return decode(bytes, format);
  const create = createRequire(import.meta.url)(libheifScript()) as CreateLibheif;
  return decodeHeic(bytes, await create({ wasmBinary: await read(libheifBinary()) }));
};
