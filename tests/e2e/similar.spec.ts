/** Similar cases: an atlas that a person opens from this device, under an answer and in an embedder's own code. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { Classifier, startAtlas } from '../../web/src/classifier/node/index.js';
import { sha256 } from '../../web/src/classifier/sha256.js';
import { expect, picture, requestsOf, startServiceWorker, test, withServiceWorker } from './fixtures.js';

/** Labels and names are strangers' words. */
const STRANGE = '<b>red</b> spots';
const CASES = [
  ['mole', 'spot.jpg'],
  ['mole', 'spot-422.jpg'],
  ['mole', 'spot-444.jpg'],
  [STRANGE, 'spot-restart.jpg'],
  [STRANGE, 'spot-cmyk.jpg'],
] as const;

let folder: string;
/** With names, without them, and one of another network. */
let files: Record<'named' | 'plain' | 'other', string>;

// One worker: what it makes before takes longer than a test.
test.describe.configure({ mode: 'default' });
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-similar-'));
  const classifier = await Classifier.load('skin-8');
  const { name, version, sha256: base } = classifier.model;
  const [named, plain, other] = [await startAtlas(), await startAtlas(), await startAtlas()];
  for (const [label, file] of CASES) {
    const { embedding } = await classifier.classify(picture(file), { embedding: true });
    const bytes = new Uint8Array(readFileSync(picture(file)));
    const own = { label, sha256: await sha256(bytes) };
    named.add(embedding!, { ...own, name: `${label.replace('/', '')}/${file}` });
    plain.add(embedding!, own);
    other.add(embedding!, own);
    mkdirSync(join(folder, 'archive', label.replace('/', '')), { recursive: true });
    writeFileSync(join(folder, 'archive', label.replace('/', ''), file), bytes);
  }
  classifier.dispose();
  const about = { title: 'Clinic A', base: { name, version, sha256: base }, crop: 'auto' };
  const write = (file: string, bytes: Uint8Array) => {
    writeFileSync(join(folder, file), bytes);
    return join(folder, file);
  };
  files = {
    named: write('named.atlas', named.file(about)),
    plain: write('plain.atlas', plain.file(about)),
    other: write('other.atlas', other.file({ ...about, base: { ...about.base, sha256: 'a'.repeat(64) } })),
  };
});

test.afterAll(() => rmSync(folder, { recursive: true }));

test('cases of an opened atlas are listed with label, similarity, file and picture, and nothing is sent', async ({
  app,
  page,
}) => {
  app.neverRefuse();
  await page.setViewportSize({ width: 360, height: 800 });
  await app.open();
  await app.classify('spot.jpg');
  await page.getByRole('button', { name: 'For professionals' }).click();
  await page.locator('[data-tool=similar]').click();
  const room = page.locator('dermlet-similar');
  const open = (file: string) => room.locator('#atlas').setInputFiles(file);

  // What is no atlas, is damaged, or is of another network says so, and nothing else changes.
  const damaged = join(folder, 'damaged.atlas');
  writeFileSync(damaged, readFileSync(files.named).subarray(0, -7));
  for (const [file, code] of [
    [picture('spot.jpg'), 'MODEL_CORRUPT'],
    [damaged, 'MODEL_CORRUPT'],
    [files.other, 'INVALID_ARGUMENT'],
  ] as const) {
    await open(file);
    await expect(room.getByRole('alert')).toContainText(code);
    await expect(room.locator('[data-atlas]')).toHaveCount(0);
  }
  await expect(room.getByRole('alert')).toContainText('made by another network');

  const seen = requestsOf(page);
  await open(files.named);
  await expect(room.locator('[data-atlas]')).toContainText('Clinic A: 5 cases, as the network skin-8');
  const cases = room.locator('.cases li');
  await expect(cases).toHaveCount(5);
  await expect(room.getByRole('alert')).toHaveCount(0);
  // The photo itself is in the archive.
  await expect(cases.first()).toContainText(/Similarity 1\.00/);
  await expect(room).toContainText(STRANGE);
  await expect(room.locator('b')).toHaveCount(0);
  await expect(room.locator('.cases')).toContainText('File mole/spot-422.jpg');
  await expect(room.locator('[data-note]')).toContainText('None of this is an answer about this photo');
  await expect(room.locator('[data-labels]')).toContainText('mole: 3 cases');
  await expect(room).toContainText('too few cases to tell what its numbers mean');

  // Pictures are those of the folder, and only if they are the files that the atlas was made of.
  writeFileSync(join(folder, 'archive', 'mole', 'spot-444.jpg'), 'changed since');
  await room.locator('#folder').setInputFiles(join(folder, 'archive'));
  await expect(room.locator('.cases img')).toHaveCount(4);
  await expect(room).toContainText('4 pictures are shown');
  await expect(room.locator('.cases img').first()).toHaveJSProperty('complete', true);
  expect(
    await room
      .locator('.cases img')
      .first()
      .evaluate((img: HTMLImageElement) => img.naturalWidth),
  ).toBeGreaterThan(0);

  // Large text on a small screen; assistive technology.
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)])).toEqual([]);
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));

  // Another photo is compared with the same atlas; leaving the tool and coming back keeps it.
  await app.classify('spot-cmyk.jpg');
  await page.locator('[data-tool=similar]').click();
  await expect(cases.first()).toContainText(STRANGE);
  await page.locator('[data-tool=closer]').click();
  await page.locator('[data-tool=similar]').click();
  await expect(cases).toHaveCount(5);
  // Without names there is the hash alone.
  await open(files.plain);
  await expect(cases.first()).toContainText(/File whose SHA-256 begins with [0-9a-f]{12}/);
  await expect(room.locator('#folder')).toHaveCount(0);
  // A photo that is not usable is not compared.
  await app.classify('spot-gray.png');
  await page.locator('[data-tool=similar]').click();
  await expect(room.locator('[data-unusable]')).toBeVisible();
  await expect(cases).toHaveCount(0);
  await room.getByRole('button', { name: 'Close the atlas' }).click();
  await expect(room.getByRole('button', { name: 'Open an atlas' })).toBeVisible();
  await expect(room.locator('[data-unusable]')).toHaveCount(0);
  const sent = seen.filter((url) => !url.startsWith('blob:')).map((url) => basename(new URL(url).pathname));
  expect(sent.filter((name) => !/\.(js|mjs|wasm|zst)$/.test(name))).toEqual([]);
});

