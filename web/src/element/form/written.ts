/** A photo written anew for a form: what it shows, and nothing of what a camera wrote into its file. */
import { jpegOf, jpegOfBitmap, pixelsOf } from '../report/files.js';
import type { Done, Photo } from '../session.js';

/** Pixels, the longer side of what is sent: canvases of some phones hold no more than 16.7 megapixels. */
const LONGEST = 4096;

/**
 * @param photo one that the core has read: its file has been held to the limits
 * @returns a JPEG, upright, in sRGB; null where the browser does not let a page read what it draws
 */
export async function writtenAnew(photo: Photo, { result, shown }: Done): Promise<Blob | null> {
  const { width, height } = result.source;
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  try {
    const bitmap = await createImageBitmap(photo.file, {
      resizeWidth: Math.max(1, Math.round(width * scale)),
      resizeHeight: Math.max(1, Math.round(height * scale)),
      resizeQuality: 'high',
    });
    try {
      return await jpegOfBitmap(bitmap);
    } finally {
      bitmap.close();
    }
  } catch {
    // A format that this browser does not read, or too little memory: what is shown of it is smaller.
    const pixels = shown && pixelsOf(shown.preview);
    return pixels && jpegOf(pixels);
  }
}
