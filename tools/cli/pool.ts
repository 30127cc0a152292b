/** Classifies many pictures or lesions with one or more classifiers, each in its own thread. */
import { availableParallelism } from 'node:os';
import {
  Classifier,
  type Crop,
  DermletError,
  type Result,
  readPictureFile,
} from '../../web/src/classifier/node/index.js';
import { number } from '../../web/src/messages/index.js';
import { say } from './say.js';

export interface TaskPicture {
  path: string;
  /** To open the file by, where `path` is not its name. */
  raw?: Buffer;
  /** Default: `Task.options.modality`, else recognised from the picture. */
  modality?: string;
  crop?: Crop;
  /** Given the file's bytes before they are classified; must keep none of them. */
  onRead?: (bytes: Uint8Array) => void;
}

/**
 * One picture, or two pictures of a lesion, whose `result.lesion` has the answer for each. Test-time
 * augmentation applies to both kinds.
 */
export interface Task {
  pictures: readonly TaskPicture[];
  options: { modality?: string; testTimeAugmentation?: boolean; explain?: boolean | string; embedding?: boolean };
  /** The answer, where it is known without looking. */
  problem?: DermletError;
}

export type Answer = { ok: true; result: Result } | { ok: false; error: DermletError };

export interface Limits {
  /** Parallel classifiers. More than there are cores only take memory: `withinCores`. */
  jobs: number;
  /** For one task, and for the start of an engine. */
  seconds: number;
  /** Another model, which answers each task too. */
  beside?: string | undefined;
  /** A head's file, in place of the network's last layer. */
  head?: Uint8Array<ArrayBuffer> | undefined;
  /** Once aborted, no further task is begun; those under way are finished. */
  stop?: AbortSignal;
}

export const DEFAULT_SECONDS = 300;

/** As many jobs as were asked for, or as there are cores where those are fewer, which is said then. */
export function withinCores(jobs: number, err: (text: string) => void): number {
  const cores = availableParallelism();
  if (jobs > cores) err(`${say('cli.fewerJobs', { asked: String(jobs), count: cores })}\n`);
  return Math.min(jobs, cores);
}

async function bytesOf({ path, raw, onRead }: TaskPicture, place: string): Promise<Blob> {
  try {
    const bytes = await readPictureFile(raw ?? path);
    onRead?.(bytes);
    return new Blob([bytes]);
  } catch (error) {
    if (!place || !(error instanceof DermletError)) throw error;
    throw new DermletError(error.code, `${place}${error.message}`, { cause: error });
  }
}

async function classifyTask(classifier: Classifier, { pictures, options }: Task, signal: AbortSignal): Promise<Result> {
  const [first] = pictures;
  if (pictures.length === 1) {
    const { path: _path, raw: _raw, onRead: _onRead, ...own } = first!;
    return classifier.classify(await bytesOf(first!, ''), { ...options, ...own, signal });
  }
  const opened = pictures.map(async (each, index) => {
    const { path: _path, raw: _raw, onRead: _onRead, ...own } = each;
    return { picture: await bytesOf(each, `Picture ${index + 1}: `), ...own };
  });
  return classifier.classify(await Promise.all(opened), { ...options, signal });
}

/** An error for work that an expired time limit ended, else the error as it is. */
const orTimeout = (error: unknown, signal: AbortSignal, seconds: number): unknown =>
  signal.aborted && error instanceof DermletError
    ? new DermletError('BACKEND_FAILED', say('cli.error.timeout', { seconds: number(seconds, 1) }), { cause: error })
    : error;

/** @throws DermletError BACKEND_FAILED once the time is over, else what the work throws */
export async function within<T>(seconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(seconds * 1000);
  try {
    return await work(signal);
  } catch (error) {
    throw orTimeout(error, signal, seconds);
  }
}

async function answerTo(classifier: Classifier, task: Task, seconds: number): Promise<Answer> {
  try {
    return { ok: true, result: await within(seconds, (signal) => classifyTask(classifier, task, signal)) };
  } catch (error) {
    if (!(error instanceof DermletError)) throw error;
    return { ok: false, error };
  }
}

async function* each<T>(tasks: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* tasks;
}

/**
 * Calls `onAnswer` once per task, in the order in which they finish; the index is that of the task. Tasks are taken one
 * by one as engines become free. An error thrown by `onAnswer` ends everything.
 * @throws DermletError if a classifier cannot be started
 */
export async function classifyAll<T extends Task>(
  model: string,
  tasks: Iterable<T> | AsyncIterable<T>,
  { jobs, seconds, head, beside, stop }: Limits,
  onAnswer: (answer: Answer, index: number, task: T, beside: Answer | undefined) => void,
): Promise<void> {
  const left = each(tasks);
  const classifiers: Classifier[] = [];
  let taken = 0;
  let ended = false;
  const next = async () => {
    const { value, done } = await left.next();
    return done ? undefined : { task: value, index: taken++ };
  };
  const start = async (name: string, options: { head?: Uint8Array<ArrayBuffer> }) => {
    const classifier = await within(seconds, (signal) => Classifier.load(name, { idleTimeout: 0, signal, ...options }));
    classifiers.push(classifier);
    return classifier;
  };
  const work = async () => {
    let classifier: Classifier | undefined;
    let other: Classifier | undefined;
    while (!ended && !stop?.aborted) {
      const own = await next();
      if (!own) return;
      const { problem } = own.task;
      if (!problem && !classifier) {
        classifier = await start(model, head ? { head } : {});
        if (beside !== undefined) other = await start(beside, {});
      }
      const answer: Answer = problem ? { ok: false, error: problem } : await answerTo(classifier!, own.task, seconds);
      const second = other && !problem ? await answerTo(other, own.task, seconds) : undefined;
      if (!ended) onAnswer(answer, own.index, own.task, second);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    ended = true;
    for (const classifier of classifiers) classifier.dispose();
  }
}
