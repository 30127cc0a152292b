/** What a person meets first: the question, the limits, two buttons, and how to take a picture. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, withServiceWorker } from './fixtures.js';

for (const [width, height] of [
  [360, 640],
  [390, 844],
  [820, 1180],
  [1440, 900],
] as const) {
  test.describe(`${width} x ${height}`, () => {
    test.use({ viewport: { width, height }, hasTouch: width < 1000, isMobile: width < 1000 });

    test('says without scrolling what it does, what it cannot do and that nothing is uploaded', async ({
      page,
      site,
    }) => {
      await page.goto(site.url);
      await expect(page.getByRole('button', { name: 'Try with a sample picture' })).toBeInViewport({ ratio: 0.95 });
      await expect(page.getByRole('button', { name: 'Choose photos' })).toBeInViewport({ ratio: 1 });
      for (const text of [
        'Worried about something',
        'how soon to show it to a doctor',
        'Not a medical device.',
        'Nothing is uploaded',
      ])
        await expect(page.getByText(text).first()).toBeInViewport({ ratio: 1 });
    });
  });
}

test('a phone on its side shows the buttons without scrolling', async ({ page, site }) => {
  for (const [width, height] of [
    [844, 390],
    [740, 360],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.goto(site.url);
    for (const name of ['Choose photos', 'Take a photo'])
      await expect(page.getByRole('button', { name })).toBeInViewport({ ratio: 1 });
    for (const text of ['how soon to show it to a doctor', 'Not a medical device.', 'Nothing is uploaded'])
      await expect(page.getByText(text).first()).toBeInViewport({ ratio: 1 });
  }
});

test('shows how to take a picture before anything failed, and describes what it shows', async ({ app, page }) => {
  await app.open();
  await expect(page.locator('#weights a').first()).toHaveAttribute('href', /\/about\/card-skin-8\.html$/);
  const pictures = page.locator('.guide img');
  await expect(pictures).toHaveCount(4);
  for (const picture of await pictures.all()) {
    await expect(picture).toHaveAttribute('alt', /\w+ \w+/);
    expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  }
});

withServiceWorker('a drawing stands in for a photo, and is called one', async ({ app, page }) => {
  await app.open();
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await expect(page.locator('#drawn')).toBeHidden();
  await page.getByRole('button', { name: 'Try with a sample picture' }).press('Enter');
  await expect
    .poll(async () => (await app.results()).map(({ name }) => name), { timeout: 60_000 })
    .toEqual(['Drawing 1.png']);
  await expect(page.locator('#drawn')).toContainText('tells nothing about anybody’s skin');
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
  await page.getByRole('button', { name: 'Another drawing' }).click();
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
  // A photo of one's own is not called a drawing, and the drawing beside it is.
  await app.classify('spot.jpg');
  await expect(page.locator('#drawn')).toBeHidden();
  await app.shelf.getByRole('button', { name: /^Drawing 1\.png/ }).click();
  await expect(page.locator('#drawn')).toBeVisible();
  for (const name of ['Drawing 1.png', 'Drawing 2.png'])
    await page.getByRole('button', { name: `Remove ${name}` }).click();
  await expect(page.locator('#drawn')).toBeHidden();
});

test('a drawing that does not come is no answer', async ({ app, page, site }) => {
  site.answers.set('samples/even.png', { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await page.getByRole('button', { name: 'Try with a sample picture' }).click();
  await expect(app.notice).toContainText('The drawing could not be fetched');
  await expect(page.locator('#drawn')).toBeHidden();
});

test('the colours are chosen in the settings, kept, and those of the element too', async ({ app, page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await app.open();
  const ink = () =>
    page.evaluate(() =>
      ['body', 'dermlet-classifier'].map((name) => getComputedStyle(document.querySelector(name)!).color),
    );
  const light = await ink();
  await app.settings();
  await page.getByRole('radio', { name: 'Dark' }).check();
  const dark = await ink();
  expect(dark[0]).toBe(dark[1]);
  expect(dark[0]).not.toBe(light[0]);
  await page.reload();
  await app.untilReady();
  expect(await ink()).toEqual(dark);
  await app.settings();
  await expect(page.getByRole('radio', { name: 'Dark' })).toBeChecked();
  await page.getByRole('radio', { name: 'As this device has it' }).check();
  expect(await ink()).toEqual(light);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
});
