import type { Page } from '@playwright/test';
import { sha256 } from '../../tools/build/hash.mjs';
import { expect, test } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';
import type { Site } from './site.js';

test.use({ serviceWorkers: 'allow' });

/** Waits until the service worker has kept its files and controls this page. */
async function untilKept(page: Page): Promise<void> {
  const model = () => page.evaluate(() => caches.match(new URL('models/skin-8/manifest.json', document.baseURI)));
  await expect.poll(async () => (await model()) !== undefined).toBe(true);
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
}

test('with the server gone after the first visit it still gives the same result', async ({ app, page, site }) => {
  await app.open();
  await untilKept(page);
  await site.close();
  await page.reload();
  await app.untilReady();
  expectSame(await app.classify('spot.jpg'), await nodeResult('spot.jpg'));
});

test('offline, in a newly opened page', async ({ app, page, context, site }) => {
  await app.open();
  await untilKept(page);
  await page.close();
  await context.setOffline(true);
  const { App } = await import('./app.js');
  const again = new App(await context.newPage(), site);
  await again.open();
  const result = await again.classify('spot.jpg');
  expect(result.quality.usable).toBe(true);
  await context.setOffline(false);
});

test('what was cleared of the page is kept again with the next visit, what was not asked for too', async ({
  app,
  page,
  site,
}) => {
  await app.open();
  await untilKept(page);
  const kept = () =>
    page.evaluate(async () => {
      const name = (await caches.keys()).find((each) => each.startsWith('dermlet-site:'));
      return name ? (await (await caches.open(name)).keys()).map(({ url }) => url).sort() : [];
    });
  const before = await kept();
  expect(before.length).toBeGreaterThan(100);
  await page.evaluate(async () => {
    for (const name of await caches.keys()) if (name.startsWith('dermlet-site:')) await caches.delete(name);
  });
  await page.reload();
  await expect.poll(kept).toEqual(before);
  await site.close();
  await page.reload();
  await app.untilReady();
  // Words that nothing had asked for.
  await app.settings();
  await page.locator('#language').selectOption('ar');
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
});

test('the second visit is isolated and uses threads, with the same result as one thread', async ({ app, page }) => {
  await app.open();
  const navigations: string[] = [];
  page.on('framenavigated', (frame) => navigations.push(frame.url()));
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  const single = await app.classify('spot.jpg');
  expect(single.runtime.threads).toBe(1);
  await untilKept(page);
  // The page never reloads itself.
  expect(navigations).toEqual([]);
  await page.reload();
  await app.untilReady();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const threaded = await app.classify('spot.jpg');
  const cores = await page.evaluate(() => navigator.hardwareConcurrency);
  expect(threaded.runtime.threads).toBe(Math.min(cores, 4));
  expectSame(threaded, single, 1e-5);
});

/** A new version of the page: the service worker sees it by the sha256 in sw.js. */
function renewPage(site: Site): void {
  const page = site.read('index.html').toString();
  const body = page.replace(/<title[^>]*>/, '$&New ');
  site.answers.set('index.html', { body, type: 'text/html; charset=utf-8' });
  const worker = site.read('sw.js').toString();
  expect(worker).toContain(sha256(page));
  site.answers.set('sw.js', { body: worker.replace(sha256(page), sha256(body)), type: 'text/javascript' });
}

test('a site update takes effect once all its pages are closed', async ({ app, page, context, site }) => {
  await app.open();
  await untilKept(page);
  renewPage(site);
  await page.reload();
  await expect(page).not.toHaveTitle(/^New/);
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
    const fresh = registration.installing ?? registration.waiting;
    if (fresh === null) throw new Error('no update was found');
    while (fresh.state === 'installing')
      await new Promise((done) => fresh.addEventListener('statechange', done, { once: true }));
  });
  await page.close();
  const again = await context.newPage();
  await expect
    .poll(async () => {
      await again.goto(`${site.url}LICENSE`);
      await again.goto(site.url);
      return again.title();
    })
    .toMatch(/^New/);
});

