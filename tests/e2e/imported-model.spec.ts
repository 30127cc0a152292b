/**
 * Models made by `import-keras` (tests/imported), unchanged, in the page: the same scores as in Node and in Keras.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';
import { importedDir, picture } from './site.js';

/** Model -> picture -> category -> Keras' score; for noise.png TensorFlow's. */
const expected = JSON.parse(readFileSync(join(importedDir, 'expected.json'), 'utf8')) as Record<
  string,
  Record<string, Record<string, number>>
>;

const pathOf = (name: string) => (name === 'noise.png' ? join(importedDir, name) : picture(name));

for (const [model, pictures] of Object.entries(expected)) {
  test(`${model} in the page: as in Node, as in Keras`, async ({ app, page, site }) => {
    test.slow(); // also computes Node's results
    site.addImported(model);
    site.addPage(
      'imported.html',
      `<dermlet-classifier model="models/${model}/" backend="wasm"></dermlet-classifier>` +
        '<script type="module" src="dermlet.js"></script>',
    );
    await page.goto(`${site.url}imported.html`);
    await page.getByRole('button', { name: 'Choose photos' }).focus();
    await app.untilReady();
    for (const [name, scores] of Object.entries(pictures)) {
      const result = await app.classify(pathOf(name));
      expectSame(result, await nodeResult(pathOf(name), join(importedDir, model)), 1e-5);
      expect(Object.fromEntries(result.ranking.map(({ id }) => [id, scores[id]]))).toEqual(scores);
      for (const { id, probability } of result.ranking)
        expect(Math.abs(probability - (scores[id] as number)), `${name}: ${id}`).toBeLessThanOrEqual(2e-5);
      // It is uncalibrated: no category is presented alone.
      expect(result.outcome).toBe('several');
      expect(result.predictionSet).toHaveLength(4);
    }
  });
}

test('an imported model has an explanation if it keeps its maps', async ({ page, site }) => {
  for (const model of Object.keys(expected)) site.addImported(model);
  await page.goto(`${site.url}api.html`);
  const told = await page.evaluate(
    async (models) => {
      const { Classifier } = (await import(
        new URL('dermlet.js', document.baseURI).href
      )) as typeof import('../../web/src/classifier/index.js');
      const bytes = await (await fetch('pictures/spot.png')).arrayBuffer();
      const answers = [];
      for (const model of models) {
        const classifier = await Classifier.load(`models/${model}/`, { backend: 'wasm' });
        const { explanation } = await classifier.classify(bytes, { explain: true });
        answers.push(explanation === undefined ? null : Math.max(...explanation.values));
        classifier.dispose();
      }
      return answers;
    },
    ['keras-2', 'vgg-style'],
  );
  expect(told).toEqual([1, null]);
});
