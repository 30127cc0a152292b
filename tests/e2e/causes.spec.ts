/** What goes wrong says why: one cause after the other, brought about for real. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from '@playwright/test';
import { sample } from '../doc-samples.mjs';
import { expect, picture, type Site as SiteType, test } from './fixtures.js';
import { Site, siteDir } from './site.js';

const ELEMENT = `<dermlet-classifier model="models/skin-8/" backend="wasm" load="now"></dermlet-classifier>
  <script type="module" src="dermlet.js"></script>`;

/** A file of the site by the begin, and the end, of its name. */
const fileOf = (site: SiteType, begin: string, end = ''): string => {
  const found = site.files().find((path) => path.startsWith(begin) && path.endsWith(end));
  if (found === undefined) throw new Error(`no ${begin}*${end} in the site`);
  return found;
};
const GONE = { status: 404, type: 'text/plain', body: 'not found' };

/** The element in a page of its own shows this error, with the sentence of the catalogue. */
async function expectError(page: Page, code: string, sentence: string): Promise<void> {
  const notice = page.getByRole('alert');
  await expect(notice).toContainText(code, { timeout: 40_000 });
  await expect(notice).toContainText(sentence);
  expect(await page.evaluate(() => window.heard.errors.at(-1)?.code)).toBe(code);
}

for (const [name, begin] of [
  ['the worker', 'assets/worker-'],
  ["ONNX Runtime's chunk", 'assets/ort.wasm.min-'],
  ["ONNX Runtime's script", 'engine/ort-wasm-simd-threaded.mjs'],
] as const) {
  test(`${name} is no longer there`, async ({ page, site }) => {
    site.addPage('element.html', ELEMENT);
    site.answers.set(fileOf(site, begin), GONE);
    await page.goto(`${site.url}element.html`);
    await expectError(page, 'PART_MISSING', 'Load the page again.');
  });
}

test('a tool opens without the script that only scrolls to it', async ({ app, page, site }) => {
  site.answers.set(fileOf(site, 'assets/opened-'), GONE);
  await app.open();
  await app.classify('spot.jpg');
  await page.locator('[data-tool=questions]').click();
  await expect(page.locator('dermlet-questions')).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

/** Other bytes, which tell when they run. */
function tamper(site: SiteType, path: string): void {
  site.tamper(path, {
    body: `fetch(new URL('../ran', import.meta.url));\n${site.read(path)}`,
    type: 'text/javascript',
  });
}
const isRan = ({ path }: { path: string }): boolean => path === 'ran';

for (const [name, begin] of [
  ['the worker', 'assets/worker-'],
  ["ONNX Runtime's chunk", 'assets/ort.wasm.min-'],
  ["ONNX Runtime's script", 'engine/ort-wasm-simd-threaded.mjs'],
] as const) {
  test(`${name} is not the one that was built`, async ({ page, site }) => {
    site.addPage('element.html', ELEMENT);
    tamper(site, fileOf(site, begin));
    await page.goto(`${site.url}element.html`);
    await expectError(page, 'MODEL_CORRUPT', 'if it happens twice, something between you and this site');
    expect(site.log.some(isRan)).toBe(false);
  });
}

for (const begin of ['assets/browser-decoder-', 'engine/libheif.mjs'] as const) {
  test(`what decodes HEIC is not what was built: ${begin}`, async ({ app, page, site }) => {
    tamper(site, fileOf(site, begin));
    await app.open();
    await app.choose('foreign/lossy.heic');
    await expect(page.getByRole('alert')).toContainText(/MODEL_CORRUPT|DECODER_UNAVAILABLE/, { timeout: 40_000 });
    expect(site.log.some(isRan)).toBe(false);
    await app.classify('spot.jpg');
  });
}

test('a part that is fetched later is not the one that was built, and comes when it is', async ({
  app,
  page,
  site,
}) => {
  const path = fileOf(site, 'assets/trust-', '.js');
  tamper(site, path);
  await app.open();
  await app.classify('spot.jpg');
  const trust = page.locator('#trust summary');
  await trust.click();
  await expect.poll(() => site.log.filter((one) => one.path === path).length).toBeGreaterThan(1);
  await expect(page.locator('#trust [role=alert]')).toBeVisible();
  expect(site.log.some(isRan)).toBe(false);
  site.answers.delete(path);
  await page.reload();
  await trust.click();
  await expect(page.locator('dermlet-trust')).toBeVisible();
});

test('words of another language that are not those that were built are not said', async ({ page, site }) => {
  tamper(site, fileOf(site, 'assets/de.shared-'));
  await page.addInitScript(() => localStorage.setItem('dermlet-language', 'de'));
  await page.goto(site.url);
  await expect(page.locator('dermlet-classifier')).toContainText('Choose');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  expect(site.log.some(isRan)).toBe(false);
});

test('a wrong copy in the browser’s cache is fetched anew', async ({ page, site }) => {
  const path = fileOf(site, 'assets/ort.wasm.min-');
  const built = site.read(path);
  site.addPage('element.html', ELEMENT);
  site.tamper(path, { body: Buffer.concat([built, Buffer.from('\n')]), type: 'text/javascript' });
  await page.goto(`${site.url}element.html`);
  await expectError(page, 'MODEL_CORRUPT', 'if it happens twice, something between you and this site');
  site.answers.delete(path);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 40_000 }).toBe(1);
});

