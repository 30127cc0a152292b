// npm test: all tests, in order, with real counts. The last line is `N passed, N failed`; exit status 1 if any failed.
//   npm test -- [--only PART[,PART]] [--changed [--since COMMIT]] [--verbose] [--no-install]
// npm run attack: of these the tests that the threat model names (threats.mjs), and a line for each of its rows.
//   npm run attack -- [--seconds N] [--only PART[,PART]] [--verbose] [--no-install]    N: of each fuzzer, 30
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { native, npmPackage, pythonModule, singleFile, site, trainingEnvironment, wasm } from './artifacts.mjs';
import { changedFiles, selectionFor, webTests } from './changed.mjs';
import { fuzz } from './fuzz.mjs';
import { checks } from './lint.mjs';
import { empty, fromJunit, fromPlaywright, fromPytest, fromTap, fromVitest, judge } from './reports.mjs';
import { siteDir } from './serve.mjs';
import { ask, chatter, logDir, main, messageOf, root, run, StepError, say, seconds, tail } from './steps.mjs';
import { attackPlan, standing } from './threats.mjs';
import {
  BUILD_NEEDS,
  checkNode,
  ensureChromium,
  ensureFirefox,
  ensureNginx,
  ensurePackages,
  ensureTools,
  leaveTheMachineAlone,
  localBin,
  TEST_NEEDS,
} from './toolchain.mjs';

/**
 * @typedef {import('./reports.mjs').Counts & { log?: string }} Result  `log`: the log's name
 * @typedef {readonly [program: string, ...args: string[]]} Command
 * @typedef {Omit<import('./steps.mjs').RunOptions, 'log'>} RunOptions
 *
 * @typedef {object} Part
 * @property {string} id
 * @property {string} title
 * @property {() => Promise<unknown>} [needs]  builds what it tests
 * @property {'beside' | 'alone'} [lane]  `beside`: leaves a core idle, so that it runs in a process of its own while
 *   others do; `alone`: in browsers, whose tests wait for a limited time only
 * @property {() => Promise<Result>} test
 */

const reportDir = join(root, 'build', 'reports');
const MINUTE = 60_000;
let verbose = false;
/**
 * What a change calls for; null: everything.
 * @type {{ since: string, files: string[], wanted: import('./changed.mjs').Selection } | null}
 */
let change = null;
/**
 * What `npm run attack` runs; null: `npm test`.
 * @type {import('./threats.mjs').Plan | null}
 */
let attack = null;
/** Seconds of each fuzzer: enough to find what a change breaks at once; `npm run fuzz` goes on for longer. */
let fuzzing = 10;

/**
 * A runner that counts its tests itself: `read` returns the counts. A missing report counts as a crash.
 * @param {string} log
 * @param {Command} command
 * @param {() => import('./reports.mjs').Counts} read
 * @param {RunOptions} [options]
 * @returns {Promise<Result>}
 */
async function counted(log, [command, ...args], read, options = {}) {
  const status = await run(command, args, { log, mayFail: true, echo: verbose, limit: 10 * MINUTE, ...options });
  let counts;
  try {
    counts = read();
  } catch (error) {
    const failures = [`no readable report (${messageOf(error)}); the runner ended with ${status}`];
    return { ...empty(), failed: 1, failures, log };
  }
  return { ...judge(counts, status), log };
}

/**
 * A program as one test: it passes if it exits with 0.
 * @param {string} name
 * @param {string} log
 * @param {Command} command
 * @param {RunOptions} [options]
 * @returns {Promise<Result>}
 */
async function single(name, log, [command, ...args], options = {}) {
  const status = await run(command, args, { log, mayFail: true, echo: verbose, limit: 5 * MINUTE, ...options });
  return status === 0 ? { ...empty(), passed: 1, log } : { ...empty(), failed: 1, failures: [name], log };
}

