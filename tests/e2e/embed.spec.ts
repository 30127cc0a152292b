/** The element in a third-party page, as the README shows it. */
import { expect, test } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';

const EMBED = `<h1>My page</h1>
  <dermlet-classifier model="../models/skin-8/" backend="wasm"></dermlet-classifier>
  <script type="module" src="../dermlet.js"></script>`;

test.beforeEach(({ site }) => site.addPage('elsewhere/embed.html', EMBED));

test('downloads nothing until the user interacts; then it classifies', async ({ app, page, site }) => {
  await page.goto(`${site.url}elsewhere/embed.html`);
  const choose = page.getByRole('button', { name: 'Choose photos' });
  await expect(choose).toBeVisible();
  expect(site.count(/onnx|wasm/)).toBe(0);
  await choose.focus();
  await app.untilReady();
  const result = await app.classify('spot.jpg');
  expectSame(result, await nodeResult('spot.jpg'));
});

test('choosing a photo at once is enough', async ({ app, page, site }) => {
  await page.goto(`${site.url}elsewhere/embed.html`);
  await app.classify('spot.jpg');
});

test('an element that is removed ends its worker', async ({ app, page, site }) => {
  await page.goto(`${site.url}elsewhere/embed.html`);
  await app.classify('spot.jpg');
  expect(page.workers()).toHaveLength(1);
  await page.evaluate(() => document.querySelector('dermlet-classifier')?.remove());
  await expect.poll(() => page.workers().length).toBe(0);
});

test('an element that is attached again goes on where it was', async ({ app, page, site }) => {
  test.slow(); // it loads three times
  site.addPage('elsewhere/again.html', EMBED.replace('backend="wasm"', 'backend="wasm" load="now"'));
  await page.goto(`${site.url}elsewhere/again.html`);
  await app.untilReady();
  await app.classify('spot.jpg');
  const said = (await app.verdict.textContent())!;
  const detached = async (between: () => Promise<unknown>) => {
    await page.evaluate(() => {
      const element = document.querySelector('dermlet-classifier')!;
      Object.assign(window, { kept: element });
      element.remove();
    });
    await expect.poll(() => page.workers().length).toBe(0);
    await between();
    const before = await page.evaluate(() => window.heard.ready);
    await page.evaluate(() => document.body.append((window as unknown as { kept: Element }).kept));
    await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 60_000 }).toBe(before + 1);
  };
  await detached(async () => undefined);
  // The result is still there, and so is the file that another look reads.
  await expect(app.verdict).toHaveText(said);
  expect(await app.results()).toHaveLength(1);
  await page.getByRole('radio', { name: /Dermoscopy/ }).check();
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
  // What comes while it is detached waits.
  await detached(() =>
    page.evaluate(async () => {
      const file = new File([await (await fetch('../pictures/spot.png')).blob()], 'later.png');
      (window as unknown as { kept: { add(files: File[]): void } }).kept.add([file]);
    }),
  );
  await expect.poll(async () => (await app.results()).at(-1)?.name, { timeout: 60_000 }).toBe('later.png');
});

test('an element with load="now" that is made, detached and attached at once loads', async ({ app, page, site }) => {
  site.addPage('elsewhere/now.html', '<script type="module" src="../dermlet.js"></script>');
  await page.goto(`${site.url}elsewhere/now.html`);
  await page.evaluate(async () => {
    await customElements.whenDefined('dermlet-classifier');
    const element = document.createElement('dermlet-classifier');
    Object.assign(element, { model: '../models/skin-8/', backend: 'wasm' });
    document.body.append(element);
    element.remove();
    await new Promise((resolve) => setTimeout(resolve, 50));
    element.setAttribute('load', 'now');
    await new Promise((resolve) => setTimeout(resolve, 50));
    document.body.append(element);
  });
  await app.untilReady();
});

