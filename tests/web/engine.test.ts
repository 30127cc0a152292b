/** The engine with the real core and the real network, in Node; and the core's recovery. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { DermletModule } from '../../wasm_src/bindings/dermlet.js';
import { Core } from '../../web/src/classifier/core.js';
import { Engine } from '../../web/src/classifier/engine.js';
import { type Manifest, parseReference } from '../../web/src/classifier/manifest.js';
import { defaultModel, loadEngine } from '../../web/src/classifier/node/engine.js';
import type { Stage } from '../../web/src/classifier/options.js';
import { withoutImages } from '../../web/src/classifier/result.js';
import { expectCode, picture } from './support.js';

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine(defaultModel);
});

test('the self-test passes', async () => {
  const { passed, difference, tolerance } = await engine.selfTest();
  expect(difference).toBeLessThanOrEqual(tolerance);
  expect(passed).toBe(true);
});

describe('a manifest that does not fit its network is refused', () => {
  const changed = (change: (manifest: Manifest) => void): Promise<Engine> => {
    const manifest = structuredClone(engine.manifest);
    change(manifest);
    return Engine.load({ ...engine.options, manifest });
  };

  test.each<[string, (manifest: Manifest) => void, RegExp]>([
    ['order of channels', ({ input }) => (input.channels = 'BGR'), /differs from its reference by 0?\.?\d/],
    ['mean', ({ input }) => (input.mean = [0, 0, 0]), /differs from its reference/],
    ['kind of scores', ({ outputs }) => (outputs.scoresAre = 'probabilities'), /not of the kind .*scoresAre/],
  ])('%s', async (_name, change, message) => {
    const error = await changed(change).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'MODEL_CORRUPT', message: expect.stringMatching(message) as string });
  });

  test('once for each version of model and engine', async () => {
    const kept = new Map<string, number>();
    const passed = {
      when: async (version: string) => kept.get(version) ?? null,
      add: async (version: string, at: number) => void kept.set(version, at),
    };
    let tests = 0;
    const load = (manifest = engine.manifest, hashes = ['core 1', 'runtime 1']) =>
      Engine.load({
        ...engine.options,
        manifest,
        environment: { ...engine.options.environment, hashes },
        passed,
        onSelfTest: () => (tests += 1),
      });
    const began = Date.now();
    const first = await (await load()).inspect(false);
    expect(tests).toBe(1);
    expect(first).toMatchObject({ backend: 'wasm', onnxRuntime: expect.stringMatching(/^1\./) as string });
    expect(first.selfTest).toMatchObject({
      passed: true,
      backend: 'wasm',
      measured: { tolerance: expect.any(Number) },
    });
    expect(first.selfTest?.at).toBeGreaterThanOrEqual(began);
    const again = await load();
    expect(tests).toBe(1);
    // Kept is when it passed, not what it measured; run anew it has both.
    const { selfTest } = await again.inspect(false);
    expect(selfTest).toEqual({ at: [...kept.values()][0], backend: 'wasm', passed: true });
    expect((await again.inspect(true)).selfTest?.measured?.difference).toBeLessThan(0.001);
    await load({ ...engine.manifest, version: '99.0.0' });
    expect(tests).toBe(2);
    await load(engine.manifest, ['core 2', 'runtime 1']);
    expect(tests).toBe(3);
    // A failure is not remembered.
    const wrong = { ...engine.manifest, input: { ...engine.manifest.input, channels: 'BGR' as const } };
    for (const expected of [4, 5]) {
      await expect(load(wrong)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
      expect(tests).toBe(expected);
    }
  });
});

describe('a check without the network', () => {
  test('measures what the same picture is judged by as it is', async () => {
    for (const modality of ['photo', 'dermoscopy']) {
      const { quality } = await engine.classify(picture('spot.jpg'), { modality, crop: 'whole' });
      expect(await engine.check(picture('spot.jpg'), { modality })).toEqual(quality);
    }
    expect(await engine.check(picture('spot.jpg'))).toEqual(
      await engine.check(picture('spot.jpg'), { modality: engine.manifest.defaultModality }),
    );
  });

  test('finds fault, and refuses what it cannot read', async () => {
    const { usable, checks } = await engine.check(picture('flat.png'));
    expect(usable).toBe(false);
    expect(checks.filter(({ passed }) => !passed).map(({ id }) => id)).toContain('flat');
    await expectCode(engine.check(picture('corrupt.jpg')), 'CORRUPT_IMAGE');
    await expectCode(engine.check(picture('spot.jpg'), { modality: 'x-ray' }), 'INVALID_ARGUMENT');
  });
});

describe('a result', () => {
  test('is whole, plain and consistent', async () => {
    const stages: Stage[] = [];
    const answer = await engine.classify(picture('spot.jpg'), { explain: true, images: true }, (stage) =>
      stages.push(stage),
    );
    expect(stages).toEqual(['decoding', 'analysing', 'explaining', 'done']);
    expect(answer.ranking).toHaveLength(8);
    expect(answer.ranking.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    const probabilities = answer.ranking.map(({ probability }) => probability);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
    expect(answer.ranking.filter(({ inSet }) => inSet).map(({ id }) => id)).toEqual(answer.predictionSet);
    expect(answer.source).toMatchObject({
      format: 'jpeg',
      width: 1000,
      height: 750,
      orientation: 1,
      colour: 'assumed-srgb',
      bytes: picture('spot.jpg').length,
    });
    expect(answer.images!.preview).toMatchObject({ width: 1000, height: 750 });
    const { width, height } = engine.manifest.input;
    expect(answer.images!.view).toMatchObject({ width, height });
    expect(answer.images!.overlay).toMatchObject({ width: 512, height: 512 });
    expect(answer.explanation).toMatchObject({
      classId: answer.ranking[0]!.id,
      rows: height / 32,
      columns: width / 32,
    });
    expect(answer.explanation!.values).toHaveLength((height / 32) * (width / 32));
    expect(answer.runtime).toMatchObject({ backend: 'wasm', threads: 1 });
    const plain = withoutImages(answer);
    expect(JSON.parse(JSON.stringify(plain))).toEqual(plain);
  });

  test('is the same for the same bytes, and leaves them alone', async () => {
    const bytes = picture('spot.jpg');
    const [first, second] = [await engine.classify(bytes), await engine.classify(bytes)];
    expect(second.ranking).toEqual(first.ranking);
    expect(bytes).toEqual(picture('spot.jpg'));
  });

  test('has no pictures and no explanation that were not asked for', async () => {
    const answer = await engine.classify(picture('spot.jpg'));
    expect(answer.images).toBeUndefined();
    expect(answer.explanation).toBeUndefined();
  });

  test('explains the class asked for', async () => {
    expect((await engine.classify(picture('spot.jpg'), { explain: 'bcc' })).explanation!.classId).toBe('bcc');
  });

  test('uses the calibration of the modality asked for', async () => {
    const [photo, dermoscopy] = [
      await engine.classify(picture('spot.jpg')),
      await engine.classify(picture('spot.jpg'), { modality: 'dermoscopy' }),
    ];
    expect([photo.modality, dermoscopy.modality]).toEqual(['photo', 'dermoscopy']);
    expect(dermoscopy.rejection.threshold).not.toBe(photo.rejection.threshold);
    expect(dermoscopy.ranking[0]!.probability).not.toBe(photo.ranking[0]!.probability);
  });

  test('of a crop shows the crop', async () => {
    const answer = await engine.classify(picture('spot.jpg'), { crop: { x: 100, y: 50, width: 300, height: 300 } });
    expect(answer.source.region).toEqual({ x: 100, y: 50, width: 300, height: 300 });
  });

  test.each(['flat.png', 'tiny.png'])('%s is not usable: nothing named, everything ranked', async (name) => {
    const answer = await engine.classify(picture(name));
    expect(answer).toMatchObject({ outcome: 'poor-quality', tier: 'unknown', predictionSet: [] });
    expect(answer.ranking).toHaveLength(8);
  });

  test('a large picture has a preview of at most 1024 pixels', async () => {
    const { images } = await engine.classify(picture('spot.png'), { images: true });
    expect(Math.max(images!.preview!.width, images!.preview!.height)).toBeLessThanOrEqual(1024);
    expect(images!.overlay).toBeUndefined();
  });
});

/**
 * A rejection model of the shipped network's embedding: distance from the origin, and half the energy
 * (wasm_src/core/decision/rejection.h).
 */
