/** Pictures of what the page shows, at the sizes and in the colours that people see it in. */
import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page, TestInfo } from '@playwright/test';
import { type App, expect, picture } from '../e2e/fixtures.js';
import { root } from '../e2e/site.js';

const SIZES = {
  '360x640': { width: 360, height: 640 },
  '390x844': { width: 390, height: 844 },
  tablet: { width: 820, height: 1180 },
  desktop: { width: 1440, height: 900 },
} as const;

type Size = keyof typeof SIZES;
/** A phone and a desktop. */
const TWO: readonly Size[] = ['390x844', 'desktop'];
export const ALL = Object.keys(SIZES) as Size[];

/** Where all of them lie. */
export const folder = join(root, 'build', 'screenshots');

/** Parts that are out of view are laid out and drawn too: else a picture of the whole page has gaps. */
async function drawAll(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('main > section { content-visibility: visible !important }');
    // Through CSSOM, which the page's policy allows.
    document.adoptedStyleSheets = [sheet];
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
      scrollTo(0, y);
      await new Promise(requestAnimationFrame);
    }
    scrollTo(0, 0);
    await new Promise(requestAnimationFrame);
  });
}

interface Options {
  readonly sizes?: readonly Size[];
  /** Only this part of the page. */
  readonly of?: Locator;
  /** Only what is in view: for what lies over the page. */
  readonly inView?: boolean;
}

/** Writes build/screenshots/STATE-SIZE-SCHEME.png: the whole page as it is, at each size, light and dark. */
export async function shoot(page: Page, state: string, { sizes = TWO, of, inView }: Options = {}): Promise<void> {
  const before = page.viewportSize();
  mkdirSync(folder, { recursive: true });
  for (const size of sizes) {
    await page.setViewportSize(SIZES[size]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const path = join(folder, `${state}-${size}-${colorScheme}.png`);
      if (!inView) await drawAll(page);
      if (of) await of.screenshot({ path });
      else await page.screenshot({ path, fullPage: !inView });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
}

/** Photos under names of their own: no two files with the same bytes. */
export function photos(testInfo: TestInfo, count: number): string[] {
  const made = testInfo.outputPath('photos');
  mkdirSync(made, { recursive: true });
  return Array.from({ length: count }, (_, at) => {
    const path = join(made, `photo-${at + 1}.jpg`);
    copyFileSync(picture(['spot.jpg', 'spot-422.jpg', 'spot-progressive.jpg'][at % 3]!), path);
    appendFileSync(path, `${at}`);
    return path;
  });
}

export const spots = (name: string) => join(root, 'tests', 'spots', name);
export const tool = (page: Page, id: string) => page.locator(`[data-tool=${id}]`);
/** What an opened tool shows. */
export const opened = (page: Page) => page.locator('dermlet-tools #opened');
export const named = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

export async function untilResults(app: App, count: number): Promise<void> {
  await expect.poll(async () => (await app.results()).length, { timeout: 120_000 }).toBe(count);
}

/** Opens a tool of the answer that is looked at, unless it is open: another photo closes it. */
export async function use(page: Page, id: string): Promise<void> {
  await expect(page.locator('dermlet-tools [data-tool]').first()).toBeVisible();
  if (await tool(page, id).isHidden()) await page.locator('dermlet-tools [data-do=more]').click();
  if ((await tool(page, id).getAttribute('aria-expanded')) === 'false') await tool(page, id).click();
  await expect(opened(page).locator(':scope > :not(p)')).toBeVisible();
}

/** Text of twice the size, as a person may have set it. */
export const twice = (page: Page, on: boolean) =>
  page.evaluate((size) => document.documentElement.style.setProperty('font-size', size), on ? '200%' : '');
