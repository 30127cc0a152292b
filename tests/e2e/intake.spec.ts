/** The examples of an intake form, with the element and with a frame: what they say would be sent. */
import AxeBuilder from '@axe-core/playwright';
import type { FrameLocator, Page } from '@playwright/test';
import { expect, picture, requestsOf, test } from './fixtures.js';

const WAYS = [
  ['the element', 'intake.html', (page: Page): Page | FrameLocator => page],
  ['a frame', 'frame.html', (page: Page): Page | FrameLocator => page.frameLocator('iframe')],
] as const;

for (const [way, path, within] of WAYS) {
  test(`with ${way}: nothing before the agreement, no photo without its own, and nothing is sent`, async ({
    page,
    site,
  }) => {
    test.slow();
    await page.goto(`${site.url}examples/${path}`);
    const inside = within(page);
    const agreed = page.getByRole('checkbox', { name: 'I agree that the practice receives this form.' });
    const shown = page.getByRole('heading', { name: 'What would be sent' });
    const send = page.getByRole('button', { name: 'Send' });
    await expect(agreed).not.toBeChecked();
    await expect(page.getByText('Agree first')).toBeVisible();
    await expect(page.locator('iframe')).toHaveCount(0);
    await send.click();
    await expect(shown).toBeHidden();
    await page.getByLabel('What should the practice look at?').fill('A spot on the arm');
    await agreed.check();
    await inside.locator('input#choose').setInputFiles(picture('spot.jpg'));
    await expect(inside.locator('#verdict')).toBeVisible({ timeout: 60_000 });
    const requests = requestsOf(page);
    await expect(async () => {
      await send.click();
      await expect(shown).toBeVisible({ timeout: 1000 });
    }).toPass();
    const fields = page.locator('#fields');
    await expect(fields.locator('dt')).toHaveText(['reason', 'since', 'agreed', 'skin']);
    await expect(fields).toContainText('"documentVersion": 1');
    await expect(fields).toContainText('"photo": null');
    const consent = inside.getByRole('checkbox', { name: /^Also send 1 whole photo to/ });
    await consent.check();
    await expect(async () => {
      await send.click();
      await expect(fields.locator('dt')).toHaveText(['reason', 'since', 'agreed', 'skin', 'photo'], { timeout: 1000 });
    }).toPass();
    await expect(fields.getByText(/^photo-1\.jpg, image\/jpeg, \d+ kB$/)).toBeVisible();
    await expect(fields.locator('img')).toBeVisible();
    // The engine's own files, which are fetched ahead once nothing else waits, have their hash behind the '?'.
    const sent = requests.filter((address) => !address.startsWith('blob:') && !/\/engine\/[^/]+\?v=\w+$/.test(address));
    expect(sent.filter((address) => /intake|frame\.html|\?/.test(address))).toEqual([]);
    // Taken back: what was chosen is gone.
    await agreed.uncheck();
    await expect(shown).toBeHidden();
    if (path === 'frame.html') await expect(page.locator('iframe')).toHaveCount(0);
    else await expect(page.locator('dermlet-classifier')).not.toHaveAttribute('filled');
  });

  for (const colorScheme of ['light', 'dark'] as const)
    test(`with ${way}: no accessibility fault and nothing cut off, ${colorScheme}`, async ({ page, site }) => {
      await page.setViewportSize({ width: 360, height: 640 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(`${site.url}examples/${path}`);
      await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
      await page.getByRole('checkbox', { name: 'I agree' }).check();
      await expect(within(page).getByRole('button', { name: 'Choose photos' })).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      const { violations } = await new AxeBuilder({ page: page as never }).analyze();
      expect(violations).toEqual([]);
    });
}
