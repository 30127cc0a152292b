/** A head as a model of its own: it answers as the head does, and `check-model` takes it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { headFile } from '../../web/src/classifier/head-file.js';
import { Classifier, exportHead } from '../../web/src/classifier/node/index.js';
import { withHeadLayer } from '../../web/src/classifier/node/onnx.js';
import type { ClassifyOptions, TrainingExample } from '../../web/src/classifier/options.js';
import { expectCode, picture, picturePath, root, runCli } from './support.js';

const PICTURES = ['spot.jpg', 'spot-large.jpg', 'spot-gray.jpg', 'swapped-channels.png', 'spot-odd.jpg'];

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
const heads: Record<'auto' | 'whole', Uint8Array<ArrayBuffer>> = { auto: new Uint8Array(), whole: new Uint8Array() };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-export-'));
  const classifier = await Classifier.load('skin-8');
  const seen = await classifier.classify(new Blob([picture('spot.jpg')]), { embedding: true, crop: 'whole' });
  // Around a real picture: three categories, each with more of one feature.
  const examples = Array.from({ length: 18 }, (_none, index): TrainingExample => {
    const embedding = seen.embedding!.map((value, d) => value + 0.05 * Math.sin(index * 31 + d * 7));
    embedding[3 + 2 * (index % 3)]! += 1;
    return { result: { ...seen, embedding }, label: ['nv', 'red', 'blue'][index % 3]! };
  });
  for (const crop of ['auto', 'whole'] as const)
    heads[crop] = headFile(await classifier.trainHead(examples, { crop, title: `Clinic "A" ${crop}` }));
  classifier.dispose();
  for (const crop of ['auto', 'whole'] as const) await exportHead('skin-8', heads[crop], at(crop));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['auto', 'whole'] as const)('trained on pictures %s', (crop) => {
  test.each<[string, ClassifyOptions]>([
    ['as they come', {}],
    ['by test-time augmentation', { testTimeAugmentation: true }],
    ['as dermoscopy', { modality: 'dermoscopy' }],
  ])('it answers as the head does, %s', async (_how, options) => {
    const [own, exported] = [await Classifier.load('skin-8', { head: heads[crop] }), await Classifier.load(at(crop))];
    try {
      for (const name of options.testTimeAugmentation ? PICTURES.slice(0, 2) : PICTURES) {
        const file = new Blob([picture(name)]);
        const [expected, found] = [await own.classify(file, options), await exported.classify(file, options)];
        const by = new Map(found.ranking.map(({ id, probability }) => [id, probability]));
        expect(by.size).toBe(3);
        for (const { id, probability } of expected.ranking)
          expect(Math.abs(by.get(id)! - probability), `${name}, ${id}`).toBeLessThanOrEqual(1e-4);
        expect(found.tier, name).toBe('unknown');
        expect(found.modality).toBe(expected.modality);
        expect(found.frame).toEqual(expected.frame);
        // Of several looks the mean of logits is taken, not of energies: near, and not the same.
        const several = options.testTimeAugmentation || found.frame.framing === 'both';
        expect(found.rejection.score).toBeCloseTo(expected.rejection.score, several ? 0 : 3);
        if (!several) {
          expect(found.outcome, name).toBe(expected.outcome);
          expect(found.predictionSet).toEqual(expected.predictionSet);
        }
      }
    } finally {
      own.dispose();
      exported.dispose();
    }
  });

  test('check-model accepts it, and classify answers with it', async () => {
    const { code, out, err } = await runCli('check-model', at(crop), '--runs', '1', '--json');
    expect(err).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(out) as { passed: boolean; findings: { state: string }[] };
    expect(report.passed).toBe(true);
    expect(report.findings.filter(({ state }) => state === 'failed')).toEqual([]);
    expect((await runCli('classify', picturePath('spot.jpg'), '--model', at(crop))).code).toBe(0);
  });
});

test('the folder holds what its manifest says, and the figures', () => {
  const manifest = JSON.parse(readFileSync(at('whole', 'manifest.json'), 'utf8'));
  expect(manifest).toMatchObject({ name: 'clinic-a-whole', title: 'Clinic "A" whole', version: '1.0.0' });
  expect(manifest.locator).toBeUndefined();
  expect(manifest.outputs.maps).toBeUndefined();
  expect(readdirSync(at('whole')).sort()).toEqual(
    ['LICENSE', 'MODEL_CARD.md', 'manifest.json', 'model.onnx', 'selftest.json', 'selftest.png'].sort(),
  );
  expect(readdirSync(at('auto'))).toContain('locator.onnx');
  expect(readFileSync(at('whole', 'MODEL_CARD.md'), 'utf8')).toMatch(/\| red \| 6 \| \d \|/);
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a head can be trained on an exported model, and be exported again', async () => {
  const classifier = await Classifier.load(at('whole'));
  const seen = await classifier.classify(new Blob([picture('spot.jpg')]), { embedding: true });
  const examples = Array.from({ length: 8 }, (_none, index): TrainingExample => {
    const embedding = seen.embedding!.map((value, d) => value + 0.05 * Math.sin(index * 17 + d * 3));
    embedding[index % 2]! += 1;
    return { result: { ...seen, embedding }, label: index % 2 ? 'one' : 'two' };
  });
  const head = headFile(await classifier.trainHead(examples, { crop: 'whole' }));
  classifier.dispose();
  await exportHead(at('whole'), head, at('again'));
  expect(existsSync(at('again', 'manifest.json'))).toBe(true);
});

test('what cannot be exported leaves nothing behind', async () => {
  const before = readdirSync(folder).sort();
  await expectCode(exportHead('skin-open', heads.auto, at('other')), 'INVALID_ARGUMENT', /fits only that network/);
  await expectCode(exportHead('skin-8', heads.auto.slice(0, 500), at('cut')), 'MODEL_CORRUPT');
  await expectCode(exportHead('skin-8', heads.auto, at('no', 'such', 'folder')), 'INVALID_ARGUMENT', /written/);
  writeFileSync(at('file'), '');
  await expectCode(exportHead('skin-8', heads.auto, at('file')), 'INVALID_ARGUMENT', /written/);
  rmSync(at('file'));
  expect(readdirSync(folder).sort()).toEqual(before);
});

test('a damaged network is an error, never a crash', () => {
  const whole = readFileSync(`${root}models/skin-open/skin-open.onnx`);
  const layer = {
    prefix: 'head_',
    embedding: 'embedding',
    weights: new Float32Array(2560),
    bias: new Float32Array(2),
    energyOf: { output: 'logits', size: 6 },
  };
  expect(withHeadLayer(whole, layer).scores).toBe('head_scores');
  expect(() => withHeadLayer(whole, { ...layer, embedding: 'none' })).toThrow(/no output 'none'/);
  for (const length of [0, 1, 2, 20, 1000, whole.length >> 1, whole.length - 1])
    expect(() => withHeadLayer(whole.subarray(0, length), layer), `${length}`).toThrow(/cannot be given a head/);
  for (let byte = 0; byte < 400; byte++) {
    const changed = Uint8Array.from(whole);
    changed[byte]! ^= 0xff;
    try {
      withHeadLayer(changed, layer);
    } catch (error) {
      expect(error).toMatchObject({ code: 'MODEL_CORRUPT' });
    }
  }
});
