/**
 * Test-time augmentation and two pictures of one lesion: the engine with the real core and real networks, held against
 * answers for single views and pictures.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../web/src/classifier/engine.js';
import type { PictureOf } from '../../web/src/classifier/input.js';
import { defaultModel, loadEngine } from '../../web/src/classifier/node/engine.js';
import type { Stage } from '../../web/src/classifier/options.js';
import type { Result } from '../../web/src/classifier/result.js';
import { withoutImages } from '../../web/src/classifier/result.js';
import { expectCode, type ManifestJson, modelFolder, picture, withCombination } from './support.js';

const folders: string[] = [];
const engines: Engine[] = [];
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function engineOf(change?: (json: ManifestJson) => object, network?: string): Promise<Engine> {
  const folder = modelFolder(change, network);
  folders.push(folder);
  const engine = await loadEngine(folder);
  engines.push(engine);
  return engine;
}

const byId = ({ ranking }: Result): Record<string, number> =>
  Object.fromEntries(ranking.map(({ id, probability }) => [id, probability]));

function expectNear(found: Record<string, number>, wanted: Record<string, number>): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
  for (const [id, value] of Object.entries(wanted)) expect(found[id], id).toBeCloseTo(value, 5);
}

/**
 * softmax(sum of weight * log p / temperature): with weights 1 / n the softmax of the mean logits, since log p differs
 * from the logits by a constant.
 */
function pooled(
  answers: readonly Record<string, number>[],
  weights: readonly number[],
  temperature = 1,
): Record<string, number> {
  const logs = Object.keys(answers[0]!).map(
    (id) =>
      [id, answers.reduce((sum, answer, i) => sum + weights[i]! * Math.log(answer[id]!), 0) / temperature] as const,
  );
  const total = logs.reduce((sum, [, log]) => sum + Math.exp(log), 0);
  return Object.fromEntries(logs.map(([id, log]) => [id, Math.exp(log) / total]));
}

type Rows = number[][][];

/** An upright RGB picture as a 24-bit BMP: rows from the bottom, blue first, padded to four bytes. */
function bmp(rows: Rows): Uint8Array {
  const [height, width] = [rows.length, rows[0]!.length];
  const stride = Math.ceil((width * 3) / 4) * 4;
  const bytes = new Uint8Array(54 + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [34, stride * height],
  ] as const)
    view.setUint32(at, value, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  rows.forEach((row, y) =>
    row.forEach(([r, g, b], x) => bytes.set([b!, g!, r!], 54 + (height - 1 - y) * stride + 3 * x)),
  );
  return bytes;
}

/** A picture without any symmetry. */
const drawn = (width: number, height: number): Rows =>
  Array.from({ length: height }, (_row, y) =>
    Array.from({ length: width }, (_pixel, x) => [
      (x * 37 + y * y * 11) % 256,
      (x * x * 5 + y * 3) % 256,
      (x * y * 7) % 256,
    ]),
  );

const mirrored = (rows: Rows): Rows => rows.map((row) => [...row].reverse());
const flipped = (rows: Rows): Rows => [...rows].reverse();
const transposed = (rows: Rows): Rows => rows[0]!.map((_pixel, x) => rows.map((row) => row[x]!));
const four = (rows: Rows): Rows[] => [rows, mirrored(rows), flipped(rows), mirrored(flipped(rows))];
const eight = (rows: Rows): Rows[] => [...four(rows), ...four(transposed(rows))];

/**
 * The tiny networks take 8-bit values as they come from 32 x 32 pictures; their logits are to have any size. What was
 * fitted to the shipped network is left out.
 */
const tiny = (width: number, height: number) => (json: ManifestJson) => ({
  ...json,
  input: { ...json.input, cropPct: 1, width, height, mean: [128, 128, 128], std: [64, 64, 64] },
  quality: { minSide: 1, minContrast: 0 },
  modalities: json.modalities.map(({ testTimeAugmentation: _augmented, ...modality }) => ({
    ...modality,
    temperature: 0.7,
    rejectionThreshold: null,
  })),
});

