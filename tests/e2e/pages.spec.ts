/** The pages to read: reached from the page, by keyboard too, without faults, and without a network. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, withServiceWorker } from './fixtures.js';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no accessibility fault, nothing to scroll sideways with text of twice the size: ${colorScheme}`, async ({
    page,
    site,
  }) => {
    await page.setViewportSize({ width: 360, height: 640 });
    await page.emulateMedia({ colorScheme });
    for (const path of [
      'about/index',
      'about/questions',
      'about/mel',
      'about/akiec',
      'about/card-skin-8',
      'docs/hosting',
    ]) {
      await page.goto(`${site.url}${path}.html`);
      const { violations } = await new AxeBuilder({ page: page as never }).analyze();
      expect(violations.map(({ id, nodes }) => `${path}: ${id}: ${nodes[0]?.html}`)).toEqual([]);
      await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
      const { scrollWidth, clientWidth } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      expect(scrollWidth, path).toBeLessThanOrEqual(clientWidth);
    }
  });
}

test('a possible category leads to its page, which leaves the answer where it is', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  const { predictionSet, ranking } = await app.classify('spot.jpg');
  const links = page.getByRole('link', { name: 'What it is, and what to watch for' });
  await expect(links).toHaveCount(predictionSet.length);
  const opened = page.context().waitForEvent('page');
  await links.first().click();
  const about = await opened;
  expect(new URL(about.url()).pathname).toMatch(new RegExp(`/about/${ranking[0]!.id}\\.html$`));
  await expect(about.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(app.verdict).toBeVisible();
});

test('the common questions are found by their words', async ({ page, site }) => {
  await page.goto(`${site.url}about/index.html`);
  await page.getByRole('link', { name: 'Common questions' }).click();
  // It appears with its script, which comes after all questions.
  const find = page.getByRole('searchbox', { name: 'Find' });
  await expect(find).toBeVisible();
  const shown = page.locator('.question:visible');
  const all = await shown.count();
  expect(all).toBeGreaterThan(8);
  await find.fill('Internet VISIT');
  await expect(shown).toHaveCount(1);
  await expect(shown.getByRole('heading')).toHaveText('Can I use it without internet?');
  await find.fill('zebra');
  await expect(shown).toHaveCount(0);
  await expect(page.getByRole('status')).toHaveText('No question has all of these words.');
  await find.fill('');
  await expect(shown).toHaveCount(all);
});

withServiceWorker('are linked from the page, and there without a network', async ({ app, page, site }) => {
  await app.open();
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  await site.close();
  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'pages to read' }).press('Enter');
  const pages = await opened;
  await pages.getByRole('link', { name: 'Melanoma' }).click();
  await expect(pages.getByRole('heading', { level: 1 })).toHaveText('Melanoma');
  await expect(pages.getByRole('contentinfo')).toContainText('A doctor who sees the skin decides.');
  await pages.getByRole('link', { name: 'Categories and networks' }).click();
  await pages.getByRole('link', { name: 'skin-8' }).click();
  await expect(pages.getByRole('heading', { level: 1 })).toContainText('skin-8');
  await expect(pages.getByRole('table').first()).toBeVisible();
  await pages.getByRole('link', { name: 'Common questions' }).click();
  await pages.getByRole('searchbox', { name: 'Find' }).fill('medical device');
  await expect(pages.locator('.question:visible').first()).toContainText('Is it a medical device?');
});
