/** What can be checked of the page: before and after an answer, as text, and against the server's own log. */
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { type App, expect, type Site, test, withServiceWorker } from './fixtures.js';

test.describe.configure({ timeout: 120_000 });

const part = (page: Page, id: string): Locator => page.locator(`dermlet-trust [data-part=${id}]`);
const button = (page: Page, id: 'copy' | 'test'): Locator => page.locator(`dermlet-trust [data-do=${id}]`);

/** From the page, without an answer. */
async function openBefore(app: App, page: Page, query = ''): Promise<void> {
  await app.open(query);
  await page.getByRole('link', { name: 'How to check this' }).click();
  await expect(part(page, 'files')).toBeVisible();
}

async function openAfter(app: App, page: Page): Promise<void> {
  await app.open();
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'Check what this page does' }).click();
  await expect(part(page, 'files')).toBeVisible();
}

/** Paths below the site that the panel lists. */
async function listed(page: Page, site: Site): Promise<string[]> {
  const folded = part(page, 'network').locator('details');
  const addresses = await folded.locator('li').allTextContents();
  return addresses.map((address) => new URL(address.trim()).pathname.slice(new URL(site.url).pathname.length));
}

const rowOf = (page: Page, id: string, term: string): Locator =>
  part(page, id).locator('dt', { hasText: term }).locator('xpath=following-sibling::dd[1]');

async function faults(page: Page, within = 'dermlet-trust'): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page: page as never }).include(within).analyze();
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}

test('before an answer: what runs, the hashes of what the site serves, the self-test and the weaknesses', async ({
  app,
  page,
  site,
}) => {
  await openBefore(app, page);
  await expect(part(page, 'where')).toContainText(/WebAssembly \(processor\), \d threads?/);
  await expect(part(page, 'where')).toContainText('ONNX Runtime 1.');
  await expect(part(page, 'where')).toContainText(/skin-8 \d+\.\d+\.\d+/);
  const manifest = await (await page.request.get(`${site.url}models/skin-8/manifest.json`)).json();
  await expect(rowOf(page, 'files', manifest.file.path)).toHaveText(
    new RegExp(`${manifest.file.sha256}.* verified$`, 's'),
  );
  const core = await (await page.request.get(`${site.url}engine/dermlet.wasm`)).body();
  const sum = await page.evaluate(
    async (bytes) =>
      [...new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(''),
    [...core],
  );
  await expect(rowOf(page, 'files', 'dermlet.wasm')).toHaveText(new RegExp(`${sum}.* verified$`, 's'));
  await expect(part(page, 'test')).toContainText(/Passed on .*\d{4}.*, with WebAssembly/);
  await expect(part(page, 'weak')).toContainText(
    /of \d+ lesions or patients with a stated skin tone, \d+ had dark skin/,
  );
  await expect(part(page, 'weak')).toContainText('Rashes and other conditions');
  await expect(part(page, 'network')).not.toContainText('since the photo was chosen');
  expect(await faults(page)).toEqual([]);
});

withServiceWorker('after an answer: both counts are those of the server', async ({ app, page, site }) => {
  await app.open();
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'Check what this page does' }).click();
  await expect(part(page, 'network')).toContainText('disconnect from the internet', { timeout: 30_000 });
  // The browser itself fetches the document, the service worker's script, the manifest of the app and its icons.
  const own = /^(sw\.js|site\.webmanifest|icon.*|)$/;
  const sorted = (paths: readonly string[]) => paths.filter((path) => !own.test(path)).sort();
  await expect.poll(async () => sorted(await listed(page, site))).toEqual(sorted(site.log.map(({ path }) => path)));
  const all = (await listed(page, site)).length;
  await expect(rowOf(page, 'network', 'since this page was loaded')).toHaveText(String(all));
  // Another photo causes no request, and says so.
  const served = site.log.length;
  await app.classify('spot.png');
  await page.getByRole('button', { name: 'Check what this page does' }).click();
  await expect(rowOf(page, 'network', 'since the photo was chosen')).toHaveText('0');
  await expect(rowOf(page, 'network', 'since this page was loaded')).toHaveText(String(all));
  expect(site.log.length).toBe(served);
  expect(await faults(page, 'dermlet-classifier')).toEqual([]);
});

test('the self-test can be run again, and its measure is shown', async ({ app, page }) => {
  await openAfter(app, page);
  await button(page, 'test').click();
  await expect(part(page, 'test')).toContainText(
    /Greatest difference from that answer: [\d.]+; up to 0\.\d+ is allowed/,
  );
  await expect(part(page, 'test')).not.toContainText('is running');
  await expect(button(page, 'test')).toBeFocused();
});

