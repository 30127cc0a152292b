/** `retrain --images DIR`: trains a last layer of the caller's own on class folders, on this machine. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  Classifier,
  type Head,
  headFile,
  headInfo,
  type ModelInfo,
  type Result,
  type TrainingExample,
  type TrainOptions,
} from '../../web/src/classifier/node/index.js';
import { exactPercent, number } from '../../web/src/messages/index.js';
import { type Archive, classId, type LabelledPicture, readArchive } from './archive.js';
import type { Output } from './classify.js';
import { headLines } from './head.js';
import { defaultModel, modelOf } from './model.js';
import { plain } from './plain.js';
import { classifyAll, DEFAULT_SECONDS } from './pool.js';
import { Progress } from './progress.js';
import { say } from './say.js';
import { padded, wrap } from './terminal.js';
import { EXIT, positiveInteger, positiveNumber, reasonOf, requireModality, UsageError, unwritable } from './usage.js';

type Classes = NonNullable<TrainOptions['classes']>;

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      images: { type: 'string' },
      out: { type: 'string' },
      title: { type: 'string' },
      classes: { type: 'string' },
      model: { type: 'string', default: defaultModel },
      modality: { type: 'string' },
      crop: { type: 'string', default: 'auto' },
      penalty: { type: 'string', default: '0.25' },
      'as-counted': { type: 'boolean', default: false },
      jobs: { type: 'string', default: '1' },
      timeout: { type: 'string', default: String(DEFAULT_SECONDS) },
    },
  });
  const { images, out, crop } = values;
  if (images === undefined) throw new UsageError(say('cli.error.retrainNeeds'));
  if (crop !== 'auto' && crop !== 'whole') throw new UsageError(say('cli.error.evaluateCrop'));
  if (out !== undefined && existsSync(out)) throw unwritable(out, say('cli.error.outputExists'));
  return {
    ...values,
    images,
    crop: crop as 'auto' | 'whole',
    jobs: positiveInteger(values.jobs, '--jobs'),
    seconds: positiveNumber(values.timeout, '--timeout'),
    // As with other tools a greater penalty means smaller weights.
    inversePenalty: 1 / positiveNumber(values.penalty, '--penalty'),
  };
}

/** The list in a file, or the folders' names; what the head's schema says of them is checked with the head. */
async function classesOf(path: string | undefined, { pictures }: Archive, model: ModelInfo): Promise<Classes> {
  const names = [...new Set(pictures.map(({ label }) => label))];
  if (path === undefined) {
    const known = new Map(model.classes.map((each) => [each.id, each]));
    return names.map((name) => known.get(name) ?? { id: classId(name), name: plain(name), concern: 'moderate' });
  }
  let listed: Classes;
  try {
    listed = JSON.parse(await readFile(path, 'utf8')) as Classes;
    if (!Array.isArray(listed)) throw new Error(say('cli.error.noList'));
  } catch (error) {
    throw new UsageError(say('cli.error.classes', { path, reason: reasonOf(error) }));
  }
  const missing = names.find((name) => !listed.some((each) => each?.id === name));
  if (missing !== undefined) throw new UsageError(say('cli.error.classMissing', { path, name: missing }));
  return listed.filter(({ id }) => names.includes(id));
}

/** No spot to judge, or none that is good enough: such a picture gets no class later either. */
const shows = ({ quality, frame }: Result): boolean =>
  quality.usable && frame.framing !== 'none' && frame.framing !== 'several';

interface Seen {
  examples: TrainingExample[];
  leftOut: number;
  failed: number;
}

async function look(
  { model, modality, crop, jobs, seconds }: ReturnType<typeof parse>,
  pictures: readonly LabelledPicture[],
  idOf: (label: string) => string,
  { live, err }: Output,
): Promise<Seen> {
  const seen: Seen = { examples: [], leftOut: 0, failed: 0 };
  const progress = new Progress(pictures.length, live, process.stderr.isTTY);
  const options = { embedding: true, crop, ...(modality === undefined ? {} : { modality }) };
  const tasks = pictures.map((picture) => {
    const { path, raw } = picture;
    return { pictures: [{ path, ...(raw ? { raw } : {}) }], options, picture };
  });
  const found: (TrainingExample | undefined)[] = [];
  await classifyAll(model, tasks, { jobs, seconds }, (answer, index, { picture }) => {
    const { path, label, group } = picture;
    if (!answer.ok) {
      seen.failed++;
      err(`${plain(path)}: ${answer.error.code}: ${plain(answer.error.message)}\n`);
    } else if (!shows(answer.result)) {
      seen.leftOut++;
    } else {
      found[index] = { result: answer.result, label: idOf(label), ...(group === undefined ? {} : { group }) };
    }
    progress.step();
  });
  // In the order of the files, whatever the order in which they came.
  seen.examples = found.filter((each) => each !== undefined);
  return seen;
}

function table({ manifest: { classes, pictures, heldOut } }: Head): string {
  const width = Math.max(...classes.map(({ name }) => name.length), say('cli.report.class').length);
  const rows = classes.map(({ name }, at) => {
    const right = heldOut.confusion[at * classes.length + at]!;
    return [padded(plain(name), width), number(pictures[at]!).padStart(8), number(right).padStart(8)].join(' ');
  });
  const head = [
    padded(say('cli.report.class'), width),
    say('cli.report.pictures').padStart(8),
    say('cli.retrain.right').padStart(8),
  ].join(' ');
  return [head, ...rows].join('\n');
}

/** @throws UsageError, DermletError when the engine cannot be started or the examples cannot be trained on */
export async function retrain(args: string[], output: Output): Promise<number> {
  const options = parse(args);
  const { out, err, columns } = output;
  const model = await modelOf(options.model);
  requireModality(model, options.modality);
  const archive = await readArchive(options.images);
  if (archive.repeated > 0) err(`${say('cli.retrain.repeated', { count: archive.repeated })}\n`);
  const classes = await classesOf(options.classes, archive, model);
  const listed = new Set(classes.map(({ id }) => id));
  const { examples, leftOut, failed } = await look(
    options,
    archive.pictures,
    (label) => (listed.has(label) ? label : classId(label)),
    output,
  );
  if (leftOut > 0) err(`${say('cli.retrain.leftOut', { count: leftOut })}\n`);
  const classifier = await Classifier.load(options.model, { idleTimeout: 0 });
  let head: Head;
  const began = performance.now();
  try {
    head = await classifier.trainHead(examples, {
      title: options.title ?? plain(basename(resolve(options.images))),
      classes,
      crop: options.crop,
      inversePenalty: options.inversePenalty,
      balanced: !options['as-counted'],
    });
  } finally {
    classifier.dispose();
  }
  const seconds = (performance.now() - began) / 1000;
  if (options.out !== undefined) {
    await writeFile(options.out, headFile(head), { flag: 'wx' }).catch((error: unknown) => {
      throw unwritable(options.out!, error);
    });
  }
  const { heldOut } = head.manifest;
  const figures = say('cli.retrain.sets', {
    balanced: exactPercent(heldOut.balancedAccuracy),
    coverage: exactPercent(heldOut.setCoverage),
    size: number(heldOut.setSize, 1),
    seconds: number(seconds, 1),
  });
  const kept = options.out === undefined ? say('cli.retrain.notKept') : say('cli.retrain.kept', { path: options.out });
  const lines = [table(head), '', headLines(headInfo(head.manifest), columns), wrap(figures, columns), '', kept];
  out(`${lines.join('\n')}\n`);
  return failed > 0 ? EXIT.failed : EXIT.fine;
}
