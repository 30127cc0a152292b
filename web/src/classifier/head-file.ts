/**
 * A head's file: its manifest (`models/head.schema.json`) as in `manifest-file.ts`, then floats, little endian: the
 * weights, a row for each class, then a bias for each; nothing after them.
 */
import { headManifest } from './documents.js';
import type { Head } from './head.js';
import { brokenFile, HEADER, type ManifestFile, readManifest, withManifest } from './manifest-file.js';
import { reject } from './reading.js';

/** As in `wasm_src/core/learn/head.h`. */
const MAX_CLASSES = 100;
const MAX_PARAMETERS = 2 ** 19;

const HEAD: ManifestFile<Head['manifest']> = {
  what: "The head's file",
  name: 'a head',
  magic: 'DHD1',
  version: ['headVersion', 1],
  schema: headManifest,
  together: checkTogether,
  most: 256 << 10,
};

/** What a file may have at most, by which larger ones are refused unread. */
export const MAX_HEAD_BYTES = HEADER + HEAD.most + 4 * MAX_PARAMETERS;

/** @throws DermletError MODEL_CORRUPT that says what is wrong, MODEL_TOO_NEW */
export function readHead(file: Uint8Array): Head {
  const { manifest, end } = readManifest(file, HEAD);
  const rows = manifest.classes.length;
  const weights = rows * manifest.embeddingSize;
  const floats = weights + rows;
  if (file.length !== end + 4 * floats) throw brokenFile(HEAD, 'its length is not that of its weights');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const values = Float32Array.from({ length: floats }, (_none, at) => view.getFloat32(end + 4 * at, true));
  if (!values.every(Number.isFinite)) throw brokenFile(HEAD, 'a weight is not a finite number');
  return { manifest, weights: values.slice(0, weights), bias: values.slice(weights) };
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

/** @throws DermletError INVALID_ARGUMENT where its manifest is larger than is read again */
export function headFile({ manifest, weights, bias }: Head): Uint8Array<ArrayBuffer> {
  const { file, end } = withManifest(HEAD, manifest, 4 * (weights.length + bias.length));
  const view = new DataView(file.buffer);
  [...weights, ...bias].forEach((value, at) => void view.setFloat32(end + 4 * at, value, true));
  return file;
}
