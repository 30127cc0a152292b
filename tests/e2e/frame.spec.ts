/** `embed.html` in a frame of a portal of another origin: what the portal gets, and what a stranger does not. */
import { readFileSync } from 'node:fs';
import { test as base, expect, type Frame, type FrameLocator, type Page } from '@playwright/test';
import type { DermletFormDocument } from '../../web/src/dermlet.js';
import type { Collected, createFrame as Create, DermletFrame, FrameConfiguration } from '../../web/src/embed/index.js';
import { Portal } from './portal.js';
import { picture, Site } from './site.js';
import { PLACE, withPlace } from './with-place.js';

declare global {
  interface Window {
    createFrame: typeof Create;
    frames_: DermletFrame[];
    said: { frame: number; type: string; detail: unknown }[];
  }
}

const CLIENT = `import { createFrame } from '/dermlet/embed.js';
  window.createFrame = createFrame;
  window.frames_ = [];
  window.said = [];
  window.show = (options) => {
    const frame = createFrame(document.querySelector('main'), options);
    const index = window.frames_.push(frame) - 1;
    for (const type of ['ready', 'model', 'result', 'error', 'resize', 'refused'])
      frame.addEventListener(type, ({ detail }) => window.said.push({ frame: index, type, detail }));
  };`;

const test = base.extend<{ site: Site; portal: Portal }>({
  portal: async ({}, use) => {
    const portal = new Portal();
    await portal.open();
    portal.pages.set('client.js', CLIENT);
    portal.pages.set('', '<main></main><script type="module" src="/client.js"></script>');
    await use(portal);
    await portal.close();
  },
  site: async ({ portal }, use) => {
    const site = new Site();
    await site.open();
    name(site, portal.origin);
    await use(site);
    await site.close();
  },
});

const name = (site: Site, ...origins: string[]) =>
  site.answers.set('embed.json', { body: JSON.stringify({ embedVersion: 1, origins }) });

async function show(page: Page, portal: Portal, site: Site, options: FrameConfiguration & { timeout?: number } = {}) {
  if (!page.url().startsWith(portal.url)) await page.goto(portal.url);
  await page.waitForFunction(() => 'show' in window);
  await page.evaluate(
    ([src, more]) => (window as unknown as { show(o: object): void }).show({ src, ...(more as object) }),
    [`${site.url}embed.html`, options] as const,
  );
}

const shown = (page: Page, index = 0): FrameLocator => page.frameLocator('iframe').nth(index);

async function choose(frame: FrameLocator): Promise<void> {
  const buffer = withPlace(readFileSync(picture('spot.jpg')));
  await frame.locator('input#choose').setInputFiles({ name: 'Emma.jpg', mimeType: 'image/jpeg', buffer });
}

const answered = (frame: FrameLocator) => expect(frame.locator('#verdict')).toBeVisible({ timeout: 60_000 });
const consent = (frame: FrameLocator) => frame.getByRole('checkbox', { name: /^Also send/ });
const said = (page: Page, type: string) =>
  page.evaluate((wanted) => window.said.filter((one) => one.type === wanted), type);
const ready = (page: Page, index = 0) =>
  page.evaluate(
    (at) =>
      window.frames_[at]!.ready.then(
        () => 'ready',
        ({ code }) => code,
      ),
    index,
  );

/** Photos as their bytes. */
const collect = (page: Page, index = 0): Promise<{ documents: DermletFormDocument[]; photos: string[] } | string> =>
  page.evaluate(async (at) => {
    let got: Collected;
    try {
      got = await window.frames_[at]!.collect();
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return `${code}: ${message}`;
    }
    const texts = got.photos.map(async (file) => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      return `${file.name} ${file.type} ${[...bytes].map((byte) => String.fromCharCode(byte)).join('')}`;
    });
    return { documents: got.documents, photos: await Promise.all(texts) };
  }, index);

