// The build scripts' output and how they run programs: one short line per step; a tool's own output goes to a log.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const cacheDir = join(root, '.cache');
export const logDir = join(root, 'build', 'logs');

/**
 * The error code of a failed system call.
 * @param {unknown} error
 */
export const codeOf = (error) => /** @type {NodeJS.ErrnoException} */ (error).code;

/**
 * An error's message.
 * @param {unknown} error
 */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** An expected failure: its message is enough, without a stack trace. */
export class StepError extends Error {}

/** @type {NodeJS.WritableStream} */
let stream = process.stdout;
let quiet = false;

/**
 * Where progress messages go. `quiet`: nothing is said about what is up to date.
 * @param {{ to?: NodeJS.WritableStream, quiet?: boolean }} options
 */
export function chatter(options) {
  stream = options.to ?? stream;
  quiet = options.quiet ?? quiet;
}

/** @param {string} text */
export function say(text) {
  stream.write(`${text}\n`);
}

/**
 * Says that nothing had to be done.
 * @param {string} title
 */
export function upToDate(title) {
  if (!quiet) say(`  ${title}: up to date`);
}

/** @param {number} since  milliseconds, as performance.now() gave them */
export function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/**
 * Runs one step; prints its title before and its time after.
 * @template T
 * @param {string} title
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const began = performance.now();
  stream.write(`  ${title} ... `);
  try {
    const answer = await work();
    stream.write(`${seconds(began)}\n`);
    return answer;
  } catch (error) {
    stream.write(`failed after ${seconds(began)}\n`);
    throw error;
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
/** @type {Set<() => void>} */
const atExit = new Set();

/**
 * Calls `undo` (synchronous) when the process ends in any way it can detect. Returns a function that cancels this.
 * @param {() => void} undo
 */
export function onExit(undo) {
  atExit.add(undo);
  return () => atExit.delete(undo);
}

function cleanUp() {
  for (const child of children) signalGroup(child, 'SIGTERM');
  for (const undo of atExit) undo();
  atExit.clear();
}

process.on('exit', cleanUp);
for (const [signal, number] of /** @type {const} */ ([
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
])) {
  process.on(signal, () => process.exit(128 + number));
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Already gone.
  }
}

/**
 * Runs a program and waits for it. It gets its own process group, so that what it starts ends with it; its output goes
 * to build/logs/<log>.log. Rejects with a StepError that shows the end of the log.
 *   echo     shows the output as well
 *   mayFail  resolves to the exit status instead of rejecting
 *   limit    milliseconds after which it is ended; 0 never
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]  added to this process's own
 * @property {string} log
 * @property {boolean} [append]
 * @property {boolean} [echo]
 * @property {boolean} [mayFail]
 * @property {number} [limit]
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 * @returns {Promise<number | string>} the exit status, or the signal that ended it
 */
export async function run(
  command,
  args,
  { cwd = root, env = {}, log, append = false, echo = false, mayFail = false, limit = 0 },
) {
  mkdirSync(logDir, { recursive: true });
  const logPath = join(logDir, `${log}.log`);
  const file = openSync(logPath, append ? 'a' : 'w');
  writeSync(file, `$ ${[command, ...args].join(' ')}\n`);
  try {
    /** @type {number | string} */
    const code = await new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        cwd,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      children.add(child);
      const timer = limit > 0 ? setTimeout(() => signalGroup(child, 'SIGKILL'), limit) : undefined;
      for (const source of [child.stdout, child.stderr]) {
        source.on('data', (chunk) => {
          writeSync(file, chunk);
          if (echo) stream.write(chunk);
        });
      }
      child.on('error', (error) => {
        clearTimeout(timer);
        children.delete(child);
        reject(new StepError(`${command} could not be started: ${error.message}`));
      });
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        children.delete(child);
        resolve(status ?? `signal ${signal}`);
      });
    });
    if (code !== 0 && !mayFail)
      throw new StepError(
        `${tail(logPath, echo ? 0 : 40)}${command} ended with ${code}; whole log: ${relative(root, logPath)}`,
      );
    return code;
  } finally {
    closeSync(file);
  }
}

/**
 * The last lines of a file, indented, for a failure message.
 * @param {string} path
 * @param {number} lines
 */
export function tail(path, lines) {
  if (lines === 0) return '';
  const all = readFileSync(path, 'utf8').trimEnd().split('\n');
  return `${all
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join('\n')}\n`;
}

/**
 * Runs a quick program and returns its output, or null if it is missing or fails.
 * @param {string} command
 * @param {readonly string[]} [args]
 * @param {{ env?: NodeJS.ProcessEnv, input?: string }} [options]
 */
export function ask(command, args = [], { env = {}, input } = {}) {
  const answer = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    input,
    timeout: 60_000,
    cwd: root,
  });
  return answer.status === 0 ? `${answer.stdout}${answer.stderr}` : null;
}

/**
 * Whether a module is the program that Node was started with.
 * @param {string} url  its import.meta.url
 */
export const isProgram = (url) => process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href;

/**
 * Runs a script's main function: expected failures end with exit status 1 and only their message.
 * @param {() => Promise<number | void>} work
 */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    const text = error instanceof StepError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}
