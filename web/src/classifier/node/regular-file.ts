/** Reads files of the disk: regular ones alone, and never more of them than they may have. */
import { constants, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/** Bytes of a file whose size nothing states: as many as one buffer was always able to hold. */
export const MAX_BYTES = 2 ** 31 - 1;

/** Why a file is not read. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';

  constructor(
    readonly reason: 'no-file' | 'too-large',
    message: string,
  ) {
    super(message);
  }
}

function kindOf(info: Stats): string {
  if (info.isDirectory()) return 'a folder';
  if (info.isFIFO()) return 'a pipe';
  if (info.isSocket()) return 'a socket';
  return 'a device';
}

const tooLarge = (what: string, most: number): FileRefused =>
  new FileRefused('too-large', `${what}; at most ${most} can be read.`);

function requireFile(info: Stats, most: number): void {
  if (!info.isFile()) throw new FileRefused('no-file', `This is ${kindOf(info)}, not a file.`);
  if (info.size > most) throw tooLarge(`The file has ${info.size} bytes`, most);
}

/**
 * The size is checked before, and again while reading: a file may grow, and some state none.
 * @param path bytes where the name is not UTF-8
 * @param most bytes
 * @throws FileRefused, Error where it cannot be opened or read
 */
export async function readRegularFile(
  path: string | Uint8Array | URL,
  most: number = MAX_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  const named = path instanceof Uint8Array ? Buffer.from(path) : path;
  requireFile(await stat(named), most);
  // What was a file a moment ago may be a pipe by now: opening it must not wait for a writer.
  const file = await open(named, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const info = await file.stat();
    requireFile(info, most);
    let bytes = new Uint8Array(Math.max(info.size, 4096) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
      length += bytesRead;
      if (length > most) throw tooLarge(`The file has more than ${most} bytes`, most);
      if (bytesRead === 0) return bytes.subarray(0, length);
      if (length < bytes.length) continue;
      const larger = new Uint8Array(Math.min(2 * bytes.length, most + 1));
      larger.set(bytes);
      bytes = larger;
    }
  } finally {
    await file.close();
  }
}