/** @param {string} name */
function report(name) {
  mkdirSync(reportDir, { recursive: true });
  const path = join(reportDir, name);
  rmSync(path, { force: true, recursive: true });
  return path;
}

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** @param {import('./artifacts.mjs').NativePreset} preset */
async function googleTests(preset) {
  await native(preset);
  const junit = report(`${preset}.xml`);
  const args = [
    '--test-dir',
    join(root, 'build', preset),
    '--output-on-failure',
    '--no-tests=error',
    '--parallel',
    String(cpus().length),
    ...(attack ? ['--tests-regex', attack.core.source] : []),
  ];
  const env = { UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1' };
  return counted(
    `test-${preset}`,
    ['ctest', ...args, '--output-junit', junit],
    () => fromJunit(readFileSync(junit, 'utf8')),
    { env },
  );
}

/** @type {readonly Part[]} */
const PARTS = [
  { id: 'scripts', title: 'Repository rules and build scripts', test: scripts },
  { id: 'lint', title: 'Style and types', test: style },
  { id: 'core', title: 'C++ core', test: () => googleTests('native') },
  { id: 'asan', title: 'C++ core under address and undefined-behaviour sanitizers', test: () => googleTests('asan') },
  { id: 'fuzz', title: 'Hostile input: each fuzz target for some seconds', test: () => fuzz({ seconds: fuzzing }) },
  { id: 'module', lane: 'beside', title: 'WASM module: size, and use in Node', needs: wasm, test: moduleInNode },
  { id: 'web', title: 'TypeScript units', needs: wasm, test: unit },
  { id: 'train', title: 'Training tool', needs: wasm, test: trainingTool },
  {
    id: 'site',
    lane: 'beside',
    title: 'Built site',
    needs: async () => {
      await wasm();
      await site();
    },
    test: builtSite,
  },
  {
    id: 'package',
    lane: 'beside',
    title: 'npm package in applications of each kind',
    needs: async () => {
      await wasm();
      await npmPackage();
      await ensurePackages({
        folder: join(root, 'tests', 'package'),
        title: 'npm packages of the applications',
        log: 'npm-package-tests',
      });
    },
    test: packageInApplications,
  },
  {
    id: 'e2e',
    lane: 'alone',
    title: 'End to end in Chromium',
    needs: async () => {
      await wasm();
      await site();
      await singleFile();
      if (!attack) await trainingEnvironment();
    },
    test: endToEnd,
  },
  {
    id: 'exact',
    lane: 'alone',
    title: 'The same tensors in every build and browser',
    needs: async () => {
      await wasm();
      await wasm('wasm-scalar');
      await site();
      await singleFile();
    },
    test: sameTensors,
  },
];

/**
 * @param {string} log
 * @param {string[]} files
 * @param {RunOptions} [options]
 */
function nodeTests(log, files, options) {
  const chosen = attack ? files.filter((file) => attack?.files.includes(file)) : files;
  const tap = report(`${log}.tap`);
  const reporters = [
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tap}`,
  ];
  return counted(
    log,
    // Node's own choice is one file at a time where there are two cores.
    [process.execPath, '--test', `--test-concurrency=${cpus().length}`, ...reporters, ...chosen],
    () => fromTap(readFileSync(tap, 'utf8')),
    options,
  );
}

function scripts() {
  return nodeTests('test-scripts', [
    'tools/build/repository.test.mjs',
    'tools/build/scripts.test.mjs',
    'tools/build/licences.test.mjs',
    'tools/build/sbom.test.mjs',
    'tools/build/threats.test.mjs',
    'contract/generate.test.mjs',
    'tools/build/messages.test.mjs',
    'tools/build/imports.test.mjs',
    'tools/build/api.test.mjs',
    'tools/build/elements.test.mjs',
    'tests/doc-samples.test.mjs',
  ]);
}

/** Each checker is one test. */
async function style() {
  const results = [];
  // clang-tidy checks every file without a cached result.
  const limit = 20 * MINUTE;
  for (const { name, log, check } of await checks()) results.push(await single(name, log, check, { limit }));
  return together(results);
}

function moduleInNode() {
  return nodeTests('test-module', [
    'tools/build/size.test.mjs',
    'tests/runtime.test.mjs',
    'tests/core/module_smoke.mjs',
    'tests/core/module_fields.mjs',
    'tests/bench/memory.test.mjs',
  ]);
}

async function builtSite() {
  await ensureNginx();
  return nodeTests('test-site', [
    'tools/build/site.test.mjs',
    'tests/hosting.test.mjs',
    // Versions of what is compiled in are read out of the headers that the build fetched.
    'tools/build/advisories.test.mjs',
  ]);
}

async function packageInApplications() {
  return nodeTests('test-package', ['tests/package/package.test.mjs'], {
    env: { CHROMIUM_PATH: await ensureChromium() },
    limit: 20 * MINUTE, // some minutes if nothing else runs
  });
}

/**
 * The unit tests' files to run, as vitest follows imports from what changed; none: all.
 * @returns {string[] | null}
 */
function unitFiles() {
  if (attack) return attack.files.filter((file) => file.startsWith('tests/web/'));
  if (change === null) return [];
  if (change.wanted.web !== null) return change.wanted.web;
  const listed = ask(localBin('vitest'), ['list', '--filesOnly', '--json', '--changed', change.since]);
  if (listed === null) return [];
  /** @type {{ file: string }[]} */
  const related = JSON.parse(listed.slice(listed.indexOf('[')));
  const files = webTests(
    related.map(({ file }) => relative(root, file)),
    change.files,
  );
  return files.length > 0 ? files : null;
}

async function unit() {
  const path = report('vitest.json');
  const files = unitFiles();
  if (files === null) return empty();
  // The command line is tested as npm installs it.
  await npmPackage();
  const env = { DERMLET_CLI: join(root, 'build', 'package', 'dist', 'node', 'cli.js') };
  return counted(
    'test-web',
    [localBin('vitest'), 'run', '--reporter=verbose', '--reporter=json', `--outputFile.json=${path}`, ...files],
    () => fromVitest(readJson(path)),
    { env, limit: 20 * MINUTE }, // five if nothing else runs
  );
}

/** The type check is one test; pytest counts its own. */
async function trainingTool() {
  const named = attack?.files.flatMap((file) => /^tools\/train\/tests\/(.*)$/.exec(file)?.[1] ?? []);
  const files = (named ?? change?.wanted.train ?? []).map((name) => join('tests', name));
  if (change !== null && files.length === 0) return empty();
  const python = await trainingEnvironment();
  await pythonModule();
  const cwd = join(root, 'tools', 'train');
  const junit = report('pytest.xml');
  const parts = await Promise.all([
    single('mypy (types of the training tool)', 'test-train-types', [python, '-m', 'mypy'], { cwd }),
    counted(
      'test-train',
      [
        python,
        '-m',
        'pytest',
        '--numprocesses=2',
        '--dist=loadfile',
        '--no-loadscope-reorder', // as conftest.py has it
        `--junit-xml=${junit}`,
        '--durations=10',
        ...files,
      ],
      () => noneSkipped(fromPytest(readFileSync(junit, 'utf8'))),
      { cwd, limit: 20 * MINUTE },
    ),
  ]);
  return together(parts);
}

/**
 * Everything that the training tool's tests need is installed: a skipped test hides a fault.
 * @param {import('./reports.mjs').Counts} counts
 * @returns {import('./reports.mjs').Counts}
 */
function noneSkipped(counts) {
  if (counts.skipped === 0) return counts;
  return {
    ...counts,
    failed: counts.failed + counts.skipped,
    skipped: 0,
    failures: [...counts.failures, `${counts.skipped} skipped`],
  };
}

/**
 * @param {readonly Result[]} results
 * @param {'passed' | 'failed' | 'skipped'} key
 */
const sum = (results, key) => results.reduce((total, result) => total + result[key], 0);

/**
 * Merges several results; the log is that of the first that failed.
 * @param {readonly Result[]} results
 * @returns {Result}
 */
function together(results) {
  const log = (results.find((result) => result.failed > 0) ?? results.at(-1))?.log;
  return {
    tests: results.flatMap((result) => result.tests),
    passed: sum(results, 'passed'),
    failed: sum(results, 'failed'),
    skipped: sum(results, 'skipped'),
    failures: results.flatMap((result) => result.failures),
    unsteady: results.flatMap((result) => result.unsteady),
    ...(log === undefined ? {} : { log }),
  };
}

/**
 * Some of Playwright's projects, run against a copy of the site, so that a concurrent build cannot change it.
 * @param {string} log
 * @param {readonly string[]} projects
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} [files]  spec files; none: all
 */
async function browsers(log, projects, env, files = []) {
  const path = report(`${log}.json`);
  const copy = report('site');
  cpSync(siteDir, copy, { recursive: true });
  const oneFile = report('dermlet.html');
  cpSync(join(root, 'dist-single', 'dermlet.html'), oneFile);
  const given = {
    DERMLET_SITE: copy,
    DERMLET_SINGLE: oneFile,
    CHROMIUM_PATH: await ensureChromium(),
    PLAYWRIGHT_JSON_OUTPUT_NAME: path,
    ...env,
  };
  const args = ['test', '--reporter=list,json', ...projects.map((name) => `--project=${name}`), ...files];
  if (attack) args.push('--grep', attack.titles.source);
  return counted(log, [localBin('playwright'), ...args], () => fromPlaywright(readJson(path)), {
    env: given,
    limit: 45 * MINUTE, // twenty if nothing else runs
  });
}

const isIn = (/** @type {string} */ folder) => (/** @type {string} */ path) => path.startsWith(folder);

/** One test fine-tunes a model first, with the training tool's own Python. */
async function endToEnd() {
  if (attack) return browsers('test-e2e', ['chromium'], {}, attack.files.filter(isIn('tests/e2e/')));
  const env = { DERMLET_PYTHON: await trainingEnvironment() };
  return browsers('test-e2e', ['chromium', 'webgpu'], env, change?.wanted.e2e);
}

/**
 * Natively without vector instructions (with them: part `core`), in Node with and without SIMD, in every browser. Shows
 * what each compared and how long it took.
 */
async function sameTensors() {
  const figures = report('exactness.txt');
  const env = { DERMLET_FIGURES: figures };
  const projects = ['chromium', 'firefox', 'firefox-resist-fingerprinting', 'webkitgtk'].map((name) => `exact-${name}`);
  const inBrowsers = { ...env, FIREFOX_PATH: await ensureFirefox() };
  if (attack) return browsers('test-exact', projects, inBrowsers, attack.files.filter(isIn('tests/exactness/')));
  const results = [
    await googleTests('scalar'),
    await nodeTests('test-exact-node', ['tests/exactness/node.test.mjs'], { env }),
    await browsers('test-exact', projects, inBrowsers),
  ];
  if (existsSync(figures)) for (const line of readFileSync(figures, 'utf8').trimEnd().split('\n')) say(`  ${line}`);
  return together(results);
}

/**
 * @param {Result} result
 * @param {number} began
 */
function show(result, began) {
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : '';
  say(`  ${result.passed} passed, ${result.failed} failed${skipped} (${seconds(began)})`);
  for (const name of result.unsteady) say(`  PASSED AT THE SECOND TRY ${name}`);
  if (result.failed === 0) return;
  if (result.log !== undefined && !verbose) {
    const log = join(logDir, `${result.log}.log`);
    process.stdout.write(tail(log, 60));
    say(`  Whole log: ${relative(root, log)}`);
  }
  for (const name of result.failures) say(`  FAILED ${name}`);
}

/** A browser that was updated by itself explains a test that fails without a change. */
async function sayBrowsers() {
  const asked = [
    ask(await ensureChromium(), ['--version']),
    ask(await ensureFirefox(), ['--version']),
    // Its driver does not say its version; Debian's and Ubuntu's package does.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own form
    ask('dpkg-query', ['-W', '-f', 'WebKitGTK ${Version}', 'webkit2gtk-driver']),
  ];
  const versions = asked.flatMap((answer) => /^.*\d+\.\d+.*$/m.exec(answer ?? '')?.[0].trim() ?? []);
  say(`  Browsers: ${versions.join(', ')}`);
}

/** @param {Part} part */
async function runPart(part) {
  const began = performance.now();
  say(`\n${part.title}`);
  /** @type {Result} */
  let result;
  try {
    await part.needs?.();
    result = await part.test();
  } catch (error) {
    // A part that cannot be built or started is a failed test like any other; later parts still run.
    say(error instanceof StepError || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message));
    result = { ...empty(), failed: 1, failures: ['could not be built or started'] };
  }
  show(result, began);
  return result;
}

/**
 * Parts in a process of its own, whose output is shown when it has ended.
 * @param {readonly Part[]} parts
 * @param {readonly string[]} args
 */
function runBeside(parts, args) {
  const log = 'test-beside';
  const path = report(`${log}.json`);
  const script = fileURLToPath(import.meta.url);
  const ids = parts.map(({ id }) => id).join(',');
  const running = run(process.execPath, [script, '--only', ids, '--results', path, ...args], { log, mayFail: true });
  return async () => {
    const status = await running;
    const [, ...lines] = readFileSync(join(logDir, `${log}.log`), 'utf8')
      .trimEnd()
      .split('\n');
    say(lines.join('\n'));
    try {
      return /** @type {Result[]} */ (readJson(path));
    } catch {
      return [{ ...empty(), failed: 1, failures: [`${ids}: ended with ${status}, without a report`], log }];
    }
  };
}

/**
 * @param {readonly Part[]} parts
 * @param {readonly string[]} args
 */
async function runAll(parts, args) {
  const beside = parts.filter(({ lane }) => lane === 'beside');
  const rest = parts.filter(({ lane }) => lane !== 'beside');
  const [first, alone] = [rest.filter(({ lane }) => !lane), rest.filter(({ lane }) => lane)];
  const results = [];
  // What is tested for an attack is chosen by this process alone.
  if (attack || beside.length === 0 || first.length === 0) {
    for (const part of parts) results.push(await runPart(part));
    return results;
  }
  const ended = runBeside(beside, args);
  for (const part of first) results.push(await runPart(part));
  results.push(...(await ended()));
  for (const part of alone) results.push(await runPart(part));
  return results;
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        changed: { type: 'boolean', default: false },
        since: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        'no-install': { type: 'boolean', default: false },
        attack: { type: 'boolean', default: false },
        seconds: { type: 'string' },
        results: { type: 'string' }, // of a process beside another: where its results are written
      },
    });
    const known = PARTS.map((part) => part.id);
    const wanted = values.only?.split(',') ?? known;
    const unknown = wanted.filter((id) => !known.includes(id));
    if (unknown.length > 0) throw new Error(`unknown part ${unknown.join(', ')}; there are ${known.join(', ')}`);
    const parts = PARTS.filter((part) => wanted.includes(part.id));
    const { changed, since, verbose } = values;
    const fuzzed = values.seconds ?? (values.attack ? '30' : '10');
    if (!/^[1-9]\d*$/.test(fuzzed)) throw new Error(`--seconds ${fuzzed} is no number of seconds`);
    return {
      parts,
      changed: changed || since !== undefined,
      since,
      verbose,
      install: !values['no-install'],
      attack: values.attack,
      seconds: Number(fuzzed),
      results: values.results,
    };
  } catch (error) {
    const use =
      'Use: npm test -- [--only PART[,PART]] [--changed [--since COMMIT]] [--verbose] [--no-install]\n' +
      '     npm run attack -- [--seconds N] [--only PART[,PART]] [--verbose] [--no-install]';
    throw new StepError(`${messageOf(error)}\n${use}`);
  }
}

/**
 * A line for each row of the threat model: whether the attacks on it failed, and how many there were.
 * @param {ReturnType<typeof standing>} rows
 * @param {number} failed  tests, those of no row included
 * @param {number} began
 */
function sayThreats(rows, failed, began) {
  say('\nThe threat model, row by row (docs/threat-model.md)');
  const width = Math.max(...rows.map(({ id }) => id.length));
  for (const { id, tested, left, passed, faults } of rows) {
    const how = !tested ? 'not tested' : faults.length > 0 ? 'FAILED' : passed === 0 ? 'left out' : 'passed';
    const more = left > 0 ? `, ${left} files of tests left out` : '';
    say(`  ${id.padEnd(width)}  ${how.padEnd(10)}  ${tested ? `${passed} tests${more}` : ''}`.trimEnd());
    for (const fault of faults) say(`    ${fault}`);
  }
  const fallen = rows.filter(({ faults }) => faults.length > 0).length;
  const held = rows.filter(({ passed, faults }) => passed > 0 && faults.length === 0).length;
  const rest = rows.length - held - fallen;
  say(`\n${held} rows hold, ${fallen} do not, ${rest} were not tested, in ${seconds(began)}`);
  return fallen > 0 || failed > 0 ? 1 : 0;
}

await main(async () => {
  const began = performance.now();
  const chosen = options();
  verbose = chosen.verbose;
  fuzzing = chosen.seconds;
  if (chosen.attack) attack = attackPlan();
  if (!chosen.install) leaveTheMachineAlone();
  const beside = chosen.results !== undefined;
  if (beside) chatter({ quiet: true });
  checkNode();
  await ensureTools([...BUILD_NEEDS, ...TEST_NEEDS]);
  await ensurePackages();
  if (!beside) await sayBrowsers();
  if (chosen.changed) {
    const { since, files } = changedFiles(chosen.since);
    change = { since, files, wanted: selectionFor(files) };
    if (!beside)
      say(
        `${files.length} files differ from ${since}: what tests them in minutes. \`npm test\` alone runs everything.`,
      );
  }
  const wanted = attack?.parts ?? change?.wanted.parts;
  const parts = chosen.parts.filter((part) => wanted?.includes(part.id) ?? true);
  const args = [
    ...(chosen.verbose ? ['--verbose'] : []),
    ...(chosen.install ? [] : ['--no-install']),
    ...(change ? ['--since', change.since] : []),
  ];
  const results = await runAll(parts, args);
  if (chosen.results !== undefined) {
    writeFileSync(chosen.results, JSON.stringify(results));
    return 0;
  }
  const { passed, failed, skipped, tests } = together(results);
  if (attack)
    return sayThreats(
      standing(
        tests,
        parts.map(({ id }) => id),
      ),
      failed,
      began,
    );
  say(`\n${parts.length} parts in ${seconds(began)}${skipped > 0 ? `, ${skipped} tests skipped` : ''}`);
  say(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
});