/** Looks for a new version and waits until it has come. */
const update = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
    while (registration.installing) await new Promise((done) => setTimeout(done, 50));
  });

const TAKE = { name: 'Use the new version now' };

test('a page of an older version says that there is a new one, and a button takes it', async ({ app, page, site }) => {
  await app.open();
  await untilKept(page);
  await app.classify('spot.jpg');
  const said = (await app.verdict.textContent())!;
  const button = page.getByRole('button', TAKE);
  await expect(button).toBeHidden();
  const place = async () => (await page.locator('dermlet-classifier').boundingBox())!;
  const before = await place();
  renewPage(site);
  await update(page);
  // Nothing that is shown is lost before, nor moves under a finger, and the end of the page can be read.
  await expect(button).toBeInViewport({ ratio: 1 });
  expect(await place()).toEqual(before);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  const [end, bar] = [await page.locator('footer').boundingBox(), await page.locator('#renewed').boundingBox()];
  expect(end!.y + end!.height).toBeLessThanOrEqual(bar!.y);
  await expect(app.verdict).toHaveText(said);
  await expect(page).not.toHaveTitle(/^New/);
  await button.click();
  await expect(page).toHaveTitle(/^New/);
  await expect(button).toBeHidden();
  await app.untilReady();
  await app.classify('spot.jpg');
});

test('a neighbour outside of its folder cannot make it take a new version', async ({ app, page, context, site }) => {
  await app.open();
  await untilKept(page);
  renewPage(site);
  await update(page);
  const neighbour = await context.newPage();
  await neighbour.goto(`${site.origin}/`); // not found, and of this origin
  const state = await neighbour.evaluate(async (folder) => {
    const registration = await navigator.serviceWorker.getRegistration(folder);
    const fresh = registration!.waiting!;
    fresh.postMessage('take-over');
    await new Promise((done) => setTimeout(done, 1500));
    return fresh.state;
  }, site.url);
  expect(state).toBe('installed');
  await expect(page.getByRole('button', TAKE)).toBeVisible();
});

test('a page that is opened while a new version waits learns of it too', async ({ app, page, context, site }) => {
  await app.open();
  await untilKept(page);
  renewPage(site);
  await update(page);
  const later = await context.newPage();
  await later.goto(site.url);
  await expect(later).not.toHaveTitle(/^New/);
  await expect(later.getByRole('button', TAKE)).toBeVisible();
});

declare global {
  interface Window {
    /** By name: those of Trusted Types that the page has made. */
    policies: Record<string, { createScriptURL(address: string): string }>;
  }
}

function rememberPolicies(): void {
  window.policies = {};
  const { trustedTypes: types } = window as unknown as {
    trustedTypes?: { createPolicy(name: string, rules: object): Window['policies'][string] };
  };
  const create = types?.createPolicy.bind(types);
  if (types && create) types.createPolicy = (name, rules) => (window.policies[name] = create(name, rules));
}

