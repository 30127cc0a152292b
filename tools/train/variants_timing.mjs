/**
 * Size and speed of .onnx files as the page meets them: raw, gzip and brotli bytes, and the time that onnxruntime-web's
 * WASM build takes to create a session and to run it once. Called by `python -m dermlet_train variants`; needs the
 * repository's npm packages.
 *
 *     node variants_timing.mjs --rounds 5 --runs 8 NAME=FILE.onnx:SIDE ...
 *
 * Prints one JSON object: { NAME: { raw, gzip, brotli, create: [ms], run: [ms] } }. All files take turns within a
 * round, and the order is turned round every other time, so that what else the machine does falls on all alike. `run`
 * leaves out the first run after a creation. With `--rounds 0` nothing is timed, with `--no-sizes` nothing is packed.
 * One thread: onnxruntime-web starts its threads from blob: addresses, which Node cannot import.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/**
 * @param {string} text
 * @param {string} option
 */
const whole = (text, option) => {
  if (!/^\d+$/.test(text)) throw new Error(`--${option} must be a whole number, not '${text}'.`);
  return Number(text);
};

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      runs: { type: 'string', default: '8' },
      'no-sizes': { type: 'boolean', default: false },
    },
  });
  const files = positionals.map((text) => {
    const [, name, path, side] = /^([^=]+)=(.+):(\d+)$/.exec(text) ?? [];
    if (name === undefined || path === undefined) throw new Error(`'${text}' is not NAME=FILE:SIDE.`);
    return { name, path, side: Number(side) };
  });
  if (files.length === 0) throw new Error('No file was given.');
  return {
    files,
    sizes: !values['no-sizes'],
    rounds: whole(values.rounds, 'rounds'),
    runs: whole(values.runs, 'runs'),
  };
}

/**
 * Bytes as stored, and as a host that compresses would send them at its best: gzip 9, brotli 11 with the window that
 * all browsers take.
 * @param {Uint8Array} bytes
 */
async function sizes(bytes) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 24,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const [zipped, packed] = await Promise.all([
    promisify(gzip)(bytes, { level: 9 }),
    promisify(brotliCompress)(bytes, { params }),
  ]);
  return { raw: bytes.length, gzip: zipped.length, brotli: packed.length };
}

async function runtime() {
  const require = createRequire(import.meta.url);
  const ort = await import('onnxruntime-web/wasm');
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await readFile(
    join(dirname(require.resolve('onnxruntime-web/wasm')), 'ort-wasm-simd-threaded.wasm'),
  );
  return ort;
}

/**
 * The same pixels each time: a drawn gradient with grain, so that no activation is a special case of zeros.
 * @param {number} side
 */
function picture(side) {
  const values = new Float32Array(3 * side * side);
  for (let i = 0; i < values.length; i += 1) values[i] = Math.sin(i * 0.37) * 0.5 + ((i % side) / side - 0.5);
  return values;
}

/**
 * @param {typeof import('onnxruntime-web/wasm')} ort
 * @param {{ bytes: Uint8Array, side: number }} file
 * @param {number} runs
 */
async function time(ort, { bytes, side }, runs) {
  const began = performance.now();
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const create = performance.now() - began;
  const [input = ''] = session.inputNames;
  const feeds = { [input]: new ort.Tensor('float32', picture(side), [1, 3, side, side]) };
  const times = [];
  for (let i = 0; i <= runs; i += 1) {
    const from = performance.now();
    const answer = await session.run(feeds);
    times.push(performance.now() - from);
    for (const value of Object.values(answer)) value.dispose();
  }
  await session.release();
  return { create, run: times.slice(1) };
}

const { files: named, sizes: weigh, rounds, runs } = options();
const files = await Promise.all(
  named.map(async (file) => ({ ...file, bytes: new Uint8Array(await readFile(file.path)) })),
);
// Side by side, in zlib's own threads, and before anything is timed.
const weighed = await Promise.all(files.map(({ bytes }) => (weigh ? sizes(bytes) : {})));
/** @typedef {{ create: number[], run: number[] }} Times */
const table = new Map(
  files.map(({ name }, i) => [name, { ...weighed[i], .../** @type {Times} */ ({ create: [], run: [] }) }]),
);
const ort = rounds > 0 ? await runtime() : undefined;
for (let round = 0; ort !== undefined && round < rounds; round += 1) {
  for (const file of round % 2 === 0 ? files : [...files].reverse()) {
    const { create, run } = await time(ort, file, runs);
    table.get(file.name)?.create.push(create);
    table.get(file.name)?.run.push(...run);
  }
}
process.stdout.write(`${JSON.stringify(Object.fromEntries(table))}\n`);
