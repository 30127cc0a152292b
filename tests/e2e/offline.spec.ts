import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';

/** Waits until the service worker has kept its files and controls this page. */
async function untilKept(page: Page): Promise<void> {
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

test('a site update takes effect once all its pages are closed', async ({ app, page, context, site }) => {
  await app.open();
  await untilKept(page);
  // A new version of the page: the service worker sees it by the revision in sw.js.
  site.answers.set('index.html', {
    body: site
      .read('index.html')
      .toString()
      .replace(/<title[^>]*>/, '$&New '),
    type: 'text/html; charset=utf-8',
  });
  const worker = site.read('sw.js').toString();
  const changed = worker.replace(
    /("?url"?:\s*["'`]index\.html["'`],\s*"?revision"?:\s*["'`])[0-9a-f]+|("?revision"?:\s*["'`])[0-9a-f]+(["'`],\s*"?url"?:\s*["'`]index\.html)/,
    '$1$2new$3',
  );
  expect(changed).not.toBe(worker);
  site.answers.set('sw.js', { body: changed, type: 'text/javascript' });
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
