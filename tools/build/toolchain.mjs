// Finds the programs that building and testing need, and installs missing ones with apt or says exactly how to.

import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { readStamp, writeStamp } from './fingerprint.mjs';
import { withLock } from './lock.mjs';
import { stbNeedsPip } from './stb.mjs';
import { ask, cacheDir, root, run, StepError, say, step, upToDate } from './steps.mjs';

/** @typedef {readonly number[]} Version */

/** Ubuntu 22.04's; the oldest tested is Debian 12's 3.1.6. */
const OLDEST_EMCC = [3, 1, 5];
/** What CMakePresets.json asks for. */
const OLDEST_CMAKE = [3, 23, 0];

/**
 * Full path of a program on PATH, or null.
 * @param {string} name
 */
export function which(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

/**
 * @param {string | null | undefined} text
 * @returns {Version | null}
 */
export function versionIn(text) {
  const match = /(\d+)\.(\d+)\.(\d+)/.exec(text ?? '');
  return match === null ? null : match.slice(1).map(Number);
}

/**
 * @param {Version | null} version
 * @param {Version} oldest
 */
export function isAtLeast(version, oldest) {
  if (version === null) return false;
  for (const [i, least] of oldest.entries()) {
    const part = version[i] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/**
 * The cached result of a slow check of programs, kept until one of them changes. Failures are checked again.
 * @param {string} question
 * @param {readonly string[]} programs  paths
 * @param {() => string | null} answer
 * @returns {string | null}
 */
function remembered(question, programs, answer) {
  const state = programs.map((path) => {
    const real = realpathSync(path);
    const { size, mtimeMs } = statSync(real);
    return [real, size, mtimeMs];
  });
  const key = createHash('sha256')
    .update(JSON.stringify([question, state]))
    .digest('hex')
    .slice(0, 16);
  const known = readStamp('toolchain') ?? {};
  if (known[question]?.key === key) return known[question].value;
  const value = answer();
  if (value !== null) writeStamp('toolchain', { ...(readStamp('toolchain') ?? {}), [question]: { key, value } });
  return value;
}

/**
 * Debian's emcc expects its JavaScript packages where only Debian's Node finds them.
 * @returns {NodeJS.ProcessEnv}
 */
export function emccEnvironment() {
  const emcc = which('emcc');
  const modules = '/usr/share/nodejs';
  const isDebians = emcc !== null && realpathSync(emcc).startsWith('/usr/share/emscripten/');
  if (!isDebians || !existsSync(modules)) return {};
  return { NODE_PATH: [process.env.NODE_PATH, modules].filter(Boolean).join(delimiter) };
}

/** The version line of the emcc on PATH, or null if none works. */
export function emccVersion() {
  const emcc = which('emcc');
  if (emcc === null || which('em++') === null || which('emcmake') === null) return null;
  return remembered('emcc', [emcc], () => ask(emcc, ['--version'], { env: emccEnvironment() })?.split('\n')[0] ?? null);
}

/**
 * Whether a compiler builds and links a small program with the standard library and the given flags.
 * @param {string} compiler
 * @param {readonly string[]} flags
 * @param {string} [program]
 */
function compiles(
  compiler,
  flags,
  program = '#include <string>\nint main(int n, char**) { return std::string(n, 0).empty(); }\n',
) {
  const path = which(compiler);
  if (path === null) return false;
  const question = [compiler, ...flags].join(' ');
  const out = join(cacheDir, `probe-${process.pid}`);
  mkdirSync(cacheDir, { recursive: true });
  try {
    return (
      remembered(question, [path], () =>
        ask(path, ['-x', 'c++', '-std=c++20', ...flags, '-o', out, '-'], { input: program }),
      ) !== null
    );
  } finally {
    rmSync(out, { force: true });
  }
}

const CLANGS = ['clang++', ...[20, 19, 18, 17, 16, 15, 14].map((version) => `clang++-${version}`)];

/** A C++ compiler for native builds: CXX if set, else the system's. */
export function nativeCompiler() {
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', ...CLANGS];
  return candidates.find((compiler) => compiles(compiler, [])) ?? null;
}

/** A C++ compiler whose address and undefined-behaviour sanitizers link; clang before g++, which checks less. */
export function sanitizingCompiler() {
  return [...CLANGS, 'g++'].find((compiler) => compiles(compiler, ['-fsanitize=address,undefined'])) ?? null;
}

/** A clang whose libFuzzer links together with the sanitizers. */
export function fuzzingCompiler() {
  const target =
    '#include <cstddef>\nextern "C" int LLVMFuzzerTestOneInput(const unsigned char*, std::size_t) { return 0; }\n';
  return CLANGS.find((compiler) => compiles(compiler, ['-fsanitize=fuzzer,address,undefined'], target)) ?? null;
}

/** @param {string} header */
function hasHeader(header) {
  const compiler = nativeCompiler();
  return (
    compiler !== null &&
    ask(compiler, ['-x', 'c++', '-std=c++20', '-E', '-o', '/dev/null', '-'], { input: `#include <${header}>\n` }) !==
      null
  );
}

/** A pip that runs, as [program, ...arguments], or null. A version manager's Python, first on PATH, may lack it. */
export function pip() {
  for (const python of ['python3', '/usr/bin/python3']) {
    if (ask(python, ['-m', 'pip', '--version']) !== null) return [python, '-m', 'pip'];
  }
  return null;
}

/** The oldest that the training tool supports: it needs tomllib. */
const OLDEST_PYTHON = [3, 11];

/**
 * The full path of a Python that is new enough and can create virtual environments with pip (a separate package on
 * Debian), or null.
 */
export function findPython() {
  const isNewEnough = `assert sys.version_info >= (${OLDEST_PYTHON.join(', ')})`;
  const script = `import ensurepip, sys, venv; ${isNewEnough}; print(sys.executable)`;
  for (const python of ['python3', 'python3.13', 'python3.12', 'python3.11', '/usr/bin/python3']) {
    const path = ask(python, ['-c', script])?.trim();
    if (path) return path;
  }
  return null;
}

/**
 * The first of some programs that prints its version, or null. Ubuntu's browser packages are stubs that only ask for a
 * snap: hence the check.
 * @param {string | undefined} chosen
 * @param {readonly string[]} names
 */
function firstThatRuns(chosen, names) {
  const candidates = chosen ? [chosen] : names.map(which).filter((path) => path !== null);
  /** @param {string} path */
  const works = (path) =>
    existsSync(path) && remembered(`run ${path}`, [path], () => ask(path, ['--version'])) !== null;
  return candidates.find(works) ?? null;
}

/** A Chromium that runs, or null. */
export function findChromium() {
  return firstThatRuns(process.env.CHROMIUM_PATH, [
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
  ]);
}

/** A Firefox that runs, or null. */
export function findFirefox() {
  return firstThatRuns(process.env.FIREFOX_PATH, ['firefox-esr', 'firefox']);
}

/**
 * @typedef {object} Need
 * @property {string} what  in a sentence
 * @property {string[]} apt  the packages that contain it
 * @property {() => boolean} found
 */

const HAS_HEADERS =
  "import os, sysconfig; assert os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h'))";

/** @satisfies {Record<string, Need>} */
const NEEDS = {
  emcc: { what: 'emcc', apt: ['emscripten'], found: () => isAtLeast(versionIn(emccVersion()), OLDEST_EMCC) },
  cmake: {
    what: 'cmake',
    apt: ['cmake'],
    found: () => which('cmake') !== null && isAtLeast(cmakeVersion(), OLDEST_CMAKE),
  },
  ninja: { what: 'ninja', apt: ['ninja-build'], found: () => which('ninja') !== null },
  expected: {
    what: 'tl/expected.hpp',
    apt: ['libexpected-dev'],
    found: () => existsSync('/usr/include/tl/expected.hpp'),
  },
  pip: {
    what: 'pip',
    apt: ['python3', 'python3-pip', 'ca-certificates'],
    found: () => !stbNeedsPip() || pip() !== null,
  },
  compiler: { what: 'a C++ compiler', apt: ['g++'], found: () => nativeCompiler() !== null },
  pythonHeaders: {
    what: "Python's headers",
    apt: ['python3-dev'],
    found: () => {
      const python = findPython();
      return python !== null && ask(python, ['-c', HAS_HEADERS]) !== null;
    },
  },
  sanitizers: { what: "a compiler's sanitizers", apt: ['g++'], found: () => sanitizingCompiler() !== null },
  fuzzer: {
    what: "clang's libFuzzer",
    // On Ubuntu 22.04 its runtime is in clang's own packages.
    get apt() {
      return ['clang', ...(isUbuntu() && !candidateOf('libclang-rt-dev') ? [] : ['libclang-rt-dev'])];
    },
    found: () => fuzzingCompiler() !== null,
  },
  gtest: { what: 'GoogleTest', apt: ['libgtest-dev'], found: () => hasHeader('gtest/gtest.h') },
  jpeg: { what: 'libjpeg-turbo', apt: ['libjpeg-dev'], found: () => hasHeader('jpeglib.h') },
  benchmark: { what: 'Google Benchmark', apt: ['libbenchmark-dev'], found: () => hasHeader('benchmark/benchmark.h') },
  python: {
    what: `Python ${OLDEST_PYTHON.join('.')} or newer with venv`,
    apt: ['python3', 'python3-venv'],
    found: () => findPython() !== null,
  },
  chromium: { what: 'Chromium', apt: ['chromium'], found: () => findChromium() !== null },
  firefox: { what: 'Firefox', apt: ['firefox-esr'], found: () => findFirefox() !== null },
  webkit: { what: "WebKitGTK's driver", apt: ['webkit2gtk-driver'], found: () => which('WebKitWebDriver') !== null },
  xvfb: { what: 'Xvfb', apt: ['xvfb'], found: () => which('Xvfb') !== null },
};

/** @typedef {keyof typeof NEEDS} NeedName */

/** Every system package that a build, a test or a benchmark may ask for, by Debian's names. */
export function systemPackages() {
  return [...new Set(Object.values(NEEDS).flatMap((need) => need.apt))];
}

/** @type {readonly NeedName[]} */
export const BUILD_NEEDS = ['emcc', 'cmake', 'ninja', 'expected', 'pip'];

function cmakeVersion() {
  const cmake = which('cmake');
  return cmake === null ? null : versionIn(remembered('cmake', [cmake], () => ask(cmake, ['--version'])));
}

/** Command prefix for installing: [] as root, ['sudo', '-n'] if sudo needs no password, else null. */
function privilege() {
  if (process.getuid?.() === 0) return [];
  return which('sudo') !== null && ask('sudo', ['-n', 'true']) !== null ? ['sudo', '-n'] : null;
}

/** @param {string} name */
function candidateOf(name) {
  const policy = ask('apt-cache', ['policy', name], { env: { LC_ALL: 'C' } }) ?? '';
  return /Candidate: (?!\(none\))\S/.test(policy);
}

/** @param {readonly string[]} packages */
async function aptInstall(packages) {
  const become = privilege() ?? [];
  const environment = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  /** @param {string[]} args */
  const apt = (...args) => [...become, ...environment, 'apt-get', '-o', 'DPkg::Lock::Timeout=300', ...args];
  /**
   * @param {string[]} command
   * @param {Omit<import('./steps.mjs').RunOptions, 'log'>} [options]
   */
  const call = ([program = '', ...args], options) => run(program, args, { log: 'apt', ...options });
  const install = apt('install', '-y', '--no-install-recommends', ...packages);
  await step(`Installing ${packages.join(', ')} with apt`, async () => {
    // Old or missing package lists: refresh them once and try again.
    if (packages.every(candidateOf) && (await call(install, { mayFail: true })) === 0) return;
    await call(apt('update'), { append: true });
    await call(install, { append: true });
  });
}

let mayInstall = process.env.DERMLET_NO_INSTALL !== '1';

/** From now on nothing is installed outside the project's folder: missing programs are named, and the run ends. */
export function leaveTheMachineAlone() {
  mayInstall = false;
}

/**
 * @param {readonly string[]} packages
 * @param {string} [before]
 */
function aptCommand(packages, before = '') {
  return `${before}apt-get update && ${before}apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/**
 * Ensures that every need is met: names what is missing and installs it, or stops with the one command that would.
 * @param {readonly NeedName[]} names
 */
export async function ensureTools(names) {
  /** @returns {Need[]} */
  const missingNow = () => names.map((name) => NEEDS[name]).filter((need) => !need.found());
  let missing = missingNow();
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((need) => need.apt))];
  const list = missing.map((need) => need.what).join(', ');
  if (which('apt-get') === null) {
    throw new StepError(
      `Missing: ${list}. Install them and run this again (Debian and Ubuntu call them: ${packages.join(' ')}).`,
    );
  }
  if (!mayInstall) {
    const command = aptCommand(packages, process.getuid?.() === 0 ? '' : 'sudo ');
    throw new StepError(`Missing: ${list}. Nothing was installed, as asked. This would:\n\n  ${command}\n`);
  }
  if (privilege() === null) {
    const command = aptCommand(packages, 'sudo ');
    throw new StepError(`Missing: ${list}. Installing needs root. Run this, then try again:\n\n  ${command}\n`);
  }
  say(`  Missing: ${list}.`);
  say(`  Installed now, for the whole system: ${packages.join(', ')} (--no-install would stop here instead).`);
  await withLock('installing packages', () => aptInstall(packages));
  missing = missingNow();
  if (missing.length > 0) {
    const version = missing.includes(NEEDS.emcc)
      ? ` emcc on PATH says: ${emccVersion() ?? 'nothing'}; ${OLDEST_EMCC.join('.')} or newer is needed.`
      : '';
    throw new StepError(
      `Installed ${packages.join(', ')}, but still missing: ${missing.map((need) => need.what).join(', ')}.${version}`,
    );
  }
}

function isUbuntu() {
  return existsSync('/etc/os-release') && /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'));
}

/**
 * System packages for the native benchmark of the stages.
 * @type {readonly NeedName[]}
 */
export const NATIVE_BENCH_NEEDS = ['compiler', 'cmake', 'ninja', 'expected', 'pip', 'jpeg', 'benchmark'];

/**
 * What the core's tests need in addition to BUILD_NEEDS.
 * @type {readonly NeedName[]}
 */
export const CORE_TEST_NEEDS = ['compiler', 'sanitizers', 'gtest', 'jpeg'];

/**
 * What all tests need in addition to BUILD_NEEDS, to be requested at once.
 * @type {readonly NeedName[]}
 */
export const TEST_NEEDS = [
  ...CORE_TEST_NEEDS,
  'fuzzer',
  'python',
  'pythonHeaders',
  'webkit',
  'xvfb',
  ...(isUbuntu() ? [] : /** @type {const} */ (['chromium', 'firefox'])),
];

/**
 * A browser for tests: the system's, apt's, or (Ubuntu, whose packages are snaps) the one that Playwright fetches.
 * @param {'chromium' | 'firefox'} name
 * @param {string} title
 * @param {() => string | null} find
 */
async function ensureBrowser(name, title, find) {
  const system = find();
  if (system !== null) return system;
  if (!isUbuntu()) {
    await ensureTools([name]);
    const installed = find();
    if (installed === null) throw new StepError(`${title} is installed and does not run.`);
    return installed;
  }
  const fetched = async () => (await import('@playwright/test'))[name].executablePath();
  if (!existsSync(await fetched())) {
    if (!mayInstall) {
      throw new StepError(
        `Missing: ${title}. Nothing was installed, as asked: \`npx playwright install ${name}\` would.`,
      );
    }
    const args = ['install', ...(privilege() === null ? [] : ['--with-deps']), name];
    await withLock(`fetching ${title}`, () =>
      step(`Fetching ${title} with Playwright`, () => run(localBin('playwright'), args, { log: name })),
    );
  }
  return fetched();
}

