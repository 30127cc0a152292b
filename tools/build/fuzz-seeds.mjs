// Seeds of the fuzz targets: the drawn pictures, followed by option bytes where a target reads them; parts of them
// (EXIF blocks, ICC profiles); and, where the input is not a picture, small valid inputs. Regenerated for each run, so
// that newly drawn pictures become seeds automatically.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { filesUnder } from './fingerprint.mjs';
import { root } from './steps.mjs';

/** Inputs are cut to this length in bytes: longer ones find too little for the time they take. */
export const MAX_LENGTH = 65536;

/** Every drawn file, including those to be refused, but not the scripts that draw them. */
const drawn = () =>
  filesUnder(join(root, 'tests', 'pictures'))
    .filter((path) => !path.endsWith('.py'))
    .map((path) => readFileSync(path));

const jpegs = () => drawn().filter((bytes) => bytes[0] === 0xff);

/**
 * Payloads of a JPEG's APPn segments before its first scan.
 * @param {Buffer} bytes
 */
function* segments(bytes) {
  for (
    let at = 2;
    at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== 0xda;
    at += 2 + bytes.readUInt16BE(at + 2)
  ) {
    yield { marker: bytes[at + 1], payload: bytes.subarray(at + 4, at + 2 + bytes.readUInt16BE(at + 2)) };
  }
}

/**
 * Chunks of a PNG or a WebP, each with four letters as its type.
 * @param {Buffer} bytes
 */
function* chunks(bytes) {
  const png = bytes[0] === 0x89;
  if (!png && bytes.toString('latin1', 8, 12) !== 'WEBP') return;
  for (let at = png ? 8 : 12; at + 8 <= bytes.length; ) {
    const length = png ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at + 4);
    yield {
      type: bytes.toString('latin1', png ? at + 4 : at, png ? at + 8 : at + 4),
      data: bytes.subarray(at + 8, at + 8 + length),
    };
    at += png ? length + 12 : length + 8 + (length & 1);
  }
}

/** @param {Buffer} bytes */
function exifBlocks(bytes) {
  /** @param {Buffer} data */
  const afterMark = (data) => (data.toString('latin1', 0, 4) === 'Exif' ? data.subarray(6) : data);
  const found =
    bytes[0] === 0xff
      ? [...segments(bytes)]
          .filter(({ marker, payload }) => marker === 0xe1 && payload.toString('latin1', 0, 4) === 'Exif')
          .map(({ payload }) => payload)
      : [];
  return [...found, ...[...chunks(bytes)].filter(({ type }) => /^exif$/i.test(type)).map(({ data }) => data)].map(
    afterMark,
  );
}

/**
 * PNG: a name, a zero, the method, a zlib stream.
 * @param {Buffer} data
 */
function inflatedProfile(data) {
  try {
    return inflateSync(data.subarray(data.indexOf(0) + 2));
  } catch {
    return null;
  }
}

/** @param {Buffer} bytes */
function profiles(bytes) {
  if (bytes[0] === 0xff) {
    const pieces = [...segments(bytes)]
      .filter(({ marker, payload }) => marker === 0xe2 && payload.toString('latin1', 0, 11) === 'ICC_PROFILE')
      .map(({ payload }) => payload.subarray(14));
    return pieces.length > 0 ? [Buffer.concat(pieces)] : [];
  }
  return [...chunks(bytes)]
    .filter(({ type }) => /^iccp$/i.test(type))
    .map(({ type, data }) => (type === 'iCCP' ? inflatedProfile(data) : data))
    .filter((profile) => profile !== null);
}

/**
 * A picture followed by eight bytes that choose the tensor's size, layout, fit, filter, views, preview and crop
 * (tests/fuzz/input.h).
 * @param {Buffer} bytes
 * @param {number} i
 */
function withOptions(bytes, i) {
  const views = i % 4;
  return Buffer.concat([
    bytes,
    Buffer.from([
      15 + (i % 48),
      20 + (i % 32),
      (i * 7) % 32,
      3 * views + (i % 3),
      (i * 5) % 64,
      i % 9,
      i % 7,
      2 * ((i * 3) % 60),
    ]),
  ]);
}

