/** docs/screenshots/*.png: a drawn picture with its real result, on a phone and a desktop, light and dark. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, picture, test } from '../e2e/fixtures.js';
import { root } from '../e2e/site.js';

const out = join(root, 'docs', 'screenshots');
/** Bytes; a README must open quickly. */
const LARGEST = 400_000;

/** The picture as a smaller JPEG, which smooths the drawn skin's grain: that does not compress. */
const smoothed = async (base64: string): Promise<number[]> => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]), { resizeWidth: 560, resizeQuality: 'high' });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 });
  return [...new Uint8Array(await blob.arrayBuffer())];
};

for (const [device, use] of [
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ['desktop', { viewport: { width: 1280, height: 900 } }],
] as const) {
  test.describe(device, () => {
    test.use(use);

    test('README', async ({ app, page }) => {
      app.neverRefuse();
      await app.open();
      const buffer = Buffer.from(
        await page.evaluate(smoothed, (await readFile(picture('spot.jpg'))).toString('base64')),
      );
      await page.locator('input#choose').setInputFiles({ name: 'spot.jpg', mimeType: 'image/jpeg', buffer });
      await expect(app.verdict).toBeVisible({ timeout: 60_000 });
      await app.heatMap.check();
      await page.locator('dermlet-photo-view canvas.overlay').waitFor();
      await mkdir(out, { recursive: true });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const path = join(out, `${device}-${colorScheme}.png`);
        await page.screenshot({ path });
        expect((await stat(path)).size, path).toBeLessThan(LARGEST);
      }
    });
  });
}
