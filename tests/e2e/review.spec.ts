/** Many photos: the queue, the list of all of them, their export, and a second reader. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Page, TestInfo } from '@playwright/test';
import { parse } from 'csv-parse/sync';
import { type App, expect, picture, test } from './fixtures.js';

/** Copies of a drawn photo under `count` names, each with a comment of its own: no two have the same bytes. */
function photos(testInfo: TestInfo, count: number): string[] {
  const folder = testInfo.outputPath('photos');
  mkdirSync(folder, { recursive: true });
  const bytes = readFileSync(picture('spot.jpg'));
  return Array.from({ length: count }, (_, index) => {
    const path = join(folder, `photo-${index + 1}.jpg`);
    const comment = Buffer.from([0xff, 0xfe, 0, 4, index >> 8, index & 0xff]);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 2), comment, bytes.subarray(2)]));
    return path;
  });
}

const review = (page: Page) => page.locator('dermlet-review');

async function chooseMany(app: App, page: Page, testInfo: TestInfo, count: number): Promise<void> {
  await app.open();
  await page.locator('input#choose').setInputFiles(photos(testInfo, count));
  await expect(review(page)).toBeVisible({ timeout: 30_000 });
}

const untilDone = (page: Page, count: number) =>
  expect(review(page)).toContainText(`${count} of ${count} looked at`, { timeout: 240_000 });

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`)).toEqual([]);
}

for (const [name, count, viewport] of [
  ['desktop', 60, { width: 1280, height: 900 }],
  ['phone', 30, { width: 390, height: 844 }],
] as const)
  test(`${count} photos: stopped, gone on with, listed, each looked at once (${name})`, async ({
    app,
    page,
  }, testInfo) => {
    test.setTimeout(300_000);
    await page.setViewportSize(viewport);
    app.neverRefuse();
    await chooseMany(app, page, testInfo, count);
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBeGreaterThan(1);

    await page.getByRole('button', { name: 'Stop all' }).click();
    const stopped = (await app.results()).length;
    expect(stopped).toBeLessThan(count);
    await page.waitForTimeout(2500);
    expect((await app.results()).length, 'nothing goes on by itself').toBe(stopped);
    await page.getByRole('button', { name: 'Continue' }).click();
    await untilDone(page, count);
    expect((await app.results()).length, 'each once, that which was stopped too').toBe(count);

    // Only what is in view is drawn, and the last has its thumbnail too.
    const tiles = review(page).getByRole('listitem');
    expect(await tiles.count()).toBeLessThan(count);
    await review(page)
      .getByRole('button', { name: /photo-1\.jpg/ })
      .focus();
    await page.keyboard.press('End');
    const last = review(page).getByRole('button', { name: `photo-${count}.jpg` });
    await expect(last).toBeFocused();
    expect(await last.locator('canvas').evaluate((canvas: HTMLCanvasElement) => canvas.width)).toBe(160);

    // Looking at it shows its answer, and runs nothing.
    await page.keyboard.press('Enter');
    await expect(last).toHaveAttribute('aria-current', 'true');
    await expect(app.verdict).toBeVisible();
    await page.waitForTimeout(1500);
    expect((await app.results()).length).toBe(count);

    await expectAccessible(page);
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    await expect(review(page).getByRole('table')).toHaveAttribute('aria-rowcount', String(count + 1));
    expect(await review(page).getByRole('row').count()).toBeLessThanOrEqual(count);
    await expectAccessible(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide, 'no scrolling sideways').toBeLessThanOrEqual(0);
  });

test('12 photos by keyboard: found, selected, removed with the focus near, told in one sentence, saved', async ({
  app,
  page,
}, testInfo) => {
  app.neverRefuse();
  await chooseMany(app, page, testInfo, 12);
  await untilDone(page, 12);
  await expect(page.getByRole('status').filter({ hasText: /All 12 photos were looked at: 12 / })).toHaveCount(1);

  await review(page).getByRole('searchbox').fill('photo-1');
  await expect(review(page)).toContainText('4 of 12 shown');
  await review(page).getByRole('searchbox').fill('');
  await review(page).getByRole('combobox', { name: 'Order' }).selectOption('name');

  await review(page)
    .getByRole('button', { name: /photo-5\.jpg/ })
    .focus();
  await page.keyboard.press('Delete');
  await expect(review(page).getByRole('button', { name: /photo-6\.jpg/ })).toBeFocused();
  await page.keyboard.press('x');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('x');
  await expect(review(page)).toContainText('2 selected');
  await page.keyboard.press('a');
  // Who disagrees is led to the choice of another category.
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('d');
  await expect(review(page).getByRole('combobox', { name: 'Category', exact: true }).last()).toBeFocused();
  await expect(page.locator('dermlet-reading')).toContainText('photo-8.jpg');

  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as table (CSV)' }).click();
  const rows: Record<string, string>[] = parse(readFileSync(await (await saved).path()), { bom: true, columns: true });
  expect(rows).toHaveLength(11);
  const heard = await app.results();
  const { result } = heard.find(({ name }) => name === 'photo-7.jpg')!;
  expect(rows.find(({ name }) => name === 'photo-7.jpg')).toMatchObject({
    tier: result.tier,
    model_sha256: result.model.sha256,
    reader_label: result.ranking[0]!.id,
    reader_first: 'false',
  });

  // Both selected photos, and no other, are looked at again.
  await review(page).getByRole('combobox', { name: 'How the selected photos were taken' }).selectOption('photo');
  await review(page).getByRole('button', { name: 'Apply to the selected photos' }).click();
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(heard.length + 2);
  const again = (await app.results()).slice(-2);
  expect(again.map(({ name }) => name).sort()).toEqual(['photo-6.jpg', 'photo-7.jpg']);
  expect(again.map((one) => one.result.modality)).toEqual(['photo', 'photo']);
});

test('filters that leave no photo say so once, and are taken back with one press', async ({ app, page }, testInfo) => {
  app.neverRefuse();
  await chooseMany(app, page, testInfo, 9);
  const told = review(page).getByRole('status').filter({ hasText: 'No photo matches these filters.' });
  // How often what is read to those who cannot see it changes.
  await review(page).evaluate((list) => {
    const changes: string[] = [];
    Object.assign(window, { changes });
    new MutationObserver((records) => {
      for (const { target } of records) {
        const place = (target instanceof Element ? target : target.parentElement)?.closest('[role=status]');
        if (place?.textContent?.includes('No photo')) changes.push(place.textContent);
      }
    }).observe(list.shadowRoot!, { subtree: true, childList: true, characterData: true });
  });
  await review(page).getByRole('combobox', { name: 'Order' }).selectOption('name');
  await review(page).getByRole('searchbox').pressSequentially('photo-1x y');
  await expect(told).toBeVisible();
  await expect(review(page)).toContainText('0 of 9 shown');
  await expect(review(page).getByRole('listitem')).toHaveCount(0);
  await untilDone(page, 9);
  expect(await page.evaluate(() => (window as unknown as { changes: string[] }).changes)).toHaveLength(1);
  await expectAccessible(page);

  await review(page).getByRole('button', { name: 'Show all photos' }).press('Enter');
  await expect(review(page)).toContainText('9 of 9 shown');
  await expect(review(page).getByRole('searchbox')).toHaveValue('');
  await expect(review(page).getByRole('combobox', { name: 'Order' })).toHaveValue('name');
  await expect(
    review(page)
      .getByRole('button', { name: /photo-\d\.jpg/ })
      .first(),
  ).toBeFocused();
  await expect(told).toHaveCount(0);
  await expect(review(page).getByRole('button', { name: 'Show all photos' })).toHaveCount(0);
});

test('before the network has come the list says so, and where it does not come, why, on the first screen', async ({
  app,
  page,
  site,
}, testInfo) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  site.slow('models/skin-8/skin-8.onnx', 100_000);
  await page.goto(site.url);
  await page.locator('input#choose').setInputFiles(photos(testInfo, 9));
  await expect(review(page)).toContainText('0 of 9 looked at, the neural network is loading');
  site.answers.clear();
  for (const path of site.files().filter((name) => name.startsWith('models/skin-8/skin-8.onnx')))
    site.answers.set(path, { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await page.locator('input#choose').setInputFiles(photos(testInfo, 9));
  await expect(review(page)).toBeVisible();
  await expect(app.notice).toBeInViewport({ ratio: 1, timeout: 60_000 });
  await expect(page.getByRole('button', { name: 'Try again' })).toBeInViewport({ ratio: 1 });
  await expect(review(page)).not.toContainText('is loading');
});

test('from the list to the answer that stands below it', async ({ app, page }, testInfo) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  app.neverRefuse();
  await chooseMany(app, page, testInfo, 9);
  await untilDone(page, 9);
  await page.evaluate(() => scrollTo(0, 0));
  await expect(app.verdict).not.toBeInViewport();
  await review(page)
    .getByRole('button', { name: /photo-4\.jpg/ })
    .press('Enter');
  await page.getByRole('button', { name: 'Go to the network’s answer' }).press('Enter');
  await expect(app.verdict).toBeInViewport({ ratio: 1 });
  // Keys go on from there.
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: /Find a doctor/ })).toBeFocused();
  // It would show what is hidden.
  await review(page)
    .getByRole('checkbox', { name: /Second reader/ })
    .check();
  await expect(page.getByRole('button', { name: 'Go to the network’s answer' })).toHaveCount(0);
});

test("a second reader's answer comes first: until then the network's is nowhere on the page", async ({
  app,
  page,
}, testInfo) => {
  app.neverRefuse();
  await chooseMany(app, page, testInfo, 9);
  await untilDone(page, 9);
  await page.getByRole('checkbox', { name: /Second reader/ }).check();
  await expect(app.verdict).toHaveCount(0);
  await expect(page.locator('dermlet-scores-card')).toHaveCount(0);
  await expect(review(page).getByText('hidden until you have answered')).toHaveCount(9);
  await expect(page.getByRole('button', { name: /Save as/ }).first()).toBeDisabled();
  await expectAccessible(page);

  const { result } = (await app.results())[0]!;
  const category = review(page).getByRole('combobox', { name: 'Category', exact: true }).last();
  await category.selectOption(result.ranking[0]!.id);
  await page.getByRole('button', { name: 'Keep my answer' }).click();
  await expect(app.verdict).toBeVisible();
  await expect(review(page)).toContainText('you agree in 1 of 1 picture');
  await page.getByRole('button', { name: 'Next unanswered photo' }).click();
  await expect(app.verdict).toHaveCount(0);
  await review(page).getByRole('textbox', { name: 'Or your own words' }).fill('a tattoo');
  await page.keyboard.press('Enter');
  await expect(review(page)).toContainText('you agree in 1 of 2 pictures');
  await expect(review(page)).toContainText('Cohen’s kappa 0.00, from 2 pictures');
});

test('a few photos stay in a row: removing one leads to the next, and all are listed when asked', async ({
  app,
  page,
}) => {
  app.neverRefuse();
  await app.open();
  await app.choose('spot.jpg', 'spot.png', 'spot.bmp');
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(3);
  await expect(review(page)).toHaveCount(0);
  await app.shelf.getByRole('button', { name: /^spot\.png/ }).click();
  await app.shelf.getByRole('button', { name: /^spot\.jpg/ }).click();
  await page.waitForTimeout(1000);
  expect((await app.results()).length, 'looking again runs nothing').toBe(3);
  await app.shelf.getByRole('button', { name: /^spot\.jpg/ }).focus();
  await page.keyboard.press('Delete');
  await expect(app.shelf.getByRole('button', { name: /^spot\.png/ })).toBeFocused();
  await page.getByRole('button', { name: 'All photos' }).click();
  await expect(review(page)).toBeVisible();
  await page.getByRole('button', { name: 'Show as a row' }).click();
  await expect(app.shelf).toBeVisible();
});

test('what was removed can be put back with its answer, until the next removal or until that is put away', async ({
  app,
  page,
}) => {
  app.neverRefuse();
  await app.open();
  await app.choose('spot.jpg', 'spot.png', 'spot.bmp');
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(3);
  const line = page.locator('dermlet-removed');
  const photo = (name: string) => app.shelf.getByRole('button', { name: new RegExp(`^${name}`) });
  const names = () =>
    app.shelf.locator('.thumb').evaluateAll((all) => all.map((one) => one.textContent!.match(/spot\.\w+/)![0]));

  await photo('spot.jpg').focus();
  await page.keyboard.press('Delete');
  await expect(photo('spot.png')).toBeFocused();
  await expect(line).toContainText('Removed spot.jpg.');
  const told = page.getByRole('status').filter({ hasText: 'Removed' });
  await expect(told, 'told once').toHaveText('Removed 1 photo.');
  await line.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(line).toHaveCount(0);
  await expect(photo('spot.jpg')).toBeFocused();
  await expect.poll(names).toEqual(['spot.jpg', 'spot.png', 'spot.bmp']);
  await expect(photo('spot.jpg'), 'that which was looked at is').toHaveAttribute('aria-current', 'true');
  await expect(app.verdict).toBeVisible();
  await page.waitForTimeout(1500);
  expect((await app.results()).length, 'nothing was run').toBe(3);

  // Only the last one.
  for (const name of ['spot.jpg', 'spot.png']) await page.getByRole('button', { name: `Remove ${name}` }).click();
  await expect(line).toHaveCount(1);
  await line.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect.poll(names).toEqual(['spot.png', 'spot.bmp']);
  await page.getByRole('button', { name: 'Remove spot.bmp' }).click();
  await line.getByRole('button', { name: 'Close, without undoing' }).click();
  await expect(line).toHaveCount(0);
  await expect(told).toHaveCount(0);
  await expect(photo('spot.png')).toBeFocused();

  // The last of all, while it is looked at again.
  await page.getByRole('button', { name: 'Look at the whole picture' }).click();
  await photo('spot.png').focus();
  await page.keyboard.press('Delete');
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeFocused();
  await line.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect.poll(async () => (await app.results()).at(-1)!.result.frame.framing, { timeout: 60_000 }).toBe('whole');
  await expectAccessible(page);
});

test('several that were removed at once come back at once, into the list as it stood', async ({
  app,
  page,
}, testInfo) => {
  app.neverRefuse();
  await chooseMany(app, page, testInfo, 10);
  await untilDone(page, 10);
  for (const number of [2, 5, 9])
    await review(page)
      .getByRole('checkbox', { name: `Select photo-${number}.jpg` })
      .check();
  await review(page).getByRole('button', { name: 'Remove the selected photos' }).click();
  await expect(review(page)).toContainText('7 of 7 looked at');
  await expect(page.locator('dermlet-removed')).toContainText('Removed 3 photos.');
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(review(page)).toContainText('10 of 10 looked at');
  await expect(review(page).getByRole('button', { name: /photo-2\.jpg/ })).toBeFocused();
  await page.waitForTimeout(1000);
  expect((await app.results()).length).toBe(10);
  await expectAccessible(page);
});

test("a reader's answers stay when the network is changed; those without a category are set aside", async ({
  app,
  page,
}, testInfo) => {
  test.setTimeout(180_000);
  app.neverRefuse();
  await chooseMany(app, page, testInfo, 9);
  await untilDone(page, 9);
  const keep = async (photo: number, answer: { category: string } | { own: string }) => {
    await review(page)
      .getByRole('button', { name: new RegExp(`photo-${photo}\\.jpg`) })
      .click();
    await expect(review(page).getByRole('heading', { name: `Your answer for photo-${photo}.jpg` })).toBeVisible();
    if ('own' in answer) await review(page).getByRole('textbox', { name: 'Or your own words' }).fill(answer.own);
    else
      await review(page).getByRole('combobox', { name: 'Category', exact: true }).last().selectOption(answer.category);
    await page.getByRole('button', { name: 'Keep my answer' }).click();
  };
  await keep(1, { category: 'nv' });
  await keep(2, { category: 'df' });
  await keep(3, { own: 'a tattoo' });

  const change = (model: string) =>
    page.evaluate((name) => (document.querySelector('dermlet-classifier')!.model = name), model);
  await change('skin-open');
  await untilDone(page, 9);
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  const row = (photo: number) => review(page).getByRole('row', { name: new RegExp(`photo-${photo}\\.jpg`) });
  await expect(row(1).getByRole('cell').last()).toContainText('Melanocytic naevus');
  await expect(row(3).getByRole('cell').last()).toContainText('a tattoo');
  await expect(row(2)).not.toContainText('Dermatofibroma');
  const aside = review(page).getByRole('status').filter({ hasText: 'set aside' });
  await expect(aside).toContainText(
    '1 of your answers names a category that this network does not know: Dermatofibroma',
  );
  await expectAccessible(page);

  await change('skin-8');
  await untilDone(page, 9);
  await expect(aside).toHaveCount(0);
  await expect(row(2)).toContainText('Dermatofibroma');
});

test('a folder of 500: what is under way is told, all can be stopped, and none is lost', async ({
  app,
  page,
}, testInfo) => {
  test.setTimeout(180_000);
  app.neverRefuse();
  await chooseMany(app, page, testInfo, 500);
  await expect(review(page)).toContainText(/\d+ of 500 looked at, about \d+ (seconds?|minutes?) left/, {
    timeout: 60_000,
  });
  // Each tile has a dozen nodes or so: drawn as a whole, the list would have thousands.
  const nodes = () => review(page).evaluate((list) => list.shadowRoot!.querySelectorAll('*').length);
  expect(await nodes()).toBeLessThan(900);
  await page.getByRole('button', { name: 'Stop all' }).click();
  const done = (await app.results()).length;
  expect(done).toBeLessThan(500);
  await page.waitForTimeout(2000);
  expect((await app.results()).length, 'nothing goes on by itself').toBe(done);
  await expect(review(page)).toContainText(`${done} of 500 looked at`);

  await expect(review(page)).toContainText('500 of 500 shown');
  await review(page).getByRole('combobox', { name: 'Order' }).selectOption('name');
  await review(page)
    .getByRole('button', { name: /photo-1\.jpg/ })
    .focus();
  await page.keyboard.press('End');
  await expect(review(page).getByRole('button', { name: /photo-500\.jpg/ })).toBeFocused();
  expect(await nodes(), 'at the other end too').toBeLessThan(900);
  await review(page).getByRole('searchbox').fill('photo-49');
  await expect(review(page)).toContainText('11 of 500 shown');
  await review(page).getByRole('searchbox').fill('');
  await review(page).getByRole('combobox', { name: 'Concern or state' }).selectOption('pending');
  await expect(review(page)).toContainText(`${500 - done} of 500 shown`);
  await review(page).getByRole('combobox', { name: 'Concern or state' }).selectOption('');
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  await expect(review(page).getByRole('table')).toHaveAttribute('aria-rowcount', '501');
  expect(await nodes()).toBeLessThan(900);

  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save as table (CSV)' }).click();
  const rows: Record<string, string>[] = parse(readFileSync(await (await saved).path()), { bom: true, columns: true });
  expect(new Set(rows.map(({ name }) => name)).size).toBe(500);
  expect(rows.filter(({ state }) => state === 'done')).toHaveLength(done);
  expect(rows.filter(({ state }) => state === 'waiting')).toHaveLength(500 - done);
});
