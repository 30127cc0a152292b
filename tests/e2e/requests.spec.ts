/** The count of network requests, held against the server's own log; and the page's proof: without a network. */
import type { Page } from '@playwright/test';
import { type App, expect, type Site, test } from './fixtures.js';

test.use({ serviceWorkers: 'allow' });

/** What the page lists, relative to the site. */
async function listed(page: Page, site: Site): Promise<string[]> {
  const addresses = await page.locator('dermlet-request-count li').allInnerTexts();
  return addresses.map((address) => new URL(address).pathname.slice(new URL(site.url).pathname.length));
}

/** What is in `paths` more often than in `others`. */
function more(paths: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return paths.filter((path) => {
    const at = left.indexOf(path);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** What the server was asked for since its log had `served` entries, but for what the browser asks for by itself. */
const sentSince = ({ log }: Site, served: number): string[] =>
  log
    .slice(served)
    .map(({ path }) => path)
    .filter((path) => path !== 'sw.js');

/** What was on its way when the log had `served` entries may be listed or not; more follows until the page is idle. */
async function expectAllTold(page: Page, site: Site, served: number): Promise<void> {
  const differing = async () => {
    const told = await listed(page, site);
    const logged = site.log.map(({ path }) => path);
    return { missing: more(sentSince(site, served), told), invented: more(told, logged) };
  };
  await expect.poll(differing).toEqual({ missing: [], invented: [] });
}

/** Ends an idle worker after a moment rather than a minute. */
function soon(): void {
  const later = window.setTimeout;
  const sooner = (run: TimerHandler, after?: number, ...rest: unknown[]) =>
    later(run, after === 60_000 ? 4000 : after, ...rest);
  window.setTimeout = sooner as typeof window.setTimeout;
}

/** Waits until the page offers to disconnect: it does beside a result. */
async function untilOffered(app: App, name?: string): Promise<void> {
  if (name) await app.classify(name);
  await app.details();
  await expect(app.page.getByText('disconnect from the internet')).toBeVisible({ timeout: 30_000 });
}

/** The service worker fetches what it keeps once nothing else waits: on a busy machine, after the proof is offered. */
const untilKept = (page: Page): Promise<void> => page.evaluate(async () => void (await navigator.serviceWorker.ready));

test('a photo chosen at once: every request since is counted, of page, worker and service worker', async ({
  app,
  page,
  site,
}) => {
  let isChosen = () => {};
  const chosen = new Promise<void>((resolve) => (isChosen = resolve));
  // None of the requests of worker and service worker begins before the photo is chosen.
  for (const path of [site.worker, 'sw.js'])
    site.answers.set(path, {
      body: site.read(path),
      type: 'text/javascript',
      send: (body, response) => void chosen.then(() => response.end(body)),
    });
  await page.goto(site.url);
  await app.choose('spot.jpg');
  const served = site.log.length;
  isChosen();
  await untilOffered(app);
  await untilKept(page);
  const from = (pattern: RegExp) => sentSince(site, served).filter((path) => pattern.test(path)).length;
  expect(from(/skin-8\.onnx/), 'by the worker').toBeGreaterThan(0);
  expect(from(/site\.webmanifest|icon\.svg|dermlet\.js/), 'by the service worker').toBeGreaterThan(0);
  await expectAllTold(page, site, served);
  await expect(page.locator('#requests')).toHaveText(String((await listed(page, site)).length));
});

test('a second visit, isolated and with a service worker that answers: every request is counted, and no other', async ({
  app,
  page,
  site,
}) => {
  await app.open();
  await untilOffered(app, 'spot.jpg');
  await untilKept(page);
  // Nothing is loaded here before a photo is chosen.
  site.addPage(
    'elsewhere/embed.html',
    `<dermlet-classifier model="../models/skin-8/"></dermlet-classifier>
     <script type="module" src="../dermlet.js"></script>`,
  );
  await page.goto(`${site.url}elsewhere/embed.html`);
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeVisible();
  const served = site.log.length;
  await untilOffered(app, 'spot.jpg');
  // The browser itself looks whether the service worker's script has changed.
  const sent = sentSince(site, served);
  expect(sent).toContain('models/skin-8/manifest.json');
  expect(sent.length).toBeLessThan(5);
  await expect.poll(async () => (await listed(page, site)).sort()).toEqual(sent.sort());
});

test('a host that isolates by itself, without a service worker: the requests of threads are counted too', async ({
  app,
  page,
  site,
}) => {
  site.answers.set('sw.js', { status: 404, type: 'text/plain', body: '' });
  const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  for (const path of ['', 'index.html'])
    site.answers.set(path, { body: site.read('index.html'), type: 'text/html; charset=utf-8', headers });
  await page.goto(site.url);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await app.choose('spot.jpg');
  const served = site.log.length;
  await untilOffered(app);
  await expect.poll(() => site.count(/ort-.*\.mjs$/), 'by the worker, and by a thread').toBeGreaterThan(1);
  await expectAllTold(page, site, served);
});

test('once the page is idle a HEIC causes no request either', async ({ app, page, site }) => {
  await app.open();
  await untilOffered(app, 'spot.jpg');
  await untilKept(page);
  const served = site.log.length;
  expect((await app.classify('foreign/lossy.heic')).source.decodePath).toBe('libheif');
  await app.details();
  await expect(page.locator('#requests')).toHaveText('0');
  expect(site.log.slice(served)).toEqual([]);
});

for (const [what, without] of [
  ['with a service worker the idle worker is ended, and starts again', false],
  ['without one it goes on', true],
] as const) {
  test(`the proof works for hours: ${what}`, async ({ app, page, context, site }) => {
    if (without) site.answers.set('sw.js', { status: 404, type: 'text/plain', body: '' });
    await page.addInitScript(soon);
    await app.open();
    await untilOffered(app, 'spot.jpg');
    if (!without) await page.waitForFunction(() => navigator.serviceWorker.controller);
    await context.setOffline(true);
    await site.close();
    if (without) await page.waitForTimeout(6000);
    await expect.poll(() => page.workers().length).toBe(without ? 1 : 0);
    expect((await app.classify('foreign/lossy.heic')).source.decodePath).toBe('libheif');
    if (!without) await expect.poll(() => page.workers().length).toBe(0);
    await app.classify('orientation-6.jpg');
    await app.details();
    await expect(page.locator('#requests')).toHaveText('0');
    await site.open();
  });
}

for (const [what, ended] of [
  ['the worker lives', false],
  ['the idle worker was ended', true],
] as const) {
  test(`the proof is withdrawn when storage is cleared afterwards: ${what}`, async ({ app, page, site }) => {
    if (ended) await page.addInitScript(soon);
    await app.open();
    await untilOffered(app, 'spot.jpg');
    await page.waitForFunction(() => navigator.serviceWorker.controller);
    if (ended) await expect.poll(() => page.workers().length).toBe(0);
    const served = site.log.length;
    // What is kept is looked for, which is no request, and the offer stands.
    await page.waitForTimeout(6000);
    await expect(page.getByText('disconnect from the internet')).toBeVisible();
    await page.evaluate(async () => {
      for (const name of await caches.keys()) if (!name.startsWith('dermlet-site')) await caches.delete(name);
    });
    await expect(page.getByText('keep the Network tab')).toBeVisible({ timeout: 20_000 });
    await expect(page.getByText('disconnect from the internet')).toHaveCount(0);
    expect(site.log.slice(served)).toEqual([]);
  });
}

test('what is not kept on this device is not called so', async ({ app, page, site }) => {
  site.answers.set('engine/libheif.wasm', { status: 404, type: 'text/plain', body: '' });
  await app.open();
  await app.classify('spot.jpg');
  await app.details();
  await expect.poll(() => site.count(/libheif\.wasm/), { timeout: 20_000 }).toBeGreaterThan(0);
  await page.waitForTimeout(1000);
  await expect(page.getByText('keep the Network tab')).toBeVisible();
  await expect(page.getByText('disconnect from the internet')).toHaveCount(0);
});

test('where a browser records no requests there is no number', async ({ app, page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(PerformanceObserver, 'supportedEntryTypes', { value: ['mark'] });
  });
  await app.open();
  await app.classify('spot.jpg');
  await app.details();
  await expect(page.getByText('so no number is given')).toBeVisible();
  await expect(page.locator('#requests')).toHaveCount(0);
});