function rejectionModel(size: number): Uint8Array<ArrayBuffer> {
  const file = new DataView(new ArrayBuffer(36 + 4 * (2 * size + 1)));
  [...'DRJ1'].forEach((letter, index) => file.setUint8(index, letter.charCodeAt(0)));
  [size, 1, 1, 0, 1, 0].forEach((word, index) => file.setUint32(4 + 4 * index, word, true));
  file.setFloat32(28, 0.5, true);
  file.setFloat32(32, 1, true);
  for (let i = 0; i < size; i++) file.setFloat32(36 + 4 * (size + i), 1 / size, true);
  return new Uint8Array(file.buffer);
}

test('a model with a rejection model refuses by it', async () => {
  const { embedding } = parseReference(
    new TextDecoder().decode(await engine.options.file(engine.manifest.selfTest.reference)),
  );
  const bytes = rejectionModel(embedding.length);
  const entry = { path: 'rejection.bin', bytes: bytes.length, sha256: '0'.repeat(64) };
  const manifest = structuredClone(engine.manifest);
  manifest.decision.rejection = 'distance';
  manifest.rejection = { file: entry };
  const photo = manifest.modalities.find(({ id }) => id === 'photo')!;
  photo.rejectionThreshold = 1e6;
  const asked: string[] = [];
  const file: Engine['options']['file'] = async (wanted) => {
    asked.push(wanted.path);
    return wanted.path === 'rejection.bin' ? bytes : engine.options.file(wanted);
  };
  const plain = structuredClone(manifest);
  plain.decision.rejection = 'energy';
  delete plain.rejection;
  const [plainEngine, other] = [
    await Engine.load({ ...engine.options, manifest: plain, file }),
    await Engine.load({ ...engine.options, manifest, file }),
  ];
  expect(asked).toContain('rejection.bin');
  const drawn = await engine.options.file(manifest.selfTest.picture);
  const [byEnergy, byDistance] = [await plainEngine.classify(drawn), await other.classify(drawn)];
  await plainEngine.dispose();
  expect(byEnergy.rejection.method).toBe('energy');
  const mean = embedding.reduce((sum, value) => sum + value, 0) / embedding.length;
  expect(byDistance.rejection.method).toBe('distance');
  expect(byDistance.rejection.score).toBeCloseTo(0.5 * byEnergy.rejection.score + mean ** 2, 3);
  expect(byDistance.outcome).not.toBe('not-recognised');
  photo.rejectionThreshold = -1e6;
  expect(await other.classify(picture('spot.jpg'))).toMatchObject({
    outcome: 'not-recognised',
    tier: 'unknown',
    predictionSet: [],
  });
  await other.dispose();
});