describe('testTimeAugmentation', () => {
  test.each([
    ['a graph for one picture', 'one', 32, eight],
    ['a graph for any number', 'any', 32, eight],
    ['an input that is not a square', 'wide', 24, four],
  ] as const)(
    '%s: the mean over all turns and reflections, each classified alone',
    async (_name, network, height, views) => {
      const engine = await engineOf(tiny(32, height), network);
      const rows = drawn(32, height);
      const alone: Record<string, number>[] = [];
      for (const view of views(rows)) alone.push(byId(await engine.classify(bmp(view))));
      const answer = await engine.classify(bmp(rows), { testTimeAugmentation: true, explain: true });
      expect(answer.testTimeAugmentation).toBe(true);
      expectNear(
        byId(answer),
        pooled(
          alone,
          alone.map(() => 1 / alone.length),
        ),
      );
      expect(Math.max(...alone.map(({ mel }) => mel!)) - Math.min(...alone.map(({ mel }) => mel!))).toBeGreaterThan(
        0.01,
      );
      // The picture's own turns have the same mean, and their maps are the same map turned.
      const turned = await engine.classify(bmp(mirrored(rows)), { testTimeAugmentation: true, explain: true });
      expectNear(byId(turned), byId(answer));
      const { rows: count, columns, values } = answer.explanation!;
      const back = Array.from({ length: count }, (_row, r) =>
        turned.explanation!.values.slice(r * columns, (r + 1) * columns).reverse(),
      ).flat();
      back.forEach((value, i) => expect(value).toBeCloseTo(values[i]!, 4));
    },
  );

  test('both kinds of graph give the same', async () => {
    const [one, any] = [await engineOf(tiny(32, 32), 'one'), await engineOf(tiny(32, 32), 'any')];
    const options = { testTimeAugmentation: true, explain: 'bcc' };
    const [a, b] = [await one.classify(bmp(drawn(32, 32)), options), await any.classify(bmp(drawn(32, 32)), options)];
    expectNear(byId(a), byId(b));
    a.explanation!.values.forEach((value, i) => expect(value).toBeCloseTo(b.explanation!.values[i]!, 5));
    expect(a.rejection.score).toBeCloseTo(b.rejection.score, 4);
  });

  test('uses the calibration made for it, and only then', async () => {
    const always = { limits: Array<number>(8).fill(8), penalty: 0, freeRanks: 0 };
    const testTimeAugmentation = {
      temperature: 0.35,
      sets: always,
      tiers: { high: 0, moderate: 0 },
      rejectionThreshold: 1e6,
    };
    const change = (json: ManifestJson) => {
      const base = tiny(32, 32)(json);
      return { ...base, modalities: base.modalities.map((modality) => ({ ...modality, testTimeAugmentation })) };
    };
    const [own, without] = [await engineOf(change, 'any'), await engineOf(tiny(32, 32), 'any')];
    const bytes = bmp(drawn(32, 32));
    const [answer, plain] = [
      await own.classify(bytes, { testTimeAugmentation: true }),
      await without.classify(bytes, { testTimeAugmentation: true }),
    ];
    expectNear(byId(answer), pooled([byId(plain)], [1], 0.5)); // half the temperature
    expect(answer.rejection.threshold).toBe(1e6);
    expect(answer.predictionSet).toHaveLength(8);
    expect(answer.tier).toBe('high');
    const [ownPlain, withoutPlain] = [await own.classify(bytes), await without.classify(bytes)];
    expect(ownPlain.ranking).toEqual(withoutPlain.ranking);
    expect(ownPlain.testTimeAugmentation).toBe(false);
  });

  test('the shipped model, with pictures to show', async () => {
    const engine = await loadEngine(defaultModel);
    engines.push(engine);
    const stages: Stage[] = [];
    const answer = await engine.classify(
      picture('spot.jpg'),
      { testTimeAugmentation: true, explain: true, images: true },
      (stage) => stages.push(stage),
    );
    expect(stages).toEqual(['decoding', 'analysing', 'explaining', 'done']);
    const plain = await engine.classify(picture('spot.jpg'), { images: true });
    expect(answer.images!.view).toEqual(plain.images!.view);
    expect(answer.images!.overlay).toMatchObject({ width: 512, height: 512 });
    expect(byId(answer)).not.toEqual(byId(plain));
    expect(answer.lesion).toBeUndefined();
    // A turned file is the same testTimeAugmentation answer, up to what JPEG does to its blocks.
    expect(JSON.parse(JSON.stringify(withoutImages(answer)))).toEqual(withoutImages(answer));
  });
});

