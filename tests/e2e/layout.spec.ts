/** Sizes, colour schemes and accessibility rules. */
import type { Page } from '@playwright/test';
import { faults } from './axe.js';
import { expect, test } from './fixtures.js';

/** How many pixels the page can be scrolled sideways. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

test('no accessibility fault, light or dark', async ({ app, page }) => {
  test.slow();
  app.neverRefuse();
  const fine = async (what: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await faults(page), `${what}, ${colorScheme}`).toEqual([]);
    }
  };
  await app.open();
  await fine('idle');
  await app.classify('spot.jpg');
  await app.details();
  await fine('result');
  await app.choose('corrupt.jpg');
  await expect(app.notice).toBeVisible();
  await fine('error');
  await app.classify('flat.png');
  await fine('poor quality');
});

test('where colours are forced, bars, tier and what is pressed are still seen', async ({ app, page }) => {
  app.neverRefuse();
  await page.emulateMedia({ forcedColors: 'active' });
  await app.open();
  await app.classify('spot.jpg');
  await app.classify('spot.png');
  /** What a forced colour leaves of an element: it is none of the ground's. */
  const style = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => {
        const shown = getComputedStyle(element);
        const { backgroundColor, borderTopWidth, borderTopColor, borderTopStyle, outlineStyle, outlineColor } = shown;
        const ground = document.createElement('p');
        ground.style.cssText = 'color: Canvas; background: CanvasText';
        document.body.append(ground);
        const { color } = getComputedStyle(ground);
        ground.remove();
        return {
          filled: backgroundColor !== color && !/, 0\)$/.test(backgroundColor),
          bordered: borderTopStyle !== 'none' && Number.parseFloat(borderTopWidth) > 0 && borderTopColor !== color,
          outlined: outlineStyle !== 'none' && outlineColor !== color,
          underlined: shown.textDecorationLine.includes('underline'),
        };
      });
  expect(await style('dermlet-ranking .bar')).toMatchObject({ filled: true });
  expect(await style('dermlet-ranking .track')).toMatchObject({ bordered: true });
  expect(await style('dermlet-result-card [part=tier]')).toMatchObject({ bordered: true });
  expect(await style('dermlet-shelf [aria-current=true]')).toMatchObject({ bordered: true });
  const questions = page.locator('[data-tool=questions]');
  expect(await style('[data-tool=questions]')).toMatchObject({ underlined: false });
  await questions.click();
  await expect(questions).toHaveAttribute('aria-expanded', 'true');
  expect(await style('[data-tool=questions]')).toMatchObject({ underlined: true, bordered: true });
  expect(await style('[data-tool=report]')).toMatchObject({ underlined: false });
  await page.getByRole('button', { name: 'All photos' }).click();
  expect(await style('dermlet-review [aria-pressed=true]')).toMatchObject({ underlined: true });
  expect(await style('dermlet-review [aria-pressed=false]')).toMatchObject({ underlined: false });
});

test('light and dark differ', async ({ app, page }) => {
  const lightness = async (colorScheme: 'light' | 'dark') => {
    await page.emulateMedia({ colorScheme });
    return page.evaluate(() => {
      const channels = /[\d.]+/g;
      const values =
        getComputedStyle(document.body).backgroundColor.match(channels) ??
        getComputedStyle(document.documentElement).backgroundColor.match(channels) ??
        [];
      return values.slice(0, 3).reduce((sum, value) => sum + Number(value), 0) / 3;
    });
  };
  await app.open();
  expect(await lightness('light')).toBeGreaterThan(200);
  expect(await lightness('dark')).toBeLessThan(60);
});

const SIZES = [
  ['small phone', 320, 568],
  ['phone', 390, 844],
  ['phone on its side', 844, 390],
  ['tablet', 820, 1180],
  ['desktop', 1440, 900],
] as const;

test('at every size nothing overflows, and everything is reachable', async ({ app, page }) => {
  test.slow();
  app.neverRefuse();
  const everywhere = async (look: (what: string) => Promise<void>) => {
    for (const [what, width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await look(what);
      expect(await overflow(page), what).toBeLessThanOrEqual(0);
    }
  };
  await app.open();
  const choose = page.getByRole('button', { name: 'Choose photos' });
  await everywhere(async (what) => {
    await choose.scrollIntoViewIfNeeded();
    await expect(choose, what).toBeInViewport({ ratio: 0.95 });
  });
  await app.classify('spot.jpg');
  await app.details();
  await app.choose('note.txt');
  await everywhere((what) => expect(app.notice, what).toBeVisible());
  await app.shelf.getByRole('button', { name: /^spot\.jpg/ }).click();
  await app.heatMap.check();
  await everywhere((what) => expect(app.slider, what).toBeVisible());
});

/** What reaches over the right edge of the window, but for what is said to screen readers alone. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const roots: (Document | ShadowRoot)[] = [document];
    for (let root = roots.pop(); root; root = roots.pop())
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot) roots.push(element.shadowRoot);
        const { right, width } = element.getBoundingClientRect();
        if (width > 0 && right > innerWidth + 1 && !element.closest('.visually-hidden, ul[aria-label]'))
          found.push(`${element.localName}.${element.className}: ${element.textContent?.trim().slice(0, 30)}`);
      }
    return found;
  });
}

test('text of twice the size is not cut off on a phone', async ({ app, page }) => {
  app.neverRefuse();
  await page.setViewportSize({ width: 390, height: 844 });
  await app.open();
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
  expect(await cutOff(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await app.classify('spot.jpg');
  await app.details();
  expect(await cutOff(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});

test('the start button is visible on a phone without scrolling', async ({ app, page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await app.open();
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeInViewport({ ratio: 0.95 });
});

test.describe('a touch screen', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });

  test('offers the camera', async ({ app, page }) => {
    await app.open();
    await expect(page.getByRole('button', { name: 'Take a photo' })).toBeVisible();
    await expect(page.locator('input#take')).toHaveAttribute('capture', 'environment');
    await app.classify('spot.jpg');
    expect(await overflow(page)).toBeLessThanOrEqual(0);
  });
});

test('a zoom of 400 % needs no horizontal scrolling', async ({ app, page }) => {
  await page.setViewportSize({ width: 1280, height: 900 });
  await app.open();
  // The CSS pixels it leaves of a desktop screen.
  await page.setViewportSize({ width: 320, height: 256 });
  await app.classify('spot.jpg');
  expect(await overflow(page)).toBeLessThanOrEqual(0);
});
