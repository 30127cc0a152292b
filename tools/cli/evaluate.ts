/** `evaluate`: measures the shipped engine on labelled pictures. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, constants, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'csv-stringify/sync';
import type { ModelInfo } from '../../web/src/classifier/node/index.js';
import { number } from '../../web/src/messages/index.js';
import { Answers, answersPath, type Bare, type Failed, isFinished } from './answers.js';
import type { Output } from './classify.js';
import { type AnsweredPairs, allFigures, type Part, parsePart, positiveIndex, type Setup } from './evaluation.js';
import { headLines, headOf, withHeadsClasses } from './head.js';
import { chooseRows, distinctRows, type LabelRow, mergeClasses, NEGATIVE_LABELS, readLabels } from './labels.js';
import { lookingFigures, lookingReport } from './looking.js';
import { defaultModel, modelOf } from './model.js';
import { OutputError } from './output.js';
import { findPairs, type Pair } from './pairs.js';
import { nameText } from './pictures.js';
import { classifyAll, DEFAULT_SECONDS, type Task, type TaskPicture, withinCores } from './pool.js';
import { Progress } from './progress.js';
import { report } from './report.js';
import { say } from './say.js';
import { type Answered, answered, scored } from './scored.js';
import { isIn, parseShard, type Shard } from './shard.js';
import {
  EXIT,
  parseCrop,
  positiveInteger,
  positiveNumber,
  reasonOf,
  requireModality,
  UsageError,
  unwritable,
} from './usage.js';

/** Default number of parallel engines; each takes about 150 MB. */
const DEFAULT_JOBS = Math.min(4, availableParallelism());
const RESAMPLES = 1000;

const entries = (values: readonly string[] | undefined): string[] | undefined =>
  values?.flatMap((value) => value.split(',')).filter(Boolean);

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      labels: { type: 'string', multiple: true },
      images: { type: 'string' },
      set: { type: 'string', multiple: true },
      split: { type: 'string' },
      modality: { type: 'string' },
      merge: { type: 'string', multiple: true },
      positive: { type: 'string' },
      malignant: { type: 'string', multiple: true },
      part: { type: 'string', multiple: true },
      pairs: { type: 'boolean', default: false },
      'test-time-augmentation': { type: 'boolean', default: false },
      crop: { type: 'string' },
      head: { type: 'string' },
      json: { type: 'string' },
      predictions: { type: 'string' },
      jobs: { type: 'string', default: String(DEFAULT_JOBS) },
      timeout: { type: 'string', default: String(DEFAULT_SECONDS) },
      shard: { type: 'string' },
      resume: { type: 'boolean', default: false },
      model: { type: 'string', default: defaultModel },
    },
  });
  const { labels, images, json } = values;
  const crop = values.crop === undefined ? undefined : parseCrop(values.crop);
  if (typeof crop === 'object') throw new UsageError(say('cli.error.evaluateCrop'));
  if (!labels || !images || !json) throw new UsageError(say('cli.error.evaluateNeeds'));
  if (values.shard !== undefined && values.predictions !== undefined)
    throw new UsageError(say('cli.error.shardPredictions'));
  return {
    ...values,
    shard: values.shard === undefined ? undefined : parseShard(values.shard),
    crop: crop as 'auto' | 'whole' | undefined,
    labels,
    images,
    json,
    set: entries(values.set),
    merge: entries(values.merge) ?? [],
    malignant: entries(values.malignant),
    part: values.part?.map(parsePart) ?? [],
    jobs: positiveInteger(values.jobs, '--jobs'),
    seconds: positiveNumber(values.timeout, '--timeout'),
  };
}

/** What was asked for, with what a head says where nothing was. */
type Options = Omit<ReturnType<typeof parse>, 'crop' | 'head'> & {
  crop: string;
  head: Uint8Array<ArrayBuffer> | undefined;
};

interface Sorted {
  used: LabelRow[];
  /** Number of pictures by label, for labels that the model does not know. */
  unknown: Record<string, number>;
}

function sortRows(rows: readonly LabelRow[], known: readonly string[]): Sorted {
  const used: LabelRow[] = [];
  const unknown = new Map<string, number>(); // labels may be any words, those of an object's own members too
  for (const row of rows) {
    if (known.includes(row.label) || NEGATIVE_LABELS.includes(row.label)) used.push(row);
    else unknown.set(row.label, (unknown.get(row.label) ?? 0) + 1);
  }
  return { used, unknown: Object.fromEntries(unknown) };
}

/** The row's modality if the model knows it, else the command line's, else the model's default. */
function modalityOf(row: LabelRow, model: ModelInfo, option: string | undefined): string {
  return model.modalities.includes(row.modality) ? row.modality : (option ?? model.defaultModality);
}

