/** The files in what was dropped or pasted; those of folders too, at any depth. */
import { DermletError, FORMAT_FILES } from '../classifier/index.js';
import { LIMITS, within } from '../classifier/inner.js';

const FORMATS = Object.values(FORMAT_FILES);
const EXTENSIONS = [...FORMATS.flatMap(({ extensions }) => extensions), '.dcm'];
const TYPES = [...FORMATS.flatMap(({ types }) => types), 'application/dicom'];

/** Folders hold other files too; only pictures are taken from them. */
export function isPicture({ name, type }: File): boolean {
  const lower = name.toLowerCase();
  return !name.startsWith('.') && (TYPES.includes(type) || EXTENSIONS.some((extension) => lower.endsWith(extension)));
}

export const holdsFiles = ({ items, files }: DataTransfer): boolean =>
  files.length > 0 || [...items].some(({ kind }) => kind === 'file');

/**
 * Call it in the event's listener: later the browser gives nothing. Files of one folder are in the order of their
 * names.
 * @throws DermletError NO_PICTURES, UNREADABLE_FILE
 */
export async function filesIn(transfer: DataTransfer): Promise<File[]> {
  const loose = [...transfer.files];
  const entries = [...transfer.items].flatMap((item) =>
    item.kind === 'file' ? [item.webkitGetAsEntry?.() ?? null] : [],
  );
  // Pasted pictures have no entry.
  if (!entries.some((entry) => entry?.isDirectory)) return loose;
  try {
    // A folder is among the files too, as a file that cannot be read.
    const found = await Promise.all(
      entries.map(async (entry, index) =>
        entry?.isDirectory
          ? (await filesUnder(entry as FileSystemDirectoryEntry)).filter(isPicture)
          : loose.slice(index, index + 1),
      ),
    );
    if (found.flat().length > 0) return found.flat();
  } catch (cause) {
    throw new DermletError('UNREADABLE_FILE', 'A folder that was dropped could not be read.', { cause });
  }
  throw new DermletError('NO_PICTURES', 'There is no picture in the folder that was dropped.');
}

async function filesUnder(folder: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  // Chromium gives at most 100 entries a call.
  for (let some = await next(reader); some.length > 0; some = await next(reader)) entries.push(...some);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: File[] = [];
  for (const entry of entries)
    files.push(
      ...(entry.isDirectory
        ? await filesUnder(entry as FileSystemDirectoryEntry)
        : [await asked<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))]),
    );
  return files;
}

const next = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  asked((resolve, reject) => reader.readEntries(resolve, reject));

/** A drive that has gone may never answer. @throws Late, and what `ask` gives as an error */
const asked = <T>(ask: ConstructorParameters<typeof Promise<T>>[0]): Promise<T> =>
  within(new Promise<T>(ask), LIMITS.file, 'The folder');
