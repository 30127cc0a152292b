/**
 * npm run bench:memory: what the page holds in memory with many photos, beside the page without one and the target.
 *   npm run bench:memory -- [--photos 40] [--folder 500] [--json FILE]
 * dist/ in Chromium, with a profile of its own for each: `photos` JPEGs of 12 megapixels (pictures.ts) that are chosen
 * together, then a folder of `folder` of one megapixel that is dropped (0: none). Both are measured once all answers
 * are there, once each photo was looked at, and at rest, when the idle worker has ended, each after a collection of
 * garbage and beside the page without a photo in the same state. What is counted: `held.ts`. The exit status is 1 where
 * more is held than the target by more than noise, which is 10 MiB.
 */
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import { serve } from '../../tools/build/serve.mjs';
import { collectGarbage, held, listen, lookThrough, MOST_MORE, total, until } from './held.js';
import { type BenchPicture, pictures } from './pictures.js';
import { siteFolder } from './slow-host.js';
import { type Target, tellTargets } from './targets.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Milliseconds after the last answer until what is only for the work is given back. */
const SETTLED = 15_000;
/** Milliseconds without work after which the idle worker is ended, and the time that takes. */
const RESTED = 75_000;
/** MiB by which two runs differ. */
const NOISE = 10;
/** Milliseconds that all answers may take. */
const PATIENCE = 1_800_000;

interface Figures {
  photos: number;
  seconds: number;
  /** MiB. */
  empty: number;
  emptyAtRest: number;
  answered: number;
  lookedAt: number;
  atRest: number;
  most: number;
}

async function drop(page: Page, folder: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const box = await page.locator('dermlet-picker').boundingBox();
  if (!box) throw new Error('the page shows nothing to drop on');
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', {
      type,
      x: box.x + box.width / 2,
      y: box.y + box.height / 2,
      data: { items: [], files: [folder], dragOperationsMask: 1 },
    });
}

async function measure(photo: BenchPicture, count: number, asFolder: boolean): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-memory-'));
  const profile = join(folder, 'profile');
  const given = join(folder, 'photos');
  mkdirSync(given);
  // Each another file, by two bytes after the end of the picture.
  const files = Array.from({ length: count }, (_, index) => join(given, `photo-${index + 1}.jpg`));
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
    await listen(context);
    const page = await context.newPage();
    const after = async (pause: number): Promise<number> => {
      await page.waitForTimeout(pause);
      await collectGarbage(page);
      return total(held(profile));
    };
    await page.goto(host.url);
    await until(page, 'ready', 1, PATIENCE);
    const empty = await after(SETTLED);
    const emptyAtRest = await after(RESTED);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, total(held(profile)))), 1000);
    const began = performance.now();
    if (asFolder) await drop(page, given);
    else await page.locator('input#choose').setInputFiles(files);
    await until(page, 'answers', count, PATIENCE);
    const seconds = (performance.now() - began) / 1000;
    clearInterval(watch);
    const answered = await after(SETTLED);
    await lookThrough(page, count);
    const lookedAt = await after(0);
    const atRest = await after(RESTED);
    return { photos: count, seconds, empty, emptyAtRest, answered, lookedAt, atRest, most };
  } finally {
    await context.close();
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell(what: string, { seconds, empty, emptyAtRest, answered, lookedAt, atRest, most }: Figures): Target[] {
  const mib = (value: number) => `${value.toFixed(0)} MiB`;
  console.log(`\n${what} in ${seconds.toFixed(1)} s`);
  console.log(`  the page without a photo ${mib(empty)}, at rest ${mib(emptyAtRest)}`);
  console.log(`  with all answers ${mib(answered)}, each looked at ${mib(lookedAt)}, at rest ${mib(atRest)}`);
  console.log(`  at most ${mib(most - empty)} more meanwhile`);
  const states = { 'all answered': answered - empty, 'each looked at': lookedAt - empty };
  const more = { ...states, 'at rest': atRest - emptyAtRest };
  return Object.entries(more).map(([state, measured]) => ({
    name: `${what}, ${state}: more`,
    measured,
    limit: MOST_MORE,
    noise: NOISE,
    words: mib,
  }));
}

async function main(): Promise<void> {
  if (process.platform !== 'linux') throw new Error('What a process holds is read from /proc, which is Linux.');
  const { values } = parseArgs({
    options: {
      photos: { type: 'string', default: '40' },
      folder: { type: 'string', default: '500' },
      json: { type: 'string' },
    },
  });
  const [photos, inFolder] = [Number(values.photos), Number(values.folder)];
  // A list is shown from nine photos on: through that they are looked at.
  if (!(Number.isInteger(photos) && photos > 8)) throw new Error('--photos is a number of 9 or more');
  if (!(Number.isInteger(inFolder) && (inFolder === 0 || inFolder > 8)))
    throw new Error('--folder is 0 or a number of 9 or more');
  const drawn = await pictures(join(root, '.cache', 'bench', 'pictures'), [1, 12], (text) =>
    process.stderr.write(`${text}\n`),
  );
  const photoOf = (size: number): BenchPicture => {
    const photo = drawn.find(({ megapixels, progressive }) => megapixels === size && !progressive);
    if (!photo) throw new Error(`no photo of ${size} megapixels was drawn`);
    return photo;
  };
  const chosen = await measure(photoOf(12), photos, false);
  const targets = tell(`${photos} photos of 12 megapixels`, chosen);
  const dropped = inFolder > 0 ? await measure(photoOf(1), inFolder, true) : null;
  if (dropped) targets.push(...tell(`a folder of ${inFolder} photos`, dropped));
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ chosen, dropped }, null, 2)}\n`);
  if (!tellTargets(targets)) process.exitCode = 1;
}

await main();
