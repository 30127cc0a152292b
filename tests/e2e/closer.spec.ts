/** An answer from more: two photos of one spot, and the mean over all turns and reflections. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { Result } from '../../web/src/classifier/index.js';
import { type App, expect, test } from './fixtures.js';

const closer = (page: Page) => page.locator('dermlet-closer');

/** Both photos have an answer; the first one's is looked at. */
async function openTwo(app: App, page: Page): Promise<[Result, Result]> {
  app.neverRefuse();
  await app.open();
  await app.choose('spot.jpg', 'spot-422.jpg');
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
  await page.locator('[data-tool=closer]').click();
  const heard = await app.results();
  return ['spot.jpg', 'spot-422.jpg'].map((name) => heard.find((one) => one.name === name)!.result) as [Result, Result];
}

async function nextResult(app: App, count: number): Promise<Result> {
  await expect.poll(async () => (await app.results()).length, { timeout: 120_000 }).toBe(count);
  return (await app.results()).at(-1)!.result;
}

test('two photos of one spot give one answer that names both, and can be undone', async ({ app, page }) => {
  const [first, second] = await openTwo(app, page);
  const before = await app.verdict.textContent();
  await expect(closer(page).getByRole('combobox')).toContainText('spot-422.jpg');
  await page.getByRole('button', { name: 'These two are one spot' }).click();
  const together = await nextResult(app, 3);
  expect(together.lesion).toMatchObject({ combined: true, primaryIndex: 0 });
  for (const [index, alone] of [first, second].entries())
    for (const { id, probability } of alone.ranking)
      expect(together.lesion!.perPicture[index]!.probabilities[id]).toBeCloseTo(probability, 4);

  const note = page.locator('[data-closer]');
  await expect(note).toContainText('One answer from two photos of one spot');
  for (const name of ['spot.jpg', 'spot-422.jpg']) await expect(note).toContainText(name);
  await expect(page.getByRole('status').filter({ hasText: 'spot-422.jpg' })).not.toHaveCount(0);
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  // A photo that was used stays a photo of its own.
  await app.shelf.getByRole('button', { name: /^spot-422\.jpg/ }).click();
  await expect(note).toHaveCount(0);
  await app.shelf.getByRole('button', { name: /^spot\.jpg/ }).click();
  await expect(note).toHaveCount(1);

  await closer(page).getByRole('button', { name: 'Back to the answer before' }).click();
  await expect(note).toHaveCount(0);
  await expect(app.verdict).toHaveText(before!);
  expect((await app.results()).length, 'told, but nothing was run').toBe(4);
});

test('a thorough look says what it costs and that it was one; framing anew is a plain look again', async ({
  app,
  page,
}) => {
  const [first] = await openTwo(app, page);
  expect(first.testTimeAugmentation).toBe(false);
  await expect(closer(page)).toContainText(/Takes about \d+ seconds? on this device/);
  await page.getByRole('button', { name: 'Look again more thoroughly' }).click();
  const thorough = await nextResult(app, 3);
  expect(thorough.testTimeAugmentation).toBe(true);
  await expect(page.locator('[data-closer]')).toContainText('Looked at more thoroughly');
  await expect(page.getByRole('button', { name: 'Look again more thoroughly' })).toHaveCount(0);

  // Both at once, then neither.
  await page.getByRole('button', { name: 'These two are one spot' }).click();
  const both = await nextResult(app, 4);
  expect([both.testTimeAugmentation, both.lesion?.combined]).toEqual([true, true]);
  await page.getByRole('button', { name: 'Look at this photo alone, as it is' }).click();
  const plain = await nextResult(app, 5);
  expect([plain.testTimeAugmentation, plain.lesion]).toEqual([false, undefined]);
  expect(plain.ranking.map(({ id }) => id)).toEqual(first.ranking.map(({ id }) => id));
  await expect(page.locator('[data-closer]')).toHaveCount(0);

  await page.getByRole('button', { name: 'Look again more thoroughly' }).click();
  await nextResult(app, 6);
  await page.getByRole('button', { name: 'Look at the whole picture' }).click();
  expect((await nextResult(app, 7)).testTimeAugmentation).toBe(false);
});

test('cancelled, a thorough look leaves the answer from before', async ({ app, page }) => {
  await openTwo(app, page);
  const before = await app.verdict.textContent();
  await page.getByRole('button', { name: 'Look again more thoroughly' }).click();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(app.verdict).toHaveText(before!);
  await expect(page.locator('[data-closer]')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Look again more thoroughly' })).toBeEnabled();
  await page.waitForTimeout(1500);
  expect((await app.results()).length).toBe(2);
});

test('two that are selected in the list are one spot', async ({ app, page }) => {
  await openTwo(app, page);
  await page.getByRole('button', { name: 'All photos' }).click();
  const review = page.locator('dermlet-review');
  await review.getByRole('checkbox', { name: 'Select spot.jpg' }).check();
  await expect(review.getByRole('button', { name: 'These two are one spot' })).toHaveCount(0);
  await review.getByRole('checkbox', { name: 'Select spot-422.jpg' }).check();
  await review.getByRole('button', { name: 'These two are one spot' }).click();
  const together = await nextResult(app, 3);
  expect(together.lesion?.combined).toBe(true);
  await expect(page.locator('[data-closer]')).toContainText('One answer from two photos');
});