/** @param {number[]} values */
function floats(...values) {
  return Buffer.from(new Float32Array(values).buffer);
}

/**
 * tests/fuzz/interpret_fuzz.cc: classes, rows and views, columns and others, flags; then scores, limits,
 * temperature, rejection, cuts for high and moderate, penalty, and the rest.
 */
function outputs() {
  const seeds = [];
  const limits = [0.8, 0.6, 0.95];
  const rules = [0.3, 0.15, 0.02];
  for (const [views, count] of /** @type {const} */ ([
    [0, 1],
    [1, 4],
    [2, 8],
  ])) {
    for (const more of [0, 2, 6, 14]) {
      const scores = Array.from({ length: 3 * count }, (_, i) => (i % 5) - 1.5);
      const second = more === 0 ? [] : [0.5, 2, -1, 0.75, 0.5, 1.25, 1.5];
      const rows = count > 1 ? 8 : 2; // also the length of all views' embeddings
      const embedding = count > 1 ? Array.from({ length: rows }, (_, i) => i / 3) : [];
      const maps = Array.from({ length: 3 * rows * 2 * count }, (_, i) => (i % 7) / 7);
      for (const flags of [2, 6 + 16, 7])
        seeds.push(
          Buffer.concat([
            Buffer.from([2, rows + 9 * views, 2 + 9 * more, flags]),
            floats(...scores, ...limits, 1.5, 5, ...rules, ...second, ...embedding, ...maps),
          ]),
        );
    }
  }
  // With a rejection model, for an embedding of eight numbers or of eight for each of eight views.
  for (const views of [0, 2]) {
    const scores = Array.from({ length: views === 0 ? 3 : 24 }, (_, i) => i % 4);
    seeds.push(
      Buffer.concat([
        Buffer.from([2, 8 + 9 * views, 2 + 9 * 16, 2]),
        floats(...scores, ...limits, 1.5, 50, ...rules, 1, 2, 3, 4, 5, 6, 7, 8),
      ]),
    );
  }
  return seeds;
}

const rejectionModels = () =>
  [...readFileSync(join(root, 'tests/golden/rejection.golden'), 'utf8').matchAll(/^model \S+ ([0-9a-f]+)/gm)].map(
    ([, hex = '']) => Buffer.from(hex, 'hex'),
  );

const goldenProfiles = () =>
  [...readFileSync(join(root, 'tests/golden/icc.golden'), 'utf8').matchAll(/^\S+ ([0-9a-f]+)/gm)].map(([, hex = '']) =>
    Buffer.from(hex, 'hex'),
  );

/** @type {Record<string, () => Buffer[]>} */
const SEEDS = {
  bmp: () => drawn().filter((bytes) => bytes.toString('latin1', 0, 2) === 'BM'),
  builds: () => drawn().map(withOptions),
  exif: () => drawn().flatMap(exifBlocks),
  icc: () => [...goldenProfiles(), ...drawn().flatMap(profiles), ...drawn()],
  inspect: drawn,
  interpret: outputs,
  jpeg: () => jpegs().map((bytes, i) => Buffer.concat([bytes, Buffer.from([i & 3])])),
  pipeline: () => drawn().map(withOptions),
  png: drawn,
  rejection: rejectionModels,
  scaled: jpegs,
};

/**
 * Writes a target's seeds into its own folder; resolves to the folder and their number.
 * @param {string} target
 * @param {string} folder
 */
export function makeSeeds(target, folder) {
  const make = SEEDS[target];
  if (make === undefined) throw new Error(`There are no seeds for ${target}.`);
  const seeds = make().filter((bytes) => bytes.length <= MAX_LENGTH);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [i, bytes] of seeds.entries()) writeFileSync(join(folder, String(i).padStart(4, '0')), bytes);
  return seeds.length;
}