/** Found now, not after hours: whether a file can be written there. @throws UsageError */
async function requireWritable(path: string): Promise<void> {
  try {
    if (await isSpecial(path)) return await access(path, constants.W_OK);
    await writeFile(`${path}.part`, '');
    await rm(`${path}.part`);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** A device or a pipe, which is written to and not replaced. @throws if it is a folder */
async function isSpecial(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) throw new Error(say('cli.error.isFolder'));
  return info !== undefined && !info.isFile();
}

/** Atomic: a reader never finds half a file. */
async function writeAtomically(path: string, text: string): Promise<void> {
  if (await isSpecial(path)) return writeFile(path, text);
  const part = `${path}.part`;
  try {
    await writeFile(part, text);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/**
 * Writes a file, or where that fails a copy in the folder for temporary files: hours of work are not lost to a disk
 * that filled up meanwhile.
 * @throws OutputError that says where it lies now
 */
async function keep(path: string, text: string): Promise<void> {
  try {
    await writeAtomically(path, text);
  } catch (error) {
    const reason = reasonOf(error);
    try {
      const rescued = join(await mkdtemp(join(tmpdir(), 'dermlet-')), basename(path));
      await writeFile(rescued, text);
      throw new OutputError(say('cli.error.rescued', { path, reason, rescued }));
    } catch (second) {
      if (second instanceof OutputError) throw second;
      throw new OutputError(say('cli.error.output', { name: path, reason }));
    }
  }
}

/** Six decimals: finer than any figure can resolve. */
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1e6) / 1e6 : value;

/**
 * JSON with each list of numbers on one line, so that curves and matrices can be read and diffed. Strings are not
 * affected, as they hold no line breaks.
 */
export function compactJson(value: unknown): string {
  const number = '(?:-?[0-9.]+(?:e[+-]?[0-9]+)?|null)';
  const list = new RegExp(`\\[\\n\\s*(${number}(?:,\\n\\s*${number})*)\\n\\s*\\]`, 'g');
  const text = JSON.stringify(value, rounded, 2);
  return `${text.replace(list, (_list, inner: string) => `[${inner.replace(/,\s+/g, ', ')}]`)}\n`;
}

function predictionsCsv(
  answers: readonly Answered[],
  options: { ids: readonly string[]; merge: readonly string[] },
): string {
  const merged = mergeClasses(options.ids, options.merge);
  const header = ['set', 'image', 'outcome', 'rejection', ...merged.classes, 'tier', 'prediction_set'];
  const rows = answers.map((answer) => {
    const { set, image, outcome, rejection, probabilities, tier, predictionSet } = scored(answer, options.ids, merged, {
      malignant: [],
      benign: [],
    });
    return [
      set,
      image,
      outcome,
      rejection,
      ...probabilities,
      tier,
      predictionSet.map((k) => merged.classes[k]!).join(' '),
    ].map(String);
  });
  return stringify([header, ...rows]);
}

/** An answer, or why there is none. */
type Found = Answered | Failed;

const hasFailed = (found: Found | Bare): found is Failed => 'code' in found;

function bare(found: Found): Bare {
  if (hasFailed(found)) return found;
  const { row: _row, ...rest } = found;
  return rest;
}

const withRow = (row: LabelRow, found: Bare): Found => (hasFailed(found) ? found : { row, ...found });

/** What is looked at: each picture, then each pair. */
interface Work {
  used: readonly LabelRow[];
  pairs: readonly Pair[];
  combined: [string, string] | undefined;
}

interface Measured {
  /** By index: pictures first, then pairs. Those of other shards are absent. */
  found: Found[];
  seconds: number;
}

interface Separated {
  answers: Answered[];
  pairs: AnsweredPairs | undefined;
  unreadable: { set: string; image: string; code: string; message: string }[];
}

/** The two modalities that the model can combine, for `--pairs`. @throws UsageError */
function pairedModalities({ combines }: ModelInfo): [string, string] {
  if (!combines) throw new UsageError(say('cli.error.pairs'));
  return combines;
}

/** A picture's place; the name's bytes where it is one that is not UTF-8 (`tableText` kept them). */
function pathOf(path: string): Pick<TaskPicture, 'path' | 'raw'> {
  if (/^[\0-\xff]*$/.test(path) && /[\x80-\xff]/.test(path) && !existsSync(path)) {
    const raw = Buffer.from(path, 'latin1');
    if (existsSync(raw)) return { path: nameText(raw), raw };
  }
  return { path };
}

function workOf(options: Options, model: ModelInfo, used: readonly LabelRow[]): Work {
  const combined = options.pairs ? pairedModalities(model) : undefined;
  const modalities = used.map((row) => modalityOf(row, model, options.modality));
  const ids = model.classes.map(({ id }) => id);
  const pairs = combined
    ? findPairs(used, modalities, combined).filter(({ pictures: [i] }) => ids.includes(used[i]!.label))
    : [];
  return { used, pairs, combined };
}

/**
 * Classifies each picture, then each pair, with the same engines: all of them, or those of a shard.
 * @param answers gives those that are known, and keeps the others as they come
 */
async function measure(
  options: Options,
  model: ModelInfo,
  { used, pairs }: Work,
  answers: Answers | undefined,
  { live }: Pick<Output, 'live'>,
): Promise<Measured> {
  const ids = model.classes.map(({ id }) => id);
  const picture = (i: number) => ({
    ...pathOf(join(options.images, used[i]!.set, used[i]!.image)),
    modality: modalityOf(used[i]!, model, options.modality),
    crop: parseCrop(options.crop),
  });
  const { shard } = options;
  // By group, so that both pictures of a pair are in one shard.
  const own = [...used.map((_row, i) => [i]), ...pairs.map(({ pictures }) => pictures)]
    .map((pictures, at) => ({ pictures, at, first: used[pictures[0]!]! }))
    .filter(({ first }) => !shard || isIn(shard, first.group));
  const found: Found[] = [];
  const places = own.filter(({ at, first }) => {
    const known = answers?.known.get(at);
    if (known) found[at] = withRow(first, known);
    return !known;
  });
  const tasks = places.map(
    ({ pictures }): Task => ({
      pictures: pictures.map(picture),
      options: { testTimeAugmentation: options['test-time-augmentation'] },
    }),
  );
  const before = answers?.seconds ?? 0;
  const progress = new Progress(tasks.length, live, process.stderr.isTTY === true);
  await classifyAll(options.model, tasks, options, (answer, index) => {
    const { at, first } = places[index]!;
    found[at] = answer.ok
      ? answered(first, answer.result, ids)
      : { code: answer.error.code, message: answer.error.message };
    answers?.add(at, bare(found[at]), before + progress.seconds);
    progress.step();
  });
  return { found, seconds: before + progress.seconds };
}

/** Separates answers from errors; the indices of pairs then refer to the answers instead of the rows. */
function separate(found: readonly Found[], { used, pairs, combined }: Work): Separated {
  const answers: Answered[] = [];
  const unreadable: Separated['unreadable'] = [];
  const placeOf = new Map<number, number>();
  const fail = (image: string, set: string, { code, message }: Failed) =>
    unreadable.push({ set, image, code, message });
  used.forEach(({ set, image }, i) => {
    const answer = found[i]!;
    if (hasFailed(answer)) return void fail(image, set, answer);
    placeOf.set(i, answers.length);
    answers.push(answer);
  });
  const together = pairs.flatMap(({ group, pictures }, i) => {
    const [answer, first, second] = [found[used.length + i]!, placeOf.get(pictures[0]), placeOf.get(pictures[1])];
    if (first === undefined || second === undefined) return []; // reported above
    if (!hasFailed(answer))
      return [{ pair: { group, pictures: [first, second] as [number, number] }, together: answer }];
    fail(pictures.map((k) => used[k]!.image).join(' + '), used[pictures[0]]!.set, answer);
    return [];
  });
  return { answers, unreadable, pairs: combined && { modalities: combined, pairs: together } };
}

/** The malignant classes; by default those of high concern. @throws UsageError for a class that the model lacks */
function malignantClasses({ classes }: ModelInfo, option: readonly string[] | undefined): string[] {
  const unknown = option?.find((id) => !classes.some((entry) => entry.id === id));
  if (unknown !== undefined)
    throw new UsageError(say('cli.error.malignant', { id: unknown, known: classes.map(({ id }) => id).join(', ') }));
  return classes.filter(({ id, concern }) => option?.includes(id) ?? concern === 'high').map(({ id }) => id);
}

/** Finds mistakes in the options before any picture is opened. @throws UsageError */
function checkParts(
  parts: readonly Part[],
  ids: readonly string[],
  positive: string | undefined,
  sets: ReadonlySet<string>,
): void {
  for (const { name, sets: own, merge } of parts) {
    const missing = own.find((set) => !sets.has(set));
    if (missing !== undefined)
      throw new UsageError(say('cli.error.partSet', { name, set: missing, known: [...sets].sort().join(', ') }));
    positiveIndex(positive, mergeClasses(ids, merge));
  }
  const duplicate = parts.find(({ name }, i) => parts.findIndex((part) => part.name === name) !== i);
  if (duplicate) throw new UsageError(say('cli.error.partTwice', { name: duplicate.name }));
}

/** Where figures go. */
interface Files {
  json: string;
  predictions?: string | undefined;
}

export async function requireFiles({ json, predictions }: Files): Promise<void> {
  for (const path of [json, ...(predictions === undefined ? [] : [predictions])]) await requireWritable(path);
}

/**
 * Computes, writes and prints the figures of all answers.
 * @returns the exit status, and whether all is written where it was asked for
 */
async function conclude(
  { model, head, options, counts }: Setup,
  work: Work,
  { found, seconds }: Measured,
  jobs: number,
  { json, predictions }: Files,
  { out, err }: Output,
): Promise<{ status: number; written: boolean }> {
  const { answers, pairs, unreadable } = separate(found, work);
  const ids = model.classes;
  const merged = mergeClasses(ids, options.merge);
  const positive = positiveIndex(options.positive ?? undefined, merged);
  for (const { set, image, code, message } of unreadable)
    err(`${say('cli.evaluate.unreadable', { file: `${set}/${image}`, code, message })}\n`);
  const { merge, malignant, benign, parts } = options;
  const figures = allFigures(
    answers,
    { ids, merge, positive: options.positive ?? undefined, malignant, benign, parts, resamples: RESAMPLES },
    pairs,
  );
  const looking = lookingFigures(answers, ({ row }) => NEGATIVE_LABELS.includes(row.label));
  // A pair is two more pictures.
  const imagesPerSecond = (work.used.length + 2 * (pairs?.pairs.length ?? 0)) / seconds;
  const { name, version, sha256 } = model;
  const { parts: _parts, ...told } = options;
  const all = {
    evaluationVersion: 2,
    model: { name, version, sha256 },
    ...(head ? { head } : {}),
    options: { ...told, positive: positive < 0 ? null : merged.classes[positive]!, jobs },
    classes: merged.classes,
    counts: {
      rows: counts.rows,
      repeated: counts.repeated,
      evaluated: answers.length,
      unreadable: unreadable.length,
      unknownLabels: counts.unknownLabels,
    },
    ...figures,
    looking,
    unreadable,
    seconds,
    imagesPerSecond,
  };
  // Each is tried, whatever becomes of the others.
  const failures: unknown[] = [];
  const tried = (path: string, text: string) => keep(path, text).catch((error: unknown) => failures.push(error));
  await tried(json, compactJson(all));
  if (predictions !== undefined) await tried(predictions, predictionsCsv(answers, { ids, merge }));
  out(
    `${report(figures)}\n${lookingReport(looking)}\n\n${say('cli.evaluate.done', {
      classified: answers.length,
      unreadable: number(unreadable.length),
      rate: number(imagesPerSecond, 1),
    })}\n`,
  );
  for (const error of failures) {
    if (!(error instanceof OutputError)) throw error;
    err(`${error.message}\n`);
  }
  const written = failures.length === 0;
  return { status: answers.length > 0 && written ? EXIT.fine : EXIT.failed, written };
}

/** The answers of one shard, in full: figures of parts cannot be put together. */
export interface ShardFile {
  dermletShard: 1;
  shard: Shard;
  setup: Setup;
  jobs: number;
  seconds: number;
  /** `at`: index among the pictures of the whole evaluation. */
  pictures: { at: number; row: LabelRow; found: Bare }[];
  /** `at`: index among its pairs, whose pictures are indices as above. */
  pairs: { at: number; pair: Pair; found: Bare }[];
}

function shardText(
  shard: Shard,
  setup: Setup,
  { used, pairs }: Work,
  { found, seconds }: Measured,
  jobs: number,
): string {
  const own = <T extends object>(count: number, from: number, more: (at: number) => T) =>
    Array.from({ length: count }, (_, at) => at)
      .filter((at) => found[from + at] !== undefined)
      .map((at) => ({ at, ...more(at), found: bare(found[from + at]!) }));
  const file: ShardFile = {
    dermletShard: 1,
    shard,
    setup,
    jobs,
    seconds,
    pictures: own(used.length, 0, (at) => ({ row: used[at]! })),
    pairs: own(pairs.length, used.length, (at) => ({ pair: pairs[at]! })),
  };
  return `${JSON.stringify(file)}\n`;
}

/**
 * The figures of an evaluation from the files of all its shards, as one run gives them: the same answers in the same
 * order. @returns the exit status
 */
export async function concludeShards(shards: readonly ShardFile[], files: Files, output: Output): Promise<number> {
  const { setup } = shards[0]!;
  const used: LabelRow[] = [];
  const pairs: Pair[] = [];
  const found: Found[] = [];
  for (const shard of shards) {
    for (const { at, row, found: own } of shard.pictures) {
      used[at] = row;
      found[at] = withRow(row, own);
    }
    for (const { at, pair } of shard.pairs) pairs[at] = pair;
  }
  for (const shard of shards)
    for (const { at, pair, found: own } of shard.pairs)
      found[setup.counts.pictures + at] = withRow(used[pair.pictures[0]]!, own);
  const seconds = shards.reduce((sum, shard) => sum + shard.seconds, 0);
  const work: Work = { used, pairs, combined: setup.combined ?? undefined };
  return (await conclude(setup, work, { found, seconds }, shards[0]!.jobs, files, output)).status;
}

/** A row at a time: the text of a large table as a whole would be longer than a string can be. */
function tableId(rows: readonly LabelRow[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
  return hash.digest('hex');
}

/** @throws UsageError, DermletError when the engine cannot be started */
export async function evaluate(args: string[], output: Output): Promise<number> {
  const asked = parse(args);
  const { err } = output;
  const base = await modelOf(asked.model);
  const head = asked.head === undefined ? undefined : await headOf(asked.head);
  const model = head ? withHeadsClasses(base, head.head) : base;
  const options = { ...asked, crop: asked.crop ?? head?.head.manifest.crop ?? 'auto', head: head?.bytes };
  const { name, version, sha256 } = model;
  const classes = model.classes.map(({ id }) => id);
  requireModality(model, options.modality);
  positiveIndex(options.positive, mergeClasses(classes, options.merge));
  const malignant = malignantClasses(model, options.malignant);
  const benign = model.classes.filter(({ concern }) => concern === 'low').map(({ id }) => id);
  const all = (await Promise.all(options.labels.map(readLabels))).flat();
  const { rows: chosen, repeated } = distinctRows(
    chooseRows(all, { sets: options.set, split: options.split, modality: options.modality }),
  );
  if (repeated > 0) err(`${say('cli.evaluate.repeated', { count: repeated })}\n`);
  if (options.pairs) pairedModalities(model);
  checkParts(options.part, classes, options.positive, new Set(chosen.map(({ set }) => set)));
  const { used, unknown } = sortRows(chosen, classes);
  for (const [label, count] of Object.entries(unknown)) err(`${say('cli.evaluate.skipped', { count, label })}\n`);
  if (used.length === 0) throw new UsageError(say('cli.error.noKnownLabel'));
  await requireFiles(options);

  const work = workOf(options, model, used);
  const setup: Setup = {
    model: { name, version, sha256, classes },
    ...(head ? { head: { title: head.info.title, sha256: head.sha256 } } : {}),
    options: {
      sets: options.set ?? null,
      split: options.split ?? null,
      modality: options.modality ?? null,
      merge: options.merge,
      positive: options.positive ?? null,
      malignant,
      benign,
      testTimeAugmentation: options['test-time-augmentation'],
      crop: options.crop,
      parts: options.part,
    },
    counts: {
      rows: chosen.length,
      repeated,
      unknownLabels: unknown,
      pictures: used.length,
      pairs: work.pairs.length,
    },
    table: tableId(used),
    combined: work.combined ?? null,
  };
  const { shard, json, resume } = options;
  const special = await isSpecial(json);
  if (resume && special) throw new UsageError(say('cli.error.resumeSpecial', { path: json }));
  const begun = { shard: shard ?? null, setup };
  const answers = special ? undefined : await Answers.open(answersPath(json), begun, resume);
  try {
    // Where answers are left, the shard's file is that of an earlier evaluation, or about to be the same.
    if (resume && shard && answers?.known.size === 0 && (await isFinished(json, begun))) {
      err(`${say('cli.evaluate.finished', { path: json })}\n`);
      return EXIT.fine;
    }
    if (answers && answers.known.size > 0) err(`${say('cli.evaluate.known', { count: answers.known.size })}\n`);
    if (head) err(`${headLines(head.info, output.columns)}\n`);
    const jobs = withinCores(options.jobs, err);
    const measured = await measure({ ...options, jobs }, model, work, answers, output);
    if (!shard) {
      const { status, written } = await conclude(setup, work, measured, jobs, options, output);
      if (written) await answers?.remove();
      return status;
    }
    await keep(json, shardText(shard, setup, work, measured, jobs));
    err(`${say('cli.evaluate.shard', { count: Object.keys(measured.found).length, path: json })}\n`);
    await answers?.remove();
    return EXIT.fine;
  } finally {
    await answers?.close();
  }
}
