// What a build of the core makes of the drawn pictures, in the words of tests/golden/tensors.golden. Plain JavaScript:
// it runs in Node and, as it stands, in every browser. tests/core/exactness_test.cc says the same in
// C++.
//
// The manifest's lines, fields apart by one blank:
//   spec NAME WIDTH HEIGHT LAYOUT CHANNELS FIT FILTER MEAN,MEAN,MEAN STD,STD,STD PREVIEW VIEWS AREA
//                           what a network wants, as in PrepareSpec; FIT may end in *SHARE, its cropPct; AREA is
//                           `cropped` or `whole`
//   FILE SOURCE HASH...     a picture of tests/pictures that is read: what was read from it, and one hash a spec, in
//   the order of the specs FILE CODE               one that is refused
// SOURCE is format:WIDTHxHEIGHT:orientation:colour. A hash is the SHA-256 of the tensor's float32 values
// (little-endian), then the view's RGB, then the preview's where the spec has one, then the values of the quality
// checks (float32, little-endian). Lines that begin with # say something to people.

import { QUALITY_CHECKS } from './contract.mjs';

/**
 * @typedef {import('../../wasm_src/bindings/dermlet.js').DermletModule} DermletModule
 * @typedef {import('../../wasm_src/bindings/dermlet.js').Picture} Picture
 * @typedef {import('../../wasm_src/bindings/dermlet.js').PrepareSpec} PrepareSpec
 *
 * @typedef {{ name: string, cropped: boolean, prepare: PrepareSpec }} Spec
 * @typedef {object} TensorManifest
 * @property {Spec[]} specs
 * @property {{ file: string, expected: string }[]} pictures  `expected` is a line without its file
 */

/**
 * @param {string} text
 * @returns {TensorManifest}
 */
export function parseManifest(text) {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const specs = lines.filter((line) => line.startsWith('spec ')).map(parseSpec);
  const pictures = lines
    .filter((line) => !line.startsWith('spec '))
    .map((line) => ({ file: line.slice(0, line.indexOf(' ')), expected: line.slice(line.indexOf(' ') + 1) }));
  return { specs, pictures };
}

/** All are made, whatever they are held against. */
const QUALITY = Object.fromEntries(QUALITY_CHECKS.map((id) => [id, 0]));

/**
 * @param {string} line
 * @returns {Spec}
 */
export function parseSpec(line) {
  const [, name = '', width, height, layout, channels, framing = '', filter, mean, std, previewSide, views, area] =
    line.split(' ');
  const [fit, cropPct = '1'] = framing.split('*');
  /**
   * Three numbers, as whoever is given the spec will see.
   * @param {string | undefined} list
   */
  const numbers = (list = '') => /** @type {[number, number, number]} */ (list.split(',').map(Number));
  // Words that the core does not know are refused by it.
  const words = /** @type {Pick<PrepareSpec, 'layout' | 'channels' | 'fit' | 'filter'>} */ ({
    layout,
    channels,
    fit,
    filter,
  });
  const tensor = { width: Number(width), height: Number(height), mean: numbers(mean), std: numbers(std) };
  const rest = {
    cropPct: Number(cropPct),
    quality: QUALITY,
    previewSide: Number(previewSide),
    views: Number(views),
    whole: null,
  };
  return { name, cropped: area === 'cropped', prepare: { ...words, ...tensor, ...rest } };
}

/**
 * RGB of an RGBA picture; nothing for none.
 * @param {Pick<Picture, 'rgba'> | null} picture
 */
function rgbOf(picture) {
  const pixels = picture?.rgba ?? [];
  const rgb = new Uint8Array((pixels.length / 4) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += 4)
    for (let c = 0; c < 3; c += 1) rgb[to++] = pixels[from + c] ?? 0;
  return rgb;
}

/**
 * SHA-256 of several byte arrays one after another, lower-case hex.
 * @param {Uint8Array[]} parts
 */
export async function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {Pick<Picture, 'rgba'>} picture */
export const rgbHash = (picture) => sha256(rgbOf(picture));

/** @param {{ checks: readonly { value: number }[] }} quality */
const qualityOf = ({ checks }) => Float32Array.from(checks, ({ value }) => value);

/** @param {ArrayBufferView} array */
const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);

/**
 * An area well inside the picture, off its centre.
 * @param {{ width: number, height: number }} picture
 */
function cropOf({ width, height }) {
  return {
    x: Math.floor(width / 5),
    y: Math.floor(height / 4),
    width: Math.max(1, Math.floor(width / 2)),
    height: Math.max(1, Math.floor(height / 2)),
  };
}

/**
 * What `module` makes of a file, as the manifest says it.
 * @param {Pick<DermletModule, 'prepare'>} module
 * @param {Uint8Array} bytes
 * @param {readonly Spec[]} specs
 */
export async function answerOf(module, bytes, specs) {
  const [first] = specs;
  if (first === undefined) throw new Error('A manifest has a spec at least.');
  const whole = module.prepare(bytes, first.prepare, null);
  if (!whole.ok) return whole.code;
  const { format, width, height, orientation, colour } = whole.source;
  const hashes = [];
  for (const { prepare, cropped } of specs) {
    const prepared = module.prepare(bytes, prepare, cropped ? cropOf(whole.source) : null);
    hashes.push(
      prepared.ok
        ? await sha256(
            bytesOf(prepared.tensor),
            rgbOf(prepared.view),
            rgbOf(prepared.preview),
            bytesOf(qualityOf(prepared.quality)),
          )
        : prepared.code,
    );
  }
  return [`${format}:${width}x${height}:${orientation}:${colour}`, ...hashes].join(' ');
}

/**
 * Checks every picture; `read` gives a file's bytes. Resolves to how many hashes and codes were compared and to what
 * differs, in words.
 * @param {Pick<DermletModule, 'prepare'>} module
 * @param {TensorManifest} manifest
 * @param {(file: string) => Promise<Uint8Array>} read
 * @returns {Promise<{ compared: number, differences: string[] }>}
 */
export async function check(module, manifest, read) {
  const { specs, pictures } = manifest;
  const differences = [];
  let compared = 0;
  for (const { file, expected } of pictures) {
    const found = await answerOf(module, await read(file), specs);
    const [a, b] = [expected.split(' '), found.split(' ')];
    compared += Math.max(a.length - 1, 1);
    if (found === expected) continue;
    const where = a.length === b.length ? specs.filter((_, i) => a[i + 1] !== b[i + 1]).map(({ name }) => name) : [];
    const what =
      a[0] === b[0] ? `another tensor, view or preview for ${where.join(', ')}` : `${b[0]} in place of ${a[0]}`;
    differences.push(`${file}: ${what}`);
  }
  return { compared, differences };
}
