import { join } from 'node:path';
import { messageOf } from '../abort.js';
import type { FileEntry } from '../documents.js';
import { DermletError } from '../errors.js';
import { verifyFile } from '../model-store.js';
import { FileRefused, MAX_BYTES, readRegularFile } from './regular-file.js';

/** Bytes of a manifest or a licence; the largest shipped one has 80 000. */
export const MAX_TEXT_BYTES = 4 << 20;

/**
 * One of the engine's or a model's files; a model may be a stranger's.
 * @param most bytes
 * @throws DermletError MODEL_UNAVAILABLE (not a regular file, or it cannot be read), MODEL_CORRUPT (it is larger)
 */
export async function read(path: string, most: number = MAX_BYTES): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readRegularFile(path, most);
  } catch (cause) {
    const code = cause instanceof FileRefused && cause.reason === 'too-large' ? 'MODEL_CORRUPT' : 'MODEL_UNAVAILABLE';
    throw new DermletError(code, `${path} could not be read: ${messageOf(cause)}`, { cause });
  }
}

/** The manifest's text. @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT */
export const readManifestText = async (folder: string): Promise<string> =>
  new TextDecoder().decode(await read(join(folder, 'manifest.json'), MAX_TEXT_BYTES));

/**
 * A file that a manifest names; no more of it is read than the manifest states.
 * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT
 */
export async function readEntry(folder: string, entry: FileEntry): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await read(join(folder, entry.path), Math.min(entry.bytes, MAX_BYTES));
  await verifyFile(entry, bytes);
  return bytes;
}
