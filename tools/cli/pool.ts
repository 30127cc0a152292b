/**
 * Classifies many pictures or lesions: in this thread, or in several worker threads with an engine each. Answers come
 * in the order in which they are ready.
 */
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../web/src/classifier/abort.js';
import type { CallOptions, Engine } from '../../web/src/classifier/engine.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { MAX_FILE_BYTES } from '../../web/src/classifier/given.js';
import { ofPicture, type PictureOf } from '../../web/src/classifier/input.js';
import type { Crop } from '../../web/src/classifier/options.js';
import { fromWire, toWire, type WireError } from '../../web/src/classifier/protocol.js';
import type { Result } from '../../web/src/classifier/result.js';
import { loadEngine } from './node-engine.js';

export interface TaskPicture {
  path: string;
  /** `Task.options.modality`, else whichever the picture looks like, when absent. */
  modality?: string;
  crop?: Crop;
}

/**
 * One picture, or the two pictures of one lesion: `result.lesion` then says what each came to alone. `options.thorough`
 * works for both.
 */
export interface Task {
  pictures: readonly TaskPicture[];
  options: Omit<CallOptions, 'crop'>;
}

export type Answer = { ok: true; result: Result } | { ok: false; error: DermletError };
export type WireAnswer = { ok: true; result: Result } | { ok: false; error: WireError };

/**
 * Reads and classifies one picture or lesion. A file that cannot be read is CORRUPT_IMAGE: the one code that says 'this
 * picture, not the engine'.
 */
export async function classifyTask(engine: Engine, { pictures, options }: Task): Promise<Result> {
  const given: PictureOf<Uint8Array>[] = [];
  for (const [index, { path, ...own }] of pictures.entries()) {
    given.push({ ...own, bytes: await ofPicture(index, pictures.length, () => readPicture(path)) });
  }
  if (given.length !== 1) return engine.classify(given, options);
  const { bytes, ...own } = given[0]!;
  return engine.classify(bytes, { ...options, ...own });
}

async function readPicture(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > MAX_FILE_BYTES)
        throw new DermletError('IMAGE_TOO_LARGE', `the file has ${size} bytes; at most ${MAX_FILE_BYTES} can be read`);
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof DermletError) throw cause;
    throw new DermletError('CORRUPT_IMAGE', `the file could not be read: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Answers every task once through `onAnswer`.
 * @param jobs engines at once; 1 uses this thread
 * @throws DermletError when an engine cannot be started at all
 */
export async function classifyAll(
  model: string,
  tasks: readonly Task[],
  jobs: number,
  onAnswer: (answer: Answer, index: number) => void,
): Promise<void> {
  const count = Math.min(jobs, tasks.length);
  if (count > 1) return inThreads(model, tasks, count, onAnswer);
  if (count === 0) return;
  const engine = await loadEngine(model);
  for (const [index, task] of tasks.entries()) {
    const answer = await classifyTask(engine, task).then(
      (result): Answer => ({ ok: true, result }),
      (error: unknown): Answer => ({ ok: false, error: fromWire(toWire(error)) }),
    );
    onAnswer(answer, index);
  }
  await engine.dispose();
}

/**
 * Plain JavaScript, because a thread does not inherit the TypeScript loader: it installs it and goes on in TypeScript.
 */
const threadScript = new URL('./pool-thread.mjs', import.meta.url);

export type ToThread = { index: number; task: Task };
export type FromThread =
  | { type: 'ready' }
  | { type: 'load-failed'; error: WireError }
  | { type: 'answer'; index: number; answer: WireAnswer };

async function inThreads(
  model: string,
  tasks: readonly Task[],
  count: number,
  onAnswer: (answer: Answer, index: number) => void,
): Promise<void> {
  let next = 0;
  /** One thread until there is nothing left; a thread that dies loses one task and is replaced by going round again. */
  const line = async () => {
    while (next < tasks.length) {
      await oneThread(model, () => (next < tasks.length ? next++ : undefined), tasks, onAnswer);
    }
  };
  await Promise.all(Array.from({ length: count }, line));
}

function oneThread(
  model: string,
  take: () => number | undefined,
  tasks: readonly Task[],
  onAnswer: (answer: Answer, index: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(threadScript, { workerData: { model } });
    let current: number | undefined;
    let ready = false;
    const goOn = () => {
      current = take();
      if (current === undefined) void thread.terminate();
      else thread.postMessage({ index: current, task: tasks[current]! } satisfies ToThread);
    };
    thread.on('message', (message: FromThread) => {
      if (message.type === 'load-failed') {
        reject(fromWire(message.error));
        return void thread.terminate();
      }
      if (message.type === 'ready') ready = true;
      else
        onAnswer(
          message.answer.ok ? message.answer : { ok: false, error: fromWire(message.answer.error) },
          message.index,
        );
      goOn();
    });
    let crash: unknown = 'it ended by itself';
    thread.on('error', (error) => (crash = error));
    thread.on('exit', () => {
      const error = new DermletError('BACKEND_FAILED', `A worker thread crashed: ${messageOf(crash)}`);
      if (!ready) return reject(error);
      if (current !== undefined) onAnswer({ ok: false, error }, current);
      resolve();
    });
  });
}