/** Has a page open another, kept there as `window.opened`. */
async function openFrom(page: Page, url: string): Promise<Page> {
  const popup = page.waitForEvent('popup');
  await page.evaluate((address) => void Object.assign(window, { opened: window.open(address) }), url);
  return popup;
}

/** Says a whole `hello` to the first frame of a window that is called so where it is said; what is answered. */
const greet = (from: Frame, whose: 'self' | 'parent' | 'opener' | 'opened') =>
  from.evaluate(async (where) => {
    const { port1, port2 } = new MessageChannel();
    const answers: string[] = [];
    port1.onmessage = ({ data }) => answers.push(data.type);
    const target = (window as unknown as Record<string, Window>)[where]!.frames[0]!;
    target.postMessage({ dermlet: 1, type: 'hello', configuration: {} }, '*', [port2]);
    await new Promise((done) => setTimeout(done, 500));
    return answers.filter((type) => type !== 'resize');
  }, whose);

test('a portal that is named gets the answer, as data, and no photo', async ({ page, portal, site }) => {
  await show(page, portal, site, { model: 'skin-8' });
  expect(await ready(page)).toBe('ready');
  const frame = shown(page);
  await expect(frame.getByText(`${portal.origin} shows this page inside its own`)).toBeVisible();
  // Nothing is fetched before somebody is interested.
  expect(site.count(/\.onnx|\.wasm/)).toBe(0);
  await choose(frame);
  await answered(frame);
  await expect.poll(async () => (await said(page, 'result')).length).toBe(1);
  const [result] = (await said(page, 'result')) as unknown as { detail: { document: DermletFormDocument } }[];
  const { document } = result!.detail;
  expect(document.documentVersion).toBe(1);
  expect(document.photo).toBeNull();
  expect(document.result.ranking).toHaveLength(8);
  expect(await said(page, 'model')).toHaveLength(1);
  await expect(consent(frame)).toHaveCount(0);
  const got = await collect(page);
  expect(got).toEqual({ documents: [document], photos: [] });
  expect(JSON.stringify(await page.evaluate(() => window.said))).not.toMatch(/Emma|PLACE/);
  // As high as what is in it: nothing is to be scrolled inside.
  const inside = await frame.locator('body').evaluate((body) => body.getBoundingClientRect().height);
  await expect
    .poll(() => page.locator('iframe').evaluate((there) => there.getBoundingClientRect().height))
    .toBeCloseTo(Math.ceil(inside), -1);
});

test('the photo is handed over only if it is asked for and the box is ticked', async ({ page, portal, site }) => {
  await show(page, portal, site, { photo: true, required: true });
  expect(await ready(page)).toBe('ready');
  // The part that a form needs is waited for.
  expect(await collect(page)).toBe('INCOMPLETE: Choose a photo and wait for its answer.');
  const frame = shown(page);
  await choose(frame);
  expect(await collect(page)).toMatch(/^INCOMPLETE: A photo is still being looked at/);
  await answered(frame);
  await expect(consent(frame)).not.toBeChecked();
  await expect(consent(frame)).toHaveAccessibleName(`Also send 1 whole photo to ${portal.origin}`);
  const without = await collect(page);
  expect(without).toMatchObject({ documents: [{ photo: null }], photos: [] });
  await consent(frame).check();
  // At once: that the photo is being written anew is waited for.
  const got = (await collect(page)) as { documents: DermletFormDocument[]; photos: string[] };
  expect(got.documents[0]!.photo).toBe('photo-1.jpg');
  expect(got.photos[0]).toMatch(/^photo-1\.jpg image\/jpeg \xff\xd8\xff/);
  expect(got.photos[0]).not.toMatch(new RegExp(`Exif|Emma|${PLACE}`));
  // No longer asked for: what was agreed to ends with it.
  await page.evaluate(() => window.frames_[0]!.configure({ photo: false }));
  await expect(consent(frame)).toHaveCount(0);
  expect(await collect(page)).toMatchObject({ documents: [{ photo: null }], photos: [] });
  await page.evaluate(() => window.frames_[0]!.configure({ photo: true }));
  await expect(consent(frame)).not.toBeChecked();
  await page.evaluate(() => window.frames_[0]!.reset());
  await expect(frame.locator('#verdict')).toHaveCount(0);
  expect(await collect(page)).toMatch(/^INCOMPLETE/);
});

