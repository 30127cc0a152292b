/** A model of rashes is shown with its own text, and with none written for moles and growths. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from './fixtures.js';
import { root } from './site.js';

interface Words {
  name: string;
  concern: 'low' | 'moderate' | 'high';
  plain: string;
}

const { title, classes } = JSON.parse(
  readFileSync(join(root, 'tools', 'train', 'recipes', 'scin-rashes.model.json'), 'utf8'),
) as {
  title: string;
  classes: Record<string, Words>;
};
const LESION_WORDS = /\b(moles?|melanoma|lesions?|naev(us|i)|keratos(is|es)|carcinoma|spots?)\b/gi;

test('the page shows a model of rashes with its own text', async ({ app, page, site }) => {
  // The shipped weights with the first eight groups of recipes/scin-rashes: all text shown comes from the manifest.
  const groups = Object.entries(classes).slice(0, 8);
  site.changeJson('models/skin-8/manifest.json', (manifest: { title: string; classes: object[]; locator?: object }) => {
    delete manifest.locator; // trained to find lesions; a rash is not in one place
    manifest.title = title;
    manifest.classes = groups.map(([id, words]) => ({ id, ...words }));
  });
  app.neverRefuse();
  site.onlyDefaultModel();
  await app.open();
  const main = page.locator('main');
  // The accessibility tree also contains what is in the element's shadow root.
  const before = await main.ariaSnapshot();
  expect(before).toContain('Choose photos');
  // Always shown: the one sentence that names a spot beside a rash.
  const DOCTOR = 'If a spot or rash is new';
  expect(before).toContain(DOCTOR);
  expect(before.replaceAll(DOCTOR, '').match(LESION_WORDS)).toBeNull();
  const result = await app.classify('spot.jpg');
  await expect(app.categories).toHaveCount(groups.length);
  for (const [, { name }] of groups) await expect(app.categories.filter({ hasText: name })).toHaveCount(1);
  // Explanations are shown for the classes in the prediction set.
  expect(result.predictionSet.length).toBeGreaterThan(0);
  for (const id of result.predictionSet)
    await expect(app.categories.filter({ hasText: classes[id]?.plain as string })).toHaveCount(1);
  // Besides the result, the page shows the chosen file's name.
  const said = await main.ariaSnapshot();
  expect(said).toContain(result.ranking[0]?.name);
  expect(said).toContain(DOCTOR);
  expect(said.replaceAll(DOCTOR, '').replaceAll('spot.jpg', '').match(LESION_WORDS)).toBeNull();
});
