/** `classify FILE|FOLDER...`, or `classify FILE FILE --lesion`. */

import { parseArgs } from 'node:util';
import {
  type Atlas,
  DermletError,
  type HeadInfo,
  isShippedModel,
  type Result,
  SET_MASS,
  withoutImages,
} from '../../web/src/classifier/node/index.js';
import { PROJECTIONS } from '../../web/src/handler/index.js';
import { list, number } from '../../web/src/messages/index.js';
import { agreement, besideLines } from './beside.js';
import type { Origin, Reports } from './dicom-sr.js';
import { headLines, headOf, withHeadsClasses } from './head.js';
import { defaultModel, modelOf } from './model.js';
import { fileSink, type Sink } from './output.js';
import { findPictures } from './pictures.js';
import { plain, plainJson } from './plain.js';
import { type Answer, classifyAll, DEFAULT_SECONDS, type Task, type TaskPicture, withinCores } from './pool.js';
import { answeredIn, keyOf, runId } from './resume.js';
import { say } from './say.js';
import { isIn, parseShard } from './shard.js';
import { atlasOf, similarLine, similarTo } from './similar.js';
import { stopOnSignal } from './stop.js';
import { describe, legend, strangersLine } from './terminal.js';
import { EXIT, parseCrop, positiveInteger, positiveNumber, requireModality, UsageError } from './usage.js';

const project = { ...PROJECTIONS, result: withoutImages } satisfies Record<string, (result: Result) => object>;
type Format = keyof typeof project;

export interface Output {
  out(text: string): void;
  err(text: string): void;
  /** To stderr as it is, control characters included: for lines of our own that are rewritten. */
  live(text: string): void;
  columns: number;
}

function parse(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      ndjson: { type: 'boolean', default: false },
      output: { type: 'string' },
      resume: { type: 'boolean', default: false },
      timeout: { type: 'string', default: String(DEFAULT_SECONDS) },
      format: { type: 'string' },
      model: { type: 'string', default: defaultModel },
      modality: { type: 'string' },
      crop: { type: 'string' },
      explain: { type: 'boolean', default: false },
      'test-time-augmentation': { type: 'boolean', default: false },
      lesion: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '1' },
      shard: { type: 'string' },
      head: { type: 'string' },
      atlas: { type: 'string' },
      beside: { type: 'string' },
      'dicom-sr': { type: 'string' },
      names: { type: 'boolean', default: false },
    },
  });
  if (positionals.length === 0) throw new UsageError(say('cli.error.noFile'));
  const format = values.format ?? 'result';
  if (!Object.hasOwn(project, format) || (values.format !== undefined && format === 'result')) {
    throw new UsageError(say('cli.error.format', { known: list(Object.keys(PROJECTIONS), 'or'), format }));
  }
  if (values.beside !== undefined && format !== 'result') throw new UsageError(say('cli.error.besideFormat'));
  const { ndjson, output, resume, names, 'dicom-sr': dicomSr } = values;
  if (dicomSr !== undefined && (values.lesion || values.beside !== undefined))
    throw new UsageError(say('cli.error.dicomSr'));
  if (names && dicomSr === undefined) throw new UsageError(say('cli.error.names'));
  const json = values.json || format !== 'result';
  if (resume && !(ndjson && output !== undefined)) throw new UsageError(say('cli.error.resume'));
  if (output !== undefined && !json && !ndjson) throw new UsageError(say('cli.error.outputNeeds'));
  const { lesion, crop, explain, 'test-time-augmentation': testTimeAugmentation } = values;
  if (lesion && values.shard !== undefined) throw new UsageError(say('cli.error.shardLesion'));
  if (lesion && positionals.length !== 2)
    throw new UsageError(say('cli.error.lesionFiles', { count: number(positionals.length) }));
  const area = crop === undefined ? undefined : parseCrop(crop);
  if (lesion && typeof area === 'object') throw new UsageError(say('cli.error.lesionCrop'));
  const modalities = values.modality?.split(',') ?? [];
  if (modalities.length > (lesion ? 2 : 1))
    throw new UsageError(
      say(lesion ? 'cli.error.lesionModalities' : 'cli.error.modalities', { count: number(modalities.length) }),
    );
  return {
    paths: positionals,
    lesion,
    modalities,
    crop: area,
    options: { explain, testTimeAugmentation, ...(values.atlas === undefined ? {} : { embedding: true }) },
    model: values.model,
    head: values.head,
    atlas: values.atlas,
    beside: values.beside,
    dicomSr,
    names,
    jobs: positiveInteger(values.jobs, '--jobs'),
    shard: values.shard === undefined ? undefined : parseShard(values.shard),
    seconds: positiveNumber(values.timeout, '--timeout'),
    output,
    resume,
    // The retired servers answered in JSON.
    form: ndjson ? ('lines' as const) : json ? ('json' as const) : ('text' as const),
    format: format as Format,
  };
}

