import type { Page } from '@playwright/test';
import { expect, picture, test } from './fixtures.js';

/** What has the focus, in shadow trees too: its words, and what is wrong with it for somebody who looks for it. */
const focus = (page: Page): Promise<{ words: string; faults: string[] }> =>
  page.evaluate(async () => {
    // Past what scrolls there, what is drawn next, and what is put right after that.
    for (let frames = 0; frames < 4; frames += 1) await new Promise(requestAnimationFrame);
    let [element, root]: [Element | null, Document | ShadowRoot] = [document.activeElement, document];
    while (element?.shadowRoot?.activeElement) [root, element] = [element.shadowRoot, element.shadowRoot.activeElement];
    if (!element || element === document.body) return { words: '', faults: ['the focus is lost'] };
    const words = (element.getAttribute('aria-label') ?? element.textContent ?? '').replace(/\s+/g, ' ').trim();
    const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
    const inView = width > 0 && height > 0 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const middle = (low: number, high: number, most: number) => (Math.max(0, low) + Math.min(most, high)) / 2;
    const there = root.elementFromPoint(middle(left, right, innerWidth), middle(top, bottom, innerHeight));
    const seen = there !== null && (element.contains(there) || there.contains(element));
    return {
      words,
      faults: [
        ...(inView ? [] : ['out of view']),
        ...(outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 ? [] : ['no ring']),
        ...(inView && !seen ? ['covered'] : []),
      ],
    };
  });

/** Presses a key; afterwards something has the focus, is in view, and shows it. */
async function press(page: Page, key: string): Promise<string> {
  await page.keyboard.press(key);
  const { words, faults } = await focus(page);
  expect(faults, `after ${key}, at "${words}"`).toEqual([]);
  return words;
}

/** Presses Tab until what has the focus has these words. */
async function tabTo(page: Page, wanted: RegExp, most = 80): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < most; presses += 1) {
    await page.keyboard.press('Tab');
    const { words, faults } = await focus(page);
    // At the end of the page the browser's own controls follow.
    if (faults.includes('the focus is lost')) continue;
    expect(faults, `at "${words}"`).toEqual([]);
    if (wanted.test(words)) return;
    passed.push(words);
  }
  throw new Error(`${String(wanted)} is not reached by Tab, but ${passed.join(' | ')}`);
}

/** The focus comes to rest there: what was pressed is gone, or was disabled for a while. */
async function restsAt(page: Page, wanted: RegExp, allowed: readonly string[] = []): Promise<void> {
  await expect.poll(async () => (await focus(page)).words, { timeout: 60_000 }).toMatch(wanted);
  expect((await focus(page)).faults.filter((fault) => !allowed.includes(fault))).toEqual([]);
}

/** Resolves when the page has scrolled to the new answer. */
const untilStill = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    for (let [still, last] = [0, NaN]; still < 10; still = scrollY === last ? still + 1 : 0) {
      last = scrollY;
      await new Promise((done) => setTimeout(done, 50));
    }
  });

/** A new answer is scrolled to: on a phone, what asked for it may then be out of view. */
const ANSWERED = ['out of view'];

