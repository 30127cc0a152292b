/** The worker thread that does all the work: a classifier's, or one run of a model's test picture. */
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { ALL_PASSED } from '../engine.js';
import type { Manifest } from '../manifest.js';
import type { NetworkOutputs } from '../network.js';
import { type ToWorker, toWire } from '../protocol.js';
import { type ServerPort, serve } from '../worker-server.js';
import { loadEngine } from './engine.js';

// stdout is the caller's: what a decoder logs there goes to stderr. Here and not at the other end, where a stream that
// is read keeps the process alive as long as the thread.
process.stdout.write = process.stderr.write.bind(process.stderr);

const port: ServerPort = {
  postMessage: (message, transfer) => parentPort!.postMessage(message, transfer as ArrayBuffer[]),
  addEventListener: (_type, listener) => void parentPort!.on('message', (data: ToWorker) => listener({ data })),
};

/** What a thread is given that runs a model's test picture once, and ends. */
export interface TestRun {
  /** A model's name, its folder or its manifest.json. */
  model: string;
  manifest: Manifest;
}

/** What it says of it. */
export type TestAnswer = Pick<NetworkOutputs, 'scores' | 'embedding'>;

/** @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, BACKEND_FAILED */
async function answerToTest({ model, manifest }: TestRun): Promise<TestAnswer> {
  const engine = await loadEngine(model, manifest, undefined, ALL_PASSED);
  const { scores, embedding } = await engine.answerToTest();
  return { scores, embedding };
}

const run = workerData as TestRun | null;
if (run) parentPort!.postMessage(await answerToTest(run).catch((error: unknown) => ({ error: toWire(error) })));
else
  serve(port, async ({ folder, manifest, head }) => ({
    engine: await loadEngine(fileURLToPath(folder), manifest, head),
  }));
