// Whether an artifact must be rebuilt: decided by its inputs' content, not their dates.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { lockPath, withLock } from './lock.mjs';
import { cacheDir, root, step, upToDate } from './steps.mjs';

/**
 * @typedef {object} Stamp  of the last build
 * @property {string | null} print  the inputs' fingerprint; null while building
 * @property {string} [kind]
 * @property {(string | null)[]} [state]
 *
 * @typedef {object} Artifact
 * @property {string} name
 * @property {string} title
 * @property {readonly string[]} inputs  files and folders
 * @property {readonly string[]} [extra]
 * @property {readonly string[]} outputs  files
 * @property {string} kind  changes if the previous build cannot be reused (another compiler)
 * @property {import('./lock.mjs').LockName} [lock]  `build` if it is not said
 * @property {(previous: Stamp | null) => Promise<unknown>} make
 */

const IGNORED = /^(node_modules|__pycache__|\..*\.sw.|.*~|\.DS_Store)$/;

/**
 * Every file under a file or folder, in a stable order; none if it does not exist.
 * @param {string} path
 * @returns {string[]}
 */
export function filesUnder(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [path];
  const names = readdirSync(path)
    .filter((name) => !IGNORED.test(name))
    .sort();
  return names.flatMap((name) => filesUnder(join(path, name)));
}

/**
 * SHA-256 over names and contents of files and folders (relative to the repository) and over extra strings.
 * @param {readonly string[]} inputs
 * @param {readonly string[]} [extra]
 */
export function fingerprint(inputs, extra = []) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => filesUnder(join(root, input)))) {
    const bytes = readFileSync(file);
    hash.update(`${relative(root, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.update(JSON.stringify(extra)).digest('hex');
}

/** @param {string} name */
function stampPath(name) {
  return join(cacheDir, 'stamps', `${name}.json`);
}

/** @param {string} name */
export function readStamp(name) {
  try {
    return JSON.parse(readFileSync(stampPath(name), 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {object} stamp
 */
export function writeStamp(name, stamp) {
  mkdirSync(join(cacheDir, 'stamps'), { recursive: true });
  writeFileSync(stampPath(name), JSON.stringify(stamp));
}

/**
 * Size and date of each output: an output removed or replaced by hand is rebuilt.
 * @param {readonly string[]} outputs
 */
function stateOf(outputs) {
  return outputs.map((output) => {
    const stat = statSync(join(root, output), { throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.size} ${stat.mtimeMs}`;
  });
}

/**
 * @param {Artifact} artifact
 * @param {string} print
 */
function isFresh(artifact, print) {
  const stamp = readStamp(artifact.name);
  const state = stateOf(artifact.outputs);
  return stamp?.print === print && !state.includes(null) && JSON.stringify(stamp.state) === JSON.stringify(state);
}

/**
 * Makes an artifact unless it is fresh. Resolves to whether it was made. `make` gets the previous stamp, to decide
 * whether to reuse that build.
 * @param {Artifact} artifact
 */
export async function ensure(artifact) {
  const printNow = () => fingerprint(artifact.inputs, [artifact.kind, ...(artifact.extra ?? [])]);
  if (isFresh(artifact, printNow())) {
    upToDate(artifact.title);
    return false;
  }
  const make = async () => {
    // Taken before the work: a file changed during it makes the result stale.
    const print = printNow();
    if (isFresh(artifact, print)) return false;
    const previous = readStamp(artifact.name);
    // Not fresh until made; the kind is stored already, so that a failed build can be resumed.
    writeStamp(artifact.name, { print: null, kind: artifact.kind });
    await step(artifact.title, () => artifact.make(previous));
    writeStamp(artifact.name, { print, kind: artifact.kind, state: stateOf(artifact.outputs) });
    return true;
  };
  return withLock(artifact.title, make, lockPath(artifact.lock ?? 'build'));
}
