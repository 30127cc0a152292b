/** The live camera, on drawn video: hints by the real quality gate, the photo, and no camera left running. */
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { type App, expect } from './fixtures.js';
import { HEIGHT, test, WIDTH } from './skin-video.js';

test.describe.configure({ timeout: 120_000 });

const take = (page: Page): Locator => page.getByRole('button', { name: 'Take a photo' });
const dialog = (page: Page): Locator => page.getByRole('dialog', { name: 'Take a photo of the skin' });
const shoot = (page: Page): Locator => page.getByRole('button', { name: 'Take the photo' });

/** Keeps each track that the page is given; it may not use another way to one. */
async function keepTracks(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, { tracks });
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
}

const states = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    (window as unknown as { tracks: MediaStreamTrack[] }).tracks.map(({ kind, readyState }) => `${kind} ${readyState}`),
  );

/** The page, which may use the camera. */
async function openAllowed(app: App, page: Page): Promise<void> {
  await page.context().grantPermissions(['camera']);
  await app.open();
}

async function axe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page: page as never }).include('dermlet-classifier').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
}

test.beforeEach(async ({ page }) => keepTracks(page));

test('a camera’s light is switched, and no longer offered where it cannot be', async ({ app, page }) => {
  // No camera here has a light.
  await page.addInitScript(() => {
    const asked: unknown[] = [];
    Object.assign(window, { asked });
    const { getCapabilities } = MediaStreamTrack.prototype;
    MediaStreamTrack.prototype.getCapabilities = function () {
      return Object.assign(getCapabilities.call(this), { torch: true });
    };
    MediaStreamTrack.prototype.applyConstraints = async (wanted) => {
      asked.push(wanted?.advanced);
      if (asked.length > 2) throw new OverconstrainedError('torch');
    };
  });
  await openAllowed(app, page);
  await take(page).click();
  const light = dialog(page).getByRole('button', { name: 'Light' });
  await expect(light).toHaveAttribute('aria-pressed', 'false');
  await page.emulateMedia({ forcedColors: 'active' });
  const lineOf = () => light.evaluate((button) => getComputedStyle(button).textDecorationLine);
  const off = await lineOf();
  await light.click();
  await expect(light).toHaveAttribute('aria-pressed', 'true');
  expect(await lineOf(), 'seen where colours are forced').not.toBe(off);
  await light.click();
  await expect(light).toHaveAttribute('aria-pressed', 'false');
  expect(await page.evaluate(() => (window as unknown as { asked: unknown }).asked)).toEqual([
    [{ torch: true }],
    [{ torch: false }],
  ]);
  await light.click();
  await expect(light).toHaveCount(0);
  await expect(shoot(page)).toBeEnabled();
});

test('hints follow what the camera sees, and the photo is classified like any other', async ({ app, page }) => {
  await openAllowed(app, page);
  await take(page).click();
  const hint = dialog(page).getByRole('status');
  await expect(hint).toHaveText(/^More light/, { timeout: 40_000 });
  await axe(page);
  await expect(hint).toHaveText(/^Hold still/, { timeout: 40_000 });
  await expect(hint).toHaveText(/^Light and focus look good/, { timeout: 40_000 });
  await shoot(page).click();
  await expect(page.getByRole('img', { name: 'The photo that was taken' })).toBeVisible();
  expect(await states(page)).toEqual(['video ended']);
  await expect(page.getByRole('button', { name: 'Use this photo' })).toBeFocused();
  await axe(page);
  await page.getByRole('button', { name: 'Take another' }).click();
  await expect(shoot(page)).toBeFocused();
  await shoot(page).click();
  await page.getByRole('button', { name: 'Use this photo' }).click();
  await expect(dialog(page)).toHaveCount(0);
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(1);
  const [{ name, result }] = (await app.results()) as [Awaited<ReturnType<typeof app.results>>[number]];
  expect(name).toBe('Photo from the camera');
  expect([result.source.width, result.source.height]).toEqual([WIDTH, HEIGHT]);
  expect(await states(page)).toEqual(['video ended', 'video ended']);
});

test('closing, Escape and hiding stop the camera at once; it comes back with the page', async ({ app, page }) => {
  await openAllowed(app, page);
  await take(page).focus();
  await page.keyboard.press('Enter');
  await expect(shoot(page)).toBeEnabled();
  expect(await states(page)).toEqual(['video live']);
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toHaveCount(0);
  expect(await states(page)).toEqual(['video ended']);
  await expect(take(page)).toBeFocused();

  await page.keyboard.press('Enter');
  await expect(shoot(page)).toBeEnabled();
  await page.getByRole('button', { name: 'Close the camera' }).click();
  expect(await states(page)).toEqual(['video ended', 'video ended']);

  await take(page).click();
  await expect(shoot(page)).toBeEnabled();
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  expect((await states(page)).at(-1)).toBe('video ended');
  await hide(false);
  await expect(shoot(page)).toBeEnabled();
  expect(await states(page)).toEqual(['video ended', 'video ended', 'video ended', 'video live']);
  await page.evaluate(() => document.querySelector('dermlet-classifier')!.remove());
  expect(await states(page)).not.toContain('video live');
});

test('a camera that is refused is said so, with a file as the way on', async ({ app, page, context }) => {
  await context.clearPermissions();
  await app.open();
  await take(page).click();
  await expect(dialog(page).getByRole('alert')).toContainText('The camera was not allowed', { timeout: 30_000 });
  await axe(page);
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose a photo instead' }).click();
  expect((await choosing).isMultiple()).toBe(true);
  await expect(dialog(page)).toHaveCount(0);
  expect(await states(page)).toEqual([]);
});

test('a page whose policy blocks the camera says that', async ({ app, page, site }) => {
  const answer = { body: site.read('index.html'), type: 'text/html', headers: { 'permissions-policy': 'camera=()' } };
  for (const path of ['', 'index.html']) site.answers.set(path, answer);
  await openAllowed(app, page);
  await take(page).click();
  await expect(dialog(page).getByRole('alert')).toContainText('This site does not allow the camera here');
});

test('without a camera that is said', async ({ site, playwright, launchOptions }) => {
  const args = (launchOptions.args ?? []).filter((each) => !each.startsWith('--use-f'));
  const browser = await playwright.chromium.launch({ ...launchOptions, args });
  try {
    const page = await browser.newPage();
    await page.context().grantPermissions(['camera']);
    await page.goto(site.url);
    await take(page).click();
    await expect(dialog(page).getByRole('alert')).toContainText('No camera was found');
  } finally {
    await browser.close();
  }
});
