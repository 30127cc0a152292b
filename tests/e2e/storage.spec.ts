/** Storage that is full, denied, cleared or shared: there is always a result, and what is kept is never lost for it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import type { Classifier } from '../../web/src/classifier/index.js';
import { expect, test } from './fixtures.js';
import type { Site } from './site.js';

test.use({ serviceWorkers: 'allow' });

// Each loads the engine two or three times.
test.describe.configure({ timeout: 150_000 });

type Api = typeof import('../../web/src/classifier/index.js');

declare global {
  interface Window {
    /** Loads a classifier and leaves it in `loaded`. */
    load(options?: object): Promise<string>;
    loaded: Classifier;
    classifySpot(): Promise<{ version: string; outcome: string }>;
    /** As the page says it. */
    kept(): Promise<boolean>;
  }
}

/** Opens a page that has the API. */
async function openApi(page: Page, site: Site): Promise<void> {
  await page.goto(`${site.url}api.html`);
  await page.evaluate(async () => {
    const api = (await import(new URL('dermlet.js', document.baseURI).href)) as Api;
    window.load = async (options = {}) => {
      window.loaded = await api.Classifier.load('skin-8', { backend: 'wasm', ...options });
      return window.loaded.model.version;
    };
    window.classifySpot = async () => {
      const { model, outcome } = await window.loaded.classify(await (await fetch('pictures/spot.jpg')).blob());
      return { version: model.version, outcome };
    };
    window.kept = async () => (await api.listModels()).find(({ name }) => name === 'skin-8')!.kept;
  });
}

const load = (page: Page, options = {}) => page.evaluate((given) => window.load(given), options);
const classify = (page: Page) => page.evaluate(() => window.classifySpot());
const kept = (page: Page) => page.evaluate(() => window.kept());
/** The worker ends without a word: one that is idle goes on where no service worker could start it again. */
async function endWorker(page: Page): Promise<void> {
  await page.workers()[0]!.evaluate(() => void setTimeout(() => self.close()));
  await expect.poll(() => page.workers().length).toBe(0);
}
/** The networks that are kept, by hash. */
const networks = (page: Page) =>
  page.evaluate(async () => {
    const keys = await (await caches.open('dermlet-models')).keys();
    return keys.flatMap(({ url }) => /skin-8\.onnx\?sha256=(.*)/.exec(url)?.[1] ?? []).sort();
  });
const sha256Of = (site: Site) =>
  (
    JSON.parse(
      (site.answers.get('models/skin-8/manifest.json')?.body ?? site.read('models/skin-8/manifest.json')).toString(),
    ) as { file: { sha256: string } }
  ).file.sha256;

async function setQuota(page: Page, site: Site, quotaSize?: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', {
    origin: site.origin,
    ...(quotaSize === undefined ? {} : { quotaSize }),
  });
}

/** What the origin uses, in bytes. */
const usage = (page: Page) => page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);

test('a full device gives a result, and nothing is called kept', async ({ page, site }) => {
  await openApi(page, site);
  await setQuota(page, site, 1000);
  await load(page);
  expect((await classify(page)).outcome).toBeTruthy();
  await page.waitForTimeout(1500);
  expect(await kept(page)).toBe(false);
  expect(await networks(page)).toEqual([]);
});

test('an update on a full device leaves what is kept, which still answers when the host is gone', async ({
  page,
  site,
}) => {
  await openApi(page, site);
  const version = await load(page);
  await expect.poll(() => kept(page)).toBe(true);
  const old = sha256Of(site);
  await setQuota(page, site, (await usage(page)) + 10_000);
  site.renewModel('99.0.0');
  await openApi(page, site);
  expect(await load(page)).toBe('99.0.0');
  expect((await classify(page)).version).toBe('99.0.0');
  await page.evaluate(() => window.loaded.dispose());
  await expect.poll(() => page.workers().length).toBe(0); // it has tried to keep the new one by now
  expect(await networks(page)).toEqual([old]);
  await openApi(page, site);
  for (const path of ['models/skin-8/manifest.json', 'models/skin-8/skin-8.onnx'])
    site.answers.set(path, { status: 503, body: 'Busy' });
  expect(await load(page)).toBe(version);
  expect((await classify(page)).version).toBe(version);
});

test('with room, an update replaces what was kept, even if its classifier is disposed of at once', async ({
  page,
  site,
}) => {
  await openApi(page, site);
  await page.evaluate(async () => {
    await window.load();
    window.loaded.dispose();
  });
  await expect.poll(() => page.workers().length).toBe(0);
  expect(await kept(page)).toBe(true);
  site.renewModel('99.0.0');
  await page.evaluate(async () => {
    await window.load();
    window.loaded.dispose();
  });
  await expect.poll(() => page.workers().length).toBe(0);
  expect(await networks(page)).toEqual([sha256Of(site)]);
});

test('a tab that updates leaves what another uses, until that is done', async ({ page, context, site }) => {
  await openApi(page, site);
  const version = await load(page);
  await expect.poll(() => kept(page)).toBe(true);
  const old = sha256Of(site);
  await endWorker(page);
  site.renewModel('99.0.0');
  const second = await context.newPage();
  await openApi(second, site);
  expect(await load(second)).toBe('99.0.0');
  await second.evaluate(() => window.loaded.dispose());
  await expect.poll(() => second.workers().length).toBe(0);
  expect(await networks(second)).toEqual([old, sha256Of(site)].sort());
  // The first tab's worker has ended and starts again with its own version, from what is kept.
  const asked = site.count(/skin-8\.onnx/);
  expect((await classify(page)).version).toBe(version);
  expect(site.count(/skin-8\.onnx/)).toBe(asked);
  await page.close();
  await openApi(second, site);
  await load(second);
  await expect.poll(() => networks(second)).toEqual([sha256Of(site)]);
});

test('storage cleared in mid-session: the next photo has its result, and all is kept again', async ({ page, site }) => {
  await openApi(page, site);
  await load(page);
  await expect.poll(() => kept(page)).toBe(true);
  await endWorker(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'all' });
  expect(await kept(page)).toBe(false);
  expect((await classify(page)).outcome).toBeTruthy();
  await openApi(page, site);
  await load(page);
  await expect.poll(() => kept(page)).toBe(true);
});

test('storage cleared while the worker lives is no fault of that', async ({ page, site }) => {
  await openApi(page, site);
  await load(page, { idleTimeout: 0 });
  await expect.poll(() => kept(page)).toBe(true);
  const [worker] = page.workers();
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'all' });
  expect((await classify(page)).outcome).toBeTruthy();
  expect(page.workers()).toEqual([worker]);
});

test('storage denied, as by a browser that blocks all site data: a result', async ({ site }) => {
  const profile = mkdtempSync(join(tmpdir(), 'dermlet-denied-'));
  mkdirSync(join(profile, 'Default'));
  const denied = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(denied));
  const executablePath = process.env.CHROMIUM_PATH;
  const context = await chromium.launchPersistentContext(profile, {
    args: ['--no-sandbox'],
    ...(executablePath ? { executablePath } : {}),
  });
  try {
    const page = await context.newPage();
    await openApi(page, site);
    const open = () =>
      page.evaluate(() =>
        caches.open('x').then(
          () => 'open',
          () => 'denied',
        ),
      );
    expect(await open()).toBe('denied');
    await load(page);
    expect((await classify(page)).outcome).toBeTruthy();
    expect(await kept(page)).toBe(false);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});