describe('a lesion', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await engineOf(withCombination);
  });
  const of = (name: string, modality?: string): PictureOf<Uint8Array> => ({
    bytes: picture(name),
    ...(modality === undefined ? {} : { modality }),
  });

  test('of two modalities is pooled by the manifest, whatever the order', async () => {
    const [dermoscopy, photo] = [of('spot.jpg', 'dermoscopy'), of('orientation-1.jpg', 'photo')];
    const answer = await engine.classify([dermoscopy, photo], { explain: true, images: true });
    const alone = [
      await engine.classify(dermoscopy.bytes, { modality: 'dermoscopy' }),
      await engine.classify(photo.bytes, { modality: 'photo' }),
    ];
    expectNear(byId(answer), pooled(alone.map(byId), [0.75, 0.5], 1.25));
    expect(answer.lesion).toMatchObject({ combined: true, primaryIndex: 0 });
    answer.lesion!.perPicture.forEach((each, i) => {
      const single = alone[i]!;
      expect(each).toMatchObject({
        modality: single.modality,
        usable: true,
        quality: single.quality,
        source: single.source,
        rejection: single.rejection,
      });
      expectNear(each.probabilities, byId(single));
    });
    const excess = alone.map(({ rejection }) => rejection.score - rejection.threshold!);
    expect(answer.rejection).toMatchObject({ method: engine.manifest.decision.rejection, threshold: 0 });
    expect(answer.rejection.score).toBeCloseTo(Math.min(...excess), 4);
    expect(answer).toMatchObject({ modality: 'dermoscopy', source: alone[0]!.source, testTimeAugmentation: false });
    expect(answer.images!.preview).toMatchObject({ width: 1000, height: 750 });
    const other = await engine.classify([photo, dermoscopy]);
    expectNear(byId(other), byId(answer));
    expect(other.modality).toBe('photo');
    const plain = withoutImages(answer);
    expect(JSON.parse(JSON.stringify(plain))).toEqual(plain);
  });

  test('of one modality is the mean of the logits', async () => {
    const answer = await engine.classify([of('spot.jpg'), of('orientation-1.jpg')], { modality: 'dermoscopy' });
    const alone = [
      await engine.classify(picture('spot.jpg'), { modality: 'dermoscopy' }),
      await engine.classify(picture('orientation-1.jpg'), { modality: 'dermoscopy' }),
    ];
    expectNear(byId(answer), pooled(alone.map(byId), [0.5, 0.5]));
    expect(answer.lesion!.perPicture.map(({ modality }) => modality)).toEqual(['dermoscopy', 'dermoscopy']);
  });

  test('testTimeAugmentation: means over the views first', async () => {
    const pictures = [of('spot.jpg', 'dermoscopy'), of('orientation-1.jpg', 'photo')];
    const answer = await engine.classify(pictures, { testTimeAugmentation: true });
    const alone: Record<string, number>[] = [];
    for (const { bytes, modality } of pictures)
      alone.push(byId(await engine.classify(bytes, { modality: modality!, testTimeAugmentation: true })));
    expectNear(byId(answer), pooled(alone, [0.75, 0.5], 1.25));
    expect(answer.testTimeAugmentation).toBe(true);
  });

  test('each picture has its own crop', async () => {
    const crop = { x: 100, y: 50, width: 300, height: 300 };
    // The second as a whole: the middle seven eighths of 750 x 750.
    const answer = await engine.classify([{ ...of('spot.jpg'), crop }, of('spot.jpg')]);
    expect(answer.lesion!.perPicture.map(({ source }) => source.region.x)).toEqual([100, 172]);
    await expectCode(engine.classify([of('spot.jpg')], { crop }), 'INVALID_ARGUMENT', /crop of its own/);
  });

  test('leaves out the picture that is not usable', async () => {
    const answer = await engine.classify([of('flat.png', 'dermoscopy'), of('spot.jpg', 'photo')], {
      explain: true,
      images: true,
    });
    const single = await engine.classify(picture('spot.jpg'), { modality: 'photo', explain: true });
    expect(answer.lesion).toMatchObject({
      combined: false,
      primaryIndex: 1,
      perPicture: [{ usable: false }, { usable: true }],
    });
    const { ranking, outcome, tier, predictionSet, modality, rejection, quality, source, explanation } = single;
    expect(answer).toMatchObject({
      ranking,
      outcome,
      tier,
      predictionSet,
      modality,
      rejection,
      quality,
      source,
      explanation,
    });
    expect(answer.images!.preview).toMatchObject({ width: 1000, height: 750 });
  });

  test('of pictures none of which is usable names nothing', async () => {
    const answer = await engine.classify([of('flat.png'), of('tiny.png')]);
    expect(answer).toMatchObject({
      outcome: 'poor-quality',
      tier: 'unknown',
      predictionSet: [],
      lesion: { combined: false, primaryIndex: 0 },
    });
    expect(answer.ranking).toHaveLength(8);
  });

  test('of one picture is that picture', async () => {
    const answer = await engine.classify([of('spot.jpg')]);
    const single = await engine.classify(picture('spot.jpg'));
    expect(answer.ranking).toEqual(single.ranking);
    expect(answer.lesion).toMatchObject({ combined: false, primaryIndex: 0, perPicture: [{ usable: true }] });
  });

  test('a picture that cannot be read says which it is', async () => {
    await expectCode(engine.classify([of('spot.jpg'), of('cut-off.jpg')]), 'CORRUPT_IMAGE', /^Picture 2: /);
    await expectCode(engine.classify([of('document.pdf'), of('spot.jpg')]), 'UNSUPPORTED_FORMAT', /^Picture 1: .*PDF/);
    expect((await engine.classify(picture('spot.jpg'))).ranking).toHaveLength(8);
  });

  test('of no picture or three', async () => {
    await expectCode(engine.classify([]), 'INVALID_ARGUMENT', /not 0/);
    await expectCode(engine.classify([of('spot.jpg'), of('spot.jpg'), of('spot.jpg')]), 'INVALID_ARGUMENT', /not 3/);
  });

  test('of modalities that the manifest does not combine is refused before anything is read', async () => {
    const without = await engineOf(({ combination: _none, ...json }) => json);
    await expectCode(
      without.classify([of('cut-off.jpg', 'dermoscopy'), of('spot.jpg', 'photo')]),
      'INVALID_ARGUMENT',
      /'dermoscopy' and 'photo'/,
    );
    await expectCode(without.classify([of('spot.jpg', 'xray'), of('spot.jpg')]), 'INVALID_ARGUMENT', /'xray'/);
  });

  test('testTimeAugmentation, by the pooling made for it', async () => {
    const own = await engineOf((json) => {
      const { combination, ...rest } = withCombination(json) as ManifestJson & { combination: Record<string, unknown> };
      return {
        ...rest,
        combination: {
          ...combination,
          testTimeAugmentation: {
            ...combination,
            modalities: undefined,
            weights: [0, 2],
            temperature: 1,
            tiers: { high: 0, moderate: 0 },
          },
        },
      };
    });
    const [dermoscopy, photo] = [of('spot.jpg', 'dermoscopy'), of('orientation-1.jpg', 'photo')];
    const alone = byId(await own.classify(photo.bytes, { modality: 'photo', testTimeAugmentation: true }));
    expectNear(byId(await own.classify([dermoscopy, photo], { testTimeAugmentation: true })), pooled([alone], [2]));
  });
});
