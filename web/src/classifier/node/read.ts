import { readFile } from 'node:fs/promises';
import { messageOf } from '../abort.js';
import { DermletError } from '../errors.js';

/** One of the engine's or a model's files. @throws DermletError MODEL_UNAVAILABLE */
export async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new DermletError('MODEL_UNAVAILABLE', `${path} could not be read: ${messageOf(cause)}`, { cause });
  }
}
