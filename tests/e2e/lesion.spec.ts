/** Two pictures of one lesion, and test-time augmentation, through a page's public API: same results as in Node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../../web/src/classifier/index.js';
import { filesOf, type Manifest } from '../../web/src/classifier/manifest.js';
import { expect, type Site, test } from './fixtures.js';
import { expectSame, nodeLesion } from './node-result.js';

type Api = typeof import('../../web/src/classifier/index.js');

interface ModelManifest {
  modalities: { id: string; sets: object; tiers: object; testTimeAugmentation?: object }[];
  combination?: object;
}

/** Adds a combination of the modalities, with numbers that differ from those of any one modality. */
function combine(manifest: ModelManifest): void {
  const [first, second] = manifest.modalities as [ModelManifest['modalities'][0], ModelManifest['modalities'][0]];
  manifest.combination = {
    modalities: [first.id, second.id],
    weights: [0.75, 0.5],
    temperature: 1.25,
    sets: first.sets,
    tiers: first.tiers,
  };
  second.testTimeAugmentation = { temperature: 0.8, sets: second.sets, tiers: second.tiers, rejectionThreshold: 1 };
}

/** The model as the site serves it, written to a folder for Node. */
function modelFolder(site: Site): string {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-e2e-'));
  const manifest = site.changeJson('models/skin-8/manifest.json', combine);
  writeFileSync(join(folder, 'manifest.json'), manifest);
  for (const { path } of filesOf(JSON.parse(manifest.toString()) as Manifest))
    writeFileSync(join(folder, path), site.read(`models/skin-8/${path}`));
  return folder;
}

let folder: string | undefined;
test.afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
});

const PICTURES = [
  ['spot.jpg', 'dermoscopy'],
  ['orientation-6.jpg', 'photo'],
] as const;

/** What expectSame leaves out: the per-picture parts, with the same tolerance. */
function expectSameLesion(found: Result, wanted: Result): void {
  expectSame(found, wanted);
  expect(found.testTimeAugmentation).toBe(wanted.testTimeAugmentation);
  const [a, b] = [found.lesion!, wanted.lesion!];
  expect([a.combined, a.primaryIndex]).toEqual([b.combined, b.primaryIndex]);
  expect(a.perPicture).toHaveLength(b.perPicture.length);
  for (const [index, picture] of b.perPicture.entries()) {
    const { modality, usable, quality, source } = picture;
    expect(a.perPicture[index]).toMatchObject({ modality, usable, quality, source });
    for (const [id, probability] of Object.entries(picture.probabilities)) {
      expect(Math.abs(a.perPicture[index]!.probabilities[id]! - probability), `${modality}: ${id}`).toBeLessThanOrEqual(
        1e-4,
      );
    }
  }
}

test('two drawn pictures get the same result as in Node, with and without test-time augmentation', async ({
  page,
  site,
}) => {
  test.setTimeout(180_000);
  folder = modelFolder(site);
  await page.goto(`${site.url}api.html`);
  const { results, combines } = await page.evaluate(async (pictures) => {
    const api = (await import(new URL('dermlet.js', document.baseURI).href)) as Api;
    const classifier = await api.Classifier.load('models/skin-8/', { backend: 'wasm' });
    const lesion = await Promise.all(
      pictures.map(async ([name, modality]) => ({ picture: await (await fetch(`pictures/${name}`)).blob(), modality })),
    );
    const results = [
      await classifier.classify(lesion, { explain: true }),
      await classifier.classify(lesion, { explain: true, testTimeAugmentation: true }),
    ];
    const { combines } = classifier.model;
    classifier.dispose();
    return { results, combines };
  }, PICTURES);
  const [plain, testTimeAugmentation] = results as [Result, Result];
  expect(combines).toEqual(['dermoscopy', 'photo']);
  expectSameLesion(plain, await nodeLesion(PICTURES, folder));
  expectSameLesion(testTimeAugmentation, await nodeLesion(PICTURES, folder, '--test-time-augmentation'));
  expect(plain.lesion?.combined).toBe(true);
  expect(testTimeAugmentation.lesion?.perPicture[1]?.rejection.threshold).toBe(1);
  expect(plain.explanation?.classId).toBe(plain.ranking[0]?.id);
});

test('invalid lesion input is refused', async ({ page, site }) => {
  await page.goto(`${site.url}api.html`);
  const codes = await page.evaluate(async () => {
    const api = (await import(new URL('dermlet.js', document.baseURI).href)) as Api;
    const classifier = await api.Classifier.load('models/skin-8/', { backend: 'wasm' });
    const picture = await (await fetch('pictures/spot.jpg')).blob();
    const codeOf = (work: Promise<unknown>) =>
      work.then(
        () => 'no error',
        (error: unknown) => (error instanceof api.DermletError ? error.code : String(error)),
      );
    const codes = [
      await codeOf(classifier.classify([])),
      await codeOf(classifier.classify([{ picture }, { picture }, { picture }])),
      await codeOf(classifier.classify([{ picture, modality: 'x-ray' }])),
      await codeOf(classifier.classify([{ picture }], { crop: { x: 0, y: 0, width: 10, height: 10 } })),
      await codeOf(classifier.classify([{ picture }, { picture: new Blob(['nothing']) }])),
      await codeOf(classifier.classify([{ picture }])),
    ];
    classifier.dispose();
    return codes;
  });
  expect(codes).toEqual([...Array<string>(4).fill('INVALID_ARGUMENT'), 'UNSUPPORTED_FORMAT', 'no error']);
});
