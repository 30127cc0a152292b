/** Reads a picture's file: a regular one, and never more of it than a picture may have. */
import { messageOf } from '../abort.js';
import { DermletError } from '../errors.js';
import { MAX_FILE_BYTES } from '../given.js';
import { FileRefused, readRegularFile } from './regular-file.js';

/**
 * @param path bytes where the name is not UTF-8
 * @throws DermletError UNREADABLE_FILE (not a regular file, or it cannot be read), IMAGE_TOO_LARGE
 */
export async function readPictureFile(path: string | Uint8Array | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readRegularFile(path, MAX_FILE_BYTES);
  } catch (cause) {
    if (cause instanceof FileRefused) {
      const code = cause.reason === 'too-large' ? 'IMAGE_TOO_LARGE' : 'UNREADABLE_FILE';
      throw new DermletError(code, cause.message, { cause });
    }
    throw new DermletError('UNREADABLE_FILE', `The file could not be read: ${messageOf(cause)}`, { cause });
  }
}
