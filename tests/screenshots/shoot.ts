/** Pictures of what the page shows, at the sizes and in the colours that people see it in. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { root } from '../e2e/site.js';

const SIZES = {
  '360x640': { width: 360, height: 640 },
  '390x844': { width: 390, height: 844 },
  tablet: { width: 820, height: 1180 },
  desktop: { width: 1440, height: 900 },
} as const;

type Size = keyof typeof SIZES;

/** Where all of them lie. */
export const folder = join(root, 'build', 'screenshots');

/** Everything is laid out and drawn: parts that are out of view are skipped until they are scrolled to. */
async function scrollThrough(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
      scrollTo(0, y);
      await new Promise(requestAnimationFrame);
    }
    scrollTo(0, 0);
    await new Promise(requestAnimationFrame);
  });
}

/** Writes build/screenshots/STATE-SIZE-SCHEME.png: the whole page as it is, at each size, light and dark. */
export async function shoot(page: Page, state: string, sizes = Object.keys(SIZES) as Size[]): Promise<void> {
  const before = page.viewportSize();
  await mkdir(folder, { recursive: true });
  for (const size of sizes) {
    await page.setViewportSize(SIZES[size]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await scrollThrough(page);
      await page.screenshot({ path: join(folder, `${state}-${size}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
}
