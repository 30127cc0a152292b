// npm run fuzz -- [--seconds N] [--only TARGET[,TARGET]]: libFuzzer on the C++ core under the sanitizers, two targets
// at a time, and `foreign`, which changes WebP, AVIF and HEIC at random for decoders that libFuzzer does not see. First
// every input that once failed (tests/fuzz/regressions/<target>-*), then N seconds (60) from the drawn pictures
// (fuzz-seeds.mjs) and the corpus of earlier runs (.cache/fuzz/<target>, which later runs extend), with the
// dictionaries in tests/fuzz/dictionaries. Ends with a table: runs, coverage, new inputs, findings. A finding is saved
// in build/fuzz-findings/ and printed with the command that reproduces it; exit status 1.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { native as nativeBuild, wasm } from './artifacts.mjs';
import { MAX_LENGTH, makeSeeds } from './fuzz-seeds.mjs';
import { empty, fromLibFuzzer } from './reports.mjs';
import { cacheDir, isProgram, logDir, main, root, run, StepError, say, tail } from './steps.mjs';
import {
  BUILD_NEEDS,
  checkNode,
  ensurePackages,
  ensureTools,
  fuzzingCompiler,
  localBin,
  TEST_NEEDS,
} from './toolchain.mjs';

const source = join(root, 'tests', 'fuzz');
const work = join(root, 'build', 'fuzz-work');
const findings = join(root, 'build', 'fuzz-findings');
const LIMITS = ['-timeout=20', '-rss_limit_mb=2560', '-print_final_stats=1'];

/**
 * Longest input in bytes where not MAX_LENGTH: targets that decode several times find more with small pictures.
 * @type {Record<string, number>}
 */
const LENGTHS = { bmp: 16384, builds: 16384, jpeg: 16384, png: 16384, scaled: 16384 };

/**
 * The dictionaries for a target's inputs; libFuzzer accepts one file.
 * @type {Record<string, readonly string[]>}
 */
const DICTIONARIES = {
  bmp: ['bmp', 'icc'],
  builds: ['jpeg', 'png', 'bmp', 'icc', 'exif'],
  exif: ['exif'],
  icc: ['icc', 'png', 'jpeg'],
  inspect: ['jpeg', 'png', 'bmp', 'exif', 'foreign', 'icc'],
  jpeg: ['jpeg'],
  pipeline: ['jpeg', 'png', 'bmp', 'icc', 'exif', 'foreign'],
  png: ['png', 'icc'],
  scaled: ['jpeg'],
};

/** @param {RegExp} pattern */
const named = (pattern) => readdirSync(source).flatMap((name) => pattern.exec(name)?.[1] ?? []);

/** Those of libFuzzer. */
export const nativeTargets = () => named(/^(\w+)_fuzz\.cc$/).sort();
/** Scripts, which change their files themselves. */
const scripts = () => named(/^(\w+)_fuzz\.ts$/);
export const targets = () => [...nativeTargets(), ...scripts()].sort();

/** @param {string} target */
function dictionaryOf(target) {
  const names = DICTIONARIES[target] ?? [];
  if (names.length === 0) return [];
  const path = join(work, `${target}.dict`);
  writeFileSync(
    path,
    names.map((name) => readFileSync(join(source, 'dictionaries', `${name}.dict`), 'utf8')).join('\n'),
  );
  return [`-dict=${path}`];
}

/** @param {string} target */
const regressionsOf = (target) =>
  readdirSync(join(source, 'regressions'))
    .filter((name) => name.startsWith(`${target}-`))
    .map((name) => join(source, 'regressions', name));

/** @param {string} target */
const findingsOf = (target) =>
  existsSync(findings) ? readdirSync(findings).filter((name) => name.startsWith(`${target}-`)) : [];

/**
 * @typedef {object} Line  of the table
 * @property {string} target
 * @property {boolean} passed
 * @property {number} known  number of inputs that once failed
 * @property {boolean} replayed  those passed
 * @property {string[]} found
 *
 * @typedef {Line & Partial<NonNullable<ReturnType<typeof fromLibFuzzer>>>} Row
 */

/**
 * Runs one target's known inputs and then the fuzzer.
 * @param {string} target
 * @param {number} seconds
 * @returns {Promise<Row>}
 */
async function native(target, seconds) {
  const program = join(root, 'build', 'asan', 'tests', 'fuzz', `fuzz_${target}`);
  const log = `fuzz-${target}`;
  const corpus = join(cacheDir, 'fuzz', target);
  const seeds = join(work, target);
  for (const folder of [corpus, findings]) mkdirSync(folder, { recursive: true });
  makeSeeds(target, seeds);
  const known = regressionsOf(target);
  const before = new Set(findingsOf(target));
  const options = { log, mayFail: true, env: { UBSAN_OPTIONS: 'print_stacktrace=1' } };
  let status = known.length > 0 ? await run(program, [...LIMITS, ...known], options) : 0;
  const replayed = status === 0;
  if (replayed) {
    const args = [
      ...LIMITS,
      `-max_len=${LENGTHS[target] ?? MAX_LENGTH}`,
      ...dictionaryOf(target),
      `-max_total_time=${seconds}`,
      `-artifact_prefix=${join(findings, `${target}-`)}`,
      corpus,
      seeds,
    ];
    status = await run(program, args, { ...options, append: known.length > 0, limit: (seconds + 240) * 1000 });
  }
  const figures = fromLibFuzzer(readFileSync(join(logDir, `${log}.log`), 'utf8'));
  const found = findingsOf(target).filter((name) => !before.has(name));
  const passed = status === 0 && figures !== null;
  if (!passed) complain({ target, status, program, replayed, found });
  return { target, passed, known: known.length, replayed, found, ...figures };
}

