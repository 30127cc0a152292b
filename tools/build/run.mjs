// npm run classify | evaluate | merge | serve | retrain | export-head | atlas | check-model | bench | bench:first |
// bench:memory | bench:page | bench:serve | profile:runtime | screenshots: builds what the tool needs, then runs it.
// Arguments and exit status pass through; the tool runs in the folder that npm was called from. Progress goes to
// stderr: stdout is the tool's.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { everything, native, wasm } from './artifacts.mjs';
import { chatter, main, root, StepError } from './steps.mjs';
import {
  BUILD_NEEDS,
  checkNode,
  ensureChromium,
  ensureFirefox,
  ensurePackages,
  ensureTools,
  localBin,
  NATIVE_BENCH_NEEDS,
} from './toolchain.mjs';

async function core() {
  checkNode();
  await ensurePackages();
  await wasm();
  return {};
}

async function browser() {
  await everything();
  return { CHROMIUM_PATH: await ensureChromium() };
}

/** With what draws the benchmark's photos. */
async function browserWithPhotos() {
  const env = await browser();
  await ensurePackages({
    folder: join(root, 'tests', 'bench'),
    title: 'npm packages of the benchmark',
    log: 'npm-bench',
  });
  return env;
}

async function nativeBenchmark() {
  checkNode();
  await ensureTools(NATIVE_BENCH_NEEDS);
  await ensurePackages();
  await native('bench');
  return {};
}

/**
 * @typedef {object} Tool
 * @property {(args: string[]) => Promise<NodeJS.ProcessEnv>} prepare  resolves to additional environment variables
 * @property {string} [script]  TypeScript; none: Playwright runs what `first` says
 * @property {string[]} first  arguments
 */

/** @type {Record<string, Tool>} */
const TOOLS = {
  classify: { prepare: core, script: 'tools/cli/main.ts', first: ['classify'] },
  evaluate: { prepare: core, script: 'tools/cli/main.ts', first: ['evaluate'] },
  merge: { prepare: core, script: 'tools/cli/main.ts', first: ['merge'] },
  serve: { prepare: core, script: 'tools/cli/main.ts', first: ['serve'] },
  'export-head': { prepare: core, script: 'tools/cli/main.ts', first: ['export-head'] },
  retrain: { prepare: core, script: 'tools/cli/main.ts', first: ['retrain'] },
  'bench:serve': { prepare: core, script: 'tests/bench/serve.ts', first: [] },
  atlas: { prepare: core, script: 'tools/cli/main.ts', first: ['atlas'] },
  'check-model': { prepare: core, script: 'tools/cli/main.ts', first: ['check-model'] },
  // All of them, or those of a file: readme, states.
  screenshots: {
    prepare: browser,
    first: ['test', `--config=${join(root, 'playwright.config.ts')}`, '--project=screenshots', '--reporter=list'],
  },
  bench: {
    prepare: async (args) =>
      args[0] === '--native'
        ? nativeBenchmark()
        : args[0] === '--atlas'
          ? browser()
          : { ...(await browserWithPhotos()), FIREFOX_PATH: await ensureFirefox() },
    script: 'tests/bench/main.ts',
    first: [],
  },
  'bench:memory': { prepare: browserWithPhotos, script: 'tests/bench/memory.ts', first: [] },
  'bench:page': { prepare: browserWithPhotos, script: 'tests/bench/page.ts', first: [] },
  'profile:runtime': {
    prepare: async () => {
      checkNode();
      await ensureTools(BUILD_NEEDS);
      await ensurePackages();
      return { CHROMIUM_PATH: await ensureChromium() };
    },
    script: 'tools/build/runtime/profile.mjs',
    first: [],
  },
  'bench:first': { prepare: browser, script: 'tests/bench/first.ts', first: [] },
};

/**
 * Runs a program in the terminal's own process group, so that Ctrl-C reaches it; resolves to its exit status.
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
function passThrough(program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: process.env.INIT_CWD ?? process.cwd(),
      env: { ...process.env, ...env },
      stdio: 'inherit',
    });
    // The tool decides what a signal means; this process waits for it.
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      process.removeAllListeners(signal);
      process.on(signal, () => {
        if (signal !== 'SIGINT') child.kill(signal);
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

await main(async () => {
  chatter({ to: process.stderr, quiet: true });
  const [name = '', ...args] = process.argv.slice(2);
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
  if (tool === undefined)
    throw new StepError(`Use: node tools/build/run.mjs ${Object.keys(TOOLS).join('|')} [arguments]`);
  const env = await tool.prepare(args);
  return tool.script === undefined
    ? passThrough(localBin('playwright'), [...tool.first, ...args], env)
    : passThrough(localBin('tsx'), [join(root, tool.script), ...tool.first, ...args], env);
});
