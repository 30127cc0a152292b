/** Samples of README and docs that are pages or parts of pages, run as they stand there. */
import { readFileSync } from 'node:fs';
import { test as base, expect, type Page } from '@playwright/test';
import { serve } from '../../tools/build/serve.mjs';
import { Classifier, startAtlas } from '../../web/src/classifier/node/index.js';
import { sample } from '../doc-samples.mjs';
import { isOfPolicy } from './fixtures.js';
import { Portal } from './portal.js';
import { picture, Site, siteDir } from './site.js';

const PHOTO = readFileSync(picture('spot.jpg'));

/** Faults of pages: what they throw, and what their policy forbids. */
const test = base.extend<{ portal: Portal; site: Site; faults: string[] }>({
  faults: async ({ context }, use) => {
    const faults: string[] = [];
    context.on('weberror', (error) => faults.push(error.error().message));
    context.on('console', (message) => {
      if (isOfPolicy(message.text())) faults.push(message.text());
    });
    await use(faults);
    expect(faults).toEqual([]);
  },
  portal: async ({ faults: _ }, use) => {
    const portal = new Portal();
    await portal.open();
    await use(portal);
    await portal.close();
  },
  site: async ({ faults: _ }, use) => {
    const site = new Site();
    await site.open();
    await use(site);
    await site.close();
  },
});
test.beforeEach(() => test.slow());

const chosen = (scope: Pick<Page, 'locator'>) =>
  scope.locator('input#choose').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer: PHOTO });

/** An atlas of three drawn cases, as `dermlet atlas` makes them. */
async function atlas(): Promise<Buffer> {
  const classifier = await Classifier.load('skin-8');
  const { name, version, sha256 } = classifier.model;
  const made = await startAtlas();
  for (const [index, file] of ['spot.jpg', 'spot-422.jpg', 'spot-cmyk.jpg'].entries()) {
    const { embedding } = await classifier.classify(picture(file), { embedding: true });
    made.add(embedding!, { label: `case ${index}`, sha256: String(index).repeat(64) });
  }
  classifier.dispose();
  return Buffer.from(made.file({ title: 'Cases', base: { name, version, sha256 }, crop: 'auto' }));
}

/** What a program around a sample has: names that the sample uses, and what is asked of its own names afterwards. */
const PROGRAMS: readonly [document: string, part: string, before: string, answer: string, expected: unknown][] = [
  [
    'web/src/classifier/classifier.ts',
    '{ explain: true }',
    "import { Classifier } from 'dermlet'; const file = photo;",
    '[result.model.name, result.ranking.length, result.explanation.values.length > 0]',
    ['skin-8', 8, true],
  ],
  [
    'README.md',
    'result.lesion.perPicture',
    `import { Classifier } from 'dermlet';
     const classifier = await Classifier.load('skin-8');
     const [dermoscopic, closeUp] = [photo, photo];`,
    '[result.lesion.combined, result.lesion.perPicture.length, result.testTimeAugmentation]',
    [true, 2, true],
  ],
  [
    'README.md',
    'await listModels()',
    '',
    '[classifier, another].map(({ model }) => model.name)',
    ['skin-8', 'skin-open'],
  ],
  ['docs/beside.md', 'second.classify(photo)', '', 'answers.map(({ model }) => model.name)', ['skin-8', 'skin-open']],
  [
    'docs/similar.md',
    'openAtlas(file)',
    "const file = await (await fetch('archive.atlas')).blob();",
    '(await (await classifier.openAtlas(file)).nearest(result, 10)).map(({ label }) => label)[0]',
    'case 0',
  ],
  [
    'docs/element.md',
    '{ signal, onStage }',
    `const file = photo;
     const { signal } = new AbortController();
     const stages = [];
     const onStage = (stage) => stages.push(stage);`,
    'stages.at(-1)',
    'done',
  ],
];

test('programs with the classifier, in a plain page', async ({ page, portal }) => {
  test.setTimeout(240_000);
  portal.policy = null; // a page with scripts in it
  portal.files.set('photo.jpg', PHOTO);
  portal.files.set('archive.atlas', await atlas());
  // As a bundler would, and with another model's address in place of one that is nowhere.
  portal.pages.set('', `<script type="importmap">{ "imports": { "dermlet": "/dermlet/dermlet.js" } }</script>`);
  await page.goto(portal.url);
  for (const [document, part, before, answer, expected] of PROGRAMS) {
    const code = sample(document, part).replace('https://example.org/models/mine/', '/dermlet/models/skin-open/');
    const photo = "const photo = await (await fetch('photo.jpg')).blob();";
    await page.evaluate(() => Object.assign(window, { answer: undefined }));
    // Imports count first, wherever they stand.
    const content = [photo, before, code, `window.answer = await ${answer};`].join('\n');
    await page.addScriptTag({ type: 'module', content });
    await expect
      .poll(() => page.evaluate(() => (window as unknown as { answer: unknown }).answer), {
        message: `${document}: ${part}`,
        timeout: 90_000,
      })
      .toEqual(expected);
  }
});

test('element and classifier in a page, as the README has it', async ({ page, portal }) => {
  portal.policy = null;
  portal.files.set('photo.jpg', PHOTO);
  portal.pages.set('', sample('README.md', 'onProgress: (p)'));
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  await page.goto(portal.url);
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeVisible();
  await expect
    .poll(() => said.at(-1), { timeout: 60_000 })
    .toMatch(/^(single|several|not-recognised) \w+ .* [\d.e-]+$/);
  expect(said.some((line) => /^\w+ \d+ \d+$/.test(line))).toBe(true);
});

