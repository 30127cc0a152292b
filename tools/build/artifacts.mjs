// What is built from what. An artifact is rebuilt only if one of its inputs has changed.
import { existsSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { ensure, readStamp } from './fingerprint.mjs';
import { FUNCTIONS, REDUCED, WHOLE, writeReduced } from './runtime/reduce.mjs';
import { ensureStb } from './stb.mjs';
import { ask, root, run, StepError } from './steps.mjs';
import {
  BUILD_NEEDS,
  CORE_TEST_NEEDS,
  checkNode,
  emccEnvironment,
  emccVersion,
  ensurePackages,
  ensureTools,
  findPython,
  fuzzingCompiler,
  isAtLeast,
  nativeCompiler,
  pip,
  sanitizingCompiler,
  versionIn,
} from './toolchain.mjs';
import { writeZstd, ZSTD_MODULE, ZSTD_SOURCE } from './zstd.mjs';

const CMAKE_FILES = ['CMakeLists.txt', 'CMakePresets.json', 'cmake'];
/** What every photo needs. */
export const CORE_FILES = ['build/wasm/dermlet.js', 'build/wasm/dermlet.wasm'];
/** What trains heads and looks up cases, fetched when it is asked for. */
export const LEARN_FILES = ['build/wasm/learn.js', 'build/wasm/learn.wasm'];
const WASM_FILES = [...CORE_FILES, ...LEARN_FILES];

/**
 * @typedef {'native' | 'asan' | 'scalar' | 'bench'} NativePreset
 * @typedef {'wasm' | 'wasm-scalar'} WasmPreset
 */

/** Builds of the core that must give the same bits; `scalar` ones use no vector instructions. */
const TITLES = {
  wasm: 'C++ core to WebAssembly',
  'wasm-scalar': 'C++ core to WebAssembly without SIMD',
  native: 'C++ core and tests',
  asan: 'C++ core, tests and fuzz targets with sanitizers',
  scalar: 'C++ core without vector instructions',
  bench: 'C++ core and benchmarks of its stages',
};

/**
 * Configures and builds one CMake preset in build/<preset>; starts over if the compiler or a folder it was configured
 * for has changed.
 * @param {object} wanted
 * @param {string} wanted.preset
 * @param {string} wanted.kind
 * @param {import('./fingerprint.mjs').Stamp | null} wanted.previous
 * @param {readonly string[]} wanted.configure  command prefix that cmake is called through
 * @param {Record<string, string>} [wanted.define]
 * @param {NodeJS.ProcessEnv} [wanted.env]
 */
async function cmake({ preset, kind, previous, configure, define = {}, env = {} }) {
  const folder = join(root, 'build', preset);
  if (previous?.kind !== kind) rmSync(folder, { recursive: true, force: true });
  const flags = Object.entries(define).map(([name, value]) => `-D${name}=${value}`);
  const [program = 'cmake', ...first] = [...configure, 'cmake', '--preset', preset, ...flags];
  await run(program, first, { env, log: preset });
  await run('cmake', ['--build', folder, '--parallel', String(cpus().length)], { env, log: preset, append: true });
}

/**
 * A compiler that ensureTools() provided.
 * @param {string | null} compiler
 */
function found(compiler) {
  if (compiler === null) throw new StepError('There is no C++ compiler for this.');
  return compiler;
}

/** The newest emcc that the project was built with. */
const NEWEST_TESTED_EMCC = [3, 1, 69];

/** Compilers newer than those tested may warn about more: that must not prevent a build. */
function warningsOfEmcc() {
  const version = versionIn(emccVersion());
  return version !== null && isAtLeast(NEWEST_TESTED_EMCC, version) ? 'ON' : 'OFF';
}

/** What decompresses the engine's and the models' files, for bundlers. */
const zstdDecoder = () =>
  ensure({
    name: 'zstd',
    title: 'Decoder of Zstandard',
    inputs: [ZSTD_SOURCE, 'tools/build/zstd.mjs'],
    kind: JSON.stringify([root]),
    outputs: [ZSTD_MODULE],
    make: writeZstd,
  });

/** ONNX Runtime with what the shipped networks need. */
const reducedRuntime = () =>
  ensure({
    name: 'runtime',
    title: 'ONNX Runtime, reduced',
    inputs: [WHOLE, FUNCTIONS, 'tools/build/runtime/reduce.mjs'],
    kind: JSON.stringify([root]),
    outputs: [REDUCED],
    make: writeReduced,
  });

/**
 * The C++ core as a WASM module, and the decoder that its file comes through; preset `wasm` or `wasm-scalar`.
 * @param {WasmPreset} [preset]
 */
export async function wasm(preset = 'wasm') {
  await ensureTools(BUILD_NEEDS);
  await zstdDecoder();
  await reducedRuntime();
  const stb = await ensureStb(pip);
  const kind = JSON.stringify([root, stb, emccVersion()]);
  return ensure({
    name: preset,
    title: TITLES[preset],
    inputs: [...CMAKE_FILES, 'wasm_src'],
    kind,
    outputs: WASM_FILES.map((path) => path.replace('/wasm/', `/${preset}/`)),
    make: (previous) =>
      cmake({
        preset,
        kind,
        previous,
        configure: ['emcmake'],
        define: { DERMLET_STB_DIR: stb, DERMLET_WERROR: warningsOfEmcc() },
        env: emccEnvironment(),
      }),
  });
}

/**
 * What a preset compiles beside core and tests.
 * @type {Partial<Record<NativePreset, readonly string[]>>}
 */
const BESIDE = { asan: ['tests/fuzz'], bench: ['tests/bench/native'] };

/**
 * The compiler of a native build, whether it can build fuzz targets, where it finds stb_image, and what tells that an
 * earlier build can be gone on with.
 * @param {NativePreset} preset
 */
async function nativeTools(preset) {
  const stb = await ensureStb(pip);
  const fuzzing = preset === 'asan' ? fuzzingCompiler() : null;
  const compiler = found(fuzzing ?? (preset === 'asan' ? sanitizingCompiler() : nativeCompiler()));
  return { stb, compiler, fuzzes: fuzzing !== null, kind: JSON.stringify([root, stb, compiler]) };
}

/**
 * The C++ core and its tests for this machine: preset `native`; `asan`, with the fuzz targets where a clang can build
 * them, so that the core is compiled for both at once; `scalar`; or, with benchmarks instead of tests, `bench`.
 * @param {NativePreset} preset
 */
export async function native(preset) {
  const { stb, compiler, fuzzes, kind } = await nativeTools(preset);
  return ensure({
    name: preset,
    title: `${TITLES[preset]} (${compiler})`,
    inputs: [...CMAKE_FILES, 'wasm_src', 'tests/core', ...(BESIDE[preset] ?? [])],
    kind,
    outputs: [`build/${preset}/CMakeCache.txt`],
    lock: 'native',
    make: (previous) =>
      cmake({
        preset,
        kind,
        previous,
        configure: [],
        define: {
          DERMLET_STB_DIR: stb,
          CMAKE_CXX_COMPILER: compiler,
          // Its environment may be gone: pythonModule() names it anew.
          DERMLET_PYTHON: '',
          ...(fuzzes ? { DERMLET_FUZZ: 'ON' } : {}),
        },
      }),
  });
}

/**
 * The C++ core as a module for the training tool's Python, in build/native/python: linked to the library that the tests
 * of the core are linked to, which is compiled only if it is not there.
 */
export async function pythonModule() {
  const python = await trainingEnvironment();
  await ensureTools([...BUILD_NEEDS, ...CORE_TEST_NEEDS, 'pythonHeaders']);
  const { stb, compiler, kind } = await nativeTools('native');
  const folder = join(root, 'build', 'native');
  const suffix = ask(python, ['-c', 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))'])?.trim();
  return ensure({
    name: 'python-module',
    title: 'C++ core for Python',
    inputs: [...CMAKE_FILES, 'wasm_src', 'tools/train/locked.txt'],
    kind,
    outputs: [`build/native/python/_dermlet_core${suffix}`],
    lock: 'native',
    make: async (previous) => {
      if (![previous, readStamp('native')].some((stamp) => stamp?.kind === kind))
        rmSync(folder, { recursive: true, force: true });
      const define = [`-DDERMLET_STB_DIR=${stb}`, `-DCMAKE_CXX_COMPILER=${compiler}`, `-DDERMLET_PYTHON=${python}`];
      await run('cmake', ['--preset', 'native', ...define], { log: 'python-module' });
      const target = ['--target', 'dermlet_python', '--parallel', String(cpus().length)];
      await run('cmake', ['--build', folder, ...target], { log: 'python-module', append: true });
    },
  });
}

/** emcc's target and header folders, as flags for another clang. */
function emccFlags() {
  const flags = ask('em++', ['--cflags'], { env: emccEnvironment() });
  if (flags === null) throw new StepError('em++ --cflags did not answer.');
  return flags.trim().split(/\s+/);
}

/** .clang-tidy decides about warnings, and clang-tidy's own clang may not know all of the compiler's. */
const TIDY_FLAGS = ['-Wno-error', '-Wno-unknown-warning-option'];

/**
 * The compile databases that clang-tidy reads, from builds that are configured but not run: the core and its tests as
 * clang compiles them, and the bindings of both languages. Resolves to the folders, with the flags that another clang
 * needs.
 */
export async function tidyDatabases() {
  await ensureTools([...BUILD_NEEDS, ...CORE_TEST_NEEDS, 'pythonHeaders']);
  const stb = await ensureStb(pip);
  const compiler = found(sanitizingCompiler());
  const python = join(await lintPrograms(), 'python');
  const kind = JSON.stringify([root, stb, compiler, emccVersion(), python]);
  const folders = ['tidy', 'tidy-wasm'];
  await ensure({
    name: 'tidy',
    title: 'Compile databases',
    inputs: [...CMAKE_FILES, 'tests/core/CMakeLists.txt', 'tools/lint/locked.txt'],
    kind,
    outputs: folders.map((folder) => `build/${folder}/compile_commands.json`),
    make: async (previous) => {
      if (previous?.kind !== kind)
        for (const folder of folders) rmSync(join(root, 'build', folder), { recursive: true, force: true });
      const define = [`-DDERMLET_STB_DIR=${stb}`];
      const native = [`-DCMAKE_CXX_COMPILER=${compiler}`, `-DDERMLET_PYTHON=${python}`];
      await run('cmake', ['--preset', 'tidy', ...define, ...native], { log: 'tidy' });
      await run('emcmake', ['cmake', '--preset', 'tidy-wasm', ...define], {
        env: emccEnvironment(),
        log: 'tidy',
        append: true,
      });
    },
  });
  return [
    { folder: join(root, 'build', 'tidy'), flags: TIDY_FLAGS },
    { folder: join(root, 'build', 'tidy-wasm'), flags: [...TIDY_FLAGS, ...emccFlags()] },
  ];
}

/** Every file is held to its hash, nothing is resolved anew, and no package's own build is run. */
const AS_LOCKED = ['install', '--require-hashes', '--no-deps', '--only-binary', ':all:'];

/**
 * A virtual environment in build/ with what the given files lock (tools/build/python-locks.mjs). Resolves to its
 * Python. Of `oneOf`, the first is installed whose files there are for this machine.
 * @param {{ name: string, title: string, lock: string, oneOf?: readonly string[], proof: string }} wanted
 */
async function pythonEnvironment({ name, title, lock, oneOf = [], proof }) {
  await ensureTools(['python']);
  const folder = join(root, 'build', name);
  const python = join(folder, 'bin', 'python');
  const system = findPython();
  if (system === null) throw new StepError('There is no Python for this.');
  /**
   * @param {string} path
   * @param {boolean} mayFail
   */
  const install = async (path, mayFail) =>
    (await run(python, ['-m', 'pip', '--disable-pip-version-check', '--no-input', ...AS_LOCKED, '-r', path], {
      log: name,
      append: true,
      mayFail,
    })) === 0;
  await ensure({
    name,
    title,
    inputs: [lock, ...oneOf],
    kind: JSON.stringify([root, system, ask(system, ['--version'])]),
    outputs: ['pyvenv.cfg', 'bin/python', `bin/${proof}`].map((path) => join('build', name, path)),
    make: async () => {
      await run(system, ['-m', 'venv', '--clear', folder], { log: name });
      await install(lock, false);
      for (const [i, path] of oneOf.entries()) if (await install(path, i < oneOf.length - 1)) break;
    },
  });
  return python;
}

/**
 * A virtual environment with what the training tool and its tests need, rebuilt if what is locked or the Python
 * changes. Returns its Python. Where pip's index has no CPU build of torch, the one with CUDA is some gigabytes.
 */
export function trainingEnvironment() {
  return pythonEnvironment({
    name: 'train-venv',
    title: 'Python packages of the training tool',
    lock: 'tools/train/locked.txt',
    oneOf: ['tools/train/locked-torch-cpu.txt', 'tools/train/locked-torch.txt'],
    proof: 'pytest',
  });
}

/** The folder of the checkers that lint and format use, in a separate, small environment. */
export async function lintPrograms() {
  const python = await pythonEnvironment({
    name: 'lint-venv',
    title: 'Checkers of style',
    lock: 'tools/lint/locked.txt',
    proof: 'clang-format',
  });
  return dirname(python);
}

const SITE_INPUTS = [
  'web',
  'docs',
  'models',
  'wasm_src/bindings/dermlet.d.ts',
  ...WASM_FILES,
  ZSTD_MODULE,
  REDUCED,
  FUNCTIONS,
  'vite.config.ts',
  'tsconfig.base.json',
  'package.json',
  'package-lock.json',
  'LICENSE',
  'tools/build/site.mjs',
  'tools/build/licences',
  'tools/build/licences.mjs',
  'tools/build/messages.mjs',
  'tools/build/pages.mjs',
  'tools/build/samples.mjs',
  'tools/build/parts.mjs',
  'tools/build/compress.mjs',
  'tools/build/hash.mjs',
];

/** The static site in dist/. */
export async function site() {
  return ensure({
    name: 'site',
    title: 'Site to dist/',
    inputs: SITE_INPUTS,
    kind: JSON.stringify([root]),
    outputs: [
      'dist/index.html',
      'dist/dermlet.js',
      'dist/sw.js',
      'dist/engine/dermlet.wasm',
      'dist/models/index.json',
      'dist/licenses/index.html',
    ],
    make: async () => {
      await run(process.execPath, [join(root, 'tools', 'build', 'site.mjs')], { log: 'site' });
      if (!existsSync(join(root, 'dist', 'index.html')))
        throw new StepError('tools/build/site.mjs made no dist/index.html; see build/logs/site.log');
    },
  });
}

/** The page as one file that works from a disk; made of the site. */
export async function singleFile() {
  return ensure({
    name: 'single',
    title: 'One file to dist-single/',
    inputs: [...SITE_INPUTS, 'web/tsconfig.json', 'tools/build/single.mjs'],
    kind: JSON.stringify([root]),
    outputs: ['dist-single/dermlet.html'],
    make: async () => {
      await run(process.execPath, [join(root, 'tools', 'build', 'single.mjs')], { log: 'single' });
    },
  });
}

/** The npm package in build/package; `npm pack ./build/package` makes the tarball. */
export async function npmPackage() {
  return ensure({
    name: 'package',
    title: 'npm package to build/package',
    inputs: [
      'web/src',
      'tools/cli',
      'models',
      'wasm_src/bindings/dermlet.d.ts',
      ...WASM_FILES,
      ZSTD_MODULE,
      REDUCED,
      FUNCTIONS,
      'tsconfig.base.json',
      'tsconfig.package.json',
      'web/tsconfig.json',
      'package.json',
      'package-lock.json',
      'README.md',
      'LICENSE',
      'tools/build/package.mjs',
      'tools/build/elements.mjs',
      'tools/build/sbom.mjs',
      'tools/build/licences',
      'tools/build/licences.mjs',
      'tools/build/parts.mjs',
      'tools/build/compress.mjs',
      'tools/build/hash.mjs',
    ],
    kind: JSON.stringify([root]),
    outputs: [
      'package.json',
      'dist/index.js',
      'dist/worker.js',
      'dist/node/cli.js',
      'custom-elements.json',
      'dist/licenses/index.html',
      '../package-parts.json',
    ].map((path) => join('build', 'package', path)),
    make: () => run(process.execPath, [join(root, 'tools', 'build', 'package.mjs')], { log: 'package' }),
  });
}

/** npm packages, WASM core, site: everything a visitor needs. */
export async function everything() {
  checkNode();
  await ensurePackages();
  await wasm();
  await site();
}
