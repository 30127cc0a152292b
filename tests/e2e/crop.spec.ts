/** Framing the spot: what is drawn is what the network sees, and nothing is lost on the way. */

import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { sha256 } from '../../tools/build/hash.mjs';
import type { Rect } from '../../web/src/classifier/index.js';
import type { DermletResultDetail } from '../../web/src/element/index.js';
import { type App, expect, test } from './fixtures.js';

// Each looks at a photo more than once.
test.describe.configure({ timeout: 180_000 });

const spots = (name: string) => join(import.meta.dirname, '../spots', name);
const frame = (page: Page): Locator => page.getByRole('application', { name: 'Frame' });
const begin = (page: Page): Locator => page.locator('dermlet-photo-view .begin');
const apply = (page: Page): Locator => page.getByRole('button', { name: 'Look at what is framed' });

/** Keeps the last result with its pictures, which `app.results` lacks. */
async function keepLast(page: Page): Promise<void> {
  await page.evaluate(() => {
    document.addEventListener('dermlet-result', (event) =>
      Object.assign(window, { last: (event as CustomEvent<DermletResultDetail>).detail }),
    );
  });
}

const last = (page: Page): Promise<Omit<DermletResultDetail, 'result'>> =>
  page.evaluate(() => {
    const { result: _, ...told } = (window as unknown as { last: DermletResultDetail }).last;
    return told;
  });

async function untilResults(app: App, count: number): Promise<void> {
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(count);
}

/** Where an element over the photo lies, in pixels of the upright picture. */
async function drawn(over: Locator, page: Page, { width, height }: { width: number; height: number }): Promise<Rect> {
  const [part, all] = [(await over.boundingBox())!, (await page.locator('canvas.photo').boundingBox())!];
  const [x, y] = [width / all.width, height / all.height];
  return { x: (part.x - all.x) * x, y: (part.y - all.y) * y, width: part.width * x, height: part.height * y };
}

/** Within one CSS pixel on a photo of any width here. */
function expectDrawnAt(there: Rect, wanted: Rect, picture: { width: number; height: number }): void {
  const tolerance = Math.max(picture.width, picture.height) / 300;
  for (const key of ['x', 'y', 'width', 'height'] as const)
    expect(Math.abs(there[key] - wanted[key]), key).toBeLessThanOrEqual(tolerance);
}

/** Mean difference, in levels, of what the network saw from a part of the preview. */
function difference(page: Page, part: Rect): Promise<number> {
  return page.evaluate((region) => {
    const { images, source } = (window as unknown as { last: DermletResultDetail }).last.result;
    const { view, preview } = images!;
    const canvasOf = (width: number, height: number) => new OffscreenCanvas(width, height).getContext('2d')!;
    const whole = canvasOf(preview!.width, preview!.height);
    whole.putImageData(new ImageData(preview!.rgba, preview!.width, preview!.height), 0, 0);
    const cut = canvasOf(view.width, view.height);
    cut.imageSmoothingQuality = 'high';
    const [x, y] = [preview!.width / source.width, preview!.height / source.height];
    const { width, height } = region;
    cut.drawImage(whole.canvas, region.x * x, region.y * y, width * x, height * y, 0, 0, view.width, view.height);
    const { data } = cut.getImageData(0, 0, view.width, view.height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4)
      for (let c = 0; c < 3; c += 1) sum += Math.abs(data[i + c]! - view.rgba[i + c]!);
    return sum / ((data.length / 4) * 3);
  }, part);
}

