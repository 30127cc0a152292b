/** What goes out of the page: made anew from what is shown, named by the day alone. */
import { type Picture, type Result, withoutImages } from '../../classifier/index.js';
import { isoDay } from '../reminder.js';
import type { Paper, Pixels } from './pdf.js';
import type { Report } from './report.js';

/** Such as `dermlet-2026-11-28.pdf`: nothing of the answer, the photo's name or what it shows. */
export const fileName = (at: Date, ending: string): string => `dermlet-${isoDay(at)}.${ending}`;

/** The result without pixels, with its time; `documentVersion` grows when a field changes its meaning. */
export const documentOf = (result: Result, at: Date) => ({
  documentVersion: 1,
  classifiedAt: at.toISOString(),
  result: withoutImages(result),
});

/** Regions (ISO 3166) whose paper is Letter, by Unicode's CLDR. */
const LETTER = 'BZ CA CL CO CR GT MX NI PA PH PR SV US VE'.split(' ');

/** @param locale the browser's, such as `de-AT` */
export function paperOf(locale: string): Paper {
  try {
    return LETTER.includes(new Intl.Locale(locale).maximize().region ?? '') ? 'letter' : 'a4';
  } catch {
    return 'a4';
  }
}

function contextOf(width: number, height: number): CanvasRenderingContext2D {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  return context;
}

/** Whether what is drawn on a canvas can be read back unchanged: browsers that guard privacy alter it. */
export function readsBack(): boolean {
  const side = 16;
  const drawn = Uint8ClampedArray.from({ length: 4 * side * side }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256));
  const context = contextOf(side, side);
  context.putImageData(new ImageData(drawn, side, side), 0, 0);
  return context.getImageData(0, 0, side, side).data.every((value, i) => value === drawn[i]);
}

/** Pixels of a preview; null where it is a bitmap that cannot be read. */
export function pixelsOf(preview: Picture | ImageBitmap): Pixels | null {
  if (!(preview instanceof ImageBitmap)) return preview;
  if (!readsBack()) return null;
  const { width, height } = preview;
  const context = contextOf(width, height);
  context.drawImage(preview, 0, 0);
  return { width, height, rgba: context.getImageData(0, 0, width, height).data };
}

/** A JPEG that the browser writes anew, with what `over` draws; null where canvases cannot be read. */
export async function jpegOf(
  { width, height, rgba }: Pixels,
  over: (context: CanvasRenderingContext2D) => void = () => undefined,
): Promise<Blob | null> {
  if (!readsBack()) return null;
  const context = contextOf(width, height);
  context.putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0);
  over(context);
  return encoded(context);
}

/** As `jpegOf`, of a picture that the browser has decoded; white where it is transparent. */
export async function jpegOfBitmap(bitmap: ImageBitmap): Promise<Blob | null> {
  if (!readsBack()) return null;
  const { width, height } = bitmap;
  const context = contextOf(width, height);
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  return encoded(context);
}

const encoded = ({ canvas }: CanvasRenderingContext2D): Promise<Blob | null> =>
  new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));

/** The photo with the frame, as `jpegOf`. */
export function photoFile(pixels: Pixels, { picture }: Report): Promise<Blob | null> {
  return jpegOf(pixels, (context) => {
    if (!picture.region) return;
    const scale = pixels.width / picture.width;
    const { x, y, width: wide, height: high } = picture.region;
    const thick = Math.max(2, pixels.width / 250);
    for (const [style, line] of [
      ['#23201c', 2 * thick],
      ['#ffffff', thick],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = line;
      context.strokeRect(x * scale, y * scale, wide * scale, high * scale);
    }
  });
}

export async function base64Of(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Whether this device can hand such files to other apps. */
export const canShare = (type: string, ending: string): boolean =>
  navigator.canShare?.({ files: [new File([''], `dermlet.${ending}`, { type })] }) ?? false;

/** @returns false if the person gave it up, which is no error */
export async function share(file: File): Promise<boolean> {
  try {
    await navigator.share({ files: [file] });
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return false;
    throw error;
  }
}
