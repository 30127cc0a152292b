/** Expands files and folders on the command line to pictures. */
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { FORMAT_FILES } from '../../web/src/classifier/node/index.js';

const PICTURE = new Set(Object.values(FORMAT_FILES).flatMap(({ extensions }) => extensions));

/**
 * The picture files below a folder, sorted by path. Hidden files and folders are skipped, links to folders are not
 * followed.
 */
export async function picturesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) found.push(...(await picturesIn(path)));
    else if (PICTURE.has(extname(entry.name).toLowerCase())) found.push(path);
  }
  return found;
}

/** Keeps files whatever their names (a missing one fails when it is read); searches folders. */
export async function expand(paths: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      const isFolder = await stat(path).then(
        (info) => info.isDirectory(),
        () => false,
      );
      return isFolder ? picturesIn(path) : [path];
    }),
  );
  return lists.flat();
}
