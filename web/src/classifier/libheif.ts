/**
 * HEIC through libheif-js (LGPL-3.0), in browsers and in Node. A separate file beside the engine's, fetched only for a
 * HEIC that the browser cannot decode, and replaceable by another build.
 */
import { broken, checkPixels, type DecodedPicture } from './foreign.js';

/** The part of libheif-js 1.23.2 that is used. */
export interface Libheif {
  HeifDecoder: new () => HeifDecoder;
  heif_context_free(context: unknown): void;
}

interface HeifDecoder {
  /** The context that was read; null before. */
  decoder: unknown;
  decode(bytes: Uint8Array): HeifImage[];
}

interface HeifImage {
  get_width(): number;
  get_height(): number;
  is_primary(): boolean;
  display(target: { data: Uint8ClampedArray; width: number; height: number }, done: (target: unknown) => void): void;
  free(): void;
}

export type CreateLibheif = (options: { wasmBinary: Uint8Array }) => Libheif | Promise<Libheif>;

/**
 * The primary picture as RGBA. `lib` should be dropped afterwards: its memory never shrinks.
 * @throws DermletError CORRUPT_IMAGE, IMAGE_TOO_LARGE
 */
export async function decodeHeic(bytes: Uint8Array, lib: Libheif): Promise<DecodedPicture> {
  const decoder = new lib.HeifDecoder();
  let images: HeifImage[] = [];
  try {
    images = decoder.decode(bytes);
    const image = images.find((each) => each.is_primary());
    if (!image) throw broken('heic');
    const [width, height] = [image.get_width(), image.get_height()];
    checkPixels(width, height);
    const rgba = new Uint8ClampedArray(width * height * 4);
    const decoded = await new Promise((done) => image.display({ data: rgba, width, height }, done));
    if (!decoded) throw broken('heic');
    return { path: 'libheif', width, height, rgba };
  } finally {
    for (const image of images) image.free();
    if (decoder.decoder) lib.heif_context_free(decoder.decoder);
  }
}
