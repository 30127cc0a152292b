/**
 * The same bytes give the same tensor: every browser against the manifest that Node and the native builds are held to,
 * and its whole answers against Node's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../../web/src/classifier/index.js';
import { defaultModel, loadEngine } from '../../web/src/classifier/node/engine.js';
import { expectSame } from '../e2e/node-result.js';
import { picture, root } from '../e2e/site.js';
import { parseManifest, rgbHash } from './cases.mjs';
import { figure } from './figures.mjs';
import { expect, test } from './fixtures.js';

const golden = readFileSync(join(root, 'tests/golden/tensors.golden'), 'utf8');

/** One of each kind that takes another way through the core. */
const CLASSIFIED = [
  'spot.jpg',
  'spot-large-progressive.jpg',
  'orientation-7.jpg',
  'p3.jpg',
  'spot-alpha.png',
  'kinds/png-rgb-16-interlaced.png',
  'kinds/bmp-16-565.bmp',
];

/**
 * Greatest difference of a probability between two engines: ONNX Runtime adds up in another order where it has other
 * instructions.
 */
const PROBABILITY_TOLERANCE = 1e-4;

interface Tensors {
  compared: number;
  differences: string[];
  milliseconds: number;
}

interface Answer {
  result: Omit<Result, 'images'>;
  /** Hash of what the network was shown. */
  view: string;
}

async function nodeAnswers(): Promise<Answer[]> {
  const engine = await loadEngine(defaultModel);
  const answers: Answer[] = [];
  for (const name of CLASSIFIED) {
    const { images, ...result } = await engine.classify(new Uint8Array(readFileSync(picture(name))), {
      explain: true,
      images: true,
    });
    answers.push({ result, view: await rgbHash(images!.view) });
  }
  await engine.dispose();
  return answers;
}

test('every picture of the manifest gives its tensor', async ({ engine }) => {
  const { compared, differences, milliseconds } = await engine.call<Tensors>('tensors');
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(5 * parseManifest(golden).pictures.length * 0.8);
  figure(`${engine.title}: ${compared} answers the same in ${(milliseconds / 1000).toFixed(1)} s`);
});

test('the built page classifies as Node does', async ({ engine }) => {
  const began = performance.now();
  const answers = await engine.call<Answer[]>('classify', CLASSIFIED);
  const seconds = (performance.now() - began) / 1000;
  const wanted = await nodeAnswers();
  let greatest = 0;
  for (const [i, { result, view }] of answers.entries()) {
    const expected = wanted[i]!.result;
    expect(view, CLASSIFIED[i]).toBe(wanted[i]!.view);
    expectSame(result, expected, PROBABILITY_TOLERANCE);
    expect(
      result.ranking.map(({ id }) => id),
      CLASSIFIED[i],
    ).toEqual(expected.ranking.map(({ id }) => id));
    expect(result.explanation?.classId).toBe(expected.explanation?.classId);
    greatest = Math.max(
      greatest,
      ...result.ranking.map(({ probability }, place) => Math.abs(probability - expected.ranking[place]!.probability)),
    );
  }
  expect(answers).toHaveLength(CLASSIFIED.length);
  figure(
    `${engine.title}: ${answers.length} pictures classified as in Node in ${seconds.toFixed(1)} s, ` +
      `probabilities within ${greatest.toExponential(1)}`,
  );
});

test('a photo takes no half minute, whatever the page did before', async ({ engine }) => {
  const taken = await engine.call<number[]>('timed', 'spot.jpg', 3);
  const best = Math.min(...taken);
  // Under one second on an idle machine; 27 where the vector registers' upper halves stay in use.
  expect(best, `${taken.map(Math.round).join(', ')} ms`).toBeLessThan(6000);
  figure(`${engine.title}: a photo of 1000 x 750 classified in ${Math.round(best)} ms`);
});