test('another tab goes on with its version, its scripts included, when one takes the new one', async ({
  app,
  page,
  context,
  site,
}) => {
  await app.open();
  await untilKept(page);
  test.slow(); // three pages load
  const other = await context.newPage();
  await other.addInitScript(rememberPolicies);
  const { App } = await import('./app.js');
  const old = new App(other, site);
  await old.open();
  await old.classify('spot.jpg');
  const said = (await old.verdict.textContent())!;
  // The new version has a worker of another name, and the host has thrown the old one away.
  const script = site.worker;
  renewPage(site);
  const worker = site.answers.get('sw.js')!.body.toString();
  expect(worker).toContain(script);
  site.answers.set('sw.js', { body: worker.replaceAll(script, 'assets/worker-new.js'), type: 'text/javascript' });
  site.answers.set('assets/worker-new.js', { body: site.read(script), type: 'text/javascript' });
  site.answers.set(script, { status: 404, type: 'text/plain', body: '' });
  await update(page);
  await page.getByRole('button', TAKE).click();
  await expect(page).toHaveTitle(/^New/);
  await expect(other.getByRole('button', TAKE)).toBeVisible();
  await expect(other).not.toHaveTitle(/^New/);
  await expect(old.verdict).toHaveText(said);
  const there = (where: Page) =>
    where.evaluate(async (name) => {
      const address = new URL(name, document.baseURI).href;
      return (await caches.match(address, { ignoreSearch: true })) !== undefined;
    }, script);
  const imported = await other.evaluate(async (name) => {
    const address = new URL(name, document.baseURI).href;
    const worker = new Worker(window.policies.dermlet?.createScriptURL(address) ?? address, { type: 'module' });
    const started = await new Promise((done) => {
      worker.onerror = () => done(false);
      worker.onmessage = () => done(true);
      worker.postMessage({ type: 'keep', ahead: false });
    });
    worker.terminate();
    return started;
  }, script);
  expect(imported, 'the old worker starts').toBe(true);
  expect(await there(other)).toBe(true);
  // Once no page of the old version is open its files go.
  await other.close();
  await page.close();
  const fresh = await context.newPage();
  await expect
    .poll(async () => {
      await fresh.goto('about:blank');
      await fresh.goto(`${site.url}LICENSE`);
      return there(fresh);
    })
    .toBe(false);
});

/** One byte of a kept script changes, as on a faulty disk. @returns where it is kept */
const damage = (page: Page, name: string): Promise<string> =>
  page.evaluate(async (name) => {
    const cache = await caches.open((await caches.keys()).find((each) => each.startsWith('dermlet-site'))!);
    const { url } = (await cache.keys()).find((request) => request.url.includes(name))!;
    const bytes = new Uint8Array(await (await cache.match(url))!.arrayBuffer());
    bytes[200]! ^= 1;
    await cache.put(url, new Response(bytes, { headers: { 'content-type': 'text/javascript' } }));
    return url;
  }, name);

test('a wrong copy that the HTTP cache holds for good is fetched past it', async ({ app, page, site }) => {
  const name = 'engine/ort-wasm-simd-threaded.mjs';
  const given = () => page.evaluate(async (name) => (await fetch(new URL(name, document.baseURI))).text(), name);
  await app.open();
  await untilKept(page);
  await damage(page, 'ort-wasm-simd-threaded.mjs');
  const headers = { 'Cache-Control': 'max-age=31536000, immutable' };
  site.answers.set(name, { body: 'export default 0;', type: 'text/javascript', headers });
  // Nothing else is there: it may be a newer version's.
  expect(await given()).toBe('export default 0;');
  site.answers.delete(name);
  expect(await given()).toBe(site.read(name).toString());
});

test('what the host sends in place of a script is not kept, and a kept copy that was changed is fetched again', async ({
  app,
  page,
  site,
}) => {
  site.answers.set('icon.svg', { body: '<!doctype html><title>Sign in</title>', type: 'text/html' });
  await app.open();
  const installed = () =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      const sw = registration?.installing ?? registration?.active;
      while (sw?.state === 'installing') await new Promise((done) => sw.addEventListener('statechange', done));
      return sw?.state ?? 'redundant';
    });
  await expect.poll(installed).toBe('redundant');
  site.answers.delete('icon.svg');
  await page.reload();
  await app.untilReady();
  await untilKept(page);
  const script = await damage(page, 'ort-wasm-simd-threaded.mjs');
  const asked = site.count(/ort-wasm-simd-threaded\.mjs$/);
  await page.reload();
  await app.untilReady();
  expect(site.count(/ort-wasm-simd-threaded\.mjs$/)).toBe(asked + 1);
  await app.classify('spot.jpg');
  expect(script).toContain('__revision=');
});