/** Path of a Chromium for tests. */
export function ensureChromium() {
  return ensureBrowser('chromium', 'Chromium', findChromium);
}

/** Path of a Firefox for tests. */
export function ensureFirefox() {
  return ensureBrowser('firefox', 'Firefox', findFirefox);
}

/** Where nginx is unpacked. */
const NGINX = join(cacheDir, 'nginx');

/** nginx of the system, else the one that was unpacked; null if neither is there. */
export function findNginx() {
  const candidates = [which('nginx'), '/usr/sbin/nginx', join(NGINX, 'usr', 'sbin', 'nginx')];
  return candidates.find((path) => path !== null && ask(path, ['-v']) !== null) ?? null;
}

/**
 * nginx for the test of the hosting guide, without installing it: installed, it would begin to serve on this machine.
 * The program is taken out of apt's package into the project's own folder. Where apt cannot fetch it the test is
 * skipped, and says so.
 */
export async function ensureNginx() {
  if (findNginx() !== null || which('apt-get') === null || which('dpkg-deb') === null) return;
  await withLock('fetching nginx', () =>
    step('Fetching nginx, to be run from .cache', async () => {
      rmSync(NGINX, { recursive: true, force: true });
      mkdirSync(NGINX, { recursive: true });
      const options = { cwd: NGINX, log: 'nginx', mayFail: true, limit: 120_000 };
      // On Ubuntu 22.04 the program is in nginx-core.
      for (const name of ['nginx', 'nginx-core']) {
        const script = `apt-get download ${name} && dpkg-deb -x ${name}_*.deb . && rm ${name}_*.deb`;
        await run('sh', ['-c', script], { ...options, append: name !== 'nginx' });
        if (findNginx() !== null) return;
      }
    }),
  );
}

