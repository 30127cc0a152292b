/** Other pages on the same origin, and pages of other origins that show this one in a frame. */
import { readFileSync } from 'node:fs';
import { expect, picture, test } from './fixtures.js';
import { Site } from './site.js';

test.use({ serviceWorkers: 'allow' });

/** A second origin: another port. */
const elsewhere = test.extend<{ other: Site }>({
  other: async ({ watch, site }, use) => {
    const other = new Site();
    await other.open();
    await use(other);
    // Here there are two.
    const known = [site, other].map(({ origin }) => `request to another origin: ${origin}/`);
    const faults = watch.faults.filter((fault) => !known.some((start) => fault.startsWith(start)));
    watch.faults.splice(0, Infinity, ...faults);
    await other.close();
  },
});

elsewhere(
  "a neighbour's page below the site's folder loads as before, pictures of other origins included",
  async ({ app, page, site, other }) => {
    other.answers.set('picture.jpg', { body: readFileSync(picture('spot.jpg')), type: 'image/jpeg' });
    for (const path of ['project/', 'project/index.html', 'project/page.html'])
      site.answers.set(path, {
        body: `<!doctype html><title>Neighbour</title><img src="${other.url}picture.jpg"><img src="own.jpg">`,
        type: 'text/html; charset=utf-8',
      });
    site.answers.set('project/own.jpg', { body: readFileSync(picture('spot.jpg')), type: 'image/jpeg' });
    await app.open();
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    await page.reload();
    expect(await page.evaluate(() => crossOriginIsolated), 'the page itself').toBe(true);
    for (const path of ['project/', 'project/page.html']) {
      await page.goto(site.url + path);
      expect(await page.evaluate(() => navigator.serviceWorker.controller !== null), 'within the scope').toBe(true);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      const widths = () => page.evaluate(() => [...document.images].map(({ naturalWidth }) => naturalWidth > 0));
      await expect.poll(widths).toEqual([true, true]);
    }
  },
);

test("a neighbour's service worker cannot put words or requests into the page's count", async ({ app, page, site }) => {
  site.answers.set('project/page.html', { body: '<!doctype html><title>Neighbour</title>', type: 'text/html' });
  site.answers.set('project/sw.js', {
    type: 'text/javascript',
    body: `self.addEventListener('message', async ({ source }) => {
      for (const client of await self.clients.matchAll({ includeUncontrolled: true })) {
        for (const made of [null, 7, [null], [{ address: 'https://see.no.doctor/', at: Date.now() + 1e9 }]])
          client.postMessage({ type: 'dermlet-requests', made });
      }
      source.postMessage('sent');
    })`,
  });
  await app.open();
  await app.classify('spot.jpg');
  await app.details();
  const listed = page.locator('dermlet-request-count');
  await expect(listed.getByText('disconnect from the internet')).toBeVisible({ timeout: 30_000 });
  const told = () => listed.locator('p, li').allTextContents();
  const before = await told();
  expect(before.join()).toContain('disconnect from the internet');
  const neighbour = await page.context().newPage();
  await neighbour.goto(`${site.url}project/page.html`);
  await neighbour.evaluate(async () => {
    const sent = new Promise((done) => navigator.serviceWorker.addEventListener('message', done, { once: true }));
    navigator.serviceWorker.startMessages();
    const registration = await navigator.serviceWorker.register('sw.js', { scope: './' });
    const worker = registration.installing ?? registration.active!;
    while (worker.state !== 'activated') await new Promise((done) => setTimeout(done, 20));
    worker.postMessage('speak');
    await sent;
  });
  await page.waitForTimeout(1000);
  expect(await told()).toEqual(before);
});

const frame = (address: string) => ({
  body: `<!doctype html><title>Stranger</title><iframe src="${address}" width="800" height="800"></iframe>`,
  type: 'text/html; charset=utf-8',
});

elsewhere(
  'in a frame of a stranger it takes no photo, and opens on its own',
  async ({ page, site, other, context }) => {
    other.answers.set('stranger.html', frame(site.url));
    const outside: string[] = [];
    page.on('request', (request) => outside.push(request.url()));
    await page.goto(`${site.url}api.html`);
    await page.goto(`${other.url}stranger.html`);
    const framed = page.frameLocator('iframe');
    await expect(framed.getByRole('heading', { name: 'This page takes no photo here.' })).toBeVisible();
    await expect(framed.locator('dermlet-classifier')).toBeHidden();
    await expect(framed.locator('input[type=file]')).toHaveCount(0);
    expect(site.count(/\.wasm|\.onnx/)).toBe(0);
    const opened = context.waitForEvent('page');
    await framed.getByRole('link', { name: 'Open it in a window of its own' }).click();
    const own = await opened;
    await expect(own).toHaveURL(site.url);
    await expect(own.getByRole('button', { name: 'Choose photos' })).toBeVisible();
  },
);

elsewhere('in a frame of a stranger the example form has no element', async ({ page, site, other, context }) => {
  other.answers.set('stranger.html', frame(`${site.url}examples/intake.html`));
  await page.goto(`${other.url}stranger.html`);
  const framed = page.frameLocator('iframe');
  await expect(framed.getByText('This page takes no photo here')).toBeVisible();
  await expect(framed.locator('dermlet-classifier')).toHaveCount(0);
  expect(site.count(/dermlet\.js|\.wasm|\.onnx/)).toBe(0);
  const opened = context.waitForEvent('page');
  await framed.getByRole('link', { name: 'Open it in a window of its own' }).click();
  await expect((await opened).getByRole('checkbox', { name: 'I agree' })).toBeVisible();
  // Its own site may.
  site.answers.set('own.html', frame('./examples/intake.html'));
  await page.goto(`${site.url}own.html`);
  await framed.getByRole('checkbox', { name: 'I agree' }).check();
  await expect(framed.getByRole('button', { name: 'Choose photos' })).toBeVisible();
});

test('in a frame of its own site it works as before', async ({ page, site }) => {
  site.answers.set('own.html', frame('./'));
  await page.goto(`${site.url}own.html`);
  await expect(page.frameLocator('iframe').getByRole('button', { name: 'Choose photos' })).toBeVisible();
});

elsewhere('in a frame of an origin that the page names it works', async ({ page, site, other }) => {
  other.answers.set('portal.html', frame(site.url));
  const named = `<meta name="dermlet-frames" content="https://portal.example ${other.origin}">`;
  site.answers.set('', {
    body: site.read('index.html').toString().replace('<title', `${named}<title`),
    type: 'text/html; charset=utf-8',
  });
  await page.goto(`${other.url}portal.html`);
  await expect(page.frameLocator('iframe').getByRole('button', { name: 'Choose photos' })).toBeVisible();
});