test('the spot is framed by mouse: what is drawn is seen, and the answer before comes back', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await keepLast(page);
  await page.locator('input#choose').setInputFiles(spots('small.jpg'));
  await untilResults(app, 1);
  const before = (await app.results())[0]!.result;
  expect(await last(page)).toMatchObject({ crop: 'auto', undone: false });
  await begin(page).click();
  await expect(frame(page)).toBeFocused();
  // It begins with what was found.
  const found = before.frame.spots[0]!.frame;
  expectDrawnAt(await drawn(frame(page), page, before.source), found, before.source);
  const box = (await frame(page).boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 25, box.y + box.height / 2 - 15, { steps: 4 });
  await page.mouse.up();
  const there = (await frame(page).boundingBox())!;
  expect(there.x - box.x).toBeCloseTo(25, -1);
  // A corner, the wheel, and back to the earlier size by a button.
  await page.mouse.move(there.x + there.width, there.y + there.height);
  await page.mouse.down();
  await page.mouse.move(there.x + there.width + 40, there.y + there.height + 40, { steps: 4 });
  await page.mouse.up();
  expect((await frame(page).boundingBox())!.width).toBeGreaterThan(there.width + 20);
  await page.mouse.wheel(0, 100);
  await page.getByRole('button', { name: 'Smaller' }).click();
  const wanted = await drawn(frame(page), page, before.source);
  await apply(page).click();
  await untilResults(app, 2);
  const { source, frame: framed } = (await app.results())[1]!.result;
  expect(framed).toEqual({ framing: 'chosen', spots: [] });
  expect((await last(page)).crop).toEqual(source.region);
  expectDrawnAt(wanted, source.region, source);
  expectDrawnAt(await drawn(page.locator('.region'), page, source), source.region, source);
  expect(await difference(page, source.region)).toBeLessThan(6);
  await expect(begin(page)).toBeFocused();

  await page.getByRole('button', { name: 'Back to the answer before' }).click();
  await untilResults(app, 3);
  expect(await last(page)).toMatchObject({ crop: 'auto', undone: true });
  // Its times too: nothing was run.
  expect((await app.results())[2]!.result).toEqual(before);
  await expect(page.getByRole('button', { name: 'Back to the answer before' })).toHaveCount(0);
  await expect(page.getByRole('status').first()).toContainText('Back to the answer before. small.jpg:');
});

test('also of a photo that its camera turned', async ({ app, page }) => {
  await app.open();
  await keepLast(page);
  const { source: upright } = await app.classify('orientation-6.jpg');
  await begin(page).click();
  // Off the middle both ways, or a mistaken turn would not show.
  for (let i = 0; i < 4; i += 1) await page.keyboard.press('ArrowLeft');
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('ArrowUp');
  const wanted = await drawn(frame(page), page, upright);
  await page.keyboard.press('Enter');
  await untilResults(app, 2);
  const { source } = (await app.results())[1]!.result;
  expectDrawnAt(wanted, source.region, source);
  expect(source.orientation).toBe(6);
  const there = await difference(page, source.region);
  const { x, y, width, height } = source.region;
  expect(there).toBeLessThan(6);
  expect(
    await difference(page, { x: source.width - x - width, y: source.height - y - height, width, height }),
  ).toBeGreaterThan(there * 1.5);
});

test('a frame of any shape, of a network that is shown pictures squashed', async ({ app, page, site }) => {
  // The self-test's answer is that of the usual way.
  const reference = site.changeJson('models/skin-8/selftest.json', (json: { tolerance: number }) => {
    json.tolerance = 1e6;
  });
  site.changeJson(
    'models/skin-8/manifest.json',
    (manifest: { input: { fit: string }; selfTest: { reference: { bytes: number; sha256: string } } }) => {
      manifest.input.fit = 'stretch';
      manifest.selfTest.reference.bytes = reference.length;
      manifest.selfTest.reference.sha256 = sha256(reference);
    },
  );
  app.neverRefuse();
  await app.open();
  await keepLast(page);
  await app.classify('spot.jpg');
  await begin(page).click();
  for (let i = 0; i < 20; i += 1) await page.keyboard.press('Shift+ArrowLeft');
  const wanted = await drawn(frame(page), page, (await app.results())[0]!.result.source);
  expect(wanted.height / wanted.width).toBeGreaterThan(1.2);
  await page.keyboard.press('Enter');
  await untilResults(app, 2);
  const { source } = (await app.results())[1]!.result;
  expectDrawnAt(wanted, source.region, source);
  expect((await last(page)).crop).toEqual(source.region);
  expect(await difference(page, source.region)).toBeLessThan(6);
});

