/**
 * A head's file, little endian:
 *   0   "DHD1"
 *   4   bytes of the manifest, a uint32
 *   8   the manifest, JSON in UTF-8 (`models/head.schema.json`), filled up with spaces to a multiple of 4
 *   ... floats: the weights, a row for each class, then a bias for each; nothing after them
 */

import { headManifest } from './documents.js';
import { DermletError } from './errors.js';
import type { Head } from './head.js';
import { parsed, read, refuseNewer, reject } from './reading.js';

const WHAT = "The head's file";
const MAGIC = [0x44, 0x48, 0x44, 0x31];
const HEADER = 8;
const HEAD_VERSION = 1;
/** As in `wasm_src/core/learn/head.h`. */
const MAX_CLASSES = 100;
const MAX_PARAMETERS = 2 ** 19;
const MAX_MANIFEST = 256 << 10;

const broken = (problem: string): DermletError =>
  new DermletError('MODEL_CORRUPT', `${WHAT} is not valid: ${problem}.`);

/** What a file may have at most, by which larger ones are refused unread. */
export const MAX_HEAD_BYTES = HEADER + MAX_MANIFEST + 4 * MAX_PARAMETERS;

/** @throws DermletError MODEL_CORRUPT that says what is wrong, MODEL_TOO_NEW */
export function readHead(file: Uint8Array): Head {
  if (file.length < HEADER || MAGIC.some((byte, at) => file[at] !== byte)) throw broken('it is not a head');
  if (file.length > MAX_HEAD_BYTES) throw broken('it is larger than any head');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(4, true);
  if (length % 4 !== 0 || length > MAX_MANIFEST || length > file.length - HEADER) throw broken('it is cut short');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(HEADER, HEADER + length));
  } catch (cause) {
    throw new DermletError('MODEL_CORRUPT', `${WHAT} is not valid: it is not text.`, { cause });
  }
  const manifest = read(WHAT, headManifest, parsed(WHAT, text), { before: checkVersion, after: checkTogether });
  const rows = manifest.classes.length;
  const weights = rows * manifest.embeddingSize;
  const floats = weights + rows;
  if (file.length !== HEADER + length + 4 * floats) throw broken('its length is not that of its weights');
  const values = Float32Array.from({ length: floats }, (_none, at) => view.getFloat32(HEADER + length + 4 * at, true));
  if (!values.every(Number.isFinite)) throw broken('a weight is not a finite number');
  return { manifest, weights: values.slice(0, weights), bias: values.slice(weights) };
}

function checkVersion(value: unknown): void {
  const version = (value as { headVersion?: unknown } | null | undefined)?.headVersion;
  if (Number.isInteger(version)) refuseNewer(WHAT, version as number, HEAD_VERSION);
}

/** What a schema cannot say. */
function checkTogether({ classes, pictures, heldOut, embeddingSize }: Head['manifest']): void {
  const ids = classes.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) reject('classes', `name '${twice}' twice`);
  if (classes.length > MAX_CLASSES || classes.length * (embeddingSize + 1) > MAX_PARAMETERS)
    reject('classes', 'are more than can be read');
  if (pictures.length !== classes.length) reject('pictures', 'must have one entry for each class');
  if (heldOut.confusion.length !== classes.length ** 2) reject('heldOut.confusion', 'must have a row for each class');
}

export function headFile({ manifest, weights, bias }: Head): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(manifest));
  const length = (text.length + 3) & ~3;
  const file = new Uint8Array(HEADER + length + 4 * (weights.length + bias.length)).fill(0x20, HEADER, HEADER + length);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(4, length, true);
  file.set(text, HEADER);
  [...weights, ...bias].forEach((value, at) => void view.setFloat32(HEADER + length + 4 * at, value, true));
  return file;
}
