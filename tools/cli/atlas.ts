/** `atlas --images DIR --out FILE [--names]`: embeds a labelled archive into one file, to look up similar cases in. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DermletError, startAtlas } from '../../web/src/classifier/node/index.js';
import { number, plainPercent } from '../../web/src/messages/index.js';
import { ARCHIVE_OPTIONS, archiveRequest, lookAtAll, nameFor, pathFor, readArchive } from './archive.js';
import type { Output } from './classify.js';
import { modelOf } from './model.js';
import { say, sayOfHeads } from './say.js';
import { wrap } from './terminal.js';
import { EXIT, requireModality, UsageError, unwritable } from './usage.js';

/** Neighbours, of how many of the pictures, among how many: all of a large archive would be a long search. */
const RECALL = { count: 10, queries: 200, among: 5000 };

function parse(args: string[]) {
  const { values } = parseArgs({ args, options: { ...ARCHIVE_OPTIONS, names: { type: 'boolean', default: false } } });
  const request = archiveRequest(values, say('cli.error.atlasNeeds'));
  const { out } = request;
  if (out === undefined) throw new UsageError(say('cli.error.atlasNeeds'));
  return { ...request, out, names: values.names };
}

/** @throws UsageError, DermletError when the engine cannot be started, or no picture can be used */
export async function atlas(args: string[], output: Output): Promise<number> {
  const request = parse(args);
  const { out, err, columns } = output;
  const model = await modelOf(request.model);
  requireModality(model, request.modality);
  const { pictures, repeated } = await readArchive(request.images);
  if (repeated > 0) err(`${sayOfHeads('head.repeated', { count: repeated })}\n`);
  const writer = await startAtlas();
  const compared: Float32Array[] = [];
  const { leftOut, failed } = await lookAtAll(request, pictures, output, ({ quality, embedding }, picture, index) => {
    if (!quality.usable || !embedding) return undefined;
    const { label, sha256 } = picture;
    const name = request.names ? { name: pathFor(request.images, picture) } : {};
    writer.add(embedding, { label: nameFor(label), sha256, ...name }, index);
    if (index < RECALL.among) compared.push(Float32Array.from(embedding));
    return true;
  });
  if (leftOut > 0) err(`${say('cli.atlas.leftOut', { count: leftOut })}\n`);
  if (writer.size === 0)
    throw new DermletError('INVALID_ARGUMENT', say('cli.error.atlasEmpty', { path: request.images, out: request.out }));
  const file = writer.file({
    title: request.title,
    base: { name: model.name, version: model.version, sha256: model.sha256 },
    crop: request.crop,
  });
  await writeFile(request.out, file, { flag: 'wx' }).catch((error: unknown) => {
    throw unwritable(request.out, error);
  });
  const lines = [say('cli.atlas.kept', { count: writer.size, path: request.out, bytes: number(file.length) })];
  if (compared.length > RECALL.count) {
    const share = plainPercent(writer.recall(compared, RECALL.count, RECALL.queries), 1);
    lines.push(say('cli.atlas.recall', { share, count: number(RECALL.count), among: number(compared.length) }));
  }
  out(`${lines.map((line) => wrap(line, columns)).join('\n')}\n`);
  return failed > 0 ? EXIT.failed : EXIT.fine;
}
