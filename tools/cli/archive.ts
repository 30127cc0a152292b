/**
 * Labelled pictures as folders: DIR/CLASS/picture, or DIR/CLASS/CASE/picture where several show one lesion or person;
 * and what the commands that learn of such an archive have in common.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { classIdOf, type Result, readPictureFile } from '../../web/src/classifier/node/index.js';
import type { Output } from './classify.js';
import { defaultModel } from './model.js';
import { findPictures } from './pictures.js';
import { plain } from './plain.js';
import { classifyAll, DEFAULT_SECONDS, withinCores } from './pool.js';
import { Progress } from './progress.js';
import { say } from './say.js';
import { positiveInteger, positiveNumber, reasonOf, UsageError, unwritable } from './usage.js';

export interface LabelledPicture {
  path: string;
  /** To open the file by, where `path` is not its name. */
  raw?: Buffer;
  /** The class folder's name. */
  label: string;
  /** Of pictures that show one lesion or person. */
  group?: string;
  /** Of the file, hexadecimal. */
  sha256: string;
}

export interface Archive {
  pictures: LabelledPicture[];
  /** Files that are there more than once in a class: one of each is used. */
  repeated: number;
}

/** @throws DermletError where classifying it would: no pipe is waited for, and no device read without an end */
const hashOf = async (path: string | Buffer): Promise<string> =>
  createHash('sha256')
    .update(await readPictureFile(path))
    .digest('hex');

/**
 * Files that cannot be read are left to whoever classifies them.
 * @throws UsageError where there are fewer than two class folders, or one file in two of them
 */
export async function readArchive(folder: string): Promise<Archive> {
  let names: string[];
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    names = entries.flatMap((entry) => (entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : []));
  } catch (error) {
    throw new UsageError(say('cli.folder.unreadable', { reason: reasonOf(error) }));
  }
  if (names.length < 2) throw new UsageError(say('cli.error.classFolders', { folder }));
  const labels = new Map<string, string>();
  const pictures: LabelledPicture[] = [];
  let repeated = 0;
  for (const label of names.sort()) {
    const own = join(folder, label);
    for await (const { path, raw, problem } of findPictures([own], () => undefined)) {
      if (problem) continue;
      const sha256 = await hashOf(raw ?? path).catch(() => '');
      const known = labels.get(sha256);
      if (sha256 && known !== undefined && known !== label)
        throw new UsageError(say('cli.error.twoLabels', { file: path, one: known, other: label }));
      if (sha256 && known !== undefined) {
        repeated++;
        continue;
      }
      labels.set(sha256, label);
      const [first, ...rest] = relative(own, path).split(sep);
      pictures.push({
        path,
        ...(raw ? { raw } : {}),
        label,
        ...(rest.length > 0 ? { group: `${label}/${first}` } : {}),
        sha256,
      });
    }
  }
  return { pictures, repeated };
}

/** A class's id made of a folder's name. @throws UsageError where nothing is left */
export function classId(name: string): string {
  const id = classIdOf(name);
  if (id === '') throw new UsageError(say('cli.error.className', { name }));
  return id;
}

/** Characters of a title, a label or a category's name. */
const LONGEST_NAME = 80;
/** Of a file's name with its folders. */
const LONGEST_PATH = 300;

/**
 * A name as files of heads and atlases may have it, told before hours of work and not after: what cannot be seen is
 * written as an escape, marks of direction are left out, and what is too long is cut.
 */
export const nameFor = (text: string, longest = LONGEST_NAME): string =>
  [...plain(text).replace(/\p{Cf}/gu, '')].slice(0, longest).join('');

/** A picture's name in its archive, the same on every machine. */
export const pathFor = (images: string, { path }: LabelledPicture): string =>
  nameFor(relative(images, path).split(sep).join('/'), LONGEST_PATH);

/** For `parseArgs`. */
export const ARCHIVE_OPTIONS = {
  images: { type: 'string' },
  out: { type: 'string' },
  title: { type: 'string' },
  model: { type: 'string', default: defaultModel },
  modality: { type: 'string' },
  crop: { type: 'string', default: 'auto' },
  jobs: { type: 'string', default: '1' },
  timeout: { type: 'string', default: String(DEFAULT_SECONDS) },
} as const;

/** How an archive is looked at, and what is made of it. */
export interface ArchiveRequest {
  images: string;
  /** A file that is not there yet. */
  out: string | undefined;
  /** The folder's name unless another was given. */
  title: string;
  model: string;
  modality: string | undefined;
  crop: 'auto' | 'whole';
  jobs: number;
  /** For one picture. */
  seconds: number;
}

type Values = Record<'model' | 'crop' | 'jobs' | 'timeout', string> &
  Partial<Record<'images' | 'out' | 'title' | 'modality', string>>;

/**
 * @param needs what is said where `--images` is missing
 * @throws UsageError, also where the file to write is there already
 */
export function archiveRequest(values: Values, needs: string): ArchiveRequest {
  const { images, out, crop, modality, model } = values;
  if (images === undefined) throw new UsageError(needs);
  if (crop !== 'auto' && crop !== 'whole') throw new UsageError(say('cli.error.evaluateCrop'));
  if (out !== undefined && existsSync(out)) throw unwritable(out, say('cli.error.outputExists'));
  return {
    images,
    out,
    title: nameFor(values.title ?? basename(resolve(images))),
    model,
    modality,
    crop,
    jobs: positiveInteger(values.jobs, '--jobs'),
    seconds: positiveNumber(values.timeout, '--timeout'),
  };
}

interface Seen<T> {
  /** In the order of the files, whatever the order in which the answers came. */
  taken: T[];
  leftOut: number;
  failed: number;
}

/**
 * Classifies each picture with its embedding. Pictures that fail are named on stderr.
 * @param take what is kept of a picture; undefined leaves it out
 * @throws DermletError when the engine cannot be started
 */
export async function lookAtAll<T>(
  { model, modality, crop, jobs: asked, seconds }: ArchiveRequest,
  pictures: readonly LabelledPicture[],
  { live, err }: Output,
  take: (result: Result, picture: LabelledPicture, index: number) => T | undefined,
): Promise<Seen<T>> {
  const jobs = withinCores(asked, err);
  const progress = new Progress(pictures.length, live, process.stderr.isTTY);
  const options = { embedding: true, crop, ...(modality === undefined ? {} : { modality }) };
  const tasks = pictures.map((picture) => {
    const { path, raw } = picture;
    return { pictures: [{ path, ...(raw ? { raw } : {}) }], options, picture };
  });
  const taken: (T | undefined)[] = [];
  let leftOut = 0;
  let failed = 0;
  await classifyAll(model, tasks, { jobs, seconds }, (answer, index, { picture }) => {
    if (answer.ok) {
      taken[index] = take(answer.result, picture, index);
      if (taken[index] === undefined) leftOut++;
    } else {
      failed++;
      err(`${plain(picture.path)}: ${answer.error.code}: ${plain(answer.error.message)}\n`);
    }
    progress.step();
  });
  return { taken: taken.filter((each) => each !== undefined), leftOut, failed };
}
