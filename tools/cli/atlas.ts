/** `atlas --images DIR --out FILE`: embeds a labelled archive into one file, to look up similar cases in. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startAtlas } from '../../web/src/classifier/node/index.js';
import { exactPercent, number } from '../../web/src/messages/index.js';
import { readArchive } from './archive.js';
import type { Output } from './classify.js';
import { defaultModel, modelOf } from './model.js';
import { plain } from './plain.js';
import { classifyAll, DEFAULT_SECONDS } from './pool.js';
import { Progress } from './progress.js';
import { say } from './say.js';
import { wrap } from './terminal.js';
import { EXIT, positiveInteger, positiveNumber, requireModality, UsageError, unwritable } from './usage.js';

/** Neighbours, of how many of the pictures, among how many: all of a large archive would be a long search. */
const RECALL = { count: 10, queries: 200, among: 5000 };

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      images: { type: 'string' },
      out: { type: 'string' },
      title: { type: 'string' },
      model: { type: 'string', default: defaultModel },
      modality: { type: 'string' },
      crop: { type: 'string', default: 'auto' },
      jobs: { type: 'string', default: '1' },
      timeout: { type: 'string', default: String(DEFAULT_SECONDS) },
    },
  });
  const { images, out, crop } = values;
  if (images === undefined || out === undefined) throw new UsageError(say('cli.error.atlasNeeds'));
  if (crop !== 'auto' && crop !== 'whole') throw new UsageError(say('cli.error.evaluateCrop'));
  if (existsSync(out)) throw unwritable(out, say('cli.error.outputExists'));
  return {
    ...values,
    images,
    out,
    crop: crop as 'auto' | 'whole',
    jobs: positiveInteger(values.jobs, '--jobs'),
    seconds: positiveNumber(values.timeout, '--timeout'),
  };
}

/** @throws UsageError, DermletError when the engine cannot be started */
export async function atlas(args: string[], { out, err, live, columns }: Output): Promise<number> {
  const options = parse(args);
  const { model: name, modality, crop, jobs, seconds } = options;
  const model = await modelOf(name);
  requireModality(model, modality);
  const { pictures, repeated } = await readArchive(options.images);
  if (repeated > 0) err(`${say('cli.retrain.repeated', { count: repeated })}\n`);
  const writer = await startAtlas();
  const embeddings: (readonly number[] | undefined)[] = [];
  const progress = new Progress(pictures.length, live, process.stderr.isTTY);
  let failed = 0;
  let leftOut = 0;
  const tasks = pictures.map((picture) => ({
    pictures: [{ path: picture.path, ...(picture.raw ? { raw: picture.raw } : {}) }],
    options: { embedding: true, crop, ...(modality === undefined ? {} : { modality }) },
    picture,
  }));
  await classifyAll(name, tasks, { jobs, seconds }, (answer, index, { picture }) => {
    if (!answer.ok) {
      failed++;
      err(`${plain(picture.path)}: ${answer.error.code}: ${plain(answer.error.message)}\n`);
    } else if (!answer.result.quality.usable) leftOut++;
    else embeddings[index] = answer.result.embedding;
    progress.step();
  });
  pictures.forEach(({ label, sha256 }, index) => {
    const embedding = embeddings[index];
    if (embedding) writer.add(embedding, { label: plain(label), sha256 });
  });
  if (leftOut > 0) err(`${say('cli.atlas.leftOut', { count: leftOut })}\n`);
  const file = writer.file({
    title: options.title ?? plain(basename(resolve(options.images))),
    base: { name: model.name, version: model.version, sha256: model.sha256 },
    crop,
  });
  await writeFile(options.out, file, { flag: 'wx' }).catch((error: unknown) => {
    throw unwritable(options.out, error);
  });
  const compared = embeddings.filter((each) => each !== undefined).slice(0, RECALL.among);
  const lines = [say('cli.atlas.kept', { count: writer.size, path: options.out, bytes: number(file.length) })];
  if (compared.length > RECALL.count) {
    const share = exactPercent(writer.recall(compared, RECALL.count, RECALL.queries), 1);
    lines.push(say('cli.atlas.recall', { share, count: number(RECALL.count), among: number(compared.length) }));
  }
  out(`${lines.map((line) => wrap(line, columns)).join('\n')}\n`);
  return failed > 0 ? EXIT.failed : EXIT.fine;
}
