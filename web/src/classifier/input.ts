/**
 * One picture, or one lesion's pictures, in each layer's form: as the caller gave them, as kept, on the wire, in the
 * engine.
 */
import { DermletError } from './errors.js';
import type { Crop } from './options.js';

export interface PictureOf<Bytes> {
  /** A whole JPEG, PNG, BMP, WebP, AVIF or HEIC file. */
  bytes: Bytes;
  modality?: string;
  crop?: Crop;
}

/** One picture, or the list of one lesion's pictures. */
export type InputOf<Bytes> = Bytes | readonly PictureOf<Bytes>[];

export const isList = <One, Entry>(input: One | readonly Entry[]): input is readonly Entry[] => Array.isArray(input);

/** All the files in an input. */
export const filesIn = <Bytes>(input: InputOf<Bytes>): Bytes[] =>
  isList(input) ? input.map(({ bytes }) => bytes) : [input];

/** The same input with its files in another form. */
export const withFiles = <From, To>(input: InputOf<From>, change: (bytes: From) => To): InputOf<To> =>
  isList(input) ? input.map((picture) => ({ ...picture, bytes: change(picture.bytes) })) : change(input);

/** Prefixes an error's message with which of `count` pictures failed. */
export async function ofPicture<T>(index: number, count: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (count === 1 || !(cause instanceof DermletError)) throw cause;
    throw new DermletError(cause.code, `Picture ${index + 1}: ${cause.message}`, { cause });
  }
}