describe('errors', () => {
  test.each([
    ['document.pdf', 'UNSUPPORTED_FORMAT', /PDF/],
    ['picture.gif', 'UNSUPPORTED_FORMAT', /GIF/i],
    ['note.txt', 'UNSUPPORTED_FORMAT', /text/],
    ['drawing.svg', 'UNSUPPORTED_FORMAT', /SVG/],
    ['empty.jpg', 'CORRUPT_IMAGE', /empty/],
    ['cut-off.jpg', 'CORRUPT_IMAGE', /./],
    ['corrupt.png', 'CORRUPT_IMAGE', /./],
    ['huge.png', 'IMAGE_TOO_LARGE', /50000/],
  ] as const)('%s is %s, and the next picture works', async (name, code, message) => {
    await expectCode(engine.classify(picture(name)), code, message);
    expect((await engine.classify(picture('orientation-1.jpg'))).ranking).toHaveLength(8);
  });

  test.each([
    ['outside', { x: 900, y: 0, width: 200, height: 100 }],
    ['empty', { x: 0, y: 0, width: 0, height: 10 }],
    ['not whole', { x: 0.5, y: 0, width: 10, height: 10 }],
    ['not a number', { x: NaN, y: 0, width: 10, height: 10 }],
  ])('a crop that is %s', (_name, crop) =>
    expectCode(engine.classify(picture('spot.jpg'), { crop }), 'INVALID_ARGUMENT'),
  );
  test('an unknown modality', () =>
    expectCode(engine.classify(picture('spot.jpg'), { modality: 'xray' }), 'INVALID_ARGUMENT', /photo/));
  test('an unknown class', () =>
    expectCode(engine.classify(picture('spot.jpg'), { explain: 'x' }), 'INVALID_ARGUMENT', /'x'/));
  test('no model', () => expectCode(loadEngine('/nowhere'), 'MODEL_UNAVAILABLE', /manifest\.json/));
});

