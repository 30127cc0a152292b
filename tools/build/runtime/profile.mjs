/**
 * npm run profile:runtime: finds the functions of ONNX Runtime that the shipped networks need, and writes them to
 * functions.json. V8 compiles a function when it is first called, and says so when asked to: that is the list, for one
 * thread and for several. With it go all functions that those call by name, called or not: what is done only now and
 * then (a lock that is waited for, an error that is worded) is there too.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { sha256 } from '../hash.mjs';
import { ISOLATED, serve } from '../serve.mjs';
import { main, root, StepError, say, step } from '../steps.mjs';
import { shippedNetworks } from './networks.mjs';
import { FUNCTIONS, WHOLE } from './reduce.mjs';

const THREADS = [1, 2, 4];
/** Views and zooms of a photo, as one batch. */
const BATCHES = [1, 2, 3, 8];

function networks() {
  const all = shippedNetworks();
  const other = all.find(({ layout }) => layout !== 'NCHW');
  if (other) throw new StepError(`${other.path} takes ${other.layout}: this asks only in NCHW.`);
  return all;
}

/** An empty page, isolated, so that there are threads. */
const PAGE = 'profile.html';

/**
 * Runs in the page: every network as the engine runs it.
 * @param {{ folder: string, networks: import('./networks.mjs').Network[], threads: number, batches: number[] }} asked
 */
async function runAll({ folder, networks, threads, batches }) {
  /** @type {typeof import('onnxruntime-web/wasm')} */
  const { env, InferenceSession, Tensor } = await import(`/${folder}/ort.wasm.min.mjs`);
  env.logLevel = 'error';
  env.wasm.numThreads = threads;
  for (const { path, name, height, width } of networks) {
    const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
    const session = await InferenceSession.create(bytes, {
      executionProviders: ['wasm'],
      graphOptimizationLevel: 'all',
    });
    const [input] = session.inputMetadata;
    const open = input?.isTensor === true && !(Number(input.shape[0]) > 0);
    for (const batch of open ? batches : [1]) {
      const pixels = Float32Array.from({ length: batch * 3 * height * width }, () => 4 * Math.random() - 2);
      const answer = await session.run({ [name]: new Tensor('float32', pixels, [batch, 3, height, width]) });
      for (const value of Object.values(answer)) value.dispose();
    }
    await session.release();
  }
  return { isolated: /** @type {{ crossOriginIsolated?: boolean }} */ (globalThis).crossOriginIsolated === true };
}

/**
 * The functions that V8 compiled, by their index in the module.
 * @param {string} folder  to write in
 */
async function called(folder) {
  const [program, trace] = [join(folder, 'chromium'), join(folder, 'trace.txt')];
  // Playwright keeps the browser's output to itself.
  const flags = '--js-flags="--trace-wasm-compilation-times --no-wasm-tier-up"';
  writeFileSync(program, `#!/bin/sh\nexec "${process.env.CHROMIUM_PATH}" "$@" ${flags} >> "${trace}"\n`);
  chmodSync(program, 0o755);
  const host = await serve({
    root,
    port: 0,
    headers: ISOLATED,
    override: (path) => (path === PAGE ? { body: '<!doctype html>' } : undefined),
  });
  try {
    for (const threads of THREADS) {
      const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
      const page = await browser.newPage();
      await page.goto(`${host.url}${PAGE}`);
      const asked = { folder: WHOLE.slice(0, WHOLE.lastIndexOf('/')), networks: networks(), threads, batches: BATCHES };
      const { isolated } = await page.evaluate(runAll, asked);
      await browser.close();
      if (!isolated) throw new StepError('The page is not isolated: nothing is known of threads.');
    }
  } finally {
    await host.close();
  }
  const indices = readFileSync(trace, 'utf8').matchAll(/^Compiled function 0x[\da-f]+#(\d+) using Liftoff/gm);
  return new Set(Array.from(indices, ([, index]) => Number(index)));
}

/** Which functions each one calls by name, by their places in the code section, and how many are imported. */
function calls() {
  const { status, stdout } = spawnSync('wasm-dis', ['--all-features', join(root, WHOLE)], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new StepError('wasm-dis, of Binaryen, did not answer.');
  /** @type {Set<number>[]} */
  const callees = [];
  let imported = 0;
  for (const line of stdout.split('\n')) {
    if (/^ \(import .*\(func /.test(line)) imported++;
    else if (/^ \(func \$\d+/.test(line)) callees.push(new Set());
    else for (const [, name] of line.matchAll(/\((?:return_)?call \$(\d+)/g)) callees.at(-1)?.add(Number(name));
  }
  return { imported, callees };
}

/**
 * '3-5 9' of 3, 4, 5, 9, in lines of at most 100 characters.
 * @param {readonly number[]} places  ascending
 */
function rangesOf(places) {
  /** @type {[number, number][]} */
  const ranges = [];
  for (const place of places) {
    const last = ranges.at(-1);
    if (last?.[1] === place - 1) last[1] = place;
    else ranges.push([place, place]);
  }
  const lines = [''];
  for (const [from, to] of ranges) {
    const range = from === to ? `${from}` : `${from}-${to}`;
    const line = `${lines.at(-1)} ${range}`.trim();
    if (line.length <= 100) lines[lines.length - 1] = line;
    else lines.push(range);
  }
  return lines;
}

await main(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-profile-'));
  try {
    const indices = await step('Running the shipped networks', () => called(folder));
    const { imported, callees } = await step('Reading ONNX Runtime', calls);
    const kept = new Set([...indices].map((index) => index - imported));
    const ran = kept.size;
    // A set yields what is added while it is gone through.
    for (const place of kept) for (const callee of callees[place] ?? []) kept.add(callee);
    const lines = rangesOf([...kept].sort((a, b) => a - b));
    /** @type {import('./reduce.mjs').Functions} */
    const functions = {
      runtime: sha256(readFileSync(join(root, WHOLE))),
      networks: [...new Set(networks().map(({ sha256 }) => sha256))].sort(),
      kept: lines,
    };
    writeFileSync(join(root, FUNCTIONS), `${JSON.stringify(functions, null, 2)}\n`);
    say(`${ran} of ${callees.length} functions ran; ${kept.size} are kept in ${FUNCTIONS}.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
