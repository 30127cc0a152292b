/**
 * The files of a model, out of what a person has opened: a folder, or one packed as a zip. Only those beside the
 * manifest are taken; whether they are what it says, the classifier finds.
 */
import {
  BlobReader,
  BlobWriter,
  configure,
  ERR_ENCRYPTED,
  type FileEntry,
  ZipReader,
} from '@zip.js/zip.js/lib/zip-core-native.js';
import type { ModelFiles } from '../classifier/index.js';

const MANIFEST = 'manifest.json';
/** Of all files together, bytes: networks for browsers are far smaller. */
const MOST = 300e6;
const MOST_FILES = 2000;

/** Why nothing can be loaded from what was opened; a key of the messages `open.<fault>`. */
export type Fault = 'noManifest' | 'manifests' | 'large' | 'noZip' | 'locked';

export class NoModel extends Error {
  override readonly name = 'NoModel';

  constructor(
    readonly fault: Fault,
    options?: ErrorOptions,
  ) {
    super(fault, options);
  }
}

/** The folder of the one manifest among these paths, ending in '/' or empty. @throws NoModel */
function folderOf(paths: readonly string[]): string {
  const manifests = paths.filter((path) => path === MANIFEST || path.endsWith(`/${MANIFEST}`));
  if (manifests.length === 0) throw new NoModel('noManifest');
  if (manifests.length > 1) throw new NoModel('manifests');
  return manifests[0]!.slice(0, -MANIFEST.length);
}

/** What lies in that folder itself, by name. @throws NoModel */
function beside<T>(all: readonly { path: string; bytes: number; item: T }[]): [name: string, item: T][] {
  const folder = folderOf(all.map(({ path }) => path));
  const own = all.filter(({ path }) => path.startsWith(folder) && !path.slice(folder.length).includes('/'));
  if (own.reduce((sum, { bytes }) => sum + bytes, 0) > MOST) throw new NoModel('large');
  return own.map(({ path, item }) => [path.slice(folder.length), item]);
}

/** @throws NoModel */
export function filesOfFolder(files: Iterable<File>): ModelFiles {
  const listed = [...files].map((file) => ({
    path: file.webkitRelativePath || file.name,
    bytes: file.size,
    item: file,
  }));
  return new Map(beside<Blob>(listed));
}

/** @throws NoModel */
export async function filesOfZip(zip: Blob): Promise<ModelFiles> {
  // Workers of its own would need a looser content policy.
  configure({ useWebWorkers: false });
  const reader = new ZipReader(new BlobReader(zip));
  try {
    const entries: FileEntry[] = [];
    for await (const entry of reader.getEntriesGenerator()) {
      if (entries.length >= MOST_FILES) throw new NoModel('large');
      if (!entry.directory) entries.push(entry);
    }
    const listed = entries.map((item) => ({ path: item.filename, bytes: item.uncompressedSize, item }));
    const files = new Map<string, Blob>();
    // Ended once more comes than the directory has promised: a small file may unpack to any size.
    for (const [name, entry] of beside(listed))
      files.set(name, await entry.getData(new BlobWriter(), { checkSignature: true }));
    return files;
  } catch (cause) {
    if (cause instanceof NoModel) throw cause;
    throw new NoModel((cause as Error).message === ERR_ENCRYPTED ? 'locked' : 'noZip', { cause });
  } finally {
    await reader.close().catch(() => undefined);
  }
}