type Request = ReturnType<typeof parse>;

/** A task, and whether it came out of a folder. */
interface OwnTask extends Task {
  inFolder: boolean;
  skipped?: boolean;
  /** Of its picture, once it was read, if reports are written. */
  origin?: Origin;
}

/** How many there were of each kind. */
interface Counts {
  classified: number;
  failed: number;
  skipped: number;
  hidden: number;
  /** Left out because the file that is gone on with has them. */
  known: number;
}

/** One modality applies to every picture, two to those of a lesion in order. */
async function* tasksOf(
  { paths, lesion, modalities, crop, shard, options }: Request,
  done: ReadonlySet<string>,
  counts: Counts,
  reports: Reports | undefined,
): AsyncGenerator<OwnTask> {
  const picture = (path: string, index: number, raw?: Buffer): TaskPicture => {
    const modality = modalities[modalities.length === 2 ? index : 0];
    return {
      path,
      ...(raw ? { raw } : {}),
      ...(modality === undefined ? {} : { modality }),
      ...(crop === undefined ? {} : { crop }),
    };
  };
  const isNew = (task: OwnTask): boolean => {
    if (!done.has(keyOf(filesOf(task)))) return true;
    counts.known++;
    return false;
  };
  if (lesion) {
    const task = { pictures: paths.map((path, index) => picture(path, index)), options, inFolder: false };
    if (isNew(task)) yield task;
    return;
  }
  for await (const { path, raw, place, ...rest } of findPictures(paths, () => counts.hidden++)) {
    if (shard && !isIn(shard, place)) continue;
    const own = picture(path, 0, raw);
    const task: OwnTask = { pictures: [own], options, ...rest };
    if (reports)
      own.onRead = (bytes) => {
        task.origin = reports.originOf(bytes);
      };
    if (isNew(task)) yield task;
  }
}

const nameOf = ({ pictures }: Task): string => pictures.map(({ path }) => path).join(' + ');

const filesOf = ({ pictures }: Task): { file: string } | { files: string[] } =>
  pictures.length === 1 ? { file: pictures[0]!.path } : { files: pictures.map(({ path }) => path) };

const errorOf = ({ error: { code, message } }: { error: DermletError }): object => ({ error: { code, message } });

function asJson({ task, answer, second, report }: Answered, format: Format, atlas: Atlas | undefined): object {
  const beside = second && { beside: second.ok ? withoutImages(second.result) : errorOf(second) };
  if (!answer.ok) return { ...filesOf(task), ...errorOf(answer), ...beside };
  return {
    ...filesOf(task),
    ...project[format](answer.result),
    ...(atlas ? { similar: similarTo(atlas, answer.result) } : {}),
    ...(report ? { dicomSr: report.ok ? report.path : errorOf(report) } : {}),
    ...beside,
    ...(second?.ok ? { agreement: agreement(answer.result, second.result) } : {}),
  };
}

/** Puts answers that came early back in order, and holds no more than those. */
class InOrder<T> {
  readonly #early = new Map<number, T>();
  #next = 0;

  constructor(readonly onNext: (value: T) => void) {}

  add(index: number, value: T): void {
    this.#early.set(index, value);
    for (let own = this.#early.get(this.#next); own !== undefined; own = this.#early.get(this.#next)) {
      this.#early.delete(this.#next++);
      this.onNext(own);
    }
  }

