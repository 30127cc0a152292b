/** Reads a picture's file: a regular one, and never more of it than a picture may have. */
import { constants, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { messageOf } from '../abort.js';
import { DermletError } from '../errors.js';
import { MAX_FILE_BYTES } from '../given.js';

function kindOf(info: Stats): string {
  if (info.isDirectory()) return 'a folder';
  if (info.isFIFO()) return 'a pipe';
  if (info.isSocket()) return 'a socket';
  return 'a device';
}

function requireFile(info: Stats): void {
  if (!info.isFile()) throw new DermletError('UNREADABLE_FILE', `This is ${kindOf(info)}, not a file.`);
  if (info.size > MAX_FILE_BYTES) throw tooLarge(`The file has ${info.size} bytes`);
}

const tooLarge = (what: string): DermletError =>
  new DermletError('IMAGE_TOO_LARGE', `${what}; at most ${MAX_FILE_BYTES} can be read.`);

/** The size is checked before, and again while reading: a file may grow, and some state none. */
async function readLimited(path: string | Buffer | URL): Promise<Uint8Array<ArrayBuffer>> {
  requireFile(await stat(path));
  // What was a file a moment ago may be a pipe by now: opening it must not wait for a writer.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const info = await file.stat();
    requireFile(info);
    let bytes = new Uint8Array(Math.max(info.size, 4096) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      length += bytesRead;
      if (length > MAX_FILE_BYTES) throw tooLarge(`The file has more than ${MAX_FILE_BYTES} bytes`);
      if (bytesRead === 0) return bytes.subarray(0, length);
      if (length < bytes.length) continue;
      const larger = new Uint8Array(Math.min(2 * bytes.length, MAX_FILE_BYTES + 1));
      larger.set(bytes);
      bytes = larger;
    }
  } finally {
    await file.close();
  }
}

/**
 * @param path bytes where the name is not UTF-8
 * @throws DermletError UNREADABLE_FILE (not a regular file, or it cannot be read), IMAGE_TOO_LARGE
 */
export async function readPictureFile(path: string | Uint8Array | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readLimited(path instanceof Uint8Array ? Buffer.from(path) : path);
  } catch (cause) {
    if (cause instanceof DermletError) throw cause;
    throw new DermletError('UNREADABLE_FILE', `The file could not be read: ${messageOf(cause)}`, { cause });
  }
}