test('properties that were set before the element was defined hold', async ({ app, page, site }) => {
  site.addPage('elsewhere/early.html', '<dermlet-classifier></dermlet-classifier>');
  await page.goto(`${site.url}elsewhere/early.html`);
  await page.evaluate(async () => {
    const element = document.querySelector('dermlet-classifier')!;
    Object.assign(element, { model: '../models/skin-8/', backend: 'wasm', load: 'now', wholePage: true });
    await import(new URL('../dermlet.js', document.baseURI).href);
  });
  await app.untilReady();
  await page.evaluate(async () => {
    const data = new DataTransfer();
    data.items.add(new File([await (await fetch('../pictures/spot.jpg')).blob()], 'dropped.jpg'));
    document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
  });
  await expect
    .poll(async () => (await app.results()).map(({ name }) => name), { timeout: 60_000 })
    .toEqual(['dropped.jpg']);
  // And back: only what is dropped on the element itself.
  await page.evaluate(async () => {
    const element = document.querySelector('dermlet-classifier')!;
    element.wholePage = false;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const data = new DataTransfer();
    data.items.add(new File(['x'], 'beside.jpg'));
    document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
  });
  await expect(page.getByRole('button', { name: 'Remove dropped.jpg' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove beside.jpg' })).toHaveCount(0);
});

test('filled says whether there is a photo, with a model or without', async ({ app, page, site }) => {
  site.answers.set('models/index.json', { status: 404, type: 'text/plain', body: '' });
  site.addPage(
    'elsewhere/none.html',
    '<dermlet-classifier filled></dermlet-classifier><script type="module" src="../dermlet.js"></script>',
  );
  await page.goto(`${site.url}elsewhere/none.html`);
  const element = page.locator('dermlet-classifier');
  await expect(element).not.toHaveAttribute('filled');
  await app.choose('spot.jpg');
  await expect(app.notice).toContainText('MODEL_UNAVAILABLE');
  await expect(element).toHaveAttribute('filled');
  await element.evaluate((there) => {
    const parent = there.parentNode!;
    there.remove();
    parent.append(there);
  });
  await expect(element).toHaveAttribute('filled');
  await page.getByRole('button', { name: 'Remove spot.jpg' }).click();
  await expect(element).not.toHaveAttribute('filled');
});

for (const [name, userAgent, touchPoints, asked] of [
  ['a Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', 0, true],
  ['an iPad that calls itself a Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', 5, false],
  ['an iPhone', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15', 5, false],
  ['a laptop with a touch screen', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)', 10, true],
] as const) {
  test(`${name} is ${asked ? '' : 'not '}asked for HEIC`, async ({ page, site }) => {
    await page.addInitScript(
      ([agent, points]) => {
        Object.defineProperty(Navigator.prototype, 'userAgent', { get: () => agent });
        Object.defineProperty(Navigator.prototype, 'maxTouchPoints', { get: () => points });
      },
      [userAgent, touchPoints] as const,
    );
    await page.goto(`${site.url}elsewhere/embed.html`);
    const accept = (await page.locator('input#choose').getAttribute('accept'))!;
    expect(accept.includes('.heic')).toBe(asked);
    expect(accept).toContain('.jpg');
  });
}

test('its colours follow the page, not the system alone, and can be set', async ({ page, site }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${site.url}elsewhere/embed.html`);
  const element = page.locator('dermlet-classifier');
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeVisible();
  const ground = () => element.evaluate((there) => getComputedStyle(there).backgroundColor);
  const scheme = (value: string) =>
    page.evaluate((wanted) => document.documentElement.style.setProperty('color-scheme', wanted), value);
  const [light, dark] = ['rgb(246, 242, 234)', 'rgb(22, 20, 18)'];
  expect(await ground()).toBe(light);
  await scheme('dark');
  expect(await ground()).toBe(dark);
  await scheme('light dark');
  expect(await ground()).toBe(dark);
  await page.emulateMedia({ colorScheme: 'light' });
  expect(await ground()).toBe(light);
  await element.evaluate((there) => there.style.setProperty('--paper', 'rgb(1, 2, 3)'));
  expect(await ground()).toBe('rgb(1, 2, 3)');
});
