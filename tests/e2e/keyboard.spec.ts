import { expect, picture, test } from './fixtures.js';

test('everything can be done by keyboard alone', async ({ app, page }) => {
  app.neverRefuse();
  // Registered early: a key press may come before the browser is told to intercept file choosers.
  page.on('filechooser', (chooser) => void chooser.setFiles(picture('spot.jpg')));
  await app.open();
  const focused = async (name: RegExp | string, role: 'button' | 'slider' | 'radio' | 'checkbox') => {
    const wanted = page.getByRole(role, { name }).first();
    for (let presses = 0; presses < 40; presses += 1) {
      if (await wanted.evaluate((element) => element.matches(':focus'))) return wanted;
      await page.keyboard.press('Tab');
    }
    throw new Error(`the ${role} ${String(name)} is not reached by Tab`);
  };

  await focused('Choose photos', 'button');
  await page.keyboard.press('Enter');
  await expect(app.verdict).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('status').filter({ hasText: 'spot.jpg' })).toHaveCount(1);

  await focused(/heat map/, 'checkbox');
  await page.keyboard.press('Space');
  const slider = await focused(/Heat map/, 'slider');
  const before = Number(await slider.inputValue());
  await page.keyboard.press('ArrowRight');
  expect(Number(await slider.inputValue())).toBeGreaterThan(before);

  const summary = page.locator('summary', { hasText: 'What was run, and what left this device' });
  for (let presses = 0; presses < 40 && !(await summary.evaluate((element) => element.matches(':focus'))); presses += 1)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.locator('dermlet-details dt').first()).toBeVisible();

  await page.keyboard.press('Control+Home');
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await focused('Remove spot.jpg', 'button');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeFocused();
});

test('the focused element is visibly marked', async ({ app, page }) => {
  await app.open();
  const choose = page.getByRole('button', { name: 'Choose photos' });
  for (let presses = 0; presses < 20 && !(await choose.evaluate((element) => element.matches(':focus'))); presses += 1)
    await page.keyboard.press('Tab');
  await expect(choose).toBeFocused();
  const shown = await choose.evaluate((element) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
  });
  expect(shown).toBe(true);
});