test('modality, language and theme follow the portal', async ({ page, portal, site }) => {
  await show(page, portal, site, { language: 'de', theme: 'dark', modality: 'dermoscopy' });
  expect(await ready(page)).toBe('ready');
  const frame = shown(page);
  await expect(frame.getByRole('button', { name: 'Fotos wählen' })).toBeVisible();
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'dark');
  await choose(frame);
  await answered(frame);
  await expect.poll(async () => (await said(page, 'result')).length).toBe(1);
  const [result] = (await said(page, 'result')) as unknown as { detail: { document: DermletFormDocument } }[];
  expect(result!.detail.document.result.modality).toBe('dermoscopy');
  await page.evaluate(() => window.frames_[0]!.configure({ language: 'en', theme: '' }));
  await expect(frame.getByRole('button', { name: 'Add photos' })).toBeVisible();
  await expect(frame.locator('html')).not.toHaveAttribute('data-theme');
});

test('errors are told by their code, without the name of the file', async ({ page, portal, site }) => {
  await show(page, portal, site);
  expect(await ready(page)).toBe('ready');
  await shown(page)
    .locator('input#choose')
    .setInputFiles({ name: 'Emma.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') });
  await expect
    .poll(() => said(page, 'error'), { timeout: 60_000 })
    .toMatchObject([{ detail: { about: 'photo', code: 'UNSUPPORTED_FORMAT' } }]);
  expect(JSON.stringify(await said(page, 'error'))).not.toContain('Emma');
});

for (const [what, origins] of [
  ['that is not named', []],
  ['where another is named', ['https://portal.example']],
] as const)
  test(`a stranger ${what} gets nothing, and the frame takes no photo`, async ({ page, portal, site }) => {
    name(site, ...origins);
    await show(page, portal, site, { timeout: 3000 });
    const frame = shown(page);
    await expect(frame.getByRole('heading', { name: 'This page takes no photo here.' })).toBeVisible();
    await expect(frame.locator('input[type=file]')).toHaveCount(0);
    expect(await ready(page)).toBe('TIMEOUT');
    expect(await page.evaluate(() => window.said)).toEqual([]);
    expect(site.count(/\.onnx|\.wasm/)).toBe(0);
  });

test('a portal that is named cannot lend its frame to a stranger around it', async ({ page, portal, site }) => {
  const stranger = new Portal();
  await stranger.open();
  try {
    stranger.pages.set('', `<iframe src="${portal.url}" width="800" height="800"></iframe>`);
    portal.pages.set('', `<iframe src="${site.url}embed.html" width="700" height="700"></iframe>`);
    await page.goto(stranger.url);
    const inner = page.frameLocator('iframe').frameLocator('iframe');
    await expect(inner.getByRole('heading', { name: 'This page takes no photo here.' })).toBeVisible();
  } finally {
    await stranger.close();
  }
});

test('opened by itself it does nothing', async ({ page, site }) => {
  await page.goto(`${site.url}embed.html`);
  await expect(page.getByRole('heading', { name: 'This page is made for the pages of others.' })).toBeVisible();
  await expect(page.locator('input[type=file]')).toHaveCount(0);
});

