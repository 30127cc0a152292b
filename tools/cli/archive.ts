/**
 * Labelled pictures as folders: DIR/CLASS/picture, or DIR/CLASS/CASE/picture where several show one lesion or person.
 */
import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { findPictures } from './pictures.js';
import { say } from './say.js';
import { reasonOf, UsageError } from './usage.js';

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

async function hashOf(path: string | Buffer): Promise<string> {
  const file = await open(path);
  try {
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

/**
 * Files that cannot be opened are left to whoever classifies them.
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

/** A class's id made of a folder's name: small letters, digits, hyphens. @throws UsageError where nothing is left */
export function classId(name: string): string {
  const id = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, 32);
  if (id === '') throw new UsageError(say('cli.error.className', { name }));
  return id;
}
