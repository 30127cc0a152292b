/** The live camera: with a hint, and refused. */
import { expect } from '../e2e/fixtures.js';
import { test } from '../e2e/skin-video.js';
import { named, shoot } from './shoot.js';

test.use({ hasTouch: true });

test('the camera', async ({ app, page, context }) => {
  await context.grantPermissions(['camera']);
  await app.open();
  await named(page, 'Take a photo').click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.waitForTimeout(4000);
  await shoot(page, 'camera', { inView: true });
});

test('a camera that is refused', async ({ app, page, context }) => {
  await context.clearPermissions();
  await app.open();
  await named(page, 'Take a photo').click();
  await expect(page.getByRole('dialog').getByRole('alert')).toBeVisible();
  await shoot(page, 'camera-refused', { inView: true });
});
