/**
 * npm run bench: what Dermlet's ways from bytes to tensor, and to ranked classes, take beside its peers', in Chromium
 * and Firefox.
 *   npm run bench -- [--browser chromium,firefox] [--sizes 1,12,48] [--rounds N] [--json FILE] [--litert]
 *   --litert: beside LiteRT.js too; converts the network, for which TensorFlow is installed (0.5 GB, once)
 *   npm run bench -- --native [arguments of Google Benchmark]   stage by stage on this machine, beside libjpeg-turbo
 *   (native.ts)
 *   npm run bench -- --atlas     the search for similar cases in WebAssembly (atlas.ts)
 * Ways that are set beside one another take turns in one page, so that only ratios within one run are worth comparing.
 * Medians; pictures are drawn (pictures.ts).
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { ISOLATED, serve } from '../../tools/build/serve.mjs';
import { type Engine, startEngine } from '../browsers/engines.js';
import { runAtlas } from './atlas.js';
import { asTflite, forTransformers } from './conversions.js';
import { runNative } from './native.js';
import type { Addresses, Measurement } from './page/bench.js';
import { type BenchPicture, pictures, SIZES } from './pictures.js';
import { COMPARED_WAYS, type Measured, median, OWN_WAYS, type Run, report } from './report.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const cache = join(root, '.cache', 'bench');
const WARM_UP = 2;

const BROWSERS = ['chromium', 'firefox'] as const;
type Browser = (typeof BROWSERS)[number];

interface Options {
  browsers: Browser[];
  sizes: number[];
  rounds: number;
  json: string | undefined;
  litert: boolean;
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The items of a list separated by commas; all must be known. */
function chosen<T>(option: string, text: string, known: readonly T[]): T[] {
  const wanted = text.split(',');
  const unknown = wanted.find((word) => !known.some((item) => String(item) === word));
  if (unknown !== undefined) throw new Error(`--${option} takes ${known.join(', ')}; not '${unknown}'`);
  return known.filter((item) => wanted.includes(String(item)));
}

function options(args: string[]): Options {
  const megapixels = SIZES.map((size) => size.megapixels);
  const { values } = parseArgs({
    args,
    options: {
      browser: { type: 'string', default: BROWSERS.join(',') },
      sizes: { type: 'string', default: megapixels.join(',') },
      rounds: { type: 'string', default: '15' },
      json: { type: 'string' },
      litert: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) throw new Error('--rounds is a number from 1 to 1000');
  return {
    browsers: chosen('browser', values.browser, BROWSERS),
    sizes: chosen('sizes', values.sizes, megapixels),
    rounds,
    json: values.json,
    litert: values.litert,
  };
}

function addresses(base: string, tflite: Addresses['tflite']): Addresses {
  const modules = `${base}tests/bench/node_modules/`;
  return {
    module: `${base}build/wasm/dermlet.js`,
    wasm: `${base}build/wasm/dermlet.wasm`,
    manifest: `${base}dist/models/skin-8/manifest.json`,
    site: `${base}dist/dermlet.js`,
    model: `${base}dist/models/skin-8/`,
    vips: `${modules}wasm-vips/lib/vips-es6.js`,
    transformers: `${modules}@huggingface/transformers/dist/transformers.min.js`,
    transformersRuntime: `${modules}onnxruntime-web/dist/`,
    transformersModel: `${base}.cache/bench/transformers/skin-8/`,
    runtime: `${base}node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs`,
    litert: `${base}.cache/bench/page/litert.js`,
    litertRuntime: `${modules}@litertjs/core/wasm/`,
    tflite: Object.fromEntries(Object.entries(tflite).map(([kind, path]) => [kind, base + relative(root, path)])),
  };
}

async function measure(engine: Engine, base: string, picture: BenchPicture, rounds: number): Promise<Measurement> {
  tell(`Measuring ${picture.name} ...`);
  await engine.call('begin', base + relative(root, picture.path), { width: picture.width, height: picture.height });
  for (let i = 0; i < WARM_UP + rounds; i += 1) await engine.call('round', i, i >= WARM_UP);
  return engine.call<Measurement>('end');
}

async function measureIn(
  browser: Browser,
  base: string,
  at: Addresses,
  all: BenchPicture[],
  rounds: number,
): Promise<Run> {
  const own = await pageOf(browser, base, at, all, rounds, OWN_WAYS);
  const { measured, ...told } = await pageOf(browser, base, at, all, rounds, COMPARED_WAYS);
  return {
    ...told,
    rounds,
    measured: measured.map((one, index) => ({ ...one, own: own.measured[index]?.samples ?? [] })),
  };
}

async function pageOf(
  browser: Browser,
  base: string,
  at: Addresses,
  all: BenchPicture[],
  rounds: number,
  ways: readonly string[],
): Promise<{ browser: string; isolated: boolean; measured: Omit<Measured, 'own'>[] }> {
  const engine = await startEngine(browser);
  try {
    await engine.open(`${base}.cache/bench/page/index.html`);
    tell(`${engine.title}: loading ${ways.join(', ')} ...`);
    await engine.call('load', at, ways);
    const measured: Omit<Measured, 'own'>[] = [];
    for (const drawn of all) {
      const { path, ...picture } = drawn;
      const { samples, memory } = await measure(engine, base, drawn, rounds);
      const told = samples.map((sample) => ({
        ...sample,
        median: median(sample.times),
        min: Math.min(...sample.times),
      }));
      measured.push({ picture, memory, samples: told });
    }
    return { browser: engine.title, isolated: await engine.call<boolean>('isolated'), measured };
  } finally {
    await engine.close();
  }
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args[0] === '--atlas') return runAtlas(tell);
  if (args[0] === '--native') return runNative(args.slice(1), await pictures(join(cache, 'pictures'), [12], tell));
  const { browsers, sizes, rounds, json, litert } = options(args);
  const all = await pictures(join(cache, 'pictures'), sizes, tell);
  await build({
    root: join(here, 'page'),
    base: './',
    logLevel: 'warn',
    build: { outDir: join(cache, 'page'), emptyOutDir: true, target: 'es2022' },
  });
  await build({
    root: here,
    logLevel: 'warn',
    build: {
      outDir: join(cache, 'page'),
      emptyOutDir: false,
      lib: {
        entry: join(here, 'node_modules', '@litertjs', 'core', 'dist', 'index.js'),
        formats: ['es'],
        fileName: () => 'litert.js',
      },
    },
  });
  forTransformers(join(cache, 'transformers', 'skin-8'));
  // Isolation gives threads to those that use them and finer clocks to all.
  const served = await serve({ root, port: 0, headers: ISOLATED });
  const processor = cpus()[0]?.model.trim() ?? 'unknown';
  const runs: Run[] = [];
  const at = addresses(served.url, litert ? await asTflite(cache, tell) : {});
  try {
    for (const browser of browsers) runs.push(await measureIn(browser, served.url, at, all, rounds));
  } finally {
    await served.close();
  }
  console.log(report(runs));
  console.log(`\n${cpus().length} cores (${processor})`);
  if (json === undefined) return;
  writeFileSync(
    resolve(json),
    `${JSON.stringify({ benchVersion: 4, cores: cpus().length, processor, warmUp: WARM_UP, runs }, null, 2)}\n`,
  );
}

main().then(
  () => process.exit(0), // wasm-vips leaves its threads running.
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
