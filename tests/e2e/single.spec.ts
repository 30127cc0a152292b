/** The page as one file, opened from a disk: `npm run build:single`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { sample } from '../doc-samples.mjs';
import { App } from './app.js';
import { expect, picture, requestsOf, test } from './fixtures.js';
import { expectSame } from './node-result.js';
import { singleFile } from './site.js';

// Each opens 13 MB, and some more than that.
test.describe.configure({ timeout: 120_000 });

/** As it lies on a stick: alone, under a path with a space and letters of any kind. */
function onStick(folder: string, changed = (html: string) => html): string {
  const place = join(folder, 'Stick Ä 100%');
  mkdirSync(place, { recursive: true });
  const path = join(place, 'dermlet.html');
  writeFileSync(path, changed(readFileSync(singleFile, 'utf8')));
  return pathToFileURL(path).href;
}

/** Nobody can be asked: the network is off, and whatever is asked for is noted. */
async function openOffline(app: App, page: Page, folder: string): Promise<string[]> {
  await page.context().setOffline(true);
  const asked = requestsOf(page);
  await page.goto(onStick(folder));
  await app.untilReady();
  return asked;
}

async function openDetails(page: Page): Promise<void> {
  await page.getByText('What was run, and what left this device', { exact: true }).click();
}

/** Of no connection: a worker's script, and pictures that the page itself has made. */
const isInside = (address: string): boolean => /^(blob|data):/.test(address);

test('from a file without a network, a photo is scored as on the site, and nothing is asked for', async ({
  app,
  page,
  site,
}, { outputDir }) => {
  await app.open();
  const onSite = await app.classify('spot-large.jpg');
  await page.close();
  const other = await page.context().newPage();
  const file = new App(other, site);
  await site.close();
  const asked = await openOffline(file, other, outputDir);
  const result = await file.classify('spot-large.jpg');
  expect(result.ranking.map(({ id }) => id)).toEqual(onSite.ranking.map(({ id }) => id));
  expectSame(result, onSite);
  expect(result.runtime).toMatchObject({ backend: 'wasm', threads: 1 });
  expect(asked.filter((address) => !isInside(address))).toEqual([other.url()]);
  await openDetails(other);
  await expect(other.locator('#requests')).toHaveText('0');
});

test('its policy forbids every connection, and no script but its own runs', async ({ app, page }, { outputDir }) => {
  await openOffline(app, page, outputDir);
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  const directives = new Map(policy!.split('; ').map((line) => [line.split(' ')[0], line.split(' ').slice(1)]));
  expect(directives.get('default-src')).toEqual(["'none'"]);
  expect(directives.get('connect-src')).toEqual(["'none'"]);
  expect(directives.get('worker-src')).toEqual(['blob:']);
  expect(policy).not.toMatch(/unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|https?:|\*/);
  for (const source of [...directives.get('script-src')!, ...directives.get('style-src')!])
    expect(source).toMatch(/^'(sha256-[\w+/]{43}=|wasm-unsafe-eval)'$/);
  const told = policy!.replace(/sha256-[^']+/g, 'sha256-...');
  expect(told).toBe(sample('docs/hosting.md', 'sha256-...').trim());
});

test('with the network there, nothing in its page or its worker reaches anybody', async ({ app, page, site, watch }, {
  outputDir,
}) => {
  await page.goto(onStick(outputDir));
  await app.untilReady();
  await app.classify('spot-large.jpg');
  const asked = site.log.length;
  const callOut = async (address: string) => {
    const told = async (call: () => unknown) => {
      try {
        await call();
        return 'done';
      } catch {
        return 'refused';
      }
    };
    const opened = () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(address.replace('http', 'ws'));
        Object.assign(socket, { onopen: resolve, onerror: reject });
      });
    return {
      fetch: await told(() => fetch(address, { mode: 'no-cors' })),
      import: await told(() => import(`${address}start.js`)),
      socket: await told(opened),
      eval: await told(() => Reflect.get(globalThis, 'eval')('1')),
    };
  };
  const refused = { fetch: 'refused', import: 'refused', socket: 'refused', eval: 'refused' };
  expect(page.workers()).toHaveLength(1);
  expect(await page.workers()[0]!.evaluate(callOut, site.url)).toEqual(refused);
  expect(await page.evaluate(callOut, site.url)).toEqual(refused);
  expect(site.log.slice(asked)).toEqual([]);
  expect(watch.faults.length, 'the policy tells').toBeGreaterThan(0);
  watch.faults.length = 0;
});

test('a HEIC is decoded by what is in the file', async ({ app, page }, { outputDir }) => {
  const asked = await openOffline(app, page, outputDir);
  const result = await app.classify('foreign/lossy.heic');
  expect(result.source).toMatchObject({ format: 'heic', decodePath: 'libheif' });
  expect(asked.filter((address) => !isInside(address))).toEqual([page.url()]);
});

