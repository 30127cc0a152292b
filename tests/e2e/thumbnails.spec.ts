/** Thumbnails: all of a picture is on them, with what was seen of it, and nothing lies over it. */
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.js';

/** Skin twice as wide as high with a red rim of a twentieth at its left, where a square of its middle ends. */
const drawn = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    const canvas = new OffscreenCanvas(800, 400);
    const context = canvas.getContext('2d')!;
    context.fillStyle = '#d9a58c';
    context.fillRect(0, 0, 800, 400);
    context.fillStyle = '#ff0000';
    context.fillRect(0, 0, 40, 400);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())];
  });

/** Shape of the canvas, and of its pixels at the left and at the right rim. */
const shown = (canvas: Locator) =>
  canvas.evaluate((element: HTMLCanvasElement) => {
    const { width, height } = element;
    const at = (x: number) => [...element.getContext('2d')!.getImageData(x, Math.round(height / 2), 1, 1).data];
    return { shape: width / height, left: at(1), right: at(width - 2), fit: getComputedStyle(element).objectFit };
  });

const box = async (locator: Locator) => (await locator.boundingBox())!;

for (const language of ['en', 'ar'])
  test.describe(language, () => {
    test.use({ locale: language });

    test('a spot at the rim is seen in the row and in the list', async ({ app, page }) => {
      app.neverRefuse();
      await app.open();
      const buffer = Buffer.from(await drawn(page));
      const choose = page.locator('input#choose');
      await choose.setInputFiles({ name: 'rim.png', mimeType: 'image/png', buffer });
      await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(1);
      const thumb = page.locator('dermlet-shelf .thumb');
      const whole = { shape: 2, left: [255, 0, 0, 255], fit: 'contain' };
      expect(await shown(thumb.locator('canvas'))).toMatchObject(whole);
      // Neither the tier nor the button that removes lies over the picture's end.
      const [picture, mark, remove] = [
        await box(thumb.locator('canvas')),
        await box(thumb.locator('.mark')),
        await box(page.locator('dermlet-shelf .remove')),
      ];
      expect(mark.y).toBeGreaterThanOrEqual(picture.y + picture.height - 1);
      expect(mark.y + mark.height).toBeLessThanOrEqual((await box(thumb)).y + (await box(thumb)).height + 1);
      // The picture is half as high as wide: it begins a quarter of its width further down.
      expect(remove.y + remove.height).toBeLessThanOrEqual(picture.y + picture.height / 2 - picture.width / 4 + 8);
      await app.choose('spot.jpg');
      await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
      await page.locator('dermlet-classifier button.all').click();
      const tile = page.locator('dermlet-review .tile').filter({ hasText: 'rim.png' });
      expect(await shown(tile.locator('canvas'))).toMatchObject(whole);
      const [tick, inList] = [await box(tile.locator('label')), await box(tile.locator('canvas'))];
      const apart = tick.x + tick.width <= inList.x + 1 || inList.x + inList.width <= tick.x + 1;
      expect(apart, 'the box that selects lies beside the picture').toBe(true);
    });
  });

test('what the network saw is framed, but not to a reader who answers first', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  const result = await app.classify('spot.jpg');
  await app.classify('spot.png');
  const { region, width, height } = result.source;
  expect(region.width, 'a part of the picture').toBeLessThan(width);
  /** Whether there is white, which skin is not, in the middle of the frame's upper edge. */
  const framed = (canvas: Locator) =>
    canvas.evaluate(
      (element: HTMLCanvasElement, [x, y]) => {
        const [across, down] = [Math.round(x! * element.width), Math.round(y! * element.height)];
        const { data } = element.getContext('2d')!.getImageData(across, Math.max(0, down - 3), 1, 6);
        return Array.from({ length: 6 }, (_, at) => Math.min(...data.subarray(4 * at, 4 * at + 3))).some(
          (level) => level > 215,
        );
      },
      [(region.x + region.width / 2) / width, region.y / height],
    );
  expect(await framed(page.locator('dermlet-shelf li', { hasText: 'spot.jpg' }).locator('canvas'))).toBe(true);
  await page.getByRole('button', { name: 'All photos' }).click();
  const inList = page.locator('dermlet-review .tile', { hasText: 'spot.jpg' }).locator('canvas');
  await expect.poll(() => framed(inList)).toBe(true);
  await page.getByRole('checkbox', { name: /Second reader/ }).check();
  await expect.poll(() => framed(inList)).toBe(false);
});
