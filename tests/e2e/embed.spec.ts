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