test('a script is sent with the wrong type', async ({ page, site }) => {
  const path = 'engine/ort-wasm-simd-threaded.mjs';
  site.addPage('element.html', ELEMENT);
  site.answers.set(path, { type: 'application/octet-stream', body: site.read(path) });
  await page.goto(`${site.url}element.html`);
  await expectError(page, 'WRONG_MEDIA_TYPE', 'as text/javascript');
});

/** The element in a page of its own with this policy. */
async function openUnder(policy: string, page: Page, site: SiteType): Promise<void> {
  site.addPage('element.html', ELEMENT);
  const { body } = site.answers.get('element.html')!;
  site.answers.set('element.html', {
    body: body.toString().replace('<head>', `<head><meta http-equiv="Content-Security-Policy" content="${policy}">`),
    type: 'text/html',
  });
  await page.goto(`${site.url}element.html`);
}

test('a page that requires Trusted Types names the policies that the guide does', async ({ page, site }) => {
  await openUnder(sample('docs/element.md', 'require-trusted-types-for').trim(), page, site);
  await expect.poll(() => page.evaluate(() => window.heard.ready), { timeout: 40_000 }).toBe(1);
});

for (const policy of ["require-trusted-types-for 'script'; trusted-types lit-html", "worker-src 'none'"]) {
  test(`the page's policy says ${policy}`, async ({ page, site, watch }) => {
    await openUnder(policy, page, site);
    await expectError(page, 'POLICY_BLOCKED', 'Content-Security-Policy');
    watch.faults.length = 0; // the policy is this test's
  });
}

test('Dermlet comes from another origin that lets only its entry be read', async ({ page, site, watch }) => {
  const other = new Site();
  await other.open();
  try {
    const readable = /^(dermlet\.js|assets\/(element|rolldown-runtime)-.*\.js)$/;
    for (const path of other.files().filter((each) => readable.test(each)))
      other.answers.set(path, {
        body: other.read(path),
        type: 'text/javascript',
        headers: { 'access-control-allow-origin': '*' },
      });
    site.answers.set('element.html', {
      body: `<!doctype html><title>Test</title><dermlet-classifier load="now"></dermlet-classifier>
        <script type="module" src="${other.url}dermlet.js"></script>`,
      type: 'text/html',
    });
    await page.goto(`${site.url}element.html`);
    await expectError(page, 'CROSS_ORIGIN', 'on its own site');
  } finally {
    await other.close();
  }
  watch.faults.length = 0; // the other origin is this test's
});

test('the decoder for HEIC is not there', async ({ app, page, site }) => {
  site.answers.set('engine/libheif.wasm', GONE);
  await app.open();
  await app.choose('foreign/lossy.heic');
  await expectError(page, 'DECODER_UNAVAILABLE', 'save the photo as JPEG');
  site.answers.delete('engine/libheif.wasm');
  await page.getByRole('button', { name: 'Try this photo again' }).click();
  await expect(app.verdict).toBeVisible();
});