test('malformed messages and other versions are refused; nothing of them is taken', async ({ page, portal, site }) => {
  portal.pages.set('', `<iframe src="${site.url}embed.html" width="700" height="700"></iframe>`);
  await page.goto(portal.url);
  await expect(shown(page).getByRole('button', { name: 'Choose photos' })).toBeVisible();
  const heard = await page.evaluate(async (target) => {
    const frame = document.querySelector('iframe')!.contentWindow!;
    const answers: unknown[] = [];
    const open: MessagePort[] = [];
    const hello = (message: unknown) => {
      const { port1, port2 } = new MessageChannel();
      open.push(port1);
      port1.onmessage = ({ data }) => answers.push(data.reason ?? data.type);
      frame.postMessage(message, target, [port2]);
    };
    const settled = () => new Promise((done) => setTimeout(done, 300));
    // No port: nobody to answer.
    frame.postMessage({ dermlet: 1, type: 'hello', configuration: {} }, target);
    hello('hello');
    hello({ dermlet: 2, type: 'hello' });
    hello({ dermlet: 1, type: 'hello', configuration: { model: 'https://elsewhere.example/model/' } });
    hello({ dermlet: 1, type: 'collect', id: 1 });
    await settled();
    const before = answers.splice(0);
    hello({ dermlet: 1, type: 'hello', configuration: {} });
    await settled();
    const after = answers.filter((type) => type !== 'resize');
    answers.length = 0;
    // A second one is not answered: the first has the frame.
    hello({ dermlet: 1, type: 'hello', configuration: { theme: 'dark' } });
    open.at(-2)!.postMessage({ dermlet: 1, type: 'configure', configuration: { theme: 'dark', own: 1 } });
    open.at(-2)!.postMessage({ dermlet: 3, type: 'collect', id: 2 });
    open.at(-2)!.postMessage({ dermlet: 1, type: 'nothing' });
    open.at(-2)!.postMessage(null);
    await settled();
    return { before, after, later: answers.filter((type) => type !== 'resize') };
  }, site.origin);
  expect(heard).toEqual({
    before: ['VERSION', 'MALFORMED'],
    after: ['ready'],
    later: ['MALFORMED', 'VERSION', 'MALFORMED'],
  });
  await expect(shown(page).locator('html')).not.toHaveAttribute('data-theme');
});

test('a named page that is not directly around it is not answered', async ({ page: opener, portal, site }) => {
  const beside = new Portal();
  await beside.open();
  try {
    name(site, portal.origin, beside.origin);
    beside.pages.set('', '<h1>Beside</h1>');
    portal.pages.set(
      '',
      `<iframe src="${site.url}embed.html" width="700" height="700"></iframe><iframe src="${beside.url}"></iframe>`,
    );
    await opener.goto(beside.url);
    const page = await openFrom(opener, portal.url);
    const popup = await openFrom(page, beside.url);
    await expect(shown(page).getByRole('button', { name: 'Choose photos' })).toBeVisible();
    await expect(page.frameLocator('iframe').nth(1).getByRole('heading', { name: 'Beside' })).toBeVisible();
    const sibling = page.frames().find((frame) => frame.url() === beside.url)!;
    expect(await greet(sibling, 'parent')).toEqual([]);
    expect(await greet(popup.mainFrame(), 'opener')).toEqual([]);
    expect(await greet(opener.mainFrame(), 'opened')).toEqual([]);
    expect(await greet(page.mainFrame(), 'self')).toEqual(['ready']);
  } finally {
    await beside.close();
  }
});

test('two frames do not hear each other', async ({ page, portal, site }) => {
  test.slow();
  await show(page, portal, site);
  await show(page, portal, site, { language: 'fr' });
  expect([await ready(page, 0), await ready(page, 1)]).toEqual(['ready', 'ready']);
  await choose(shown(page, 1));
  await answered(shown(page, 1));
  await expect.poll(async () => (await said(page, 'result')).map(({ frame }) => frame)).toEqual([1]);
  expect(await collect(page, 0)).toEqual({ documents: [], photos: [] });
  expect(await collect(page, 1)).toMatchObject({ documents: [{ documentVersion: 1 }] });
  await page.evaluate(() => window.frames_[0]!.destroy());
  expect(await collect(page, 1)).toMatchObject({ documents: [{ documentVersion: 1 }] });
});

