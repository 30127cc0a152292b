/**
 * What a browser holds in memory with photos in the page: of all of its processes, what is theirs alone, which is where
 * pictures are, whoever decodes or draws them. The program itself is left out: it is shared with other browsers, so its
 * part changes with how many there are. Read from /proc, so Linux only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { BrowserContext, Page } from '@playwright/test';

/** MiB more than the page without a photo that forty of 12 megapixels may hold; and no more with hundreds. */
export const MOST_MORE = 150;

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

/** MiB of the browser's processes by what they are for, such as `renderer` and `gpu-process`. */
export function held(profile: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const pid of family(profile)) {
    const kind = /--type=([\w-]+)/.exec(read(`/proc/${pid}/cmdline`))?.[1] ?? 'browser';
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    // What several processes share is counted in parts (Pss).
    const own = [...rollup.matchAll(/^Pss_(?:Anon|Shmem):\s+(\d+)/gm)].reduce((sum, [, kB]) => sum + Number(kB), 0);
    sums.set(kind, (sums.get(kind) ?? 0) + own / 1024);
  }
  return sums;
}

export const total = (sums: ReadonlyMap<string, number>): number => [...sums.values()].reduce((a, b) => a + b, 0);

/** Frees what nothing in the page holds: the browser would, some time. */
export async function collectGarbage(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (let times = 0; times < 3; times += 1) {
    await session.send('HeapProfiler.collectGarbage');
    await page.waitForTimeout(300);
  }
  await session.detach();
}

/** Counts what the page tells, for `until`. */
export const listen = (context: BrowserContext): Promise<unknown> =>
  context.addInitScript(() => {
    const heard = { ready: 0, answers: 0 };
    Object.assign(window, { heard });
    document.addEventListener('dermlet-ready', () => (heard.ready += 1));
    for (const type of ['result', 'error']) document.addEventListener(`dermlet-${type}`, () => (heard.answers += 1));
  });

/** Not waitForFunction: it evaluates text, which the page's policy forbids. */
export async function until(page: Page, what: 'ready' | 'answers', count: number, patience: number): Promise<void> {
  for (const end = performance.now() + patience; performance.now() < end; await page.waitForTimeout(200))
    if (((await page.evaluate(`window.heard.${what}`)) as number) >= count) return;
  throw new Error(`the page gave fewer than ${count} of ${what} in ${patience / 1000} seconds`);
}

/** Looks at each of the listed photos in turn, as a person does with the keys. */
export async function lookThrough(page: Page, count: number): Promise<void> {
  const list = page.locator('dermlet-review .list');
  await page.keyboard.press('Tab');
  await list.locator('button[data-id]').first().focus();
  await page.keyboard.press('Home');
  for (let at = 0; at < count; at += 1) {
    await page.keyboard.press('Enter');
    await page.waitForTimeout(60);
    await page.keyboard.press('ArrowRight');
    await page.waitForTimeout(20);
  }
  // What is read anew of the last ones.
  await page.waitForTimeout(3000);
}
