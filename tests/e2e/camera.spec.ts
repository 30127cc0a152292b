/** The live camera, on drawn video: hints by the real quality gate, the photo, and no camera left running. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { type App, test as base, expect } from './fixtures.js';

const [WIDTH, HEIGHT, RATE, SECONDS] = [320, 240, 5, 7];

/** Luma of a dark spot with hairs on skin, in levels. */
function drawn(): Float64Array {
  const luma = new Float64Array(WIDTH * HEIGHT);
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const grain = Array.from({ length: (WIDTH / 4) * (HEIGHT / 4) }, () => (random() - 0.5) * 30);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const angle = Math.atan2(y - HEIGHT / 2, x - WIDTH / 2);
      const edge = 42 + 7 * Math.sin(5 * angle) + 4 * Math.cos(9 * angle);
      const inside = Math.hypot(x - WIDTH / 2, y - HEIGHT / 2) < edge;
      const hair = Math.abs(((x + 2 * y) % 71) - 35) < 1.2 || Math.abs(((3 * x - y + 960) % 97) - 48) < 1.2;
      const cell = grain[Math.floor(y / 4) * (WIDTH / 4) + Math.floor(x / 4)]!;
      luma[y * WIDTH + x] = (inside ? 66 : hair ? 70 : 165) + cell;
    }
  return luma;
}

/** By a box of 2 * radius + 1 pixels, along rows and columns. */
function blurred(luma: Float64Array, radius: number): Float64Array {
  const along = (from: Float64Array, step: number, length: number, at: (line: number) => number, lines: number) => {
    const to = new Float64Array(from.length);
    for (let line = 0; line < lines; line++)
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let k = -radius; k <= radius; k++)
          sum += from[at(line) + Math.min(length - 1, Math.max(0, i + k)) * step]!;
        to[at(line) + i * step] = sum / (2 * radius + 1);
      }
    return to;
  };
  const rows = along(luma, 1, WIDTH, (line) => line * WIDTH, HEIGHT);
  return along(rows, WIDTH, HEIGHT, (line) => line, WIDTH);
}

/** Dark, then sharp, then blurred, over and over: YUV4MPEG2, which Chromium plays as a camera. */
function video(): string {
  const sharp = drawn();
  const soft = blurred(blurred(blurred(sharp, 9), 9), 9);
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${RATE}:1 Ip A1:1 C420jpeg\n`);
  const frame = (luma: Float64Array, share: number): Buffer => {
    const quarter = (WIDTH * HEIGHT) / 4;
    const colour = (value: number) => Buffer.alloc(quarter, Math.round(128 + (value - 128) * share));
    const levels = Uint8Array.from(luma, (level) => Math.min(235, Math.max(16, level * share)));
    return Buffer.concat([Buffer.from('FRAME\n'), Buffer.from(levels), colour(108), colour(154)]);
  };
  const parts = [frame(sharp, 0.2), frame(sharp, 1), frame(soft, 1)];
  const path = join(mkdtempSync(join(tmpdir(), 'dermlet-camera-')), 'skin.y4m');
  writeFileSync(
    path,
    Buffer.concat([header, ...parts.flatMap((part) => Array(RATE * SECONDS).fill(part) as Buffer[])]),
  );
  return path;
}

const test = base.extend<object, { skin: string }>({
  skin: [async ({}, use) => use(video()), { scope: 'worker' }],
  launchOptions: [
    async ({ launchOptions, skin }, use) => {
      const args = ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${skin}`];
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...args] });
    },
    { scope: 'worker' },
  ],
});
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
