/**
 * Finds the files that are to be classified, one after the other. Of a folder the names are read and sorted at once, a
 * few hundred bytes each; what they name is looked at only when its turn comes, and no picture is held.
 */
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { DermletError } from '../../web/src/classifier/node/index.js';
import { say } from './say.js';
import { reasonOf } from './usage.js';

/** A file, or a place that cannot be looked into. */
export interface Found {
  /** For people and JSON; bytes that are not UTF-8 are written as `\xff`. */
  path: string;
  /** To open the file by, where `path` is not its name. */
  raw?: Buffer;
  /** The bytes of its name within the folder that was named, or of a named file by itself. */
  place: Buffer;
  /** Below a folder, not named by the caller: then it may as well be something else than a picture. */
  inFolder: boolean;
  /** Why it is not read at all. */
  problem?: DermletError;
  /** Not read on purpose; no failure. */
  skipped?: boolean;
}

/** The text of a file name, which on Linux is bytes. */
export function nameText(name: Buffer): string {
  const text = name.toString('utf8');
  if (Buffer.from(text).equals(name)) return text;
  return name.toString('latin1').replace(/[\x80-\xff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);
}

function found(path: Buffer, root: Buffer, more: Partial<Found> = {}): Found {
  const text = path.toString('utf8');
  return {
    path: nameText(path),
    ...(Buffer.from(text).equals(path) ? {} : { raw: path }),
    place: path.subarray(root.length),
    inFolder: true,
    ...more,
  };
}

const unreadable = (reason: string): DermletError => new DermletError('UNREADABLE_FILE', reason);

const SLASH = 0x2f;
const DOT = 0x2e;

const below = (folder: Buffer, name: Buffer): Buffer =>
  Buffer.concat(folder.at(-1) === SLASH ? [folder, name] : [folder, Buffer.of(SLASH), name]);

/**
 * Every file below a folder, in the order of the names' bytes, which a repeated run repeats. What it is, its content
 * says, not its name. Links to folders are named and not followed, so that no loop is walked.
 * @param onHidden called for each file and folder whose name begins with a dot; they are left out
 */
async function* walk(folder: Buffer, root: Buffer, onHidden: () => void): AsyncGenerator<Found> {
  let names: Buffer[];
  try {
    names = await readdir(folder, { encoding: 'buffer' });
  } catch (error) {
    yield found(folder, root, { problem: unreadable(say('cli.folder.unreadable', { reason: reasonOf(error) })) });
    return;
  }
  for (const name of names.sort(Buffer.compare)) {
    const path = below(folder, name);
    if (name[0] === DOT) {
      onHidden();
      continue;
    }
    const [own, target] = await Promise.all([lstat(path), stat(path)].map((info) => info.catch(() => undefined)));
    if (own?.isDirectory()) yield* walk(path, root, onHidden);
    else if (target?.isDirectory())
      yield found(path, root, { problem: unreadable(say('cli.folder.link')), skipped: true });
    else yield found(path, root);
  }
}

/** What the caller named, as it is, and all that lies below the folders among it. */
export async function* findPictures(paths: readonly string[], onHidden: () => void): AsyncGenerator<Found> {
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    const bytes = Buffer.from(path);
    if (info?.isDirectory()) yield* walk(bytes, below(bytes, Buffer.alloc(0)), onHidden);
    else yield { path, place: Buffer.from(basename(path)), inFolder: false };
  }
}
