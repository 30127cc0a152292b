/** Two models: listed, chosen by name, switched at run time, remembered, offline. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { App, Site } from './fixtures.js';
import { expect, test, withServiceWorker } from './fixtures.js';

type Api = typeof import('../../web/src/classifier/index.js');

const SECOND = 'second';
const TITLE = 'Second model of the tests';
const USUAL = /Eight categories/;

const withSecond = (app: App): void => {
  app.site.addModel(SECOND);
  app.neverRefuse();
  app.site.neverRefuse(SECOND);
};

// Each test here loads two or three networks instead of one.
test.beforeEach(() => test.slow());

/** Expects the page to show a result of the second model, or of the first. */
async function expectShown(page: Page, second: boolean): Promise<void> {
  const names = page.locator('dermlet-ranking li');
  await expect(names.first()).toBeVisible({ timeout: 60_000 });
  const texts = await names.allInnerTexts();
  expect(texts.length).toBeGreaterThan(1);
  for (const text of texts) expect(text.includes('Second ')).toBe(second);
}

/** Holds back responses with one model's weights until released. */
async function holdWeights(page: Page, model: string): Promise<() => void> {
  let release = () => undefined as void;
  const gate = new Promise<void>((resolve) => (release = resolve));
  await page.context().route(new RegExp(`/models/${model}/[^/]*\\.onnx(\\.zst)?$`), async (route) => {
    await gate;
    // The requester may be gone.
    await route.continue().catch(() => undefined);
  });
  return release;
}

