/** `retrain --images DIR`: trains a last layer of the caller's own on class folders, on this machine. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  Classifier,
  exportHead,
  type Head,
  headFile,
  headInfo,
  type ModelInfo,
  showsOne,
  type TrainingExample,
  type TrainOptions,
} from '../../web/src/classifier/node/index.js';
import { number, plainPercent } from '../../web/src/messages/index.js';
import { ARCHIVE_OPTIONS, type Archive, archiveRequest, classId, lookAtAll, nameFor, readArchive } from './archive.js';
import type { Output } from './classify.js';
import { headLines } from './head.js';
import { modelOf } from './model.js';
import { plain } from './plain.js';
import { say, sayOfHeads } from './say.js';
import { padded, wrap } from './terminal.js';
import { EXIT, positiveNumber, reasonOf, requireModality, UsageError, unwritable } from './usage.js';

type Classes = NonNullable<TrainOptions['classes']>;

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      ...ARCHIVE_OPTIONS,
      classes: { type: 'string' },
      export: { type: 'string' },
      penalty: { type: 'string', default: '0.25' },
      'as-counted': { type: 'boolean', default: false },
    },
  });
  if (values.export !== undefined && existsSync(values.export))
    throw unwritable(values.export, say('cli.error.outputExists'));
  return {
    ...archiveRequest(values, say('cli.error.retrainNeeds')),
    classes: values.classes,
    exported: values.export,
    balanced: !values['as-counted'],
    // As with other tools a greater penalty means smaller weights.
    inversePenalty: 1 / positiveNumber(values.penalty, '--penalty'),
  };
}

/** The list in a file, or the folders' names; what the head's schema says of them is checked with the head. */
async function classesOf(path: string | undefined, { pictures }: Archive, model: ModelInfo): Promise<Classes> {
  const counts = new Map<string, number>();
  for (const { label } of pictures) counts.set(label, (counts.get(label) ?? 0) + 1);
  const names = [...counts.keys()];
  const single = names.find((name) => counts.get(name) === 1);
  if (single !== undefined) throw new UsageError(say('cli.error.fewPictures', { name: single }));
  if (path === undefined) {
    const known = new Map(model.classes.map((each) => [each.id, each]));
    const folders = new Map<string, string>();
    return names.map((name) => {
      const own = known.get(name) ?? { id: classId(name), name: nameFor(name), concern: 'moderate' as const };
      const other = folders.get(own.id);
      if (other !== undefined)
        throw new UsageError(say('cli.error.classTwice', { one: other, other: name, id: own.id }));
      folders.set(own.id, name);
      return own;
    });
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

function table({ manifest: { classes, pictures, heldOut } }: Head): string {
  const width = Math.max(...classes.map(({ name }) => name.length), say('cli.report.class').length);
  const rows = classes.map(({ name }, at) => {
    const right = heldOut.confusion[at * classes.length + at]!;
    return [padded(plain(name), width), number(pictures[at]!).padStart(8), number(right).padStart(8)].join(' ');
  });
  const head = [
    padded(say('cli.report.class'), width),
    say('cli.report.pictures').padStart(8),
    sayOfHeads('head.right').padStart(8),
  ].join(' ');
  return [head, ...rows].join('\n');
}

/** @throws UsageError, DermletError when the engine cannot be started or the examples cannot be trained on */
export async function retrain(args: string[], output: Output): Promise<number> {
  const request = parse(args);
  const { out, err, columns } = output;
  const model = await modelOf(request.model);
  requireModality(model, request.modality);
  const archive = await readArchive(request.images);
  if (archive.repeated > 0) err(`${sayOfHeads('head.repeated', { count: archive.repeated })}\n`);
  const classes = await classesOf(request.classes, archive, model);
  const listed = new Set(classes.map(({ id }) => id));
  const { taken, leftOut, failed } = await lookAtAll(
    request,
    archive.pictures,
    output,
    (result, { label, group }): TrainingExample | undefined =>
      showsOne(result)
        ? { result, label: listed.has(label) ? label : classId(label), ...(group === undefined ? {} : { group }) }
        : undefined,
  );
  if (leftOut > 0) err(`${say('cli.retrain.leftOut', { count: leftOut })}\n`);
  const { title, crop, inversePenalty, balanced } = request;
  const classifier = await Classifier.load(request.model, { idleTimeout: 0 });
  let head: Head;
  const began = performance.now();
  try {
    head = await classifier.trainHead(taken, { title, classes, crop, inversePenalty, balanced });
  } finally {
    classifier.dispose();
  }
  const seconds = (performance.now() - began) / 1000;
  const { out: path } = request;
  if (path !== undefined)
    await writeFile(path, headFile(head), { flag: 'wx' }).catch((error: unknown) => {
      throw unwritable(path, error);
    });
  const { exported } = request;
  if (exported !== undefined) await exportHead(request.model, headFile(head), exported);
  const { heldOut } = head.manifest;
  const figures = say('cli.retrain.sets', {
    balanced: plainPercent(heldOut.balancedAccuracy),
    coverage: plainPercent(heldOut.setCoverage),
    size: number(heldOut.setSize, 1),
    seconds: number(seconds, 1),
  });
  const kept = path === undefined ? say('cli.retrain.notKept') : say('cli.retrain.kept', { path });
  const made = exported === undefined ? [] : [say('cli.export.done', { path: exported })];
  const lines = [
    table(head),
    '',
    headLines(headInfo(head.manifest), columns),
    wrap(figures, columns),
    '',
    ...(path === undefined && exported !== undefined ? [] : [kept]),
    ...made,
  ];
  out(`${lines.join('\n')}\n`);
  return failed > 0 ? EXIT.failed : EXIT.fine;
}