/**
 * The same of a script: its last line says how many it has read.
 * @param {string} target
 * @param {number} seconds
 * @returns {Promise<Row>}
 */
async function script(target, seconds) {
  const [log, known] = [`fuzz-${target}`, regressionsOf(target)];
  const program = join(source, `${target}_fuzz.ts`);
  mkdirSync(findings, { recursive: true });
  const args = [program, String(seconds), join(findings, `${target}-`), ...known];
  const status = await run(localBin('tsx'), args, { log, mayFail: true, limit: (seconds + 240) * 1000 });
  const last = /^\{.*\}$/m.exec(tail(join(logDir, `${log}.log`), 1).trim())?.[0];
  /** @type {{ runs: number, found: string[] } | null} */
  const told = last === undefined ? null : JSON.parse(last);
  const again = told?.found.filter((name) => known.some((path) => path.endsWith(`/${name}`))) ?? [];
  const found = told?.found.filter((name) => !again.includes(name)) ?? [];
  const [passed, replayed] = [status === 0 && told !== null, told !== null && again.length === 0];
  if (!passed)
    complain({ target, status, program: `${relative(root, localBin('tsx'))} ${program} 0 /`, replayed, found });
  return {
    target,
    passed,
    known: known.length,
    replayed,
    found,
    ...(told ? { runs: told.runs, perSecond: Math.round(told.runs / seconds) } : {}),
  };
}

/** @type {(target: string, seconds: number) => Promise<Row>} */
const one = (target, seconds) => (scripts().includes(target) ? script : native)(target, seconds);

/**
 * Says what a finding is, how to reproduce it and how to keep it.
 * @param {Pick<Line, 'target' | 'replayed' | 'found'> & { status: number | string, program: string }} failure
 */
function complain({ target, status, program, replayed, found }) {
  const path = join(logDir, `fuzz-${target}.log`);
  say(`${tail(path, 30)}  ${target}: FAILED (${status}); whole log: ${relative(root, path)}`);
  if (!replayed)
    say(`  An input of tests/fuzz/regressions/${target}-* fails again: npm run fuzz -- --seconds 1 --only ${target}`);
  for (const name of found) {
    const input = relative(root, join(findings, name));
    say(`  Repeat:  ${relative(root, program)} ${input}`);
    say(`  Keep:    cp ${input} tests/fuzz/regressions/${target}-<what it is>`);
  }
}

/** @param {number | undefined} value */
const number = (value) => (value === undefined ? '-' : value.toLocaleString('en'));

/**
 * The table at the end; `edges` are the coverage counters that libFuzzer reached in the target's program, `features`
 * count how often as well.
 * @param {readonly Row[]} lines
 */
function table(lines) {
  const titles = ['target', 'runs', 'runs/s', 'edges', 'features', 'corpus', 'new', 'known', 'findings'];
  const rows = [
    titles,
    ...lines.map((line) => [
      line.target,
      ...[
        line.runs,
        line.perSecond,
        line.edges,
        line.features,
        line.corpus,
        line.added,
        line.known,
        line.found.length,
      ].map(number),
    ]),
  ];
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    say(`  ${cells.join('  ')}`);
  }
}

/**
 * Runs targets in parallel; resolves to the test run's counts: one test per target and one per input that once failed.
 * @param {{ seconds?: number, only?: readonly string[] }} [options]
 */
export async function fuzz({ seconds = 60, only = targets() } = {}) {
  if (only.some((target) => nativeTargets().includes(target))) {
    if (fuzzingCompiler() === null) throw new StepError('There is no clang with libFuzzer.');
    await nativeBuild('asan');
  }
  if (only.some((target) => scripts().includes(target))) await wasm();
  mkdirSync(work, { recursive: true });
  const waiting = [...only];
  /** @type {Row[]} */
  const lines = [];
  const lane = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift())
      lines.push(await one(target, seconds));
  };
  await Promise.all(Array.from({ length: Math.min(cpus().length, 2) }, lane));
  lines.sort((a, b) => only.indexOf(a.target) - only.indexOf(b.target));
  table(lines);
  const failures = lines
    .filter(({ passed }) => !passed)
    .map(({ target, found }) => `fuzz ${target}${found.map((name) => `: build/fuzz-findings/${name}`).join('')}`);
  const replays = lines.filter(({ replayed }) => replayed).reduce((sum, { known }) => sum + known, 0);
  /** @type {import('./reports.mjs').Test[]} */
  const tests = lines.map(({ target, passed }) => ({
    file: '',
    titles: [`fuzz ${target}`],
    status: passed ? 'passed' : 'failed',
  }));
  return { ...empty(), passed: only.length - failures.length + replays, failed: failures.length, failures, tests };
}

if (isProgram(import.meta.url)) {
  await main(async () => {
    const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, only: { type: 'string' } } });
    const only = values.only?.split(',') ?? targets();
    const unknown = only.filter((target) => !targets().includes(target));
    if (unknown.length > 0 || !/^[1-9]\d*$/.test(values.seconds))
      throw new StepError(`Use: npm run fuzz -- [--seconds N] [--only ${targets().join(',')}]`);
    checkNode();
    await ensurePackages();
    await ensureTools([...BUILD_NEEDS, ...TEST_NEEDS]);
    const { failed } = await fuzz({ seconds: Number(values.seconds), only });
    return failed > 0 ? 1 : 0;
  });
}
