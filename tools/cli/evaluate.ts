/** `evaluate`: the shipped path, measured on labelled pictures. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'csv-stringify/sync';
import type { DermletError } from '../../web/src/classifier/errors.js';
import type { Manifest } from '../../web/src/classifier/manifest.js';
import type { Result } from '../../web/src/classifier/result.js';
import type { Output } from './classify.js';
import { allFigures, type Scored } from './figures.js';
import { chooseRows, mergeClasses, NEGATIVE_LABELS, readLabels, type LabelRow, type Merged } from './labels.js';
import { defaultModel, loadManifest } from './node-engine.js';
import { classifyAll } from './pool.js';
import { Progress } from './progress.js';
import { report } from './report.js';
import { EXIT, positiveInteger, requireModality, UsageError } from './usage.js';

/** Engines at once when nothing is said: each holds about 150 MB. */
const DEFAULT_JOBS = Math.min(4, availableParallelism());
const RESAMPLES = 1000;

const list = (values: readonly string[] | undefined): string[] | undefined => values?.flatMap((value) => value.split(',')).filter(Boolean);

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
      json: { type: 'string' },
      predictions: { type: 'string' },
      jobs: { type: 'string', default: String(DEFAULT_JOBS) },
      model: { type: 'string', default: defaultModel },
    },
  });
  const { labels, images, json } = values;
  if (!labels || !images || !json) throw new UsageError('evaluate needs --labels, --images and --json.');
  return { ...values, labels, images, json, set: list(values.set), merge: list(values.merge) ?? [], jobs: positiveInteger(values.jobs, '--jobs') };
}

type Options = ReturnType<typeof parse>;

interface Sorted {
  used: LabelRow[];
  /** Pictures by label that the model does not know. */
  unknown: Record<string, number>;
}

function sortRows(rows: readonly LabelRow[], known: readonly string[]): Sorted {
  const used: LabelRow[] = [];
  const unknown: Record<string, number> = {};
  for (const row of rows) {
    if (known.includes(row.label) || NEGATIVE_LABELS.includes(row.label)) used.push(row);
    else unknown[row.label] = (unknown[row.label] ?? 0) + 1;
  }
  return { used, unknown };
}

/** The row's own modality where the model knows it; else what the command line says; else the model's default. */
function modalityOf(row: LabelRow, manifest: Manifest, option: string | undefined): string {
  return manifest.modalities.some(({ id }) => id === row.modality) ? row.modality : (option ?? manifest.defaultModality);
}

function scored(row: LabelRow, result: Result, ids: readonly string[], merged: Merged): Scored {
  const probabilities = merged.classes.map(() => 0);
  for (const { id, probability } of result.ranking) probabilities[merged.into[ids.indexOf(id)]!]! += probability;
  const truth = merged.classes.indexOf(merged.label(row.label));
  const kind = row.sourceLabel.split('/')[0] || row.label;
  return {
    set: row.set,
    image: row.image,
    group: row.group,
    modality: result.modality,
    truth,
    ...(truth < 0 ? { negative: { label: row.label, kind: `${row.label}: ${kind}` } } : {}),
    outcome: result.outcome,
    rejection: result.rejection.score,
    probabilities,
    predictionSet: [...new Set(result.predictionSet.map((id) => merged.into[ids.indexOf(id)]!))],
  };
}

/** Whole or not at all: a reader never finds half a file. */
async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, text);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw new UsageError(`${path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function predictionsCsv(rows: readonly Scored[], classes: readonly string[]): string {
  const header = ['set', 'image', 'outcome', 'rejection', ...classes];
  return stringify([header, ...rows.map(({ set, image, outcome, rejection, probabilities }) => [set, image, outcome, rejection, ...probabilities].map(String))]);
}

interface Measured {
  rows: Scored[];
  unreadable: { set: string; image: string; code: string; message: string }[];
  seconds: number;
}

async function measure(options: Options, manifest: Manifest, used: readonly LabelRow[], merged: Merged, { err }: Output): Promise<Measured> {
  const ids = manifest.classes.map(({ id }) => id);
  const answers: (Scored | DermletError)[] = [];
  const progress = new Progress(used.length, err, process.stderr.isTTY === true);
  const tasks = used.map((row) => ({
    pictures: [{ path: join(options.images, row.set, row.image), modality: modalityOf(row, manifest, options.modality) }],
    options: {},
  }));
  await classifyAll(options.model, tasks, options.jobs, (answer, index) => {
    answers[index] = answer.ok ? scored(used[index]!, answer.result, ids, merged) : answer.error;
    progress.step();
  });
  const rows: Scored[] = [];
  const unreadable: Measured['unreadable'] = [];
  answers.forEach((answer, index) => {
    const { set, image } = used[index]!;
    if ('code' in answer) unreadable.push({ set, image, code: answer.code, message: answer.message });
    else rows.push(answer);
  });
  return { rows, unreadable, seconds: progress.seconds };
}

function positiveIndex(option: string | undefined, { classes }: Merged): number {
  const index = classes.indexOf(option ?? 'mel');
  if (option !== undefined && index < 0) throw new UsageError(`--positive: there is no class '${option}'; there are ${classes.join(', ')}.`);
  return index;
}

/** @throws UsageError, DermletError when the engine cannot be started */
export async function evaluate(args: string[], output: Output): Promise<number> {
  const options = parse(args);
  const { out, err } = output;
  const manifest = await loadManifest(options.model);
  requireModality(manifest, options.modality);
  const merged = mergeClasses(
    manifest.classes.map(({ id }) => id),
    options.merge,
  );
  const positive = positiveIndex(options.positive, merged);
  const all = (await Promise.all(options.labels.map(readLabels))).flat();
  const chosen = chooseRows(all, { sets: options.set, split: options.split, modality: options.modality });
  const { used, unknown } = sortRows(
    chosen,
    manifest.classes.map(({ id }) => id),
  );
  for (const [label, count] of Object.entries(unknown)) err(`skipped: ${count} pictures with the label '${label}', which the model does not know\n`);
  if (used.length === 0) throw new UsageError('No row has a label that the model knows.');

  const { rows, unreadable, seconds } = await measure(options, manifest, used, merged, output);
  for (const { set, image, code, message } of unreadable) err(`unreadable: ${set}/${image}: ${code}: ${message}\n`);
  const figures = allFigures(rows, { classes: merged.classes, positive, resamples: RESAMPLES });
  const imagesPerSecond = used.length / seconds;
  const written = {
    evaluationVersion: 1,
    model: { name: manifest.name, version: manifest.version, sha256: manifest.file.sha256 },
    options: {
      sets: options.set ?? null,
      split: options.split ?? null,
      modality: options.modality ?? null,
      merge: options.merge,
      positive: positive < 0 ? null : merged.classes[positive]!,
      jobs: options.jobs,
    },
    classes: merged.classes,
    counts: { rows: chosen.length, evaluated: rows.length, unreadable: unreadable.length, unknownLabels: unknown },
    ...figures,
    unreadable,
    seconds,
    imagesPerSecond,
  };
  await writeWhole(options.json, `${JSON.stringify(written, null, 2)}\n`);
  if (options.predictions !== undefined) await writeWhole(options.predictions, predictionsCsv(rows, merged.classes));
  out(`${report(figures)}\n${rows.length} pictures classified, ${unreadable.length} unreadable, ${imagesPerSecond.toFixed(1)} images/s\n`);
  return rows.length === 0 ? EXIT.failed : EXIT.fine;
}
