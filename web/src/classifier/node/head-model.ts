/** A head as a model of its own: a folder with the network in ONNX, that needs no head any more. */
import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from '../abort.js';
import { MANIFEST_VERSION } from '../contract.js';
import type { FileEntry } from '../documents.js';
import { DermletError } from '../errors.js';
import { classIdOf } from '../examples.js';
import { type Head, headInfo, withHead } from '../head.js';
import { readHead } from '../head-file.js';
import type { Manifest } from '../manifest.js';
import type { Result } from '../result.js';
import { Classifier } from './classifier.js';
import { folderOf, loadManifest } from './engine.js';
import { sealModel } from './model-check.js';
import { withHeadLayer } from './onnx.js';
import { MAX_TEXT_BYTES, read, readEntry } from './read.js';

const NETWORK = 'model.onnx';
const CARD = 'MODEL_CARD.md';
/** How far the exported model's probabilities may be from the head's. */
const TOLERANCE = 1e-4;

/**
 * Writes a model's folder: the network with the head behind its embedding, locator, self-test, card and licence. It is
 * there whole or not at all: it has passed its self-test and answered as the head does before it has its name.
 * @param model that which the head was trained on: a name, a folder or a manifest.json
 * @param folder not there yet
 * @throws DermletError INVALID_ARGUMENT (a head of another network, a folder that cannot be written), MODEL_CORRUPT,
 * MODEL_TOO_NEW, MODEL_UNAVAILABLE, BACKEND_FAILED
 */
export async function exportHead(model: string, headFile: Uint8Array<ArrayBuffer>, folder: string): Promise<void> {
  const head = readHead(headFile);
  const base = await loadManifest(model);
  const manifest = withHead(base, head);
  const made = await writing(() => mkdtemp(join(dirname(resolve(folder)), '.dermlet-export-')));
  try {
    await fill(made, folderOf(model), base, manifest, head, headFile);
    await sealModel(made);
    await compare(model, headFile, made, base);
    await writing(() => rename(made, folder));
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

async function writing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new DermletError('INVALID_ARGUMENT', `The model could not be written: ${messageOf(cause)}`, { cause });
  }
}

async function fill(
  to: string,
  from: string,
  base: Manifest,
  manifest: Manifest,
  head: Head,
  headFile: Uint8Array,
): Promise<void> {
  const { embedding, scores, scoresAre } = base.outputs;
  if (embedding === undefined) throw new DermletError('MODEL_CORRUPT', 'The network has no embedding.');
  const network = withHeadLayer(await readEntry(from, base.file), {
    // A head on an exported head has other names.
    prefix: `head_${createHash('sha256').update(headFile).digest('hex').slice(0, 12)}_`,
    embedding,
    weights: head.weights,
    bias: head.bias,
    energyOf: scoresAre === 'logits' ? { output: scores, size: base.classes.length } : null,
  });
  // As they are: what a site has compressed is another file beside them.
  const copied = async (entry: FileEntry): Promise<FileEntry> => {
    const bytes = await readEntry(from, entry);
    await writing(() => writeFile(join(to, entry.path), bytes));
    return { path: entry.path, bytes: entry.bytes, sha256: entry.sha256 };
  };
  const { locator, rejection, selfTest, ...rest } = manifest;
  const json = {
    ...rest,
    manifestVersion: MANIFEST_VERSION,
    name: classIdOf(head.manifest.title).replaceAll('_', '-') || 'own-categories',
    version: '1.0.0',
    title: head.manifest.title,
    card: CARD,
    outputs: { scores: network.scores, scoresAre: 'logits', embedding },
    // Cuts of tiers would need more pictures than a head has.
    modalities: rest.modalities.map(({ tiers: _none, ...modality }) => modality),
    // Where the head was trained on pictures as they are, nothing is looked for in them.
    ...(locator && head.manifest.crop === 'auto' ? { locator: { ...locator, file: await copied(locator.file) } } : {}),
    ...(rejection ? { rejection: { file: await copied(rejection.file) } } : {}),
    selfTest: { picture: await copied(selfTest.picture) },
    file: { path: NETWORK },
    training: { head: head.manifest },
  };
  await writing(async () => {
    await writeFile(join(to, NETWORK), network.file);
    await writeFile(join(to, CARD), cardOf(base, head));
    await writeFile(join(to, 'manifest.json'), `${JSON.stringify(json, null, 2)}\n`);
  });
  // One without a licence beside it has none here either, which a check tells.
  const license = await read(join(from, base.license.path), MAX_TEXT_BYTES).catch(() => undefined);
  if (license) await writing(() => writeFile(join(to, base.license.path), license));
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
/** A stranger's words in a table of Markdown. */
const plain = (text: string): string => text.replace(/[|\\`*_<>[\]]/g, ' ');

function cardOf({ name, version, license }: Manifest, { manifest }: Head): string {
  const { classes, pictures, heldOut, title, crop } = manifest;
  const { accuracy, interval, leaveOneOut, warnings } = headInfo(manifest);
  const rows = classes.map((entry, at) => {
    const right = heldOut.confusion[at * classes.length + at]!;
    return `| ${plain(entry.name)} | ${pictures[at]} | ${right} |`;
  });
  const how = leaveOneOut ? 'Each picture was left out once' : `In ${heldOut.folds} parts, pictures were left out`;
  const seen = crop === 'whole' ? 'as they are' : 'in a frame around the spot, where that was small';
  return `# ${plain(title)}

Own categories on the network of ${name} ${version}, whose licence (${license.id}) holds for this model too. Exported by
Dermlet; whoever trained the head named the categories and chose the pictures.

| category | pictures | named rightly when left out |
|---|---|---|
${rows.join('\n')}

- ${how}: so ${percent(accuracy)} were named rightly
  (95 % interval ${percent(interval[0])} to ${percent(interval[1])}). That says how it does on pictures like these.
- Pictures were seen ${seen}.
- Nothing is calibrated: scores are a plain softmax, sets reach 90 % of it, and there is no tier of concern.
- Rejection is that of ${name} ${version}, its limit raised where these pictures asked for it.
- Warnings: ${warnings.length > 0 ? warnings.join(', ') : 'none'}.
`;
}

/** Both look at the test picture. @throws DermletError BACKEND_FAILED */
async function compare(model: string, head: Uint8Array<ArrayBuffer>, made: string, base: Manifest): Promise<void> {
  const picture = join(folderOf(model), base.selfTest.picture.path);
  const answer = async (load: () => Promise<Classifier>): Promise<Result> => {
    const classifier = await load();
    try {
      return await classifier.classify(picture);
    } finally {
      classifier.dispose();
    }
  };
  const expected = await answer(() => Classifier.load(model, { head }));
  const found = await answer(() => Classifier.load(made));
  const probabilities = new Map(found.ranking.map(({ id, probability }) => [id, probability]));
  const off = Math.max(
    ...expected.ranking.map(({ id, probability }) => Math.abs(probability - (probabilities.get(id) ?? Number.NaN))),
  );
  if (!(off <= TOLERANCE))
    throw new DermletError('BACKEND_FAILED', `The exported model does not answer as the head does: ${off} apart.`);
}
