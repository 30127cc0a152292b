/** The trust panel as text, and the weaknesses that are made of the measured figures. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { root } from '../../tools/build/steps.mjs';
import { allWeaknesses, weaknessesOf } from '../../tools/build/weaknesses.mjs';
import type { Inspection, ModelInfo } from '../../web/src/classifier/index.js';
import { type Facts, momentWords, partsOf, textOf } from '../../web/src/element/trust/facts.js';
import { MEASURED } from '../../web/src/element/trust/measured.js';
import { weaknessWords } from '../../web/src/element/trust/weaknesses.js';
import { allLanguages, setLanguage } from '../../web/src/messages/index.js';

const models = join(root, 'models');
const read = (...path: string[]) => JSON.parse(readFileSync(join(models, ...path), 'utf8'));
const at = new Date(2026, 10, 29, 4, 5);
const sha256 = '9ed0'.repeat(16);

const model: ModelInfo = {
  name: 'skin-8',
  version: '1.2.3',
  title: 'Eight categories',
  sha256,
  bytes: 5_000_000,
  license: { id: 'CC-BY-NC-4.0', url: 'https://h/LICENSE', nonCommercial: true },
  cardUrl: 'https://h/MODEL_CARD.md',
  classes: [],
  modalities: ['photo'],
  defaultModality: 'photo',
  recognisesModality: true,
  findsSpots: true,
  coverage: 0.9,
};

const inspection: Inspection = {
  backend: 'wasm',
  threads: 2,
  onnxRuntime: '1.30.0',
  selfTest: { at: at.getTime(), backend: 'wasm', passed: true, measured: { difference: 1.25e-6, tolerance: 0.001 } },
  files: [
    { part: 'engine', name: 'dermlet.wasm', bytes: 152_000, sha256: 'ab'.repeat(32), verified: true },
    { part: 'model', name: 'locator.onnx', bytes: 900_000, sha256: 'cd'.repeat(32), verified: false },
  ],
};

const facts: Facts = {
  at,
  model,
  inspection,
  failure: null,
  serviceWorker: true,
  requests: { load: ['https://h/a.js', 'https://h/b.onnx'], photo: [] },
  kept: true,
  measured: undefined,
};

const evaluation = () => read('skin-8', 'figures', 'evaluation.json');
const quality = () => read('skin-8', 'figures', 'quality.json');
const said = (...of: Parameters<typeof weaknessesOf>) => weaknessWords(weaknessesOf(...of)).map((make) => make());

/** With plain spaces only. */
const spaced = (text: string): string => text.replace(/[^\S\n]/g, ' ');

afterEach(async () => void (await setLanguage(['en'])));

describe('the text', () => {
  test('has what runs, the date, both counts, each hash with its mark, and the self-test', () => {
    const text = textOf(facts);
    expect(text).toContain(`State of ${momentWords(at)}`);
    expect(text).toMatch(/November 29, 2026|29 November 2026/);
    for (const line of [
      '- A worker of this page: Reads the photo and runs the neural network: WebAssembly (processor), 2 threads.',
      '- Program that runs the network: ONNX Runtime 1.30.0',
      `- SHA-256: ${sha256}`,
      '- Network requests since this page was loaded: 2',
      '- Network requests since the photo was chosen: 0',
      '  https://h/b.onnx',
      `- dermlet.wasm, 0.2 MB: ${'ab'.repeat(32)} (verified)`,
      `- locator.onnx, 0.9 MB: ${'cd'.repeat(32)} (not needed so far, so not read)`,
      `Passed on ${momentWords(at)}, with WebAssembly (processor).`,
    ])
      expect(spaced(text).split('\n')).toContain(spaced(line));
    expect(text).toContain('Greatest difference from that answer: 0.0000013; up to 0.001 is allowed.');
    expect(text).not.toMatch(/[\u2066-\u2069]/);
  });

  test('offers to cut the network only where all that is needed is kept', () => {
    expect(textOf(facts)).toContain('disconnect from the internet');
    expect(textOf({ ...facts, kept: false })).not.toContain('disconnect from the internet');
    expect(textOf({ ...facts, kept: false })).toContain('keep the Network tab');
  });

  test('gives no number where a browser does not record all requests', () => {
    const text = textOf({ ...facts, requests: { load: null, photo: null } });
    expect(text).toContain('so no number is given');
    expect(text).not.toMatch(/requests since/);
  });

  test('without a network, or when the worker fails, says so and invents nothing', () => {
    const none = partsOf({ ...facts, model: null, inspection: null });
    expect(none.map(({ id }) => id)).toEqual(['where', 'network']);
    expect(textOf({ ...facts, model: null, inspection: null })).toContain('is not loaded yet');
    expect(textOf({ ...facts, inspection: null, failure: 'It ended.' })).toContain('did not answer: It ended.');
  });

  test.each([
    [{ ...inspection.selfTest!, passed: false }, /Not passed on .* Do not rely on any answer/],
    [{ at: null, backend: 'wasm', passed: true } as const, /Passed on this device before.*when is not recorded/],
    [null, /Not run with WebAssembly/],
  ])('of a self-test: %o', (selfTest, words) => {
    expect(textOf({ ...facts, inspection: { ...inspection, selfTest } })).toMatch(words);
  });

  test('stands in each language, without a word of English sentences', async () => {
    const english = new Set(textOf({ ...facts, measured: weaknessesOf(evaluation(), quality()) }).split('\n'));
    for (const { tag } of allLanguages().filter((other) => other.tag !== 'en')) {
      await setLanguage([tag]);
      const own = textOf({ ...facts, measured: weaknessesOf(evaluation(), quality()) }).split('\n');
      const left = own.filter((line) => english.has(line) && /[a-z]{4,} [a-z]{3,}/i.test(line));
      expect(left, tag).toEqual([]);
    }
  });
});