/**
 * A program of an installed npm package.
 * @param {string} name
 */
export function localBin(name) {
  return join(root, 'node_modules', '.bin', name);
}

/**
 * The npm that started this process, or the one on PATH.
 * @returns {[string, ...string[]]}
 */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm'];
}

/** @param {string} folder */
function lockPrint(folder) {
  return createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
}

/**
 * Whether npm's own record in node_modules matches the lock: someone may have run npm by hand.
 * @param {string} folder
 */
function matchesLock(folder) {
  /**
   * @param {string} path
   * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }>}
   */
  const read = (path) => JSON.parse(readFileSync(join(folder, path), 'utf8')).packages;
  try {
    const installed = read('node_modules/.package-lock.json');
    return Object.entries(read('package-lock.json')).every(([path, wanted]) => {
      if (path === '') return true;
      const there = installed[path];
      return there === undefined
        ? wanted.optional === true
        : there.version === wanted.version && there.integrity === wanted.integrity;
    });
  } catch {
    return false;
  }
}

/**
 * Installs the npm packages of a folder with a package-lock.json, exactly as locked, unless already installed.
 * @param {{ folder?: string, title?: string, log?: string }} [options]
 */
export async function ensurePackages({ folder = root, title = 'npm packages', log = 'npm' } = {}) {
  const stamp = join(folder, 'node_modules', '.dermlet-lock');
  const isFresh = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lockPrint(folder);
  if (isFresh()) return upToDate(title);
  return withLock(title, async () => {
    if (isFresh()) return;
    const print = lockPrint(folder);
    if (!matchesLock(folder)) {
      const [npm, ...args] = npmCommand();
      // No package's own scripts: they would run with this user's rights before anybody has read them.
      const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
      await step(`${title}: npm ci`, () => run(npm, [...args, ...flags], { cwd: folder, log }));
    }
    writeFileSync(stamp, print);
  });
}

/** Stops early with a clear message if Node is too old. */
export function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new StepError(`Node 20 or newer is needed; this is ${process.version}.`);
  if (process.platform === 'win32') say('  Windows is not tested; WSL is.');
}
