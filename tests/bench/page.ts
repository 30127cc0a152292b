/**
 * npm run bench:page: how the page comes and behaves while it loads and answers.
 *   npm run bench:page -- [--mbit 10] [--latency 40] [--cpu 4] [--no-lighthouse] [--json FILE]
 * dist/ from a host behind a slow line that compresses text, in Chromium with an empty profile each time, at the size
 * of a phone and of a desktop: largest contentful paint, cumulative layout shift in several orders of events, and
 * tasks that block the page's thread for more than 50 ms with what they ran; then what Lighthouse says.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from '@playwright/test';
import { type Line, siteFolder, slowHost } from './slow-host.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const picture = (name: string) => join(root, 'tests', 'pictures', name);
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
/** Milliseconds that an answer may take here. */
const PATIENCE = 180_000;
/** Milliseconds after the last event in which late shifts are still seen. */
const AFTER = 3000;

interface Seen {
  /** Milliseconds. */
  paint: number;
  shift: number;
  /** What moved, most first. */
  moved: string[];
  /** Milliseconds of each task of over 50 ms. */
  tasks: number[];
  /** Frames that took over 50 ms, with the script that ran longest in each. */
  blocked: { duration: number; blocking: number; script: string }[];
  ready: number;
  results: number;
  errors: number;
}

interface Shift {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null }[];
}

interface LongFrame {
  blockingDuration: number;
  scripts: { duration: number; sourceURL: string; sourceFunctionName: string; invoker: string }[];
}

/** In what order things happen; each resolves once nothing more is waited for. */
const ORDERS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'no photo': (page) => until(page, 'ready', 1),
  'photo when the network is ready': async (page) => {
    await until(page, 'ready', 1);
    await choose(page, 'spot-large.jpg');
    await until(page, 'results', 1);
  },
  'photo as early as the page takes one': async (page) => {
    await choose(page, 'spot-large.jpg');
    await until(page, 'results', 1);
  },
  'three photos, then the first of them': async (page) => {
    await choose(page, 'spot-large.jpg', 'spot.png', 'spot.jpg');
    await until(page, 'results', 3);
    await page.locator('dermlet-shelf .thumb').last().click();
  },
};

const choose = (page: Page, ...names: string[]) =>
  page.locator('input#choose').setInputFiles(names.map(picture), { timeout: PATIENCE });

const seenBy = async (page: Page) => (await page.evaluate('window.seen')) as Seen;

/** Not waitForFunction: it evaluates text, which the page's policy forbids. */
async function until(page: Page, heard: 'ready' | 'results', count: number): Promise<void> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await page.waitForTimeout(100)) {
    const seen = await seenBy(page);
    if (seen.errors > 0) throw new Error('the page reported an error');
    if (seen[heard] >= count) return;
  }
  throw new Error(`the page gave fewer than ${count} of ${heard}`);
}

/** Runs in the page, before anything else of it. None of its functions has a name: it is sent as text. */
function watch(): void {
  const seen: Seen = { paint: 0, shift: 0, moved: [], tasks: [], blocked: [], ready: 0, results: 0, errors: 0 };
  Object.assign(window, { seen });
  for (const [type, key] of [
    ['ready', 'ready'],
    ['result', 'results'],
    ['error', 'errors'],
  ] as const)
    document.addEventListener(`dermlet-${type}`, () => seen[key]++);
  const watched: [type: string, heard: (entry: PerformanceEntry) => void][] = [
    ['largest-contentful-paint', (entry) => (seen.paint = entry.startTime)],
    [
      'layout-shift',
      (entry) => {
        const { value, hadRecentInput, sources } = entry as PerformanceEntry & Shift;
        if (hadRecentInput) return;
        seen.shift += value;
        for (const { node } of sources) {
          const element = node instanceof Element ? node : node?.parentElement;
          seen.moved.push(`${value.toFixed(3)}  ${element?.localName ?? '?'} ${element?.className ?? ''}`);
        }
      },
    ],
    [
      'long-animation-frame',
      (entry) => {
        const { scripts, blockingDuration } = entry as PerformanceEntry & LongFrame;
        const longest = [...scripts].sort((a, b) => b.duration - a.duration)[0];
        const ran =
          longest && `${longest.sourceURL.split('/').at(-1)} ${longest.sourceFunctionName} ${longest.invoker}`;
        seen.blocked.push({ duration: entry.duration, blocking: blockingDuration, script: ran ?? 'no script' });
      },
    ],
  ];
  for (const [type, heard] of watched)
    new PerformanceObserver((list) => list.getEntries().forEach(heard)).observe({ type, buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => seen.tasks.push(duration))).observe({
    type: 'longtask',
    buffered: true,
  });
}