test.describe('files', () => {
  let folder: string;
  test.beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'dermlet-files-'))));
  test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('a result outlives its file: it is lost by neither another modality nor other photos', async ({ app, page }) => {
    const file = join(folder, 'gone.jpg');
    writeFileSync(file, await readFile(picture('spot.jpg')));
    app.neverRefuse();
    await app.open();
    await page.locator('input#choose').setInputFiles(file);
    await expect(app.verdict).toBeVisible();
    const said = (await app.verdict.textContent())!;
    rmSync(file);

    await page.getByRole('radio', { name: /Dermoscopy/ }).click();
    await expectError(page, 'UNREADABLE_FILE', 'no longer be read');
    await expect(app.verdict).toHaveText(said);
    await expect(app.notice).toContainText('The answer shown is the one from before.');
    // The control says how the answer that is shown came about.
    await expect(page.getByRole('radio', { name: /As it looks/ })).toBeChecked();
    await page.getByRole('button', { name: 'Try this photo again' }).click();
    await expect.poll(() => page.evaluate(() => window.heard.errors.length)).toBe(2);
    await expect(app.verdict).toHaveText(said);

    // More photos than pictures are kept in full: the first one is still shown, and not classified again.
    for (let i = 0; i < 7; i += 1) await app.classify('flat.png');
    const before = await app.results();
    await app.shelf.getByRole('button', { name: /^gone\.jpg/ }).click();
    await expect(app.verdict).toHaveText(said);
    await expect(page.locator('canvas.photo')).toBeVisible();
    await app.heatMap.check();
    await expect(page.locator('canvas.overlay')).toBeVisible();
    expect(Number(await page.locator('canvas.photo').getAttribute('width'))).toBeLessThanOrEqual(512);
    expect(await app.results()).toHaveLength(before.length);
    expect(await page.evaluate(() => window.heard.errors.length)).toBe(2);
  });

  const drop = async (page: Page, ...paths: string[]) => {
    const session = await page.context().newCDPSession(page);
    const { x, y, width, height } = (await page.locator('dermlet-picker').boundingBox())!;
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await session.send('Input.dispatchDragEvent', {
        type,
        x: x + width / 2,
        y: y + height / 2,
        data: { items: [], files: paths, dragOperationsMask: 1 },
      });
  };

  test('a dropped folder is read at every depth; what is no picture is passed over', async ({ app, page }) => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    const spot = await readFile(picture('spot.jpg'));
    for (const path of ['one.jpg', 'a/two.JPG', 'a/b/three.jpg']) writeFileSync(join(folder, path), spot);
    for (const path of ['a/notes.txt', 'a/b/.hidden.jpg']) writeFileSync(join(folder, path), 'text');
    const loose = join(folder, '../dermlet-loose.jpg');
    writeFileSync(loose, spot);
    try {
      await app.open();
      await drop(page, folder, loose);
      await expect
        .poll(async () => (await app.results()).map(({ name }) => name).sort(), { timeout: 60_000 })
        .toEqual(['dermlet-loose.jpg', 'one.jpg', 'three.jpg', 'two.JPG']);
      expect(await page.evaluate(() => window.heard.errors)).toEqual([]);
    } finally {
      rmSync(loose);
    }
  });

  test('a dropped folder of odd names, links in a circle and a pipe is read, and says nothing of its own', async ({
    app,
    page,
  }) => {
    const spot = await readFile(picture('spot.jpg'));
    const names = ['<img src=x onerror=alert(1)>.jpg', 'a\nb.jpg', '\u202egpj.jpg', '__proto__.jpg', '%2e%2e%2f.jpg'];
    for (const name of names) writeFileSync(join(folder, name), spot);
    mkdirSync(join(folder, 'folder.jpg'));
    symlinkSync('.', join(folder, 'circle'));
    symlinkSync('nowhere.jpg', join(folder, 'dangling.jpg'));
    execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
    await app.open();
    await drop(page, folder);
    const answered = async () => (await app.results()).map(({ name }) => name).sort();
    await expect.poll(answered, { timeout: 60_000 }).toEqual([...names].sort());
    // A link is passed over, whatever it points to; a pipe is a file of no bytes.
    const refused = () => page.evaluate(() => window.heard.errors.map(({ name, code }) => [name, code]));
    await expect.poll(refused).toEqual([['pipe.jpg', 'CORRUPT_IMAGE']]);
    await expect(app.shelf.getByRole('listitem')).toHaveCount(names.length + 1);
    expect(await app.shelf.locator('img[src="x"]').count()).toBe(0);
    const words = (await app.shelf.getByRole('listitem').allTextContents()).join();
    expect(words).toContain('__proto__.jpg');
    expect(words).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });

  test('a folder without a picture says so', async ({ app, page }) => {
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'notes.txt'), 'text');
    await app.open();
    await drop(page, folder);
    await expectError(page, 'NO_PICTURES', 'There is no picture in this folder.');
    await app.classify('spot.jpg');
    await expect(app.notice).toHaveCount(0);
  });
});