test('the first page', async ({ page, portal }) => {
  portal.policy = null;
  const code = sample('docs/quick-start.md', 'quick-answer');
  portal.pages.set('', code.slice(code.indexOf('<script')).replace('</html>', ''));
  await page.goto(portal.url);
  await chosen(page);
  await expect(page.locator('#quick-answer')).toHaveText(/^[\w-]+: (low|moderate|high|unknown)$/, { timeout: 60_000 });
});

test('the form arrives as the documented document, under the documented policy', async ({ page, portal }) => {
  portal.policy = `default-src 'none'; ${sample('docs/element.md', "worker-src 'self' blob:").trim()}`;
  const element = sample('docs/element.md', 'model="skin-8"');
  portal.pages.set('', element + sample('docs/element.md', 'submit-photo="photo"'));
  await page.goto(portal.url);
  await expect(page.getByRole('button', { name: 'Choose photos' })).toHaveCount(2);
  const form = page.locator('form');
  await chosen(form);
  await expect(form.locator('#verdict')).toBeVisible({ timeout: 60_000 });
  await form.getByRole('checkbox', { name: /^Also send/ }).check();
  await expect(async () => {
    await form.getByRole('button', { name: 'Send', exact: true }).click({ timeout: 1000 });
    await expect(page.getByRole('heading', { name: 'Received' })).toBeVisible({ timeout: 2000 });
  }).toPass();
  const [sent] = portal.sent;
  expect(sent!.path).toBe('intake');
  const fields = await portal.fields(sent!);
  expect([...fields.keys()]).toEqual(['skin', 'photo']);
  const got = JSON.parse(fields.get('skin') as string) as Record<string, object>;
  const documented = JSON.parse(sample('docs/element.md', '"documentVersion": 1')) as Record<string, object>;
  expect(Object.keys(got)).toEqual(Object.keys(documented));
  expect(got.documentVersion).toBe(documented.documentVersion);
  expect(Object.keys(got.result!)).toEqual(expect.arrayContaining(Object.keys(documented.result!)));
  expect(Date.parse(got.classifiedAt as unknown as string)).not.toBeNaN();
});

/** A sample as a page of the portal around a frame of the site, which is told of the portal as docs/frame.md says. */
function framed(portal: Portal, site: Site, text: string): void {
  const local = (words: string) =>
    words.replaceAll('https://portal.example.org', portal.origin).replaceAll('https://dermlet.example.org/', site.url);
  site.answers.set('embed.json', { body: local(sample('docs/frame.md', '"embedVersion": 1')) });
  const [name = '', policy = ''] = local(sample('docs/frame.md', 'frame-ancestors')).trim().split(': ');
  site.answers.set('embed.html', { body: site.read('embed.html'), type: 'text/html', headers: { [name]: policy } });
  const shared = { 'Access-Control-Allow-Origin': portal.origin };
  site.answers.set('embed.js', { body: site.read('embed.js'), type: 'text/javascript', headers: shared });
  portal.policy = null;
  portal.pages.set('', local(text));
}

test('a frame: who may show it, its policy, and the client', async ({ page, portal, site }) => {
  const code = sample('docs/frame.md', 'await frame.collect()')
    // A person chooses meanwhile, and ticks the box.
    .replace('const { documents', 'await new Promise((done) => { window.collect = done; });\nconst { documents');
  const after = 'window.collected = [documents.length, photos.length, document.querySelectorAll("iframe").length];';
  framed(portal, site, `<div id="skin"></div><script type="module">${code}\n${after}</script>`);
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  await page.goto(portal.url);
  await page.waitForFunction(() => 'collect' in window);
  const frame = page.frameLocator('iframe');
  await chosen(frame);
  await expect(frame.locator('#verdict')).toBeVisible({ timeout: 60_000 });
  // The portal asked for German.
  await frame.getByRole('checkbox', { name: new RegExp(portal.origin) }).check();
  await expect.poll(() => said.at(-1)).toMatch(/^(low|moderate|high|unknown)$/);
  await page.evaluate(() => (window as unknown as { collect(): void }).collect());
  await expect
    .poll(() => page.evaluate(() => (window as unknown as { collected?: number[] }).collected), { timeout: 30_000 })
    .toEqual([1, 1, 0]);
});

test('a frame in short', async ({ page, portal, site }) => {
  framed(portal, site, sample('docs/embedding.md', 'framed-answer'));
  await page.goto(portal.url);
  await chosen(page.frameLocator('iframe'));
  await expect(page.locator('#framed-answer')).toHaveText(/^[\w-]+, (low|moderate|high|unknown)$/, { timeout: 60_000 });
});

test('with the headers of the hosting guide the page is isolated, and answers', async ({ page, faults }) => {
  const lines = sample('docs/hosting.md', 'Permissions-Policy: ').trim().split('\n');
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/).slice(0, 2)));
  expect(Object.keys(headers).length).toBe(lines.length);
  const site = await serve({ root: siteDir, port: 0, headers });
  try {
    await page.goto(site.url);
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    await chosen(page);
    await expect(page.locator('#verdict')).toBeVisible({ timeout: 60_000 });
    expect(faults).toEqual([]);
  } finally {
    await site.close();
  }
});
