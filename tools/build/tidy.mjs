// clang-tidy (.clang-tidy) over the core, its bindings and its tests, each file with the flags that its build compiles
// it with. A file is checked again only if it, one of our headers it includes, its flags or the checks changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { lintPrograms, tidyDatabases } from './artifacts.mjs';
import { ask, cacheDir, main, root, StepError, say, seconds } from './steps.mjs';
import { checkNode } from './toolchain.mjs';

const passedDir = join(cacheDir, 'tidy');
const OURS = ['wasm_src/core', 'wasm_src/bindings', 'tests/core'];
const CONFIGURATIONS = ['.clang-tidy', 'tests/core/.clang-tidy'];
const INCLUDE_FOLDERS = ['wasm_src/core', 'wasm_src/bindings'];
/** Contains only another project's code. */
const NOT_OURS = 'wasm_src/core/formats/stb_image.cc';

/**
 * A file, the command that compiles it, and the flags that a clang other than that command's needs.
 * @typedef {{ file: string, command: string, folder: string, flags: readonly string[] }} Job
 */

/**
 * The file and each of our headers that it includes, directly or indirectly.
 * @param {string} file
 * @param {Set<string>} [seen]
 */
function closure(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^#include "([^"]+)"/gm)) {
    const folders = [dirname(file), ...INCLUDE_FOLDERS.map((folder) => join(root, folder))];
    const header = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
    if (header !== undefined) closure(header, seen);
  }
  return seen;
}

/**
 * A hash of everything that a file's result depends on.
 * @param {Job} job
 * @param {unknown[]} common
 */
function keyOf(job, common) {
  const hash = createHash('sha256').update(JSON.stringify([common, job.command, job.flags]));
  for (const file of closure(job.file)) hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * Each of our source files once: a file in two targets is compiled alike in both.
 * @param {readonly { folder: string, flags: readonly string[] }[]} databases
 */
function jobsOf(databases) {
  /** @type {Map<string, Job>} */
  const jobs = new Map();
  for (const { folder, flags } of databases) {
    for (const { file, command } of JSON.parse(readFileSync(join(folder, 'compile_commands.json'), 'utf8'))) {
      const path = relative(root, file);
      const isOurs = OURS.some((room) => path.startsWith(`${room}/`)) && path !== NOT_OURS;
      if (isOurs && !jobs.has(path)) jobs.set(path, { file, command, folder, flags });
    }
  }
  return [...jobs.values()];
}

/**
 * clang-tidy's findings for a file; empty if there are none.
 * @param {string} program
 * @param {Job} job
 * @returns {Promise<string>}
 */
function look(program, { file, folder, flags }) {
  const args = ['--quiet', '-p', folder, ...flags.map((flag) => `--extra-arg=${flag}`), file];
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: root, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve('');
      else if (typeof error.code === 'number') resolve(stdout || stderr);
      else reject(new StepError(`${program} could not be run: ${error.message}`));
    });
  });
}

await main(async () => {
  const began = performance.now();
  checkNode();
  const program = join(await lintPrograms(), 'clang-tidy');
  const common = [ask(program, ['--version']), ...CONFIGURATIONS.map((path) => readFileSync(join(root, path), 'utf8'))];
  mkdirSync(passedDir, { recursive: true });
  const passed = new Set(readdirSync(passedDir));
  const jobs = jobsOf(await tidyDatabases()).map((job) => ({ ...job, key: keyOf(job, common) }));
  const waiting = jobs.filter(({ key }) => !passed.has(key));
  const looked = waiting.length;
  let failed = 0;
  const lane = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const findings = await look(program, job);
      if (findings === '') {
        writeFileSync(join(passedDir, job.key), '');
        continue;
      }
      failed += 1;
      say(findings.trimEnd().replaceAll(`${root}/`, ''));
    }
  };
  await Promise.all(Array.from({ length: cpus().length }, lane));
  // Results that no current file has are never used again.
  const current = new Set(jobs.map(({ key }) => key));
  for (const name of passed) if (!current.has(name)) rmSync(join(passedDir, name));
  say(`${jobs.length} files, ${looked} looked at in ${seconds(began)}, ${failed} with findings`);
  return failed > 0 ? 1 : 0;
});