test.describe('the page', () => {
  test('lists both and uses the chosen one for the current photo', async ({ app, page, site }) => {
    withSecond(app);
    await app.open();
    await app.settings();
    await expect(app.model(USUAL)).toBeChecked();
    await expect(app.model(TITLE)).toHaveAccessibleDescription(
      /8 categories\. For commercial use too \(CC-BY-4\.0\)\. \d\.\d\sMB to download once\./,
    );
    await expect(app.model(USUAL)).toHaveAccessibleDescription(
      /For non-commercial use only \(CC-BY-NC-4\.0\)\. Kept on this device/,
    );
    expect(site.count(/^models\/second\/[^/]*onnx(\.zst)?$/)).toBe(0);
    await app.classify('spot.jpg');
    await expectShown(page, false);

    await app.model(TITLE).check();
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
    await expectShown(page, true);
    const [first, second] = await app.results();
    expect([first?.result.model.name, second?.result.model.name]).toEqual(['skin-8', SECOND]);
    expect(second?.name).toBe('spot.jpg');
    await expect(app.model(TITLE)).toHaveAccessibleDescription(/Kept on this device/);
    // The page's licence text is that of the model in use.
    await expect(page.locator('#weights')).toContainText('may be used commercially too, under CC-BY-4.0');
    await expect(page.locator('#weights a').first()).toHaveAttribute('href', /models\/second\/MODEL_CARD\.md$/);
    expect(page.workers()).toHaveLength(1);
  });

  test('remembers the choice on this device, and forgets it with the default one', async ({ app, page, site }) => {
    withSecond(app);
    await app.open();
    await app.settings();
    await app.model(TITLE).check();
    await expect.poll(() => site.count(/^models\/second\/(?!locator)[^/]*onnx(\.zst)?$/), { timeout: 60_000 }).toBe(1);
    await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 60_000 }).toBe(2);
    const usual = site.count(/^models\/skin-8\/.*manifest\.json$/);
    await page.reload();
    await app.untilReady();
    await app.settings();
    await expect(app.model(TITLE)).toBeChecked();
    // Nothing of the default model was requested.
    expect(site.count(/^models\/skin-8\/.*manifest\.json$/)).toBe(usual);
    expect((await app.classify('spot.jpg')).model.name).toBe(SECOND);
    await app.model(USUAL).check();
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
  });

  test('takes the model that its address names, without remembering it', async ({ app, page, site }) => {
    withSecond(app);
    await app.open(`?model=${SECOND}`);
    await app.settings();
    await expect(app.model(TITLE)).toBeChecked();
    expect((await app.classify('spot.jpg')).model.name).toBe(SECOND);
    // Cards and licences are kept with the page; nothing of the model itself is fetched.
    expect(site.count(/^models\/skin-8\/.*(manifest\.json|onnx)$/)).toBe(0);
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
    await app.model(USUAL).check();
    await expect(page).toHaveURL(/\?model=skin-8$/);
    await expect.poll(async () => (await app.results()).at(-1)?.result.model.name, { timeout: 60_000 }).toBe('skin-8');
  });

  for (const name of ['nothing', '../../elsewhere', 'https://example.org/model/']) {
    test(`says so if its address names an unknown model (${name}), and works`, async ({ app, page, site }) => {
      withSecond(app);
      await page.setViewportSize({ width: 390, height: 844 });
      await app.open(`?model=${encodeURIComponent(name)}`);
      // On the first screen, where it is read out, too, with what is used instead.
      const told = page.getByRole('status').filter({ hasText: 'asks for a neural network that is not here' });
      await expect(told).toContainText('uses its usual one instead: “\u2068Eight categories of skin lesions');
      await expect(told).toBeInViewport({ ratio: 1 });
      await expect(page.getByRole('button', { name: 'Choose photos' })).toBeInViewport();
      expect(await told.textContent()).not.toContain(name);
      await expect(page.locator('#settings')).not.toHaveAttribute('open');
      await told.getByRole('link', { name: 'Choose another in the settings' }).click();
      await expect(page.locator('#settings')).toHaveAttribute('open');
      await expect(app.model(USUAL)).toBeChecked();
      expect((await app.classify('spot.jpg')).model.name).toBe('skin-8');
      expect(
        site.log
          .filter(({ path }) => path.includes('nothing') || path.includes('elsewhere/'))
          .filter(({ path }) => path.startsWith('models/')),
      ).toEqual([]);
      await app.model(TITLE).check();
      await expect(told).toBeHidden();
    });
  }

  test('offers no choice if there is only one model, and forgets a removed model', async ({ app, page, site }) => {
    site.onlyDefaultModel();
    await page.addInitScript(() => localStorage.setItem('dermlet-model', 'gone'));
    await app.open();
    await expect(page.locator('dermlet-model-choice')).toBeHidden();
    expect(await page.getByRole('group', { name: 'Which neural network?' }).count()).toBe(0);
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
    await expect(page.getByRole('status').filter({ hasText: 'chose before is no longer here' })).toContainText(
      'uses its usual one: “\u2068Eight categories of skin lesions',
    );
    await expect(page.getByRole('link', { name: 'Choose another in the settings' })).toHaveCount(0);
  });

  test('says once that the network chosen before is gone', async ({ app, page }) => {
    await app.open();
    await page.evaluate(() => localStorage.setItem('dermlet-model', 'gone'));
    await app.open();
    const told = page.getByRole('status').filter({ hasText: 'chose before is no longer here' });
    await expect(told).toBeInViewport({ ratio: 1 });
    await expect(told.getByRole('link', { name: 'Choose another in the settings' })).toBeVisible();
    await app.open();
    await expect(page.locator('dermlet-model-choice')).toBeAttached();
    await expect(told).toHaveCount(0);
  });

  test('works without the list', async ({ app, page, site }) => {
    site.answers.set('models/index.json', { status: 404, type: 'text/plain', body: '' });
    await app.open();
    await app.settings();
    await expect(page.locator('dermlet-model-choice')).toBeHidden();
    await app.classify('spot.jpg');
  });

  test('choosing another while the first is loading ends that load; only the chosen one answers', async ({
    app,
    page,
  }) => {
    withSecond(app);
    const release = await holdWeights(page, 'skin-8');
    await page.goto(app.site.url);
    await app.settings();
    await expect(app.model(TITLE)).toBeVisible();
    await app.choose('spot.jpg');
    await app.model(TITLE).check();
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(1);
    release();
    await expectShown(page, true);
    expect((await app.results()).map(({ result }) => result.model.name)).toEqual([SECOND]);
    expect(await page.evaluate(() => window.heard)).toMatchObject({ ready: 1, errors: [] });
    expect(page.workers()).toHaveLength(1);
  });

  withServiceWorker('while another is loading, only what comes for it is counted', async ({ app, page, site }) => {
    withSecond(app);
    await app.open();
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await expect(app.model(USUAL)).toHaveCount(0);
    await app.settings();
    await expect(app.model(USUAL)).toHaveAccessibleDescription(/Kept on this device/);
    const release = await holdWeights(page, SECOND);
    await app.model(TITLE).check();
    const { file, locator } = JSON.parse(site.read('models/skin-8/manifest.json').toString()) as Record<
      'file' | 'locator',
      { bytes: number; file: { bytes: number } }
    >;
    const bar = page.getByRole('progressbar');
    await expect(bar).toHaveAttribute('max', /^\d+$/);
    const most = Number(await bar.getAttribute('max'));
    expect(most).toBeGreaterThan(1_000_000);
    expect(most).toBeLessThanOrEqual(file.bytes + locator.file.bytes);
    release();
  });

  test('while the chosen one is loading, nothing of the other is shown', async ({ app, page }) => {
    withSecond(app);
    await app.open();
    await app.settings();
    await app.classify('spot.jpg');
    const release = await holdWeights(page, SECOND);
    await app.model(TITLE).check();
    await expect(page.locator('dermlet-result-card')).toHaveCount(0);
    await expect(page.getByText('Waiting for the neural network to load')).toBeVisible();
    // And back again: the first model classifies anew, the second never gives a result.
    await app.model(USUAL).check();
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
    release();
    await expectShown(page, false);
    expect((await app.results()).map(({ result }) => result.model.name)).toEqual(['skin-8', 'skin-8']);
  });

  test('lets a model be chosen by keyboard', async ({ app, page }) => {
    withSecond(app);
    await app.open();
    await app.settings();
    for (
      let presses = 0;
      presses < 40 && !(await app.model(USUAL).evaluate((radio) => radio.matches(':focus')));
      presses += 1
    )
      await page.keyboard.press('Tab');
    await expect(app.model(USUAL)).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await expect(app.model(TITLE)).toBeChecked();
    await expect(app.model(TITLE)).toBeFocused();
    await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 60_000 }).toBe(2);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`the choice has no accessibility fault and fits a small phone: ${colorScheme}`, async ({ app, page }) => {
      withSecond(app);
      await page.setViewportSize({ width: 320, height: 568 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await app.open('?model=nothing');
      await app.settings();
      await expect(app.model(TITLE)).toBeVisible();
      const { violations } = await new AxeBuilder({ page: page as never }).analyze();
      expect(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.flat().join(' ')).join('; ')}`),
      ).toEqual([]);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      ).toBeLessThanOrEqual(0);
    });
  }

  withServiceWorker(
    'offline: models used before work, another is reported as unreachable',
    async ({ app, page, site }) => {
      withSecond(app);
      await app.open();
      await app.settings();
      await page.evaluate(async () => void (await navigator.serviceWorker.ready));
      await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
      await site.close();
      await app.model(TITLE).check();
      await expect(app.notice).toContainText('MODEL_UNAVAILABLE', { timeout: 30_000 });
      await app.model(USUAL).check();
      await expect(app.notice).toBeHidden();
      await page.reload();
      await app.untilReady();
      await app.settings();
      // The list was kept with the page.
      await expect(app.model(TITLE)).toBeVisible();
      expect((await app.classify('spot.jpg')).model.name).toBe('skin-8');
    },
  );

  withServiceWorker('offline: a chosen second model is kept like the first', async ({ app, page, site }) => {
    withSecond(app);
    await app.open(`?model=${SECOND}`);
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    await site.close();
    await page.reload();
    await app.untilReady();
    await app.settings();
    expect((await app.classify('spot.jpg')).model.name).toBe(SECOND);
  });
});

test.describe('the classifier', () => {
  const api = async (page: Page, site: Site) => {
    await page.goto(`${site.url}api.html`);
    await page.evaluate(async () => {
      Object.assign(window, { api: (await import(new URL('dermlet.js', document.baseURI).href)) as Api });
    });
  };

  test('lists the models beside its engine and loads them by name, from any page', async ({ page, site }) => {
    site.addModel(SECOND);
    site.addPage('deep/er/api.html', '');
    await page.goto(`${site.url}deep/er/api.html`);
    const told = await page.evaluate(async () => {
      const { Classifier, listModels } = (await import(new URL('../../dermlet.js', document.baseURI).href)) as Api;
      const before = await listModels();
      const classifier = await Classifier.load('second', { backend: 'wasm' });
      const result = await classifier.classify(await (await fetch('../../pictures/spot.jpg')).arrayBuffer());
      // Kept after it is ready: no photo waits for that.
      let after = await listModels();
      for (const end = Date.now() + 20_000; !after[1]?.kept && Date.now() < end; after = await listModels())
        await new Promise((resolve) => setTimeout(resolve, 100));
      classifier.dispose();
      return { before, model: classifier.model, result, after };
    });
    expect(told.before.map(({ name, kept }) => [name, kept])).toEqual([
      ['skin-8', false],
      [SECOND, false],
    ]);
    expect(told.before[1]).toMatchObject({
      title: TITLE,
      version: '7.0.0',
      classes: 8,
      default: false,
      url: `${site.url}models/second/`,
    });
    expect(told.before[1]?.license).toEqual({
      id: 'CC-BY-4.0',
      nonCommercial: false,
      url: `${site.url}models/second/LICENSE`,
    });
    expect(told.after.map(({ kept }) => kept)).toEqual([false, true]);
    expect(told.model.name).toBe(SECOND);
    expect(told.result.model.name).toBe(SECOND);
  });

  test('refuses an unlisted name, giving the listed ones, and never treats a name as an address', async ({
    page,
    site,
  }) => {
    site.addModel(SECOND);
    await api(page, site);
    const errors = await page.evaluate(async () => {
      const { Classifier } = (window as unknown as { api: Api }).api;
      const tell = (model: string) =>
        Classifier.load(model).then(
          () => ({ code: 'none', message: '' }),
          ({ code, message }: { code: string; message: string }) => ({ code, message }),
        );
      return [await tell('nothing'), await tell('models/nothing/'), await tell('./second')];
    });
    expect(errors.map(({ code }) => code)).toEqual(['INVALID_ARGUMENT', 'MODEL_UNAVAILABLE', 'MODEL_UNAVAILABLE']);
    expect(errors[0]?.message).toContain("no model 'nothing' here; there is skin-8, second");
  });
});

test.describe('the element', () => {
  const EMBED = (
    model: string,
  ) => `<h1>My page</h1><dermlet-classifier model="${model}" backend="wasm"></dermlet-classifier>
    <script type="module" src="../dermlet.js"></script>`;

  test('accepts a name wherever its page is, and another at run time', async ({ app, page, site }) => {
    withSecond(app);
    site.addPage('elsewhere/embed.html', EMBED('second'));
    await page.goto(`${site.url}elsewhere/embed.html`);
    expect((await app.classify('spot.jpg')).model.name).toBe(SECOND);
    await expectShown(page, true);
    await page.evaluate(() => document.querySelector('dermlet-classifier')?.setAttribute('model', '../models/skin-8/'));
    await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
    await expectShown(page, false);
    expect((await app.results()).at(-1)?.result.model.name).toBe('skin-8');
    expect(page.workers()).toHaveLength(1);
  });

  test('downloads nothing when its model is changed before the user interacts', async ({ app, page, site }) => {
    withSecond(app);
    site.addPage('elsewhere/embed.html', EMBED('skin-8'));
    await page.goto(`${site.url}elsewhere/embed.html`);
    await expect(page.getByRole('button', { name: 'Choose photos' })).toBeVisible();
    await page.evaluate(() => document.querySelector('dermlet-classifier')?.setAttribute('model', 'second'));
    await page.evaluate(() => new Promise((done) => setTimeout(done, 200)));
    expect(site.count(/onnx|wasm|manifest\.json$/)).toBe(0);
  });

  test('says plainly that a name is unknown, and then works with a known one', async ({ app, page, site }) => {
    withSecond(app);
    site.addPage('elsewhere/embed.html', EMBED('nothing'));
    await page.goto(`${site.url}elsewhere/embed.html`);
    await app.choose('spot.jpg');
    await expect(app.notice).toContainText('asks for a neural network that is not here');
    await expect(app.notice).toContainText('INVALID_ARGUMENT');
    expect(await page.evaluate(() => window.heard.errors.map(({ name, code }) => [name, code]))).toEqual([
      [null, 'INVALID_ARGUMENT'],
    ]);
    await page.evaluate(() => document.querySelector('dermlet-classifier')?.setAttribute('model', 'second'));
    await expect.poll(async () => (await app.results()).at(-1)?.result.model.name, { timeout: 60_000 }).toBe(SECOND);
    await expect(app.notice).toBeHidden();
  });
});
