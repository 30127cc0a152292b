/**
 * npm run bench:memory: what the page holds in memory after many large photos, beside the page without one.
 *   npm run bench:memory -- [--photos 40] [--json FILE]
 * dist/ in Chromium, with a profile of its own: JPEGs of 12 megapixels (pictures.ts), chosen together. The sum of all
 * of the browser's processes, each page of memory that several share counted in parts (Pss), so Linux only.
 */
import { appendFileSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import { serve } from '../../tools/build/serve.mjs';
import { pictures } from './pictures.js';
import { siteFolder } from './slow-host.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Milliseconds after the last answer until what is only for the work is given back. */
const SETTLED = 15_000;

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // a process that has just ended
  }
};

/** The processes that came from the one whose command line names `profile`, itself included. */
function family(profile: string): string[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(
    all.map((pid) => {
      const stat = read(`/proc/${pid}/stat`);
      // The name before it may hold spaces and brackets.
      return [pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? ''];
    }),
  );
  const named = new Set(all.filter((pid) => read(`/proc/${pid}/cmdline`).includes(profile)));
  const belongs = (pid: string): boolean => named.has(pid) || (parents.has(pid) && belongs(parents.get(pid)!));
  return all.filter(belongs);
}

/** MiB of all of the browser's processes. */
const held = (profile: string): number =>
  family(profile).reduce((sum, pid) => {
    const pss = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`));
    return sum + (pss ? Number(pss[1]) / 1024 : 0);
  }, 0);

/** Not waitForFunction: it evaluates text, which the page's policy forbids. */
async function until(page: Page, heard: 'ready' | 'answers', count: number): Promise<void> {
  for (const end = performance.now() + 600_000; performance.now() < end; await page.waitForTimeout(200))
    if (((await page.evaluate(`window.at.${heard}`)) as number) >= count) return;
  throw new Error(`the page gave fewer than ${count} of ${heard} in ten minutes`);
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('What a process holds is read from /proc, which is Linux.');
  const { values } = parseArgs({ options: { photos: { type: 'string', default: '40' }, json: { type: 'string' } } });
  const count = Number(values.photos);
  if (!(Number.isInteger(count) && count > 0)) throw new Error('--photos is a number of 1 or more');
  const drawn = await pictures(join(root, '.cache', 'bench', 'pictures'), [12], (text) =>
    process.stderr.write(`${text}\n`),
  );
  const photo = drawn.find(({ progressive }) => !progressive);
  if (!photo) throw new Error('no photo of 12 megapixels was drawn');
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-memory-'));
  const profile = join(folder, 'profile');
  // Each another file, by a byte after the end of the picture.
  const files = Array.from({ length: count }, (_, index) => join(folder, `photo-${index + 1}.jpg`));
  for (const [index, file] of files.entries()) {
    copyFileSync(photo.path, file);
    appendFileSync(file, Uint8Array.of(index & 255, index >> 8));
  }
  const host = await serve({ root: siteFolder(root), port: 0 });
  const executablePath = process.env.CHROMIUM_PATH;
  const context = await chromium.launchPersistentContext(profile, {
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run'],
    ...(executablePath ? { executablePath } : {}),
  });
  try {
    const page = await context.newPage();
    await page.addInitScript(() => {
      const at = { ready: 0, answers: 0 };
      Object.assign(window, { at });
      document.addEventListener('dermlet-ready', () => (at.ready += 1));
      for (const type of ['result', 'error']) document.addEventListener(`dermlet-${type}`, () => (at.answers += 1));
    });
    await page.goto(host.url);
    await until(page, 'ready', 1);
    await page.waitForTimeout(SETTLED);
    const empty = held(profile);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, held(profile))), 1000);
    const began = performance.now();
    await page.locator('input#choose').setInputFiles(files);
    await until(page, 'answers', count);
    const seconds = (performance.now() - began) / 1000;
    clearInterval(watch);
    await page.waitForTimeout(SETTLED);
    const after = held(profile);
    const figures = { photos: count, empty, after, more: after - empty, mostMore: most - empty, seconds };
    console.log(`${count} photos of 12 megapixels in ${seconds.toFixed(1)} s`);
    console.log(`  the page without a photo ${empty.toFixed(0)} MiB, with all their answers ${after.toFixed(0)} MiB`);
    console.log(`  ${figures.more.toFixed(0)} MiB more; at most ${figures.mostMore.toFixed(0)} MiB more meanwhile`);
    if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await context.close();
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
