/** The answer: on the screen of a phone when it is there, and heard as it is seen. */
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.js';

/** From the top of the screen, CSS pixels. */
const bottomOf = (page: Page, selector: string) =>
  page.locator(selector).evaluate((element) => element.getBoundingClientRect().bottom);
const topOf = (page: Page, selector: string) =>
  page.locator(selector).evaluate((element) => element.getBoundingClientRect().top);

for (const [width, height] of [
  [360, 640],
  [390, 844],
] as const) {
  test.describe(`on a screen of ${width} x ${height}`, () => {
    test.use({ viewport: { width, height } });

    test('the sentence and the tier are seen when the answer is there', async ({ app, page }) => {
      app.neverRefuse();
      await app.open();
      await app.classify('spot.jpg');
      await expect.poll(() => bottomOf(page, '.next h3')).toBeLessThanOrEqual(height);
      expect(await topOf(page, '#verdict')).toBeGreaterThanOrEqual(0);
      // So it is for another photo, chosen from further down.
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await app.classify('orientation-6.jpg');
      await expect.poll(() => topOf(page, '#verdict')).toBeGreaterThanOrEqual(0);
      await expect.poll(() => bottomOf(page, '.next h3')).toBeLessThanOrEqual(height);
    });

    test('who scrolls meanwhile stays there', async ({ app, page }) => {
      await app.open();
      await app.choose('spot.jpg');
      await page.mouse.move(width / 2, height / 2);
      await page.mouse.wheel(0, 5000);
      await expect(app.verdict).toHaveCount(1);
      const at = await page.evaluate(() => scrollY);
      await page.waitForTimeout(700);
      expect(Math.abs((await page.evaluate(() => scrollY)) - at)).toBeLessThan(5);
    });
  });
}

test('a screen reader hears the sentence with its tier, and again for the photo that is selected', async ({
  app,
  page,
}) => {
  await app.open();
  await app.classify('spot.jpg');
  const said = page.locator('dermlet-classifier [aria-live=polite]');
  const heard = async (name: string) => {
    const sentence = await app.verdict.textContent();
    const tier = await page.locator('.next h3').textContent();
    await expect(said).toHaveText(`${name}: ${sentence} ${tier}`);
  };
  await heard('spot.jpg');
  await app.classify('flat.png');
  await heard('flat.png');
  await app.shelf.getByRole('button', { name: /^spot\.jpg/ }).click();
  await heard('spot.jpg');
});

test('nothing says that it waits once loading has failed', async ({ app, page, site }) => {
  site.answers.set('models/skin-8/skin-8.onnx', { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await app.choose('spot.jpg');
  await expect(app.notice).toContainText('MODEL_UNAVAILABLE');
  await expect(page.locator('.answer')).toContainText('Not looked at yet: the neural network could not be loaded');
  await expect(page.locator('.stages')).toHaveCount(0);
  await expect(page.getByText(/^Waiting/)).toHaveCount(0);
});
