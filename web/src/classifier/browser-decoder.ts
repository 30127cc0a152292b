/**
 * The browser's own decoders, for formats that the core cannot decode: ImageDecoder (WebCodecs) first, which gives
 * pixels without a canvas; else a bitmap drawn on a canvas and read back. Privacy browsers deliberately and silently
 * alter pixels read from a canvas: neither way is trusted until a known picture has come through it unchanged. Loaded
 * only for such a file.
 */
import { DermletError } from './errors.js';
import { broken, checkPixels, type DecodedPicture, type ForeignFormat, unsupported } from './foreign.js';
import { decodeHeic, type Libheif } from './libheif.js';
import { LIMITS } from './limits.js';
import { within } from './within.js';

/** The part of the worker's global scope that is used. */
export interface DecodingScope {
  ImageDecoder?: ImageDecoderClass;
  createImageBitmap?(blob: Blob, options: ImageBitmapOptions): Promise<ImageBitmap>;
  OffscreenCanvas?: new (width: number, height: number) => OffscreenCanvas;
}

/** The part of WebCodecs that is used; TypeScript's own library lacks ImageDecoder. */
interface ImageDecoderClass {
  new (init: {
    data: Uint8Array;
    type: string;
    premultiplyAlpha: 'none';
    colorSpaceConversion: 'none';
  }): {
    readonly tracks: Tracks;
    decode(options: { frameIndex: number }): Promise<{ image: Frame }>;
    close(): void;
  };
  isTypeSupported(type: string): Promise<boolean>;
}

interface Tracks extends Iterable<{ readonly animated: boolean; selected: boolean }> {
  readonly ready: Promise<void>;
}

interface Frame {
  readonly colorSpace?: { readonly primaries: string | null };
  readonly visibleRect: { readonly width: number; readonly height: number } | null;
  allocationSize(options: object): number;
  copyTo(target: Uint8ClampedArray, options: object): Promise<unknown>;
  close(): void;
}

type Pixels = Omit<DecodedPicture, 'path'>;
type Way = (scope: DecodingScope, bytes: Uint8Array<ArrayBuffer>, type: string) => Promise<Pixels>;

/** Errors of undecodable pictures and missing platform features are returned; a DermletError is final. */
const refused = (error: unknown): unknown => {
  if (error instanceof DermletError) throw error;
  return error;
};

/**
 * An animated AVIF holds a still picture beside its animation; browsers select the animation. Chromium 156 misreads its
 * range (every channel about 10 levels too light), so the still picture is used if there is one.
 */
async function selectStill(tracks: Tracks): Promise<void> {
  await tracks.ready;
  const still = [...tracks].find(({ animated }) => !animated);
  if (still !== undefined) still.selected = true;
}

/** Primaries that are taken for sRGB's. */
const UNCONVERTED: readonly unknown[] = [undefined, null, 'bt709', 'smpte170m', 'bt470bg'];

