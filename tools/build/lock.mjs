// One build of a kind at a time per checkout. The lock is a file that names its holder; the lock of a dead holder is
// taken over.
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheDir, codeOf, onExit, say } from './steps.mjs';

/** @typedef {{ pid: number, start: string | null, host: string, what: string }} Holder */

const TAKEOVER_LIMIT_MS = 10_000;

/**
 * When a process started, to detect a reused id; null if the system does not say.
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** @param {Holder} holder */
function isAlive(holder) {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return holder.start === null || startOf(holder.pid) === holder.start;
}

/**
 * @param {string} path
 * @returns {Holder | null}
 */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Creates the file with its whole text atomically; false if it already exists.
 * @param {string} path
 * @param {string} text
 */
function createWhole(path, text) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, text);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

/**
 * Removes the lock of a dead holder. A second file guards this, or two waiters could remove each other's new lock.
 * @param {string} path
 * @param {Partial<Holder>} dead
 */
function removeStale(path, dead) {
  const guard = `${path}.takeover`;
  if (!createWhole(guard, '')) {
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > TAKEOVER_LIMIT_MS) rmSync(guard, { force: true });
    return;
  }
  try {
    const now = read(path);
    if (now === null || (now.pid === dead.pid && now.start === dead.start)) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/**
 * The locks' names: native builds, which stand apart from all else, need not wait for it.
 * @typedef {'build' | 'native'} LockName
 * @param {LockName} name
 */
export const lockPath = (name) => join(cacheDir, `${name}.lock`);

/**
 * Locks that this process holds.
 * @type {Set<string>}
 */
const held = new Set();

/**
 * Runs `work` while holding the lock; if another process on this machine holds it, says which and waits. Nested calls,
 * also from a program that the holder started, run at once.
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} work
 * @param {string} [path]
 * @returns {Promise<T>}
 */
export async function withLock(what, work, path = lockPath('build')) {
  const inherited = process.env.DERMLET_BUILD_LOCK;
  if (held.has(path) || (inherited !== undefined && read(path)?.pid === Number(inherited))) return work();
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, start: startOf(process.pid), host: hostname(), what });
  let told = false;
  while (!createWhole(path, mine)) {
    const holder = read(path);
    if (holder === null || !isAlive(holder)) {
      removeStale(path, holder ?? {});
      continue;
    }
    if (!told)
      say(`  waiting for another build to finish (${holder.what}, process ${holder.pid} on ${holder.host}) ...`);
    told = true;
    await sleep(250);
  }
  const release = () => {
    if (read(path)?.pid === process.pid) rmSync(path, { force: true });
  };
  const forget = onExit(release);
  held.add(path);
  process.env.DERMLET_BUILD_LOCK = String(process.pid);
  try {
    return await work();
  } finally {
    held.delete(path);
    if (held.size === 0) delete process.env.DERMLET_BUILD_LOCK;
    forget();
    release();
  }
}