test('another spot that was found is tapped to be framed, also after one was looked at', async ({ app, page }) => {
  await app.open();
  await page.locator('input#choose').setInputFiles(spots('two.jpg'));
  await untilResults(app, 1);
  const asked = (await app.results())[0]!.result;
  // The answer, which is none yet, offers it.
  await page.locator('dermlet-result-card').getByRole('button', { name: 'Frame the place' }).click();
  await expect(frame(page)).toBeFocused();
  await page.getByRole('button', { name: 'Spot 2: put the frame around it' }).click();
  await apply(page).click();
  await untilResults(app, 2);
  expect((await app.results())[1]!.result.source.region).toEqual(asked.frame.spots[1]!.frame);
  await begin(page).click();
  await page.getByRole('button', { name: 'Spot 1: put the frame around it' }).click();
  await apply(page).click();
  await untilResults(app, 3);
  expect((await app.results())[2]!.result.source.region).toEqual(asked.frame.spots[0]!.frame);
});

test('given up, cancelled and failed: the answer from before stays', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  const said = (await app.verdict.textContent())!;
  await begin(page).click();
  await page.keyboard.press('+');
  await page.keyboard.press('Escape');
  await expect(frame(page)).toHaveCount(0);
  await expect(begin(page)).toBeFocused();
  expect(await app.results()).toHaveLength(1);

  // At once: a look may take less than a click from out here does.
  await page.evaluate(async () => {
    const element = document.querySelector('dermlet-classifier')!;
    element.setCrop('whole');
    await (element as unknown as { updateComplete: Promise<boolean> }).updateComplete;
    const buttons = [...element.shadowRoot!.querySelectorAll('button')];
    buttons.find(({ textContent }) => textContent.trim() === 'Cancel')!.click();
  });
  await expect(page.getByText('Looking at this photo again')).toHaveCount(0);
  await expect(app.verdict).toHaveText(said);

  await page.evaluate(() =>
    document.querySelector('dermlet-classifier')!.setCrop({ x: 1e6, y: 0, width: 200, height: 200 }),
  );
  await expect(app.notice).toContainText('INVALID_ARGUMENT');
  await expect(app.verdict).toHaveText(said);
  expect(await app.results()).toHaveLength(1);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no accessibility fault while the spot is framed, and nothing is cut off: ${colorScheme}`, async ({
    app,
    page,
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 360, height: 640 });
    await app.open();
    await app.classify('spot.jpg');
    await begin(page).click();
    await expect(frame(page)).toBeVisible();
    const { violations } = await new AxeBuilder({ page: page as never }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.flat()).join('; ')}`)).toEqual(
      [],
    );
    await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    ).toBeLessThanOrEqual(0);
  });
}

test.describe('by touch', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });

  test('one finger drags the frame and not the page, two resize it, and its buttons are large', async ({
    app,
    page,
    context,
  }) => {
    await app.open();
    const { source } = await app.classify('spot-large.jpg');
    await begin(page).tap();
    await expect(frame(page)).toBeVisible();
    // Room to move in.
    for (let i = 0; i < 6; i += 1) await page.getByRole('button', { name: 'Smaller' }).tap();
    await frame(page).scrollIntoViewIfNeeded();
    await page.waitForTimeout(500);
    const touch = await context.newCDPSession(page);
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) =>
      touch.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    const middle = async (): Promise<[number, number]> => {
      const { x, y, width, height } = (await frame(page).boundingBox())!;
      return [x + width / 2, y + height / 2];
    };
    const scrolled = () => page.evaluate(() => scrollY);
    const at = await scrolled();
    const before = await drawn(frame(page), page, source);
    const [x, y] = await middle();
    await send('touchStart', [x, y]);
    for (const by of [10, 20, 30]) await send('touchMove', [x + by, y - by]);
    await send('touchEnd');
    const moved = await drawn(frame(page), page, source);
    expect(moved.x).toBeGreaterThan(before.x);
    expect(moved.y).toBeLessThan(before.y);
    expect(await scrolled()).toBe(at);
    const [cx, cy] = await middle();
    await send('touchStart', [cx - 20, cy], [cx + 20, cy]);
    for (const by of [24, 30, 36]) await send('touchMove', [cx - by, cy], [cx + by, cy]);
    await send('touchEnd');
    expect((await drawn(frame(page), page, source)).width).toBeGreaterThan(moved.width * 1.1);
    expect(await scrolled()).toBe(at);
    for (const button of await page
      .locator('dermlet-crop-bar button:visible, dermlet-crop-frame button:visible')
      .all()) {
      const { width, height } = (await button.boundingBox())!;
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
    }
  });
});