async function visit(browser: Browser, url: string, size: keyof typeof SIZES, order: string, cpu: number) {
  const context = await browser.newContext({ viewport: SIZES[size] });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: cpu });
    await page.addInitScript(watch);
    await page.goto(url, { waitUntil: 'commit' });
    await ORDERS[order]!(page);
    await page.waitForTimeout(AFTER);
    return await seenBy(page);
  } finally {
    await context.close();
  }
}

const milliseconds = (value: number) => `${Math.round(value)} ms`;

function tell(size: string, order: string, { paint, shift, moved, tasks, blocked }: Seen): void {
  const longest = [...blocked].sort((a, b) => b.blocking - a.blocking);
  console.log(`\n${size}, ${order}`);
  console.log(`  largest contentful paint ${milliseconds(paint)}; layout shift ${shift.toFixed(3)}`);
  for (const what of moved.slice(0, 5)) console.log(`    moved: ${what}`);
  console.log(`  tasks over 50 ms: ${tasks.length}, the longest ${milliseconds(Math.max(0, ...tasks))}`);
  for (const { duration, script } of longest.slice(0, 5))
    console.log(`    a frame of ${milliseconds(duration)}: ${script}`);
}

/** Lighthouse's scores, 0 to 100, and which of its audits are not passed. */
async function lighthouseScores(url: string, size: keyof typeof SIZES, port: number) {
  const { default: lighthouse, desktopConfig } = await import('lighthouse');
  const found = await lighthouse(
    url,
    { port, logLevel: 'error', output: 'json' },
    size === 'desktop' ? desktopConfig : undefined,
  );
  if (!found) throw new Error('Lighthouse gave no answer');
  const { categories, audits } = found.lhr;
  return {
    scores: Object.fromEntries(
      Object.values(categories).map(({ title, score }) => [title, Math.round((score ?? 0) * 100)]),
    ),
    below: Object.values(categories).flatMap(({ auditRefs }) =>
      auditRefs
        .filter(({ id, weight }) => weight > 0 && (audits[id]?.score ?? 1) < 0.9)
        .map(({ id }) => `${id}: ${audits[id]?.displayValue ?? audits[id]?.title}`),
    ),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      mbit: { type: 'string', default: '10' },
      latency: { type: 'string', default: '40' },
      cpu: { type: 'string', default: '4' },
      'no-lighthouse': { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const line: Line = { bitsPerSecond: Number(values.mbit) * 1e6, latency: Number(values.latency) };
  const cpu = Number(values.cpu);
  if (![line.bitsPerSecond, line.latency, cpu].every((value) => value >= 0))
    throw new Error('--mbit, --latency and --cpu are numbers of 0 or more');
  const executablePath = process.env.CHROMIUM_PATH;
  const port = 9000 + (process.pid % 1000);
  const browser = await chromium.launch({
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', `--remote-debugging-port=${port}`],
    ...(executablePath ? { executablePath } : {}),
  });
  const host = await slowHost(siteFolder(root), line, true);
  const report: Record<string, unknown> = {};
  try {
    console.log(`${values.mbit} Mbit/s, ${values.latency} ms, CPU ${cpu}x slower`);
    for (const size of ['phone', 'desktop'] as const) {
      for (const order of Object.keys(ORDERS)) {
        const seen = await visit(browser, host.url, size, order, cpu);
        report[`${size}, ${order}`] = seen;
        tell(size, order, seen);
      }
      if (values['no-lighthouse']) continue;
      const found = await lighthouseScores(host.url, size, port);
      report[`${size}, Lighthouse`] = found;
      console.log(
        `\n${size}, Lighthouse: ${Object.entries(found.scores)
          .map((entry) => entry.join(' '))
          .join(', ')}`,
      );
      for (const audit of found.below) console.log(`  ${audit}`);
    }
  } finally {
    await host.close();
    await browser.close();
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

await main();
