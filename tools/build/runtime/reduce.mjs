/**
 * ONNX Runtime's binary, reduced to the functions that the shipped networks need: most of it computes operators that
 * they have not, and a first visit would fetch and compile that. The bodies of all other functions become one
 * instruction that ends the run, so that nothing can be computed otherwise than by the whole binary: where one of them
 * is called, the engine begins again with that (`web/src/classifier/network.ts`).
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../hash.mjs';
import { root, StepError } from '../steps.mjs';

const folder = 'node_modules/onnxruntime-web/dist';
export const WHOLE = `${folder}/ort-wasm-simd-threaded.wasm`;
export const REDUCED = 'build/runtime/ort-wasm-simd-threaded.reduced.wasm';
/** Which functions are kept; `profile.mjs` writes it. */
export const FUNCTIONS = 'tools/build/runtime/functions.json';

/**
 * @typedef {object} Functions
 * @property {string} runtime  sha256 of the whole binary
 * @property {string[]} networks  sha256s of the networks that need no other functions
 * @property {string[]} kept  places in the code section, as ranges
 */

/** @returns {Promise<Functions>} */
export const readFunctions = async () => JSON.parse(await readFile(join(root, FUNCTIONS), 'utf8'));

/**
 * '3-5 9' -> 3, 4, 5, 9.
 * @param {readonly string[]} lines
 */
export function placesIn(lines) {
  /** @type {Set<number>} */
  const places = new Set();
  for (const range of lines.flatMap((line) => line.split(' '))) {
    const [from = NaN, to = from] = range.split('-').map(Number);
    for (let place = from; place <= to; place++) places.add(place);
  }
  return places;
}

const CODE = 10;
/** No locals; `unreachable`; `end`. */
const BODY = [0x00, 0x00, 0x0b];

/**
 * A binary WebAssembly module whose functions at other places than those given end the run.
 * @param {Uint8Array} module
 * @param {(place: number) => boolean} keeps
 * @returns {Buffer}
 */
export function reduced(module, keeps) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = module[at++];
      if (byte === undefined) throw new RangeError('the module ends within a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  /** @type {Uint8Array[]} */
  const sections = [module.subarray(0, at)];
  while (at < module.length) {
    const start = at;
    const id = module[at++];
    const end = number() + at;
    if (end > module.length) throw new RangeError('a section is longer than the module');
    if (id === CODE) {
      const count = number();
      /** @type {Uint8Array[]} */
      const bodies = [unsigned(count)];
      for (let place = 0; place < count; place++) {
        const from = at;
        const next = number() + at;
        bodies.push(keeps(place) ? module.subarray(from, next) : Buffer.from([BODY.length, ...BODY]));
        at = next;
      }
      const content = Buffer.concat(bodies);
      sections.push(Buffer.from([CODE]), unsigned(content.length), content);
    } else sections.push(module.subarray(start, end));
    at = end;
  }
  return Buffer.concat(sections);
}

/**
 * LEB128.
 * @param {number} value
 */
function unsigned(value) {
  const bytes = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Writes the reduced binary. */
export async function writeReduced() {
  const [whole, { runtime, kept }] = [await readFile(join(root, WHOLE)), await readFunctions()];
  if (sha256(whole) !== runtime)
    throw new StepError(`${FUNCTIONS} is of another version of ONNX Runtime. Run "npm run profile:runtime".`);
  const places = placesIn(kept);
  const to = join(root, REDUCED);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(
    to,
    reduced(whole, (place) => places.has(place)),
  );
}
