/** Questions under an answer: they raise the advice, say why, and never lower it. */
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { ALWAYS } from './app.js';
import { type App, expect, test } from './fixtures.js';

test.describe.configure({ timeout: 120_000 });

const tier = (page: Page): Locator => page.locator('dermlet-result-card [part=tier]');
const effect = (page: Page): Locator => page.locator('dermlet-questions .effect');

async function open(app: App, page: Page): Promise<void> {
  await app.open();
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'Answer a few questions' }).click();
  await expect(page.getByRole('checkbox', { name: /bleeds/ })).toBeVisible();
}

/** The network's own tier becomes low. */
function lowTier(app: App): void {
  app.neverRefuse();
  app.site.changeJson(
    'models/skin-8/manifest.json',
    (manifest: { modalities: { tiers: { high: number; moderate: number } }[] }) => {
      for (const modality of manifest.modalities) modality.tiers = { ...modality.tiers, high: 1, moderate: 1 };
    },
  );
}

test('an answer raises the advice with its reason, and the network stays readable', async ({ app, page }) => {
  lowTier(app);
  await open(app, page);
  const before = await tier(page).textContent();
  expect(before).toContain('Low concern');
  await page.getByRole('checkbox', { name: /itches/ }).check();
  await expect(tier(page)).toContainText('Your answers ask for more: have it looked at');
  await expect(tier(page)).toContainText('Because you said that it itches, hurts or feels different.');
  await page.getByRole('checkbox', { name: /bleeds/ }).check();
  await expect(tier(page)).toHaveClass(/high/);
  await expect(tier(page)).toContainText('have it looked at soon');
  await expect(tier(page)).toContainText('Because you said that it bleeds, oozes or crusts.');
  await expect(tier(page)).toContainText('The picture alone was scored: Low concern');
  await expect(tier(page)).toContainText(ALWAYS);
  await expect(effect(page)).toContainText('The advice above is now more urgent');
  const { violations } = await new AxeBuilder({ page: page as never }).include('dermlet-classifier').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  await page.getByRole('button', { name: 'Clear my answers' }).click();
  await expect.poll(() => tier(page).textContent()).toBe(before);
  await expect(page.getByRole('checkbox', { name: /It is new/ })).toBeFocused();
  await expect(page.getByRole('checkbox', { checked: true })).toHaveCount(0);
});

test('where to go, and how soon, is told without a question, and follows the answers', async ({ app, page }) => {
  lowTier(app);
  await app.open();
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'Where to go, and how soon' }).click();
  const where = page.locator('dermlet-where');
  await expect(where.getByRole('heading', { name: 'Where to go first' })).toBeVisible();
  const first = await where.locator('p').first().textContent();
  await where.getByRole('combobox', { name: 'Country' }).selectOption('DE');
  await expect(where).toContainText('116117');
  await page.getByRole('button', { name: 'Answer a few questions' }).click();
  // The country is known there too.
  await expect(where.getByRole('combobox', { name: 'Country' })).toHaveValue('DE');
  await page.getByRole('checkbox', { name: /bleeds/ }).check();
  await expect(where.locator('p').first()).not.toHaveText(first!);
  const { violations } = await new AxeBuilder({ page: page as never }).include('dermlet-classifier').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
});

test('answers stay with their photo, are heard with it, and are gone with it', async ({ app, page }) => {
  lowTier(app);
  await open(app, page);
  await page.getByRole('checkbox', { name: /not healed/ }).check();
  await page.getByRole('combobox', { name: 'Where it is' }).selectOption('Face, scalp, ear, lip or neck');
  await expect(tier(page)).toContainText('it is on the head or neck');
  await app.classify('spot.png');
  await expect(tier(page)).not.toContainText('Because you said');
  await app.shelf
    .getByRole('button', { name: /spot\.jpg/ })
    .first()
    .click();
  await expect(tier(page)).toContainText('it has not healed for four weeks and it is on the head or neck');
  await expect(page.locator('p[role=status]').first()).toContainText('Your answers ask for more');
  await page.getByRole('button', { name: 'Answer a few questions' }).click();
  await expect(page.getByRole('checkbox', { name: /not healed/ })).toBeChecked();
  await app.shelf.getByRole('button', { name: /Remove.*spot\.jpg/ }).click();
  await expect(page.locator('body')).not.toContainText('Because you said');
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toMatch(/heal/);
});

test('where to go is by the country that was chosen, which is remembered', async ({ app, page }) => {
  await open(app, page);
  const country = page.getByRole('combobox', { name: 'Country' });
  await expect(country).toHaveValue('GB');
  await expect(page.locator('dermlet-where')).toContainText('NHS 111');
  await country.selectOption('DE');
  await expect(page.locator('dermlet-where')).toContainText('116117');
  await expect(page.locator('dermlet-where')).not.toContainText('NHS');
  await page.reload();
  await app.untilReady();
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'Answer a few questions' }).click();
  await expect(country).toHaveValue('DE');
  await country.selectOption({ label: 'Another country' });
  await expect(page.locator('dermlet-where')).toContainText('See a family doctor or a dermatologist');
});

test('on a phone what an answer changes is read beside it, and a reminder is for the day asked for', async ({
  app,
  page,
}) => {
  lowTier(app);
  await page.setViewportSize({ width: 390, height: 844 });
  await open(app, page);
  const remind = page.getByRole('button', { name: /^Remind me on / });
  const download = page.waitForEvent('download');
  await remind.click();
  await download;
  const saved = page.locator('dermlet-result-card').getByText(/^Saved: reminder-/);
  await expect(saved).toBeVisible();
  const day = await remind.textContent();

  const sign = page.getByRole('checkbox', { name: /It is growing/ });
  await sign.scrollIntoViewIfNeeded();
  const before = (await sign.boundingBox())!.y;
  await sign.check();
  await expect(effect(page)).toContainText('The advice above is now more urgent');
  await expect(effect(page)).toBeInViewport({ ratio: 1 });
  expect(Math.abs((await sign.boundingBox())!.y - before), 'nothing moves under the finger').toBeLessThan(2);
  expect(await remind.textContent()).not.toBe(day);
  await expect(saved, 'it is for the day before the answer').toHaveCount(0);
  // Keys do not lead behind it.
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press('Tab');
    const covered = await page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      const { left, top, width, height } = element!.getBoundingClientRect();
      const root = element!.getRootNode() as ShadowRoot;
      return root.elementFromPoint(left + width / 2, top + height / 2)?.closest('.effect') !== null;
    });
    expect(covered, `after ${presses + 1}`).toBe(false);
  }
});