const webcodecs: Way = async (scope, data, type) => {
  const decoder = new scope.ImageDecoder!({ data, type, premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
  try {
    await selectStill(decoder.tracks);
    const { image } = await decoder.decode({ frameIndex: 0 });
    try {
      // copyTo() converts to sRGB, whatever the decoder was asked for. Chromium gives frames the primaries of their
      // matrix: BT.2020's would come out 11 levels from the values stored.
      if (!UNCONVERTED.includes(image.colorSpace?.primaries)) throw new Error('the frame would be converted');
      const { width, height } = image.visibleRect!;
      checkPixels(width, height);
      const rgba = new Uint8ClampedArray(width * height * 4);
      const options = { format: 'RGBA', colorSpace: 'srgb', layout: [{ offset: 0, stride: width * 4 }] };
      // Browsers that do not know `format` use the frame's own, which may be anything.
      if (image.allocationSize(options) !== rgba.length) throw new Error('the frame cannot be copied as RGBA');
      await image.copyTo(rgba, options);
      return { width, height, rgba };
    } finally {
      image.close();
    }
  } finally {
    decoder.close();
  }
};

/** Pixels read at once: phones limit canvases to about 16 million. */
const STRIP_PIXELS = 4_000_000;

const canvas: Way = async (scope, bytes, type) => {
  const bitmap = await scope.createImageBitmap!(new Blob([bytes], { type }), {
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
    imageOrientation: 'none' as ImageOrientation,
  });
  try {
    const { width, height } = bitmap;
    checkPixels(width, height);
    const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
    const context = new scope.OffscreenCanvas!(width, rows).getContext('2d', {
      willReadFrequently: true,
      colorSpace: 'srgb',
    });
    if (!context) throw new Error('there is no canvas');
    const rgba = new Uint8ClampedArray(width * height * 4);
    for (let y = 0; y < height; y += rows) {
      // A canvas stores colours premultiplied by alpha and returns them rounded: transparency is put on white here, not
      // afterwards.
      context.fillStyle = '#fff';
      context.fillRect(0, 0, width, rows);
      context.drawImage(bitmap, 0, -y);
      const read = Math.min(rows, height - y);
      rgba.set(context.getImageData(0, 0, width, read).data, y * width * 4);
    }
    return { width, height, rgba };
  } finally {
    bitmap.close();
  }
};

/** A decoder that is never done with a file has not decoded it. */
const inTime = <T>(decoding: Promise<T>): Promise<T> => within(decoding, LIMITS.decoder, 'The decoder');

/** 48 x 48 opaque pixels, hardly two alike: any browser that alters pixels alters some of these. */
const PROBE_SIDE = 48;

function probePixel(x: number, y: number): [red: number, green: number, blue: number] {
  return [(x * 5 + 7) & 255, (y * 5 + 3) & 255, (x * 31 + y * 17) & 255];
}

/** The probe as a 24-bit BMP: uncompressed, read by every browser, and decoded alike by all. */
export function probeFile(): Uint8Array<ArrayBuffer> {
  const stride = PROBE_SIDE * 3;
  const file = new Uint8Array(54 + stride * PROBE_SIDE);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, PROBE_SIDE, true);
  view.setInt32(22, PROBE_SIDE, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  view.setUint32(34, stride * PROBE_SIDE, true);
  for (let y = 0; y < PROBE_SIDE; y++) {
    for (let x = 0; x < PROBE_SIDE; x++)
      file.set(probePixel(x, y).reverse(), 54 + (PROBE_SIDE - 1 - y) * stride + x * 3);
  }
  return file;
}

export function isProbe({ width, height, rgba }: Pixels): boolean {
  if (width !== PROBE_SIDE || height !== PROBE_SIDE) return false;
  return rgba.every((value, i) => {
    const pixel = i >> 2;
    return value === [...probePixel(pixel % PROBE_SIDE, Math.floor(pixel / PROBE_SIDE)), 255][i & 3];
  });
}

/** Whether a known picture comes through unchanged. Tested each time: it takes 1 ms, and permissions change. */
async function trusted(scope: DecodingScope, way: Way): Promise<boolean> {
  try {
    return isProbe(await inTime(way(scope, probeFile(), 'image/bmp')));
  } catch {
    return false;
  }
}

/**
 * Two by two pixels in each format, to tell a browser that cannot read it from a broken file. Only Apple's canvas
 * reads HEIC.
 */
const TINY: Partial<Record<ForeignFormat, string>> = {
  webp: 'UklGRh4AAABXRUJQVlA4TBEAAAAvAUAAAAdQyyIXr/+BiOh/AAA=',
  avif: 'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAJQAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAAgAAAAIAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAALW1kYXQSAAoIGAA2iAhoNCAyFxlHh4Yhh5555oAAAJBAyRxgnL2A4+Qr',
};

async function reads(scope: DecodingScope, format: ForeignFormat): Promise<boolean> {
  const tiny = TINY[format];
  if (tiny === undefined || !scope.createImageBitmap) return false;
  try {
    const file = new Blob([Uint8Array.from(atob(tiny), (c) => c.charCodeAt(0))], { type: `image/${format}` });
    (await inTime(scope.createImageBitmap(file, {}))).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * @param bytes the file with the core's patches, so that no decoder rotates it or converts its colours
 * @param libheif makes a fresh instance; called only when needed
 * @throws DermletError UNSUPPORTED_FORMAT, CORRUPT_IMAGE, IMAGE_TOO_LARGE, and what `libheif` throws
 */
export async function decodeInBrowser(
  bytes: Uint8Array<ArrayBuffer>,
  format: ForeignFormat,
  libheif: () => Promise<Libheif>,
  scope: DecodingScope = globalThis as unknown as DecodingScope,
): Promise<DecodedPicture> {
  const type = `image/${format}`;
  const supported =
    scope.ImageDecoder !== undefined && (await scope.ImageDecoder.isTypeSupported(type).catch(() => false));
  let problem: unknown;
  if (supported && (await trusted(scope, webcodecs))) {
    try {
      return { path: 'webcodecs', ...(await inTime(webcodecs(scope, bytes, type))) };
    } catch (error) {
      problem = refused(error);
    }
  }
  const drawn = await fromCanvas(scope, bytes, type).catch(refused);
  if (drawn instanceof Altered) {
    if (format !== 'heic')
      throw unsupported(format, 'this browser alters the pixels that it gives out, so that they cannot be used');
  } else if (typeof drawn === 'object' && drawn !== null && 'rgba' in drawn) {
    return { path: 'canvas', ...(drawn as Pixels) };
  }
  if (format === 'heic') return decodeHeic(bytes, await libheif());
  if (supported || (await reads(scope, format))) throw broken(format, problem ?? drawn);
  throw unsupported(format, 'this browser cannot decode it');
}

/** The picture was decoded, but its pixels may be altered and must not be used. */
class Altered extends Error {}

async function fromCanvas(scope: DecodingScope, bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Pixels> {
  if (!scope.createImageBitmap || !scope.OffscreenCanvas) throw new Error('there is no canvas');
  const drawn = await inTime(canvas(scope, bytes, type));
  // In this order, so that an undecodable file is reported as such.
  if (!(await trusted(scope, canvas))) throw new Altered();
  return drawn;
}
