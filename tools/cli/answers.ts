/** The answers of an evaluation that is under way, one a line beside its figures: `--resume` goes on with them. */
import { truncateSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { DermletError } from '../../web/src/classifier/node/index.js';
import type { Setup } from './evaluation.js';
import { fileSink, type Sink } from './output.js';
import { readLines } from './resume.js';
import { say } from './say.js';
import type { Answered } from './scored.js';
import type { Shard } from './shard.js';
import { UsageError } from './usage.js';

/** Why there is no answer. */
export type Failed = Pick<DermletError, 'code' | 'message'>;

/** An answer without its row, which the table has, or why there is none. */
export type Bare = Omit<Answered, 'row'> | Failed;

/** What must be the same for an evaluation to be gone on with. */
export interface Begun {
  /** Null for an evaluation by one process. */
  shard: Shard | null;
  setup: Setup;
}

/** The first line; one for each answer follows. */
interface Header extends Begun {
  dermletAnswers: 1;
}

interface AnswerLine {
  /** Index among all pictures of the evaluation, then among its pairs. */
  at: number;
  /** Since the beginning, those of interrupted runs included. */
  seconds: number;
  found: Bare;
}

/** By what a difference is told, in this order: a later one may only follow from an earlier one. */
const TOLD: readonly [option: string, (begun: Begun) => unknown][] = [
  ['--model', ({ setup: { model } }) => [model.name, model.version, model.sha256]],
  ['--head', ({ setup }) => setup.head],
  ['--shard', ({ shard }) => shard],
  ['--set', ({ setup }) => setup.options.sets],
  ['--split', ({ setup }) => setup.options.split],
  ['--modality', ({ setup }) => setup.options.modality],
  ['--labels', ({ setup }) => [setup.table, setup.counts.rows, setup.counts.repeated, setup.counts.unknownLabels]],
  ['--crop', ({ setup }) => setup.options.crop],
  ['--test-time-augmentation', ({ setup }) => setup.options.testTimeAugmentation],
  ['--pairs', ({ setup }) => [setup.combined, setup.counts.pairs]],
  ['--merge', ({ setup }) => setup.options.merge],
  ['--part', ({ setup }) => setup.options.parts],
  ['--positive', ({ setup }) => setup.options.positive],
  ['--malignant', ({ setup }) => setup.options.malignant],
  ['--model', ({ setup }) => [setup.model.classes, setup.options.benign]],
];

/** @throws DermletError INVALID_ARGUMENT unless what lies at `path` was begun with the same model, options and table */
function requireSame(path: string, begun: Begun, own: Begun): void {
  const different = TOLD.find(([, of]) => JSON.stringify(of(begun)) !== JSON.stringify(of(own)));
  if (different)
    throw new DermletError('INVALID_ARGUMENT', say('cli.error.resumeDiffers', { path, option: different[0] }));
}

const notOurs = (path: string, line: number): DermletError =>
  new DermletError('INVALID_ARGUMENT', say('cli.error.resumeAnswers', { path, line: String(line) }));

/** The JSON object of a line; an empty one where it is none. */
function objectOf<T>(text: string): Partial<T> {
  try {
    return Object(JSON.parse(text)) as Partial<T>;
  } catch {
    return {};
  }
}

const isBegun = ({ shard, setup }: Partial<Begun>): boolean =>
  shard !== undefined && Boolean(setup?.model && setup.options && setup.counts);

/** Where the answers are kept until the figures, or a shard's file, are at `json`. */
export const answersPath = (json: string): string => `${json}.answers`;

/** Of an evaluation that may have been interrupted before. */
export class Answers {
  /** Those of the runs before. */
  readonly known = new Map<number, Bare>();
  /** That the runs before took. */
  seconds = 0;
  #sink: Sink | undefined;
  /** Goes before the first answer; empty once it is written. */
  #header: string;

  private constructor(
    readonly path: string,
    begun: Begun,
  ) {
    this.#header = `${JSON.stringify({ dermletAnswers: 1, ...begun } satisfies Header)}\n`;
  }

  /**
   * @param resume goes on with the answers that are there; a last line that was cut off is dropped
   * @throws UsageError if there are answers and they are not to be gone on with, or none can be written
   * @throws DermletError INVALID_ARGUMENT if they are of another evaluation, or no answers at all
   */
  static async open(path: string, begun: Begun, resume: boolean): Promise<Answers> {
    const answers = new Answers(path, begun);
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile() && info.size > 0) {
      if (!resume) throw new UsageError(say('cli.error.unfinished', { path }));
      await answers.#read(begun);
    }
    answers.#sink = fileSink(path, resume);
    return answers;
  }

  async #read(begun: Begun): Promise<void> {
    const { pictures, pairs } = begun.setup.counts;
    const { end, cutOff } = await readLines(this.path, (text, line) => {
      if (line === 1) {
        const header = objectOf<Header>(text);
        if (header.dermletAnswers !== 1 || !isBegun(header)) throw notOurs(this.path, line);
        requireSame(this.path, header as Header, begun);
        this.#header = '';
        return;
      }
      const { at = -1, seconds, found } = objectOf<AnswerLine>(text);
      const isOne = Number.isSafeInteger(at) && at >= 0 && at < pictures + pairs;
      if (!isOne || typeof found !== 'object' || !Number.isFinite(seconds)) throw notOurs(this.path, line);
      this.known.set(at, found);
      this.seconds = seconds!;
    });
    if (cutOff) truncateSync(this.path, end);
  }

  /** Keeps one answer. @throws OutputError */
  add(at: number, found: Bare, seconds: number): void {
    const line: AnswerLine = { at, seconds, found };
    this.#sink!.write(`${this.#header}${JSON.stringify(line)}\n`);
    this.#header = '';
  }

  /** Without an answer in it, the file is removed. */
  async close(): Promise<void> {
    this.#sink?.close();
    this.#sink = undefined;
    if (this.#header !== '') await rm(this.path, { force: true });
  }

  /** Once what is made of the answers is written. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }
}

/**
 * Whether the shard's file is there already, so that a scheduler may start all parts again.
 * @throws DermletError INVALID_ARGUMENT if it is of another evaluation
 */
export async function isFinished(path: string, begun: Begun): Promise<boolean> {
  const file = objectOf<Begun & { dermletShard: 1 }>(await readFile(path, 'utf8').catch(() => ''));
  if (file.dermletShard !== 1 || !isBegun(file)) return false;
  requireSame(path, file as Begun, begun);
  return true;
}
