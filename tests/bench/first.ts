/**
 * npm run bench:first: how long a new visitor waits for the first result, and what is sent for it.
 *   npm run bench:first -- [--mbit 10] [--latency 40] [--cpu 4] [--json FILE]
 * dist/ from a host behind a slow line, with and without gzip, in Chromium: an empty profile, the same profile again,
 * a private window, and one without service workers. A photo is chosen as soon as the page lets one. Chromium slows
 * only the page's thread down, not its workers.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BrowserContext, chromium } from '@playwright/test';
import { kindOf, type Line, type Sent, siteFolder, slowHost } from './slow-host.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const photo = join(root, 'tests', 'pictures', 'spot-large.jpg');
/** Milliseconds without a request after which a visit has fetched what it fetches. */
const QUIET = 4000;

interface Visit {
  what: string;
  /** Milliseconds from opening the page. */
  chosen: number;
  ready: number;
  result: number;
  /** The classification itself. */
  run: number;
  /** Bytes by kind until the first result, and all until nothing more came. */
  until: Record<string, number>;
  bytes: number;
  all: number;
  twice: string[];
  /** When each kind was asked for first and had come, milliseconds. */
  phases: Record<string, [number, number]>;
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`--${name} is a number of 0 or more`);
  return value;
}

const sum = (files: readonly Sent[]) => files.reduce((bytes, file) => bytes + file.bytes, 0);

async function visit(context: BrowserContext, url: string, sent: Sent[], what: string, cpu: number): Promise<Visit> {
  process.stderr.write(`${what} ...\n`);
  sent.length = 0;
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: cpu });
  await page.addInitScript(() => {
    const at: Record<string, number> = {};
    Object.assign(window, { at });
    for (const type of ['ready', 'result', 'error'])
      document.addEventListener(`dermlet-${type}`, (event) => {
        at[type] ??= performance.timeOrigin + performance.now();
        const { result } = (event as CustomEvent).detail as {
          result?: { runtime: { timings: Record<string, number> } };
        };
        if (result) at.run = result.runtime.timings.total! - result.runtime.timings.queue!;
      });
  });
  const offset = Date.now() - performance.now();
  const opened = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.locator('input#choose').setInputFiles(photo, { timeout: 120_000 });
  const chosen = performance.now() - opened;
  // Not waitForFunction: it evaluates text, which the page's policy forbids.
  let at: Record<string, number> = {};
  for (const end = opened + 180_000; !at.result && !at.error && performance.now() < end; await page.waitForTimeout(100))
    at = (await page.evaluate('window.at')) as Record<string, number>;
  if (!at.result || at.error) throw new Error(`${what}: the page gave no result`);
  const resultAt = at.result! - offset;
  for (let last = performance.now(); performance.now() - last < QUIET; ) {
    await page.waitForTimeout(200);
    last = Math.max(last, ...sent.map(({ asked, ended }) => ended || asked));
    if (sent.some(({ ended }) => ended === 0)) last = performance.now();
  }
  await page.close();
  const before = sent.filter(({ asked }) => asked < resultAt);
  const until: Record<string, number> = {};
  const phases: Visit['phases'] = {};
  for (const file of before) {
    const kind = kindOf(file.path);
    until[kind] = (until[kind] ?? 0) + file.bytes;
    const [from, to] = phases[kind] ?? [Infinity, 0];
    phases[kind] = [Math.min(from, file.asked - opened), Math.max(to, file.ended - opened)];
  }
  const whole = sent.filter(({ status }) => status === 200).map(({ path }) => path);
  return {
    what,
    chosen,
    ready: at.ready! - offset - opened,
    result: resultAt - opened,
    run: at.run!,
    until,
    bytes: sum(before),
    all: sum(sent),
    twice: [...new Set(whole.filter((path, index) => whole.indexOf(path) !== index))],
    phases,
  };
}

async function visits(gzip: boolean, line: Line, cpu: number): Promise<Visit[]> {
  const host = await slowHost(siteFolder(root), line, gzip);
  const executablePath = process.env.CHROMIUM_PATH;
  const launch = {
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run'],
    ...(executablePath ? { executablePath } : {}),
  };
  const profile = mkdtempSync(join(tmpdir(), 'dermlet-first-'));
  const seen: Visit[] = [];
  try {
    const kept = await chromium.launchPersistentContext(profile, launch);
    for (const what of ['first visit', 'second visit']) seen.push(await visit(kept, host.url, host.sent, what, cpu));
    await kept.close();
    const browser = await chromium.launch(launch);
    for (const serviceWorkers of ['allow', 'block'] as const) {
      const context = await browser.newContext({ serviceWorkers });
      const what = serviceWorkers === 'allow' ? 'private window' : 'private window without service workers';
      seen.push(await visit(context, host.url, host.sent, what, cpu));
      await context.close();
    }
    await browser.close();
  } finally {
    await host.close();
    rmSync(profile, { recursive: true, force: true });
  }
  return seen;
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

function tell(seen: readonly Visit[], line: Line): void {
  const again = seen.find(({ what }) => what === 'second visit')!;
  for (const { what, chosen, ready, result, run, until, bytes, all, twice, phases } of seen) {
    console.log(`\n${what}: ${megabytes(bytes)}, first result after ${seconds(result)}`);
    console.log(`  photo chosen ${seconds(chosen)}, ready ${seconds(ready)}, the run itself ${seconds(run)}`);
    for (const [kind, size] of Object.entries(until).sort(([, a], [, b]) => b - a)) {
      const [from, to] = phases[kind]!;
      console.log(`  ${kind.padEnd(26)} ${megabytes(size).padStart(9)}   ${seconds(from)} to ${seconds(to)}`);
    }
    console.log(`  until nothing more came ${megabytes(all)}; twice: ${twice.join(', ') || 'nothing'}`);
    // What cannot be had for less: these bytes at line speed, then what a start without any of them takes.
    const bound = (bytes * 8000) / line.bitsPerSecond + again.result;
    if (what !== again.what)
      console.log(`  bound (bytes at line speed + a start with all files here): ${seconds(bound)}`);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      mbit: { type: 'string', default: '10' },
      latency: { type: 'string', default: '40' },
      cpu: { type: 'string', default: '4' },
      json: { type: 'string' },
    },
  });
  const line = { bitsPerSecond: number(values.mbit, 'mbit') * 1e6, latency: number(values.latency, 'latency') };
  const cpu = number(values.cpu, 'cpu');
  const report: Record<string, Visit[]> = {};
  for (const gzip of [false, true]) {
    const title = gzip ? 'A host that compresses text and WebAssembly (gzip)' : 'A host that compresses nothing';
    console.log(`\n== ${title}; ${values.mbit} Mbit/s, ${values.latency} ms, CPU ${cpu}x slower`);
    const seen = await visits(gzip, line, cpu);
    tell(seen, line);
    report[gzip ? 'gzip' : 'plain'] = seen;
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

await main();