  /** What came although an earlier one never did, when everything was stopped. */
  rest(): void {
    for (const index of [...this.#early.keys()].sort((a, b) => a - b)) this.onNext(this.#early.get(index)!);
    this.#early.clear();
  }
}

interface Answered {
  task: OwnTask;
  answer: Answer;
  /** Another model's. */
  second?: Answer | undefined;
  /** The DICOM SR, if one was asked for. */
  report?: Report | undefined;
}

type Report = { ok: true; path: string } | { ok: false; error: DermletError };

/** Prints answers in one form as they come; `end` closes what is open, also after an interruption. */
interface Printer {
  add(answered: Answered, index: number): void;
  end(): void;
}

/** One line each as soon as it is there, in whatever order. */
function linePrinter(sink: Sink, run: string, format: Format, atlas: Atlas | undefined): Printer {
  return {
    add: (answered) => sink.write(`${plainJson({ run, ...asJson(answered, format, atlas) })}\n`),
    end: () => undefined,
  };
}

/** One array in the order of the files, or the only answer by itself. */
function jsonPrinter(sink: Sink, one: boolean, format: Format, atlas: Atlas | undefined): Printer {
  let open = false;
  const ordered = new InOrder<Answered>((answered) => {
    const text = plainJson(asJson(answered, format, atlas), 2);
    if (one) return sink.write(`${text}\n`);
    sink.write(`${open ? ',' : '['}\n  ${text.replaceAll('\n', '\n  ')}`);
    open = true;
  });
  return {
    add: (answered, index) => ordered.add(index, answered),
    end: () => {
      ordered.rest();
      if (!one) sink.write(open ? '\n]\n' : '[]\n');
    },
  };
}

/**
 * @param foreign a model of somebody else's, whose words are set apart
 * @param head what judged in place of its last layer
 */
function textPrinter(
  { out, columns }: Output,
  model: { title: string; coverage: number },
  foreign: boolean,
  head: HeadInfo | undefined,
  atlas: Atlas | undefined,
): Printer {
  let any = false;
  const ordered = new InOrder<Answered>(({ task, answer, second, report }) => {
    if (!answer.ok) return;
    any = true;
    const paths = task.pictures.map(({ path }) => path);
    const similar = atlas ? `\n${similarLine(atlas, answer.result, columns)}` : '';
    const beside = second?.ok ? `\n${besideLines(answer.result, second.result, columns)}` : '';
    // A path is not broken.
    const written = report?.ok ? `\n  ${say('cli.dicomSr', { path: report.path })}` : '';
    out(`${describe(paths, answer.result, columns, foreign)}${similar}${beside}${written}\n\n`);
  });
  return {
    add: (answered, index) => ordered.add(index, answered),
    end: () => {
      ordered.rest();
      if (any && foreign) out(`${strangersLine(model.title, columns)}\n`);
      if (any) out(`${legend(head ? { mass: SET_MASS } : model, columns)}\n`);
      if (any && head) out(`${headLines(head, columns)}\n`);
    },
  };
}

/** Whether one file was named and nothing else: it is answered by one object. */
const isOne = ({ lesion, paths }: Request, { inFolder }: OwnTask): boolean =>
  lesion || (paths.length === 1 && !inFolder);

/** Reads the first task ahead, as the form of the output depends on it. */
async function* withFirst<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** @throws UsageError, OutputError, DermletError when the engine cannot be started */
export async function classify(args: string[], output: Output): Promise<number> {
  const asked = parse(args);
  const { err } = output;
  const { model, seconds, form, format } = asked;
  const base = await modelOf(model);
  const head = asked.head === undefined ? undefined : await headOf(asked.head);
  const similar = asked.atlas === undefined ? undefined : await atlasOf(asked.atlas, base);
  const atlas = similar?.atlas;
  // Cases are like a picture that is looked at as they were. A head's own crop is the engine's default.
  const request = { ...asked, crop: asked.crop ?? (head || !atlas ? undefined : parseCrop(atlas.manifest.crop)) };
  const second = asked.beside === undefined ? undefined : await modelOf(asked.beside);
  const info = head ? withHeadsClasses(base, head.head) : base;
  for (const id of request.modalities)
    if (id !== 'auto') for (const each of second ? [info, second] : [info]) requireModality(each, id);
  const { name, version, sha256 } = info;
  const { lesion, modalities, crop, options } = request;
  const run = runId({
    model: [name, version, sha256],
    ...(head ? { head: head.sha256 } : {}),
    ...(similar ? { atlas: similar.sha256 } : {}),
    ...(second ? { beside: [second.name, second.version, second.sha256] } : {}),
    format,
    lesion,
    modalities,
    crop,
    options,
    // What was answered before has no report.
    ...(asked.dicomSr === undefined ? {} : { dicomSr: true, names: asked.names }),
  });
  const reports =
    asked.dicomSr === undefined
      ? undefined
      : await (await import('./dicom-sr.js')).reportsIn(asked.dicomSr, asked.names);
  const reported = (answer: Answer, { pictures, origin }: OwnTask): Report | undefined => {
    if (!reports || !answer.ok || !origin) return undefined;
    try {
      return { ok: true, path: reports.write(answer.result, pictures[0]!.path, origin) };
    } catch (error) {
      if (!(error instanceof DermletError)) throw error;
      return { ok: false, error };
    }
  };
  const counts: Counts = { classified: 0, failed: 0, skipped: 0, hidden: 0, known: 0 };
  const done = request.resume ? await answeredIn(request.output!, run) : new Set<string>();
  const sink: Sink =
    request.output === undefined
      ? { write: output.out, close: () => undefined }
      : fileSink(request.output, request.resume);
  const tasks = tasksOf(request, done, counts, reports);
  const { value: first, done: none } = await tasks.next();
  if (none) {
    sink.close();
    // A small archive has nothing for some of the processes.
    if (counts.known === 0 && !request.shard) throw new UsageError(say('cli.error.noPictures'));
    err(`${summaryLine(counts)}\n`);
    return EXIT.fine;
  }
  const printer =
    form === 'lines'
      ? linePrinter(sink, run, format, atlas)
      : form === 'json'
        ? jsonPrinter(sink, isOne(request, first), format, atlas)
        : textPrinter(output, info, head !== undefined || !isShippedModel(model), head?.info, atlas);
  const jobs = withinCores(asked.jobs, err);
  const stopping = stopOnSignal(() => err(`${say('cli.stopping')}\n`));
  try {
    await classifyAll(
      model,
      withFirst(first, tasks),
      { jobs, seconds, head: head?.bytes, beside: asked.beside, stop: stopping.signal },
      (answer, index, task, beside) => {
        count(counts, task, answer, err);
        if (answer.ok && beside && !beside.ok) count(counts, task, beside, err);
        const report = reported(answer, task);
        if (report && !report.ok) fail(counts, task, report.error, err);
        printer.add({ task, answer, second: beside, report }, index);
      },
    );
    printer.end();
  } finally {
    stopping.release();
    sink.close();
  }
  if (!isOne(request, first) || stopping.status() !== undefined) err(`${summaryLine(counts)}\n`);
  const nothing = !request.shard && counts.classified + counts.known === 0;
  return stopping.status() ?? (counts.failed > 0 || nothing ? EXIT.failed : EXIT.fine);
}

/** Counts an answer, and names what has none. */
function count(counts: Counts, task: OwnTask, answer: Answer, err: (text: string) => void): void {
  if (answer.ok) return void counts.classified++;
  // A folder of pictures may hold other things too; a file that was named is asked for.
  const skipped = task.skipped || (task.inFolder && answer.error.code === 'UNSUPPORTED_FORMAT');
  if (!skipped) return fail(counts, task, answer.error, err);
  counts.skipped++;
  err(`${say('cli.skipped', { file: plain(nameOf(task)), reason: answer.error.message })}\n`);
}

function fail(counts: Counts, task: OwnTask, { code, message }: DermletError, err: (text: string) => void): void {
  counts.failed++;
  err(`${plain(nameOf(task))}: ${code}: ${plain(message)}\n`);
}

const summaryLine = ({ classified, failed, skipped, hidden, known }: Counts): string => {
  const parts = [
    say('cli.summary.classified', { count: classified }),
    ...(failed > 0 ? [say('cli.summary.failed', { count: failed })] : []),
    ...(skipped > 0 ? [say('cli.summary.skipped', { count: skipped })] : []),
    ...(hidden > 0 ? [say('cli.summary.hidden', { count: hidden })] : []),
    ...(known > 0 ? [say('cli.summary.known', { count: known })] : []),
  ];
  return parts.join(', ');
};
