/**
 * npm run bench:page: how the page comes and behaves while it loads and answers, beside its targets.
 *   npm run bench:page -- [--mbit 10] [--latency 40] [--cpu 4] [--times 2] [--no-lighthouse] [--beside FOLDER]
 *     [--json FILE]
 * dist/ from a host behind a slow line that compresses text, in Chromium with an empty profile each time, at the size
 * of a phone and of a desktop, in several orders of events. One visit of each with a slowed processor gives largest
 * contentful paint and cumulative layout shift; `times` visits with the machine's own give what each task of the page's
 * thread takes of the processor, times `cpu` (`tasks.ts`). Then what Lighthouse says.
 * Other work on the machine only adds: the least paint of a size and the least longest task of an order count, but the
 * greatest shift. The exit status is 1 where a target is missed by more than noise: paint and tasks by a tenth, shifts
 * by 0.01, Lighthouse's scores by 2. `--beside` measures another build in turn, and prints how the two compare.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Browser, chromium, type Page } from '@playwright/test';
import { type Line, siteFolder, slowHost } from './slow-host.js';
import { type Target, tellTargets } from './targets.js';
import { longTasks, type Task, TRACED } from './tasks.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const picture = (name: string) => join(root, 'tests', 'pictures', name);
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
/** Milliseconds that an answer may take here. */
const PATIENCE = 180_000;
/** Milliseconds after the last event in which late shifts are still seen. */
const AFTER = 3000;
const LIMITS = { paint: 1500, shift: 0.1, task: 50, lighthouse: 95 };

interface Seen {
  /** Milliseconds. */
  paint: number;
  shift: number;
  /** What moved, most first. */
  moved: string[];
  /** Whether a photo was: what is painted from then on is no longer the page's coming. */
  chosen: boolean;
  ready: number;
  results: number;
  errors: number;
}

interface Shift {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null }[];
}

/** In what order things happen; each resolves once nothing more is waited for. */
const ORDERS: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'no photo': (page) => until(page, 'ready', 1),
  'photo when the network is ready': async (page) => {
    await until(page, 'ready', 1);
    await choose(page, 'spot.jpg');
    await until(page, 'results', 1);
  },
  'photo as early as the page takes one': async (page) => {
    await choose(page, 'spot.jpg');
    await until(page, 'results', 1);
  },
  'three photos, then the first of them': async (page) => {
    await choose(page, 'spot.jpg', 'spot.png', 'spot-progressive.jpg');
    await until(page, 'results', 3);
    await tap(page);
  },
};

/** Not Playwright's own: what that adds to the page takes as long as what is measured. */
async function choose(page: Page, ...names: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const expression = `document.querySelector('dermlet-classifier')?.shadowRoot
    ?.querySelector('dermlet-picker')?.shadowRoot?.querySelector('input#choose')`;
  for (const end = performance.now() + PATIENCE; performance.now() < end; await page.waitForTimeout(50)) {
    const { result } = await session.send('Runtime.evaluate', { expression });
    if (!result.objectId) continue;
    await session.send('Runtime.evaluate', { expression: 'window.seen.chosen = true' });
    await session.send('DOM.setFileInputFiles', { objectId: result.objectId, files: names.map(picture) });
    return;
  }
  throw new Error('the page takes no photo');
}

/** The last photo of the shelf; not by Playwright's own click, for the same reason. */
async function tap(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const expression = `[...document.querySelector('dermlet-classifier').shadowRoot
    .querySelector('dermlet-shelf').shadowRoot.querySelectorAll('.thumb')].at(-1)`;
  const { result } = await session.send('Runtime.evaluate', { expression });
  const { quads } = await session.send('DOM.getContentQuads', { objectId: result.objectId! });
  const [left, top, right, , , bottom] = quads[0]!;
  const [x, y] = [(left! + right!) / 2, (top! + bottom!) / 2];
  for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased'] as const)
    await session.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
}

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
  const seen: Seen = { paint: 0, shift: 0, moved: [], chosen: false, ready: 0, results: 0, errors: 0 };
  Object.assign(window, { seen });
  for (const [type, key] of [
    ['ready', 'ready'],
    ['result', 'results'],
    ['error', 'errors'],
  ] as const)
    document.addEventListener(`dermlet-${type}`, () => seen[key]++);
  const watched: [type: string, heard: (entry: PerformanceEntry) => void][] = [
    ['largest-contentful-paint', (entry) => (seen.paint = seen.chosen ? seen.paint : entry.startTime)],
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
  ];
  for (const [type, heard] of watched)
    new PerformanceObserver((list) => list.getEntries().forEach(heard)).observe({ type, buffered: true });
}

/** @param slower how many times the processor is slowed; null: not at all, and its tasks are traced */
async function visit(browser: Browser, url: string, size: keyof typeof SIZES, order: string, slower: number | null) {
  const context = await browser.newContext({ viewport: SIZES[size] });
  try {
    const page = await context.newPage();
    await page.addInitScript(watch);
    if (slower === null) await browser.startTracing(page, { categories: TRACED });
    else {
      const session = await context.newCDPSession(page);
      await session.send('Emulation.setCPUThrottlingRate', { rate: slower });
    }
    await page.goto(url, { waitUntil: 'commit' });
    await ORDERS[order]!(page);
    await page.waitForTimeout(AFTER);
    const trace = slower === null ? await browser.stopTracing() : null;
    return { seen: await seenBy(page), trace };
  } finally {
    await context.close();
  }
}

const milliseconds = (value: number) => `${Math.round(value)} ms`;
const longest = (tasks: readonly Task[]): number => tasks[0]?.cpu ?? 0;

