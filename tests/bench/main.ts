/**
 * npm run bench: what Dermlet's way from bytes to tensor takes beside its peers', and a whole classification, in one run in Chromium.
 *   npm run bench -- [--json FILE] [--rounds N]
 * Ratios are a peer's median over Dermlet's: above 1 the peer takes longer. Only ratios of one run are worth comparing.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { serve } from '../../tools/build/serve.mjs';
import type { Addresses, Sample } from './page/bench.js';
import { type BenchPicture, pictures } from './pictures.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const cache = join(root, '.cache', 'bench');
const WARM_UP = 2;

interface Measured {
  picture: Omit<BenchPicture, 'path'>;
  samples: (Sample & { median: number; min: number })[];
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

function options(): { json: string | undefined; rounds: number } {
  const { values } = parseArgs({ options: { json: { type: 'string' }, rounds: { type: 'string', default: '11' } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) throw new Error('--rounds is a number from 1 to 1000');
  return { json: values.json, rounds };
}

function addresses(base: string): Addresses {
  return {
    module: `${base}build/wasm/dermlet.js`,
    wasm: `${base}build/wasm/dermlet.wasm`,
    manifest: `${base}dist/models/skin-8/manifest.json`,
    site: `${base}dist/dermlet.js`,
    model: `${base}dist/models/skin-8/`,
    vips: `${base}tests/bench/node_modules/wasm-vips/lib/vips-es6.js`,
    transformers: `${base}tests/bench/node_modules/@huggingface/transformers/dist/transformers.min.js`,
  };
}

async function measureAll(all: BenchPicture[], rounds: number): Promise<{ browser: string; isolated: boolean; measured: Measured[] }> {
  await build({ root: join(here, 'page'), base: './', logLevel: 'warn', build: { outDir: join(cache, 'page'), emptyOutDir: true, target: 'es2022' } });
  // Isolation gives threads to those that use them and finer clocks to all.
  const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  const served = await serve({ root, port: 0, headers });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run'],
  });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => tell(`page: ${error.message}`));
    await page.goto(`${served.url}.cache/bench/page/index.html`);
    // As text: functions that pass through the TypeScript runner refer to helpers that the page does not have.
    const call = <T>(name: string, ...args: unknown[]): Promise<T> => page.evaluate(`bench.${name}(...${JSON.stringify(args)})`) as Promise<T>;
    tell('Loading all ways ...');
    await call('load', addresses(served.url));
    const measured: Measured[] = [];
    for (const { path, ...picture } of all) {
      tell(`Measuring ${picture.name} ...`);
      const url = served.url + relative(root, path);
      const samples = await call<Sample[]>('measure', url, { width: picture.width, height: picture.height }, WARM_UP, rounds);
      measured.push({ picture, samples: samples.map((sample) => ({ ...sample, median: median(sample.times), min: Math.min(...sample.times) })) });
    }
    return { browser: browser.version(), isolated: await call<boolean>('isolated'), measured };
  } finally {
    await browser.close();
    await served.close();
  }
}

/** Rows of cells as lines with aligned columns, the first to the left and the others to the right. */
function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')).join('\n');
}

function print(measured: Measured[], rounds: number): void {
  const ways = (measured[0]?.samples ?? []).map((sample) => sample.way);
  const peers = ways.filter((way) => way !== 'dermlet' && way !== 'classify');
  const rows = [['picture', 'MB', 'dermlet', ...peers.flatMap((way) => [way, 'ratio']), 'classify', 'ratio']];
  const differences = [['mean difference to the core, 8-bit levels', ...peers]];
  for (const { picture, samples } of measured) {
    const of = (way: string) => samples.find((sample) => sample.way === way) as Measured['samples'][number];
    const own = of('dermlet').median;
    const pair = (way: string) => [`${of(way).median.toFixed(1)} ms`, `${(of(way).median / own).toFixed(2)}x`];
    rows.push([picture.name, (picture.bytes / 1e6).toFixed(2), `${own.toFixed(1)} ms`, ...peers.flatMap(pair), ...pair('classify')]);
    differences.push([picture.name, ...peers.map((way) => (of(way).difference ?? NaN).toFixed(2))]);
  }
  console.log(`\nBytes to normalised tensor, and whole classification (one photo, WASM): medians of ${rounds}, ratio = other / dermlet\n`);
  console.log(table(rows));
  console.log(`\n${table(differences)}`);
}

async function main(): Promise<void> {
  const { json, rounds } = options();
  const all = await pictures(join(cache, 'pictures'), tell);
  const { browser, isolated, measured } = await measureAll(all, rounds);
  print(measured, rounds);
  console.log(`\nChromium ${browser}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), cross-origin isolated: ${isolated ? 'yes' : 'no'}`);
  if (json === undefined) return;
  const report = { benchVersion: 1, browser, cores: cpus().length, processor: cpus()[0]?.model.trim(), isolated, warmUp: WARM_UP, rounds, measured };
  writeFileSync(resolve(json), `${JSON.stringify(report, null, 2)}\n`);
}

main().then(
  () => process.exit(0), // wasm-vips leaves its threads running.
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