test('a frame that is removed in the middle of a run ends, and says so', async ({ page, portal, site }) => {
  await show(page, portal, site);
  expect(await ready(page)).toBe('ready');
  await choose(shown(page));
  await expect.poll(() => page.workers().length, { timeout: 60_000 }).toBe(1);
  const refused = await page.evaluate(async () => {
    const [frame] = window.frames_;
    // A page whose frame is asked and gone before it can answer.
    const asked = frame!.collect().catch(({ code }) => code);
    await Promise.resolve();
    frame!.destroy();
    return [await asked, await frame!.collect().catch(({ code }) => code), document.querySelectorAll('iframe').length];
  });
  expect(refused).toEqual(['DESTROYED', 'DESTROYED', 0]);
  await expect.poll(() => page.workers().length).toBe(0);
  const before = await page.evaluate(() => window.said.length);
  await page.waitForTimeout(1000);
  expect(await page.evaluate(() => window.said.length)).toBe(before);
});

test('a frame that is loaded anew is greeted anew, with what was chosen for it', async ({ page, portal, site }) => {
  await show(page, portal, site, { theme: 'dark' });
  expect(await ready(page)).toBe('ready');
  await page.evaluate(() => window.frames_[0]!.configure({ language: 'fr' }));
  await expect(shown(page).getByRole('button', { name: 'Choisir des photos' })).toBeVisible();
  await page.evaluate(() => (window.frames_[0]!.element.src = `${window.frames_[0]!.element.src}?again`));
  await expect.poll(async () => (await said(page, 'ready')).length).toBe(2);
  await expect(shown(page).getByRole('button', { name: 'Choisir des photos' })).toBeVisible();
  await expect(shown(page).locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('a frame that answers late is collected from, though it was given up before', async ({ page, portal, site }) => {
  let answer = () => {};
  const body = JSON.stringify({ embedVersion: 1, origins: [portal.origin] });
  site.answers.set('embed.json', {
    body,
    send: (bytes, response) => {
      answer = () => response.end(bytes);
    },
  });
  await show(page, portal, site, { timeout: 2000 });
  expect(await ready(page)).toBe('TIMEOUT');
  expect(await collect(page)).toMatch(/^TIMEOUT/);
  const collected = collect(page);
  answer();
  expect(await collected).toEqual({ documents: [], photos: [] });
  expect(await said(page, 'ready')).toHaveLength(1);
  expect(await ready(page)).toBe('TIMEOUT');
});

test('a frame that refused to listen is collected from once it was loaded anew', async ({ page, portal, site }) => {
  await show(page, portal, site, { language: 'no language' });
  expect(await ready(page)).toBe('REFUSED');
  expect(await collect(page)).toBe('REFUSED: MALFORMED');
  await page.evaluate(() => {
    window.frames_[0]!.configure({ language: 'de' });
    window.frames_[0]!.element.src = `${window.frames_[0]!.element.src}?again`;
  });
  await expect.poll(async () => (await said(page, 'ready')).length).toBe(1);
  expect(await collect(page)).toEqual({ documents: [], photos: [] });
});

test('a frame whose page went elsewhere is told nothing', async ({ page, portal, site }) => {
  const stranger = new Portal();
  await stranger.open();
  try {
    stranger.pages.set(
      'listen.js',
      'addEventListener("message", ({ data }) => (document.title = JSON.stringify(data)));',
    );
    stranger.pages.set('', '<script src="/listen.js"></script><h1>Stranger</h1>');
    await show(page, portal, site, { timeout: 2000 });
    expect(await ready(page)).toBe('ready');
    await page.evaluate((url) => (window.frames_[0]!.element.src = url), stranger.url);
    await expect(shown(page).getByRole('heading', { name: 'Stranger' })).toBeVisible();
    await page.waitForTimeout(300);
    expect(
      await shown(page)
        .locator('html')
        .evaluate(() => document.title),
    ).toBe('Portal');
    expect(await collect(page)).toMatch(/^TIMEOUT/);
  } finally {
    await stranger.close();
  }
});
