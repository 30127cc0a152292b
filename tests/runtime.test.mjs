// ONNX Runtime, reduced: what is kept is what it was, and the shipped networks need no more.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { shippedNetworks } from '../tools/build/runtime/networks.mjs';
import { FUNCTIONS, placesIn, REDUCED, readFunctions, reduced, WHOLE } from '../tools/build/runtime/reduce.mjs';
import { root } from '../tools/build/steps.mjs';

/** Exports `a`, which is 7, and `b`, which is what `a` says. */
const TWO = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f],
  ...[0x03, 0x03, 0x02, 0x00, 0x00],
  ...[0x07, 0x09, 0x02, 0x01, 0x61, 0x00, 0x00, 0x01, 0x62, 0x00, 0x01],
  ...[0x0a, 0x0b, 0x02, 0x04, 0x00, 0x41, 0x07, 0x0b, 0x04, 0x00, 0x10, 0x00, 0x0b],
]);

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<Record<string, () => number>>}
 */
async function exportsOf(bytes) {
  const { instance } = await WebAssembly.instantiate(new Uint8Array(bytes));
  return /** @type {Record<string, () => number>} */ (/** @type {unknown} */ (instance.exports));
}

describe('a reduced module', () => {
  test('has the functions that are kept, and ends at the others', async () => {
    const { a, b } = await exportsOf(reduced(TWO, (place) => place === 0));
    assert.equal(a?.(), 7);
    assert.throws(() => b?.(), WebAssembly.RuntimeError);
    const without = await exportsOf(reduced(TWO, (place) => place === 1));
    assert.throws(
      () => without.b?.(),
      WebAssembly.RuntimeError,
      'one that is kept ends where it calls one that is not',
    );
  });

  test('is the same where all are kept', () =>
    assert.deepEqual(
      reduced(TWO, () => true),
      TWO,
    ));

  test('is made of whole sections only', () => {
    const starts = new Set([15, 20, 31]);
    for (let length = 9; length < TWO.length; length++)
      if (!starts.has(length))
        assert.throws(() => reduced(TWO.subarray(0, length), () => true), RangeError, `${length}`);
  });

  test('keeps what the ranges say', () => {
    assert.deepEqual([...placesIn(['3-5 9', '12'])], [3, 4, 5, 9, 12]);
  });
});

/**
 * What a model's networks answer, in a thread, as the runtime starts but once in each.
 * @param {string} runtime
 * @returns {Promise<Record<string, Float32Array[]>>}
 */
function answers(runtime) {
  const code = `
    const { parentPort, workerData: { root, runtime, networks } } = require('node:worker_threads');
    const { readFileSync } = require('node:fs');
    (async () => {
      const ort = root + '/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs';
      const { env, InferenceSession, Tensor } = await import(ort);
      env.wasm.numThreads = 1;
      env.wasm.wasmBinary = readFileSync(runtime);
      const all = {};
      for (const { path, name, height, width } of networks) {
        const bytes = readFileSync(root + '/' + path);
        const session = await InferenceSession.create(bytes, { graphOptimizationLevel: 'all' });
        const [{ shape }] = session.inputMetadata;
        for (const batch of shape[0] > 0 ? [1] : [1, 2, 8]) {
          const pixels = Float32Array.from({ length: batch * 3 * height * width }, (_, i) => 2 * Math.sin(i * i));
          const answer = await session.run({ [name]: new Tensor('float32', pixels, [batch, 3, height, width]) });
          all[path + ' ' + batch] = Object.values(answer).map(({ data }) => data);
        }
        await session.release();
      }
      parentPort.postMessage(all);
    })();`;
  const workerData = { root, runtime, networks: shippedNetworks() };
  return new Promise((resolve, reject) => {
    const thread = new Worker(code, { eval: true, workerData });
    thread.once('message', (all) => void thread.terminate().then(() => resolve(all)));
    thread.once('error', reject);
  });
}

describe('ONNX Runtime, reduced', () => {
  test('was made for every network that is shipped', async () => {
    const known = new Set((await readFunctions()).networks);
    const missing = shippedNetworks().filter(({ sha256 }) => !known.has(sha256));
    const paths = missing.map(({ path }) => path);
    assert.deepEqual(paths, [], `${FUNCTIONS} knows them not: run "npm run profile:runtime".`);
  });

  test('is less than half of it', () => {
    const [part, whole] = [REDUCED, WHOLE].map((path) => readFileSync(join(root, path)).length);
    assert.ok(part !== undefined && whole !== undefined && part < whole / 2, `${part} of ${whole}`);
  });

  test('answers as the whole does, bit by bit', async () => {
    const part = await answers(join(root, REDUCED));
    assert.ok(Object.keys(part).length > shippedNetworks().length);
    assert.deepEqual(part, await answers(join(root, WHOLE)));
  });
});
