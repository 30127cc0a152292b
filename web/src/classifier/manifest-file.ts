/**
 * Files that begin with a manifest (heads, atlases), little endian:
 *   0   four letters that say what it is
 *   4   bytes of the manifest, a uint32
 *   8   the manifest, JSON in UTF-8, filled up with spaces to a multiple of 4
 *   ... what the manifest says
 */
import type { GenericSchema } from 'valibot';
import { DermletError } from './errors.js';
import { parsed, read, refuseNewer } from './reading.js';

/** A kind of such files. */
export interface ManifestFile<T> {
  /** At the start of a message. */
  what: string;
  /** As in 'it is not an atlas'. */
  name: string;
  magic: string;
  /** The manifest's field that has its version, and the version that is read here. */
  version: readonly [field: string, known: number];
  schema: GenericSchema<unknown, T>;
  /** What the schema cannot say; calls `reject`. */
  together?: (manifest: T) => void;
  /** Bytes that a manifest may have. */
  most: number;
}

/** Bytes before the manifest. */
export const HEADER = 8;

export const brokenFile = ({ what }: { what: string }, problem: string, cause?: unknown): DermletError =>
  new DermletError('MODEL_CORRUPT', `${what} is not valid: ${problem}.`, { cause });

/**
 * The manifest, and where it ends: what follows is the caller's to check.
 * @throws DermletError MODEL_CORRUPT that says what is wrong, MODEL_TOO_NEW
 */
export function readManifest<T>(file: Uint8Array, kind: ManifestFile<T>): { manifest: T; end: number } {
  const { what, name, magic, schema, together, most } = kind;
  const [field, known] = kind.version;
  if (file.length < HEADER || [...magic].some((letter, at) => file[at] !== letter.charCodeAt(0)))
    throw brokenFile(kind, `it is not ${name}`);
  const length = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(4, true);
  if (length % 4 !== 0 || length > most || length > file.length - HEADER) throw brokenFile(kind, 'it is cut short');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(HEADER, HEADER + length));
  } catch (cause) {
    throw brokenFile(kind, 'it is not text', cause);
  }
  const before = (value: unknown): void => {
    const version = (value as Record<string, unknown> | null)?.[field];
    if (Number.isInteger(version)) refuseNewer(what, version as number, known);
  };
  const manifest = read(what, schema, parsed(what, text), { before, ...(together ? { after: together } : {}) });
  return { manifest, end: HEADER + length };
}

/**
 * A file with its manifest in place, and zeros from where it ends.
 * @param bytes of what follows the manifest
 * @throws DermletError INVALID_ARGUMENT where the manifest is larger than is read again
 */
export function withManifest<T>(
  { what, magic, most }: ManifestFile<T>,
  manifest: T,
  bytes: number,
): { file: Uint8Array<ArrayBuffer>; end: number } {
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  const end = HEADER + ((text.length + 3) & ~3);
  if (end - HEADER > most)
    throw new DermletError('INVALID_ARGUMENT', `${what} would have a manifest of more than ${most} bytes.`);
  const file = new Uint8Array(end + bytes);
  file.set(new TextEncoder().encode(magic));
  new DataView(file.buffer).setUint32(4, end - HEADER, true);
  file.fill(0x20, HEADER, end).set(text, HEADER);
  return { file, end };
}