test('sample, report, questions, list and languages need nothing else', async ({ app, page }, { outputDir }) => {
  const asked = await openOffline(app, page, outputDir);
  await page.getByRole('button', { name: 'Try with a sample picture' }).click();
  await expect(app.verdict).toBeVisible({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Take it to a doctor' }).click();
  await expect(page.locator('dermlet-report')).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /PDF/ }).click();
  expect((await download).suggestedFilename()).toMatch(/\.pdf$/);
  await page.getByRole('button', { name: 'Answer a few questions' }).click();
  await expect(page.locator('dermlet-questions')).toBeVisible();
  // What looks up is in the file too, and says that this is no atlas.
  await page.getByRole('button', { name: 'For professionals' }).click();
  await page.getByRole('button', { name: 'Similar cases' }).click();
  await page.locator('dermlet-similar #atlas').setInputFiles(picture('spot.jpg'));
  await expect(page.locator('dermlet-similar').getByRole('alert')).toContainText('MODEL_CORRUPT');
  await page.getByRole('button', { name: 'Ask another network' }).click();
  await expect(page.locator('dermlet-beside [data-none]')).toBeVisible();
  await app.settings();
  await page.locator('#language').selectOption('ar');
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
  expect(asked.filter((address) => !isInside(address))).toEqual([page.url()]);
});

test('every link leads to a part of the file', async ({ app, page }, { outputDir }) => {
  await openOffline(app, page, outputDir);
  await app.classify('spot.jpg');
  await openDetails(page);
  const links = page.locator('a:visible');
  const seen = await links.evaluateAll((all) =>
    all.map((link) => {
      const href = link.getAttribute('href') ?? '';
      return { href, there: href.startsWith('#') && document.getElementById(href.slice(1)) !== null };
    }),
  );
  expect(seen.length).toBeGreaterThan(5);
  expect(seen.filter(({ there }) => !there)).toEqual([]);
  await page
    .getByRole('link', { name: /^What it is, and what to watch for/ })
    .first()
    .click();
  await expect(page.locator('[id="about/nv.html"] p').first()).toBeVisible();
  await page.getByRole('link', { name: 'model card' }).first().click();
  await expect(page.locator('[id="about/card.html"] table').first()).toBeVisible();
  await page.getByRole('link', { name: 'LGPL' }).click();
  await expect(page.locator('[id="licences/libheif-js"] pre')).toContainText('GNU LESSER GENERAL PUBLIC LICENSE');
  expect(page.context().pages()).toHaveLength(1);
});

test('an idle worker is ended, and starts again from what is in the file', async ({ app, page }, { outputDir }) => {
  await page.addInitScript(() => {
    // A moment rather than a minute.
    const later = window.setTimeout;
    const sooner = (run: TimerHandler, after?: number) => later(run, after === 60_000 ? 2000 : after);
    window.setTimeout = sooner as typeof window.setTimeout;
  });
  await openOffline(app, page, outputDir);
  const first = await app.classify('spot.jpg');
  await expect.poll(() => page.workers().length).toBe(0);
  expectSame(await app.classify('spot.jpg'), first);
});

test('what is to be read in it has no fault that axe finds, and fits a small screen', async ({ app, page }, {
  outputDir,
}) => {
  await page.setViewportSize({ width: 360, height: 640 });
  await openOffline(app, page, outputDir);
  await page.evaluate(() => {
    for (const part of document.querySelectorAll<HTMLDetailsElement>('.read, .read details')) part.open = true;
  });
  const { violations } = await new AxeBuilder({ page: page as never }).exclude('pre').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
});

test('a damaged file says that it is, and gives no answer', async ({ page }, { outputDir }) => {
  const damaged = (whole: string) => {
    const at = whole.indexOf('data-file="models/skin-8/skin-8.onnx.zst">') + 100_000;
    return whole.slice(0, at) + (whole[at] === 'A' ? 'B' : 'A') + whole.slice(at + 1);
  };
  await page.goto(onStick(outputDir, damaged));
  await expect(page.getByRole('alert').first()).toContainText('MODEL_CORRUPT');
});

test('where it cannot start it says what to do', async ({ page }, { outputDir }) => {
  await page.addInitScript(() => {
    // As in a browser that is too old for modules.
    delete (HTMLScriptElement.prototype as { noModule?: unknown }).noModule;
  });
  await page.goto(onStick(outputDir, (html) => html.replace('<script type="module">', '<script type="other">')));
  await expect(page.getByText('Save the file on a computer and open it in a current version')).toBeVisible();
});