describe('known weaknesses', () => {
  test('come from the figures: changing one changes its sentence', () => {
    const before = said(evaluation(), quality());
    const changed = evaluation();
    changed.byModality.photo.balancedAccuracy = 0.111;
    changed.byModality.photo.groups = 77;
    changed.overall.tiers.malignant = { pictures: 88, low: 9, moderate: 10, high: 69 };
    changed.refusal.byLabel.other = { ...changed.refusal.byLabel.other, pictures: 66, shareRefused: 0.222 };
    changed.looking.byModality.photo.framings = { none: 5, several: 5, whole: 90 };
    changed.looking.byModality.photo.pictures = 100;
    changed.bySkinTone['milk10k-clinical']['milk:2'].figures.balancedAccuracy = 0.333;
    changed.bySkinTone['milk10k-clinical']['milk:1'].groups = 12;
    const poor = quality();
    const small = poor.findings.find((each: { check: string; modality: string }) =>
      ['too_small', 'photo'].every((word) => [each.check, each.modality].includes(word)),
    );
    small.lost[small.steps.indexOf(small.harmful[0])] = 0.444;
    const after = said(changed, poor);
    expect(after.length).toBe(before.length);
    for (const [i, sentence] of after.entries()) expect(sentence, sentence).not.toBe(before[i]);
    const text = after.join('\n');
    for (const words of [
      '11% of photos (77 lesions or patients)',
      'of 88 pictures of them, 9 got low and 10 moderate',
      'of 66 pictures of such, it named no category for 22%',
      'in 10% of 100 photos',
      '(MILK10k 2) the right category came first in 33% of',
      'lost 44 points in 100',
    ])
      expect(spaced(text).replace(/ %/g, '%')).toContain(words);
    expect(text).toMatch(/with a stated skin tone, 13 had dark skin\. That is too few/);
  });

  test('are said to be too few only where they are, and photos worse only where they are', () => {
    const changed = evaluation();
    changed.bySkinTone['milk10k-clinical']['milk:1'].groups = 50;
    changed.byModality.photo.balancedAccuracy = 0.99;
    const text = said(changed, quality()).join('\n');
    expect(text).toContain('51 had dark skin.');
    expect(text).not.toMatch(/too few to say|less well/);
  });

  test('of a model without figures: that nothing is known', () => {
    expect(weaknessWords(MEASURED['0'.repeat(64)]).map((make) => make())).toEqual([
      expect.stringMatching(/^Nothing is known/),
    ]);
    expect(allWeaknesses(join(root, 'tests'))).toEqual({});
  });

  test('are there for each shipped model, and its own', () => {
    for (const name of readdirSync(models).filter((each) => !each.includes('.'))) {
      const { file, version } = read(name, 'manifest.json');
      expect(MEASURED[file.sha256], name).toMatchObject({ name, version });
    }
  });

  test('never promise anything', async () => {
    for (const measured of Object.values(MEASURED))
      expect(
        weaknessWords(measured)
          .map((make) => make())
          .join(' '),
      ).not.toMatch(/\b(safe|harmless|diagnos|you have)/i);
  });
});