test.describe('the page itself', () => {
  const started = (page: Page) => page.locator('dermlet-classifier .notice');

  test('a chunk of it is no longer there', async ({ page, site }) => {
    site.answers.set(fileOf(site, 'assets/element-'), GONE);
    await page.goto(site.url);
    await expect(started(page).locator('p:visible')).toHaveText([/^A part of it did not come\./, 'PART_MISSING']);
  });

  for (const chunk of ['index', 'element', 'language'])
    test(`a script of it is not the one that was built: ${chunk}`, async ({ page, site }) => {
      const path = site.files().find((file) => new RegExp(`^assets/${chunk}-[\\w-]{8}\\.js$`).test(file))!;
      tamper(site, path);
      await page.goto(site.url);
      await expect(started(page).locator('p:visible')).toHaveText([/^A part of it did not come\./, 'PART_MISSING']);
      expect(site.log.some(isRan)).toBe(false);
    });

  test('it was opened from a file', async ({ page, watch }) => {
    await page.goto(pathToFileURL(join(siteDir, 'index.html')).href);
    await expect(started(page).locator('p:visible')).toHaveText([/^It was opened from a file/, 'OPENED_AS_FILE']);
    watch.faults.length = 0;
  });

  test('it is in a sandbox without its own origin', async ({ page, site, watch }) => {
    site.answers.set('frame.html', {
      body: '<!doctype html><title>Test</title><iframe sandbox="allow-scripts" src="./" width="800" height="600">',
      type: 'text/html',
    });
    await page.goto(`${site.url}frame.html`);
    const notice = page.frameLocator('iframe').locator('dermlet-classifier .notice');
    await expect(notice.locator('p:visible')).toHaveText([/cut off from its own site/, 'SANDBOXED']);
    watch.faults.length = 0;
  });

  test('nothing of it is seen where all is well', async ({ app, page }) => {
    await app.open();
    await expect(started(page)).toBeHidden();
  });
});

test('the element is in a sandbox whose server lets everybody read', async ({ page, site, watch }) => {
  const everybody = { 'access-control-allow-origin': '*' };
  for (const path of site.files().filter((each) => /\.(js|mjs)$/.test(each)))
    site.answers.set(path, { body: site.read(path), type: 'text/javascript', headers: everybody });
  site.answers.set('inner.html', { body: `<!doctype html><title>Test</title>${ELEMENT}`, type: 'text/html' });
  site.answers.set('frame.html', {
    body: '<!doctype html><title>Test</title><iframe sandbox="allow-scripts" src="inner.html" width="800">',
    type: 'text/html',
  });
  await page.goto(`${site.url}frame.html`);
  const notice = page.frameLocator('iframe').getByRole('alert');
  await expect(notice).toContainText('SANDBOXED', { timeout: 40_000 });
  await expect(notice).toContainText('Open it in a window of its own.');
  watch.faults.length = 0;
});
