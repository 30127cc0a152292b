/**
 * Pictures of cases, out of the archive's folder that a person opens: found by the names in the atlas, and shown only
 * if they are the very files that it was made of. No DOM.
 */
import { type Classifier, MAX_FILE_BYTES, type SimilarCase, type Stage } from '../../classifier/index.js';
import { LIMITS, within } from '../../classifier/inner.js';
import { READ } from '../session.js';

/** The archive's folder itself, one around it or one in it may have been opened. */
function mayBe(path: string, name: string): boolean {
  const inside = path.slice(path.indexOf('/') + 1);
  return path === name || path.endsWith(`/${name}`) || name.endsWith(`/${inside}`);
}

/** Whether it can be checked what a file is: not in a page that came over plain HTTP from another machine. */
export const canCheck = (): boolean => globalThis.crypto?.subtle !== undefined;

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** By the case's sha256. Files that are gone, changed, too large or do not answer are left out. */
export async function picturesOf(cases: readonly SimilarCase[], files: readonly File[]): Promise<Map<string, File>> {
  const found = new Map<string, File>();
  for (const { name, sha256: wanted } of cases) {
    if (name === undefined) continue;
    for (const file of files) {
      if (file.size > MAX_FILE_BYTES || !mayBe(file.webkitRelativePath || file.name, name)) continue;
      const bytes = await within(file.arrayBuffer(), LIMITS.file, 'A file').catch(() => null);
      if (!bytes || (await sha256(bytes)) !== wanted) continue;
      found.set(wanted, file);
      break;
    }
  }
  return found;
}

/**
 * Whether the core reads a file. What it refuses is not displayed: a browser may need any amount of memory for it. The
 * network is not waited for.
 */
export async function isRead(
  file: Blob,
  classifier: Pick<Classifier, 'classify'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return false;
  const enough = new AbortController();
  const end = () => enough.abort();
  signal.addEventListener('abort', end);
  let read = false;
  const onStage = (stage: Stage): void => {
    if (!READ.includes(stage)) return;
    read = true;
    end();
  };
  try {
    await classifier.classify(file, { signal: enough.signal, onStage });
    return true;
  } catch {
    return read;
  } finally {
    signal.removeEventListener('abort', end);
  }
}