withServiceWorker('a visit later the self-test has the date of the first one', async ({ app, page }) => {
  await openBefore(app, page);
  const first = await part(page, 'test')
    .getByText(/Passed on/)
    .textContent();
  await page.clock.setFixedTime(Date.now() + 3 * 24 * 3600_000);
  await page.reload();
  await app.untilReady();
  await page.getByRole('link', { name: 'How to check this' }).click();
  await expect(part(page, 'test')).toContainText(first!.trim());
});

test('one click copies it with the date, without the name of the photo', async ({ app, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openAfter(app, page);
  await button(page, 'copy').click();
  await expect(page.locator('dermlet-trust')).toContainText('Copied.');
  const text = await page.evaluate(() => navigator.clipboard.readText());
  const year = await page.evaluate(() => String(new Date().getFullYear()));
  expect(text.split('\n')[1]).toMatch(new RegExp(`^State of .*${year}`));
  expect(text).toContain('What this network does badly');
  expect(text).toMatch(/[0-9a-f]{64} \(verified\)/);
  expect(text).not.toContain('spot.jpg');
});

test('where copying is not allowed the text can be taken from a field', async ({ app, page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'clipboard', { value: undefined });
  });
  await openAfter(app, page);
  await button(page, 'copy').click();
  const field = page.getByRole('textbox', { name: 'All of it as text' });
  await expect(field).toHaveValue(/What runs where/);
  await expect(field).toBeFocused();
  // What is found out meanwhile does not take it away from who is copying by hand.
  await button(page, 'test').click();
  await expect(button(page, 'test')).toBeEnabled();
  await expect(field).toHaveValue(/What runs where/);
});

test('the card of a model without a page is called a text file', async ({ app, page, site }) => {
  site.changeJson('models/skin-8/manifest.json', (manifest: { name: string; card: string }) => {
    manifest.name = 'another';
  });
  await openBefore(app, page);
  await expect(page.locator('dermlet-trust').getByRole('link', { name: /text file/ })).toHaveAttribute(
    'href',
    /models\/skin-8\/MODEL_CARD\.md$/,
  );
  await expect(page.locator('#weights').getByRole('link', { name: /text file/ })).toBeVisible();
});

test('the card of a shipped model is a page wherever it is linked', async ({ app, page }) => {
  await openAfter(app, page);
  await app.details();
  await app.settings();
  const links = page.getByRole('link', { name: /Training data, figures and limits/ });
  await expect.poll(() => links.count()).toBeGreaterThan(2);
  for (const link of await links.all()) await expect(link).toHaveAttribute('href', /about\/card-skin-\w+\.html$/);
});

test('a script that does not come is said, and the page loaded again has it', async ({ app, page }) => {
  await page.route(/assets\/trust-/, (route) => route.abort());
  await app.open();
  await page.getByRole('link', { name: 'How to check this' }).click();
  await expect(page.locator('#trust').getByRole('alert')).toContainText('could not be loaded');
  await page.unroute(/assets\/trust-/);
  await page.reload();
  await app.untilReady();
  await page.getByRole('link', { name: 'How to check this' }).click();
  await expect(part(page, 'files')).toBeVisible();
  await expect(page.locator('#trust [role=alert]')).toBeHidden();
});

test('it follows a change of the network', async ({ app, page }) => {
  await openBefore(app, page);
  await expect(part(page, 'where')).toContainText('skin-8');
  await app.settings();
  await app
    .model(/commercial|open/i)
    .first()
    .check();
  await expect(part(page, 'where')).toContainText(/skin-open \d/, { timeout: 60_000 });
  await expect(part(page, 'files')).toContainText('skin-open.onnx');
});

for (const language of ['en', 'de', 'ar']) {
  test(`360 px wide with text of twice the size, nothing is scrolled sideways: ${language}`, async ({ app, page }) => {
    await page.addInitScript((tag) => localStorage.setItem('dermlet-language', tag), language);
    await page.setViewportSize({ width: 360, height: 640 });
    await app.open();
    await page.locator('a[href="#trust"]').click();
    await expect(part(page, 'files')).toBeVisible();
    await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
    await part(page, 'network').locator('summary').click();
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    ).toBeLessThanOrEqual(0);
    expect(await faults(page)).toEqual([]);
  });
}
