/** Pictures as callers pass them: files, file addresses, and pixels. */
import { messageOf } from './abort.js';
import { eachChunk } from './download.js';
import { DermletError } from './errors.js';
import { isList } from './input.js';
import { LIMITS } from './limits.js';
import type { ClassifyInput } from './options.js';
import type { Result, Source } from './result.js';
import { within } from './within.js';

/** Bytes. The core has the same limit; here larger files are refused before they are read. */
export const MAX_FILE_BYTES = 64 << 20;

/** Pixels wrapped as a file that the core reads. */
export class PixelFile {
  constructor(
    readonly file: ArrayBuffer,
    /** Size of the pixels alone. */
    readonly bytes: number,
  ) {}
}

/** A picture that the caller can no longer change. */
export type Kept = Blob | ArrayBuffer | URL | PixelFile;

/**
 * Buffers and pixels are copied now: the caller may change them, and must get them back intact. A Blob never changes.
 * @throws DermletError INVALID_ARGUMENT, IMAGE_TOO_LARGE
 */
export function keptInput(input: ClassifyInput): Kept {
  if (typeof input === 'string' || input instanceof URL) return ownAddress(input);
  const pixels = pixelsOf(input);
  if (pixels) return pixelFile(pixels);
  const size = input instanceof Blob ? input.size : (input as ArrayBuffer | undefined)?.byteLength;
  if (typeof size !== 'number')
    throw new DermletError(
      'INVALID_ARGUMENT',
      'A picture must be a Blob, a File, an ArrayBuffer, a Uint8Array, an ImageBitmap, a canvas, an ImageData ' +
        'or an address.',
    );
  checkSize(size);
  if (input instanceof Blob) return input;
  return input instanceof Uint8Array ? (input.slice().buffer as ArrayBuffer) : (input as ArrayBuffer).slice(0);
}

function checkSize(bytes: number): void {
  if (bytes > MAX_FILE_BYTES)
    throw new DermletError('IMAGE_TOO_LARGE', `The file has ${bytes} bytes; at most ${MAX_FILE_BYTES} can be read.`);
}

/** Photos are fetched only from the page's own origin: another host could learn from the address whose photo it is. */
function ownAddress(address: string | URL): URL {
  const here = globalThis.location;
  const url = URL.canParse(address, here?.href) ? new URL(address, here?.href) : undefined;
  if (url?.origin !== here?.origin || url === undefined)
    throw new DermletError(
      'INVALID_ARGUMENT',
      `'${String(address)}' is no address of this page's own origin; fetch the file and give its Blob.`,
    );
  return url;
}

async function fetched(address: URL, signal: AbortSignal | undefined): Promise<ArrayBuffer> {
  const request = new AbortController();
  const abort = () => request.abort();
  signal?.addEventListener('abort', abort);
  try {
    // `same-origin` also refuses redirects to other origins.
    const coming = fetch(address, { mode: 'same-origin', signal: request.signal });
    const response = await within(coming, LIMITS.still, 'The server', signal);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    await eachChunk(
      response,
      (chunk) => {
        size += chunk.length;
        checkSize(size);
        chunks.push(chunk as Uint8Array<ArrayBuffer>);
      },
      signal,
    );
    return await new Blob(chunks).arrayBuffer();
  } finally {
    signal?.removeEventListener('abort', abort);
    abort();
  }
}

/** The file's bytes, for the worker. @throws DermletError UNREADABLE_FILE, IMAGE_TOO_LARGE, ABORTED */
export async function bytesOf(input: Kept, signal?: AbortSignal): Promise<ArrayBuffer> {
  if (input instanceof PixelFile) return input.file;
  if (input instanceof ArrayBuffer) return input;
  try {
    return input instanceof Blob
      ? await within(input.arrayBuffer(), LIMITS.file, 'It', signal)
      : await fetched(input, signal);
  } catch (cause) {
    if (cause instanceof DermletError) throw cause;
    throw new DermletError('UNREADABLE_FILE', `The file could not be read: ${messageOf(cause)}`, { cause });
  }
}

interface Pixels {
  width: number;
  height: number;
  /** RGBA, rows from the top, not premultiplied. */
  data: ArrayLike<number> & { readonly byteLength: number };
}

type Drawable = ImageBitmap | HTMLCanvasElement | OffscreenCanvas;

/** By name: a class that the platform lacks has no instances. */
function isA<Kind>(value: unknown, ...names: string[]): value is Kind {
  return names.some((name) => {
    const kind = (globalThis as Record<string, unknown>)[name];
    return typeof kind === 'function' && value instanceof kind;
  });
}

function pixelsOf(input: unknown): Pixels | undefined {
  if (isA<ImageData>(input, 'ImageData')) return input;
  if (!isA<Drawable>(input, 'ImageBitmap', 'HTMLCanvasElement', 'OffscreenCanvas')) return undefined;
  const { width, height } = input;
  if (width === 0 || height === 0) throw new DermletError('INVALID_ARGUMENT', 'The picture has no pixels.');
  checkPixels(width, height);
  try {
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
    context.drawImage(input, 0, 0);
    return context.getImageData(0, 0, width, height, { colorSpace: 'srgb' });
  } catch (cause) {
    throw new DermletError('INVALID_ARGUMENT', `The picture's pixels cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Header size of a BMP with channel masks. */
const HEADER = 14 + 108;

function checkPixels(width: number, height: number): void {
  if (HEADER + width * height * 4 > MAX_FILE_BYTES)
    throw new DermletError(
      'IMAGE_TOO_LARGE',
      `The picture is ${width} x ${height} pixels; given as pixels at most 16.7 million can be read.`,
    );
}

/** A BMP with RGBA channel masks and a negative height (rows from the top), so the pixels stay as they are. */
function pixelFile({ width, height, data }: Pixels): PixelFile {
  if (!(data instanceof Uint8ClampedArray))
    throw new DermletError('INVALID_ARGUMENT', 'An ImageData must have 8 bits a channel.');
  checkPixels(width, height);
  const file = new Uint8Array(HEADER + data.byteLength);
  const view = new DataView(file.buffer);
  const words: [at: number, value: number][] = [
    [2, file.length],
    [10, HEADER],
    [14, 108],
    [18, width],
    [22, -height],
    [30, 3], // channel masks
    [54, 0x000000ff],
    [58, 0x0000ff00],
    [62, 0x00ff0000],
    [66, 0xff000000],
  ];
  view.setUint16(0, 0x4d42, true); // 'BM'
  view.setUint16(26, 1, true);
  view.setUint16(28, 32, true);
  for (const [at, value] of words) view.setInt32(at, value, true);
  file.set(data, HEADER);
  return new PixelFile(file.buffer, data.byteLength);
}

/** Marks sources given as pixels: not a file, and not bit-exact, since another browser may decode other pixels. */
export function withPixelSources(result: Result, input: Kept | readonly { bytes: Kept }[]): Result {
  const kept = isList(input) ? input.map(({ bytes }) => bytes) : [input];
  const marked = (source: Source, index: number): Source => {
    const picture = kept[index];
    if (!(picture instanceof PixelFile)) return source;
    return { ...source, format: 'pixels', bytes: picture.bytes, decodePath: 'caller', bitExact: false };
  };
  const { lesion } = result;
  return {
    ...result,
    source: marked(result.source, lesion?.primaryIndex ?? 0),
    ...(lesion
      ? {
          lesion: {
            ...lesion,
            perPicture: lesion.perPicture.map((each, index) => ({ ...each, source: marked(each.source, index) })),
          },
        }
      : {}),
  };
}