const PAINT = { limit: LIMITS.paint, noise: LIMITS.paint / 10, words: milliseconds };
const SHIFT = { limit: LIMITS.shift, noise: 0.01, words: (value: number) => value.toFixed(3) };
const TASK = { limit: LIMITS.task, noise: LIMITS.task / 10, words: milliseconds };
const SCORE = { limit: LIMITS.lighthouse, least: true, noise: 2, words: String };

interface Figures {
  paint: number;
  shift: number;
  moved: string[];
  /** Of the visit whose longest is the least; of the processor as it is. */
  tasks: Task[];
}

async function measure(
  browser: Browser,
  url: string,
  size: keyof typeof SIZES,
  order: string,
  cpu: number,
  times: number,
): Promise<Figures> {
  const { seen } = await visit(browser, url, size, order, cpu);
  const figures: Figures = { ...seen, tasks: [] };
  for (let time = 0; time < times; time += 1) {
    const { seen: again, trace } = await visit(browser, url, size, order, null);
    if (again.shift > figures.shift) Object.assign(figures, { shift: again.shift, moved: again.moved });
    const tasks = longTasks(trace!, 1);
    if (time === 0 || longest(tasks) < longest(figures.tasks)) figures.tasks = tasks;
  }
  return figures;
}

function tell(size: string, order: string, { paint, shift, moved, tasks }: Figures, cpu: number): void {
  const over = tasks.filter((task) => task.cpu * cpu > LIMITS.task);
  console.log(`\n${size}, ${order}`);
  console.log(`  largest contentful paint ${milliseconds(paint)}; layout shift ${shift.toFixed(3)}`);
  for (const what of moved.slice(0, 5)) console.log(`    moved: ${what}`);
  console.log(`  tasks over ${LIMITS.task} ms: ${over.length}, the longest ${milliseconds(longest(tasks) * cpu)}`);
  for (const task of over.slice(0, 6)) console.log(`    ${milliseconds(task.cpu * cpu)}: ${task.ran}`);
}

/** What blocks is what a task takes beyond the limit. */
const blocking = (tasks: readonly Task[], cpu: number): number =>
  tasks.reduce((sum, task) => sum + Math.max(0, task.cpu * cpu - LIMITS.task), 0);

function compare(now: Figures, before: Figures, cpu: number): void {
  const ratio = (a: number, b: number) => (b > 0 ? (a / b).toFixed(2) : '-');
  const [longestBefore, blockingBefore] = [longest(before.tasks) * cpu, blocking(before.tasks, cpu)];
  console.log(
    `  beside: longest task ${milliseconds(longestBefore)} (${ratio(longest(now.tasks) * cpu, longestBefore)} of it ` +
      `here); over the limit in all ${milliseconds(blockingBefore)}, here ` +
      `${milliseconds(blocking(now.tasks, cpu))} (${ratio(blocking(now.tasks, cpu), blockingBefore)}); ` +
      `paint ${milliseconds(before.paint)}, shift ${before.shift.toFixed(3)}`,
  );
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
      times: { type: 'string', default: '2' },
      'no-lighthouse': { type: 'boolean', default: false },
      beside: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const line: Line = { bitsPerSecond: Number(values.mbit) * 1e6, latency: Number(values.latency) };
  const cpu = Number(values.cpu);
  const times = Number(values.times);
  if (![line.bitsPerSecond, line.latency].every((value) => value >= 0) || !(cpu >= 1) || !(times >= 1))
    throw new Error('--mbit and --latency are numbers of 0 or more, --cpu and --times of 1 or more');
  const executablePath = process.env.CHROMIUM_PATH;
  const port = 9000 + (process.pid % 1000);
  const browser = await chromium.launch({
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', `--remote-debugging-port=${port}`],
    ...(executablePath ? { executablePath } : {}),
  });
  const host = await slowHost(siteFolder(root), line, true);
  const other = values.beside ? await slowHost(resolve(values.beside), line, true) : null;
  const report: Record<string, unknown> = {};
  const targets: Target[] = [];
  try {
    console.log(`${values.mbit} Mbit/s, ${values.latency} ms, CPU ${cpu}x slower`);
    for (const size of ['phone', 'desktop'] as const) {
      const all: Figures[] = [];
      for (const order of Object.keys(ORDERS)) {
        const figures = await measure(browser, host.url, size, order, cpu, times);
        report[`${size}, ${order}`] = figures;
        all.push(figures);
        tell(size, order, figures, cpu);
        if (other) {
          const before = await measure(browser, other.url, size, order, cpu, times);
          report[`${size}, ${order}, beside`] = before;
          compare(figures, before, cpu);
        }
        const task = longest(figures.tasks) * cpu;
        targets.push(
          { ...SHIFT, name: `${size}, ${order}: layout shift`, measured: figures.shift },
          { ...TASK, name: `${size}, ${order}: longest task`, measured: task },
        );
      }
      const paint = Math.min(...all.map((figures) => figures.paint));
      targets.push({ ...PAINT, name: `${size}: largest contentful paint`, measured: paint });
      if (values['no-lighthouse']) continue;
      const found = await lighthouseScores(host.url, size, port);
      report[`${size}, Lighthouse`] = found;
      console.log(
        `\n${size}, Lighthouse: ${Object.entries(found.scores)
          .map((entry) => entry.join(' '))
          .join(', ')}`,
      );
      for (const audit of found.below) console.log(`  ${audit}`);
      for (const [title, score] of Object.entries(found.scores))
        targets.push({ ...SCORE, name: `${size}: Lighthouse, ${title}`, measured: score });
    }
  } finally {
    await host.close();
    await other?.close();
    await browser.close();
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (!tellTargets(targets)) process.exitCode = 1;
}

await main();