withServiceWorker('an embedder opens atlases, whose file outlives the worker', async ({ page, site }) => {
  site.answers.set('named.atlas', { body: readFileSync(files.named) });
  site.answers.set('other.atlas', { body: readFileSync(files.other) });
  await page.goto(`${site.url}api.html`);
  // Without one that keeps its scripts, a worker is not ended.
  await startServiceWorker(page);
  const told = await page.evaluate(async () => {
    const api = (await import(
      new URL('dermlet.js', document.baseURI).href
    )) as typeof import('../../web/src/classifier/index.js');
    const bytes = async (name: string) => (await fetch(name)).arrayBuffer();
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'no error',
        (error: { code: string }) => error.code,
      );
    const classifier = await api.Classifier.load('models/skin-8/', { backend: 'wasm', idleTimeout: 400 });
    const file = await bytes('named.atlas');
    const [atlas, same] = await Promise.all([classifier.openAtlas(file), classifier.openAtlas(new Blob([file]))]);
    const result = await classifier.classify(await bytes('pictures/spot.jpg'), { embedding: true });
    const { embedding: _none, ...without } = result;
    const first = await atlas.nearest(result, 3);
    const codes = [
      await codeOf(classifier.openAtlas(new Uint8Array(5))),
      await codeOf(classifier.openAtlas(await bytes('other.atlas'))),
      await codeOf(atlas.nearest(without, 3)),
      await codeOf(atlas.nearest(result, 0)),
      await codeOf(atlas.nearest(result, 3, { signal: AbortSignal.abort() })),
    ];
    same.close();
    same.close();
    codes.push(await codeOf(same.nearest(result)));
    return Object.assign(window, { classifier, atlas, result, kept: { first, codes, title: atlas.manifest.title } })
      .kept;
  });
  expect(told.codes).toEqual([
    'MODEL_CORRUPT',
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
    'ABORTED',
    'DISPOSED',
  ]);
  expect(told.first).toHaveLength(3);
  expect(told.first[0]).toMatchObject({ label: 'mole', name: 'mole/spot.jpg' });
  expect(told.first[0]!.similarity).toBeCloseTo(1, 2);

  // The worker is ended when it has nothing to do: what it had open is opened again from the file.
  await expect.poll(() => page.workers().length).toBe(0);
  const again = await page.evaluate(async () => {
    const { classifier, atlas, result } = window as unknown as {
      classifier: import('../../web/src/classifier/index.js').Classifier;
      atlas: import('../../web/src/classifier/index.js').OpenAtlas;
      result: import('../../web/src/classifier/index.js').Result;
    };
    const cases = await atlas.nearest(result, 3);
    classifier.dispose();
    const code = await atlas.nearest(result, 3).then(
      () => 'no error',
      (error: { code: string }) => error.code,
    );
    return { cases, code };
  });
  expect(again).toEqual({ cases: told.first, code: 'DISPOSED' });
});