for (const [name, viewport] of [
  ['a phone', { width: 390, height: 844 }],
  ['a desktop', { width: 1440, height: 900 }],
] as const)
  test(`from a photo to a kept spot and a list, the focus is never lost nor hidden: ${name}`, async ({ app, page }) => {
    test.slow();
    const files = ['spot.jpg', 'spot.png'].map(picture);
    page.on('filechooser', (chooser) => void chooser.setFiles(files.shift()!));
    await page.setViewportSize(viewport);
    app.neverRefuse();
    await app.open();
    await tabTo(page, /^Choose photos$/);
    await page.keyboard.press('Enter');
    await restsAt(page, /^Add photos$/);
    await expect(app.verdict).toBeVisible({ timeout: 60_000 });

    // Framing, back from it, and away from it.
    await tabTo(page, /^Frame the place$/);
    await press(page, 'Enter');
    await restsAt(page, /^Frame$/);
    await press(page, 'ArrowLeft');
    await press(page, 'Enter');
    await restsAt(page, /^Frame the place$/, ANSWERED);
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
    await untilStill(page);
    await tabTo(page, /^Back to the answer before$/);
    await page.keyboard.press('Enter');
    await restsAt(page, /^Frame the place$/, ANSWERED);
    await tabTo(page, /^Look at the whole picture$/);
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(4);
    await restsAt(page, /^Frame the place$/, ANSWERED);

    // Questions, the page for a doctor, a closer look that disables its button for a while.
    await untilStill(page);
    await tabTo(page, /^Answer a few questions$/);
    await press(page, 'Enter');
    await expect(page.getByRole('checkbox', { name: /bleeds/ })).toBeVisible();
    await tabTo(page, /^$/);
    await press(page, 'Space');
    await expect(page.getByText('Your answers ask for more').first()).toBeVisible();
    await page.keyboard.press('Shift+Tab');
    await page.locator('[data-tool=report]').focus();
    await press(page, 'Enter');
    await expect(page.getByRole('button', { name: 'Save as PDF' })).toBeVisible();
    await tabTo(page, /^Save as PDF$/);
    const download = page.waitForEvent('download');
    await press(page, 'Enter');
    await download;
    await page.locator('[data-tool=closer]').focus();
    await press(page, 'Enter');
    await expect(page.locator('[data-do=thorough]')).toBeVisible();
    await tabTo(page, /^Look again more thoroughly$/);
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(5);
    // The answer is scrolled to; the focus goes on with what stands in the place of what was pressed.
    await expect
      .poll(async () => (await focus(page)).words, { timeout: 20_000 })
      .toMatch(/^Back to the answer before$/);
    await untilStill(page);

    // A spot: kept, looked at, left, and deleted.
    await page.locator('[data-tool=spots]').focus();
    await press(page, 'Enter');
    const room = page.locator('dermlet-spots');
    await expect(room.getByLabel('Name of the spot')).toBeVisible();
    await room.getByRole('button', { name: 'Keep it', exact: true }).focus();
    await page.keyboard.press('Enter');
    await expect(room.getByRole('status').first()).toContainText('Give the spot a name.');
    await restsAt(page, /^Keep it$/);
    await room.getByLabel('Name of the spot').focus();
    await page.keyboard.type('Left shoulder');
    await page.keyboard.press('Enter');
    await restsAt(page, /^Left shoulder/);
    await press(page, 'Enter');
    await restsAt(page, /^Left shoulder$/);
    await tabTo(page, /^Delete this photo/);
    await press(page, 'Enter');
    await restsAt(page, /^Cancel$/);
    await press(page, 'Escape');
    await restsAt(page, /^Delete this photo/);
    await press(page, 'Enter');
    await press(page, 'Tab');
    await page.keyboard.press('Enter');
    await expect(room.getByRole('status').first()).toContainText('Deleted');
    await expect.poll(async () => (await focus(page)).faults, { timeout: 20_000 }).toEqual([]);

    // A second photo, and both in a list.
    await page.getByRole('button', { name: 'Add photos' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(6);
    await untilStill(page);
    await tabTo(page, /^All photos$/);
    await page.keyboard.press('Enter');
    await restsAt(page, /^spot\.png/);
    await press(page, 'ArrowLeft');
    await restsAt(page, /^spot\.jpg/);
    await press(page, 'Enter');
    // On a phone the answer below the list is scrolled to; keys go on in the list.
    await page.keyboard.press('x');
    await tabTo(page, /^Remove the selected/);
    await page.keyboard.press('Enter');
    await restsAt(page, /^spot\.png/);
    await tabTo(page, /^Undo$/);
    await page.keyboard.press('Enter');
    await restsAt(page, /^spot\.jpg/);
    await page.getByRole('button', { name: 'Show as a row' }).focus();
    await page.keyboard.press('Enter');
    await restsAt(page, /^spot\.jpg/);
  });

test('a first key that removes what it was pressed on loses no focus, however late what keeps it comes', async ({
  app,
  page,
}) => {
  app.neverRefuse();
  let come: () => void = () => {};
  const held = new Promise<void>((resolve) => (come = resolve));
  let asked = false;
  await page.route(/\/keep-focus-[^/]*\.js$/, async (route) => {
    asked = true;
    await held;
    await route.continue();
  });
  await app.open();
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'Look at the whole picture' }).press('Enter');
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
  await expect(page.getByRole('button', { name: 'Look at the whole picture' })).toHaveCount(0);
  expect(asked, 'that is what is late').toBe(true);
  come();
  await restsAt(page, /^Frame the place$/, ANSWERED);
});

test('what keeps the focus is fetched with the first focus that shows, and not for a pointer', async ({
  app,
  page,
}) => {
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('keep-focus')) asked.push(request.url());
  });
  await app.open();
  await page.getByRole('button', { name: 'Choose photos' }).click({ trial: true });
  await page.locator('dermlet-classifier').click({ position: { x: 2, y: 2 } });
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'Look at the whole picture' }).click();
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
  expect(asked).toEqual([]);
  // The key is pressed outside the element, and leads into it.
  await page.locator('#settings > summary').focus();
  for (let presses = 0; presses < 9 && asked.length === 0; presses += 1) {
    expect(await page.evaluate(() => document.activeElement?.localName)).not.toBe('dermlet-classifier');
    await page.keyboard.press('Shift+Tab');
  }
  // Compared with its hash first, then run: one address, asked for twice.
  await expect.poll(() => new Set(asked).size).toBe(1);
});

test('where nothing can be loaded, the focus goes on with what can be tried', async ({ app, page, site }) => {
  const weights = site.files().filter((name) => name.startsWith('models/skin-8/skin-8.onnx'));
  for (const path of weights) site.answers.set(path, { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await app.choose('spot.jpg');
  await expect(app.notice).toBeVisible({ timeout: 60_000 });
  await tabTo(page, /^Try again$/);
  for (const path of weights) site.answers.delete(path);
  await page.keyboard.press('Enter');
  await expect(app.verdict).toBeVisible({ timeout: 60_000 });
  expect((await focus(page)).faults).toEqual([]);
});

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