describe('the core', () => {
  const wasm = new Uint8Array([0, 0x61, 0x73, 0x6d]);
  const spec = {} as Parameters<Core['prepare']>[1];

  async function coreOf(prepare: (instance: number) => ReturnType<DermletModule['prepare']>, memory = 0) {
    let instances = 0;
    const core = await Core.load(wasm, 'dermlet.wasm', async () => {
      const instance = ++instances;
      let held = 0;
      const unused = () => {
        throw new Error('unused');
      };
      return {
        prepare: () => {
          held = memory;
          return prepare(instance);
        },
        sniff: () => ({ ok: true, format: 'png', foreign: false }),
        inspect: unused,
        interpret: unused,
        judgeQuality: unused,
        locate: unused,
        recogniseModality: unused,
        memoryBytes: () => held,
      };
    });
    return { core, instances: () => instances };
  }
  const fine = { ok: true } as ReturnType<DermletModule['prepare']>;

  test('is one instance for all calls', async () => {
    const { core, instances } = await coreOf(() => fine);
    await core.prepare(wasm, spec, null);
    await core.prepare(wasm, spec, null);
    expect(instances()).toBe(1);
  });

  test('recovers from memory running out', async () => {
    const { core, instances } = await coreOf((instance) =>
      instance === 1 ? { ok: false, code: 'IMAGE_TOO_LARGE', message: 'no memory' } : fine,
    );
    await expectCode(core.prepare(wasm, spec, null), 'IMAGE_TOO_LARGE');
    expect((await core.prepare(wasm, spec, null)).ok).toBe(true);
    expect(instances()).toBe(2);
  });

  test('recovers from a crash', async () => {
    const { core } = await coreOf((instance) => {
      if (instance === 1) throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
      if (instance === 2) throw new WebAssembly.RuntimeError('unreachable');
      return fine;
    });
    await expectCode(core.prepare(wasm, spec, null), 'IMAGE_TOO_LARGE');
    await expectCode(core.prepare(wasm, spec, null), 'CORRUPT_IMAGE', /unreachable/);
    expect((await core.prepare(wasm, spec, null)).ok).toBe(true);
  });

  test('gives back the memory of a very large picture', async () => {
    const { core, instances } = await coreOf(() => fine, 1 << 30);
    await core.prepare(wasm, spec, null);
    await core.prepare(wasm, spec, null);
    expect(instances()).toBe(2);
  });

  test('has a foreign picture inspected and decoded once, however often it is looked at', async () => {
    const header = {
      format: 'webp',
      width: 2,
      height: 1,
      orientation: 6,
      channels: 3,
      colours: { kind: 'none' },
    } as const;
    const pixels = { width: 2, height: 1, rgba: new Uint8ClampedArray(8) };
    const inspected: Uint8Array[] = [];
    const decoded: number[][] = [];
    const sources: unknown[] = [];
    const create = async () =>
      ({
        sniff: () => ({ ok: true, format: 'webp', foreign: true }),
        inspect: (bytes: Uint8Array) => {
          inspected.push(bytes);
          return { ok: true, ...header, neutralising: [1, 9] };
        },
        prepare: (source: unknown) => {
          sources.push(source);
          return fine;
        },
        memoryBytes: () => 0,
      }) as unknown as DermletModule;
    const core = await Core.load(wasm, 'dermlet.wasm', create, async (bytes) => {
      decoded.push([...bytes]);
      return { ...pixels, path: 'canvas' };
    });
    const file = new Uint8Array([7, 7, 7]);
    for (let look = 0; look < 3; look++) expect((await core.prepare(file, spec, null)).decodePath).toBe('canvas');
    expect(inspected).toEqual([file]);
    expect(decoded).toEqual([[7, 9, 7]]); // a copy: the file stays as it is
    expect([...file]).toEqual([7, 7, 7]);
    expect(sources).toHaveLength(3);
    for (const source of sources) expect(source).toMatchObject({ header, pixels });
  });

  test('that is not WASM is refused', () =>
    expectCode(Core.load(new TextEncoder().encode('<html>'), 'x/dermlet.wasm'), 'MODEL_UNAVAILABLE', /HTML page/));
});

test("quality limits are those of the picture's modality, and each check has value and limit", async () => {
  const { manifest } = engine;
  const limits: Manifest = {
    ...manifest,
    quality: {
      minSide: 64,
      modalities: { photo: { minSharpness: 15 }, dermoscopy: { minSharpness: 0.01, maxOffset: 1 } },
    },
  };
  const strict = await Engine.load({ ...engine.options, manifest: limits });
  const photo = await strict.classify(picture('spot.jpg'), { modality: 'photo' });
  expect(photo).toMatchObject({ outcome: 'poor-quality', quality: { usable: false } });
  expect(photo.quality.checks.map(({ id, limit, passed }) => [id, limit, passed])).toEqual([
    ['too_small', 64, true],
    ['blurred', 15, false],
  ]);
  const { quality } = await strict.classify(picture('spot.jpg'), { modality: 'dermoscopy' });
  expect(quality.usable).toBe(true);
  expect(quality.checks.map(({ id }) => id)).toEqual(['too_small', 'blurred', 'out_of_frame']);
  expect(quality.checks[1]!.value).toBe(photo.quality.checks[1]!.value);
  await strict.dispose();
});
