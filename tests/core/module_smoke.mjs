// The built WebAssembly module in plain Node: loads, prepares, interprets, refuses, and survives having no memory.
//   node tests/core/module_smoke.mjs [folder of dermlet.js]
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test, { describe } from 'node:test';
import { pathToFileURL } from 'node:url';
import { blankPng, withMostMemory } from './limited.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.resolve(process.argv[2] ?? path.join(root, 'build/wasm'));
/** Its answers are asked for fields of either kind, which a test may. */
const { default: createDermlet } = await import(pathToFileURL(path.join(folder, 'dermlet.js')).href);
const module = await createDermlet({ wasmBinary: await readFile(path.join(folder, 'dermlet.wasm')) });
/** @param {string} name */
const picture = (name) => readFile(path.join(root, 'tests/pictures', name));

/**
 * @param {number} a
 * @param {number} b
 */
const add = (a, b) => a + b;

const spec = {
  width: 224,
  height: 224,
  layout: 'NCHW',
  channels: 'RGB',
  fit: 'cover',
  cropPct: 1,
  filter: 'bicubic',
  mean: [127, 127, 127],
  std: [128, 128, 128],
  quality: { too_small: 64, low_contrast: 2, noisy: 30 },
  previewSide: 512,
  views: 1,
  whole: null,
};
const decision = {
  scoresAre: 'logits',
  temperature: 1,
  sets: { limits: [0.8, 0.8, 0.8], penalty: 0.02, freeRanks: 1 },
  tiers: { high: 0.3, moderate: 0.1 },
  rejectionThreshold: null,
  concern: ['low', 'moderate', 'high'],
};

test('prepare gives a tensor, a view, a preview and what was read', async () => {
  const prepared = module.prepare(await picture('spot.jpg'), spec, null);
  assert.equal(prepared.ok, true, JSON.stringify(prepared));
  assert.equal(prepared.tensor.length, 3 * 224 * 224);
  assert.ok(
    prepared.tensor instanceof Float32Array && prepared.tensor.every((/** @type {number} */ v) => v >= -1 && v <= 1),
  );
  assert.deepEqual([prepared.view.width, prepared.view.height, prepared.view.rgba.length], [224, 224, 224 * 224 * 4]);
  assert.ok(prepared.view.rgba instanceof Uint8ClampedArray);
  // The tensor is the view, normalised: nothing else happened to it.
  for (let i = 0; i < 224 * 224; i += 97)
    assert.equal(prepared.tensor[i], Math.fround((prepared.view.rgba[4 * i] - 127) / 128));
  assert.equal(Math.max(prepared.preview.width, prepared.preview.height), 512);
  assert.deepEqual(prepared.source, {
    format: 'jpeg',
    width: 1000,
    height: 750,
    orientation: 1,
    colour: 'assumed-srgb',
  });
  assert.deepEqual(prepared.region, { x: 125, y: 0, width: 750, height: 750 });
  assert.deepEqual(
    prepared.quality.checks.map((/** @type {{ id: string }} */ check) => check.id),
    ['too_small', 'low_contrast', 'noisy'],
  );
  assert.equal(prepared.quality.usable, true);
});

test('colours are converted, and what was done is said', async () => {
  for (const [name, colour] of Object.entries({
    'p3.jpg': 'converted',
    'adobe-rgb-alpha.png': 'converted',
    'gray-gamma.png': 'converted',
    'srgb-profile.jpg': 'srgb',
    'lut-profile.jpg': 'converted',
    'kinds/colour-broken-profile.png': 'unsupported-profile',
  })) {
    assert.equal(module.prepare(await picture(name), spec, null).source.colour, colour, name);
  }
  // The same bytes that the native build gives, within one level of LittleCMS'.
  const lines = (await readFile(path.join(root, 'tests/golden/colours.golden'), 'utf8')).trim().split('\n');
  for (const [name = '', , side, hex = ''] of lines.map((line) => line.split(' '))) {
    const { view } = module.prepare(await picture(name), { ...spec, width: Number(side), height: Number(side) }, null);
    const expected = Buffer.from(hex, 'hex');
    const differences = [...expected].map((value, i) => Math.abs(value - view.rgba[4 * Math.floor(i / 3) + (i % 3)]));
    assert.ok(Math.max(...differences) <= 1, name);
  }
});

test('a crop is taken and one outside the picture is refused', async () => {
  const bytes = await picture('spot.jpg');
  assert.deepEqual(module.prepare(bytes, spec, { x: 10, y: 20, width: 300, height: 200 }).region, {
    x: 60,
    y: 20,
    width: 200,
    height: 200,
  });
  assert.equal(module.prepare(bytes, spec, { x: 900, y: 20, width: 300, height: 200 }).code, 'INVALID_ARGUMENT');
});

test('eight views are one tensor, the upright one first', async () => {
  const bytes = await picture('spot.jpg');
  const one = module.prepare(bytes, spec, null).tensor;
  const { tensor } = module.prepare(bytes, { ...spec, views: 8 }, null);
  assert.equal(tensor.length, 8 * one.length);
  assert.deepEqual(tensor.subarray(0, one.length), one);
  /**
   * @param {number} view
   * @param {number} x
   * @param {number} y
   */
  const at = (view, x, y) => tensor[view * one.length + y * 224 + x];
  for (const [x, y] of /** @type {const} */ ([
    [0, 0],
    [3, 200],
    [223, 100],
  ])) {
    assert.equal(at(1, x, y), at(0, 223 - x, y)); // mirrored
    assert.equal(at(4, x, y), at(0, y, x)); // transposed
  }
  assert.equal(module.prepare(bytes, { ...spec, width: 200, views: 8 }, null).code, 'INVALID_ARGUMENT');
  assert.equal(module.prepare(bytes, { ...spec, views: 3 }, null).code, 'INVALID_ARGUMENT');
});

test('interpret ranks, builds the set and paints the map', () => {
  const maps = new Float32Array(3 * 4).map((_, i) => (i >= 8 ? i : 0));
  const outputs = { scores: new Float32Array([0, 1, 2]), maps, mapHeight: 2, mapWidth: 2, embedding: null, views: 1 };
  const one = {
    outputs,
    frameOutputs: null,
    spec: decision,
    usable: true,
    framing: 'whole',
    explain: { classIndex: -1, width: 32, height: 16 },
  };
  const interpreted = module.interpret([one], null);
  assert.equal(interpreted.ok, true, JSON.stringify(interpreted));
  assert.deepEqual(interpreted.decision.ranking, [2, 1, 0]);
  assert.deepEqual(interpreted.decision.predictionSet, [2, 1]);
  assert.equal(interpreted.decision.outcome, 'several');
  assert.equal(interpreted.decision.tier, 'high');
  /** @param {object} change */
  const by = (change) => module.interpret([{ ...one, spec: { ...decision, ...change } }], null).decision;
  /**
   * Probabilities 0.665, 0.245, 0.090: scores 0, 0.665, 0.910 without a penalty.
   * @param {number} limit
   * @param {number} penalty
   * @param {number} freeRanks
   */
  const set = (limit, penalty, freeRanks) =>
    by({ sets: { limits: [limit, limit, limit], penalty, freeRanks } }).predictionSet.length;
  assert.deepEqual(
    [set(0.6, 0, 0), set(0.7, 0, 0), set(0.7, 0.1, 0), set(0.7, 0.1, 1), set(0.95, 0.1, 1), set(0.95, 0.1, 2)],
    [1, 2, 1, 2, 2, 3],
  );
  /**
   * @param {number} high
   * @param {number} moderate
   */
  const tier = (high, moderate) => by({ tiers: { high, moderate } }).tier;
  assert.deepEqual([tier(0.66, 1), tier(0.67, 0.9), tier(0.67, 0.92)], ['high', 'moderate', 'low']);
  for (const change of [
    { tiers: { high: NaN, moderate: 0.1 } },
    { sets: { limits: [1, 1], penalty: 0, freeRanks: 0 } },
    { sets: { limits: [1, -1, 1], penalty: 0, freeRanks: 0 } },
  ]) {
    assert.equal(module.interpret([{ ...one, spec: { ...decision, ...change } }], null).code, 'INVALID_ARGUMENT');
  }
  /** @param {number[]} scores */
  const asProbabilities = (scores) =>
    module.interpret(
      [
        {
          ...one,
          outputs: { ...outputs, scores: new Float32Array(scores) },
          spec: { ...decision, scoresAre: 'probabilities' },
        },
      ],
      null,
    );
  assert.equal(asProbabilities([0.25, 0.25, 0.5]).ok, true);
  for (const scores of [
    [0.9, 0.8, 0.7],
    [-0.5, 0.75, 0.75],
    [0, 0, 0],
    [NaN, 0.5, 0.5],
  ]) {
    assert.equal(asProbabilities(scores).code, 'MODEL_CORRUPT');
  }
  assert.equal(interpreted.decision.rejectionThreshold, null);
  assert.ok(Math.abs(interpreted.decision.probabilities.reduce(add) - 1) < 1e-6);
  assert.equal(interpreted.heatMap.classIndex, 2);
  assert.equal(interpreted.heatMap.overlay.rgba.length, 32 * 16 * 4);
  assert.equal(Math.max(...interpreted.heatMap.values), 1);
  assert.deepEqual(
    [interpreted.perPicture, interpreted.primaryIndex, interpreted.combined],
    [[interpreted.decision], 0, false],
  );
  /** @param {object} change */
  const code = (change) => module.interpret([{ ...one, outputs: { ...outputs, ...change } }], null).code;
  assert.equal(code({ scores: new Float32Array([0, NaN, 2]) }), 'INVALID_ARGUMENT');
  assert.equal(code({ maps: new Float32Array(5) }), 'INVALID_ARGUMENT');
  assert.equal(code({ views: 8 }), 'INVALID_ARGUMENT');
});

/**
 * A rejection model of a two-number embedding (rejection.h): the identity, an inside point at (3, 0), no outside
 * points, distance alone.
 */
function rejectionModel() {
  const file = new DataView(new ArrayBuffer(36 + 4 * 8));
  [...'DRJ1'].forEach((letter, i) => file.setUint8(i, letter.charCodeAt(0)));
  [2, 2, 1, 0, 1, 0].forEach((word, i) => file.setUint32(4 + 4 * i, word, true));
  [0, 1, /* mean */ 0, 0, /* projection */ 1, 0, 0, 1, /* inside */ 3, 0].forEach((value, i) =>
    file.setFloat32(28 + 4 * i, value, true),
  );
  return new Uint8Array(file.buffer);
}

test('interpret refuses by the rejection model where there is one', () => {
  const outputs = {
    scores: new Float32Array([0, 1, 2]),
    maps: null,
    mapHeight: 0,
    mapWidth: 0,
    embedding: new Float32Array([0, 4]),
    views: 1,
  };
  const one = {
    outputs,
    frameOutputs: null,
    spec: { ...decision, rejectionThreshold: 20, rejectionModel: rejectionModel() },
    usable: true,
    framing: 'whole',
    explain: null,
  };
  const interpreted = module.interpret([one], null);
  assert.equal(interpreted.decision.rejection, 25);
  assert.equal(interpreted.decision.outcome, 'not-recognised');
  const wider = module.interpret([{ ...one, spec: { ...one.spec, rejectionThreshold: 30 } }], null).decision;
  assert.notEqual(wider.outcome, 'not-recognised');
  const twice = {
    ...outputs,
    scores: new Float32Array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]),
    embedding: new Float32Array([0, 8, 0, 0, 0, 8, 0, 0]),
    views: 4,
  };
  assert.equal(module.interpret([{ ...one, outputs: twice }], null).decision.rejection, 25); // of the mean embedding
  for (const change of [{ rejectionModel: rejectionModel().subarray(0, 60) }, { scoresAre: 'probabilities' }]) {
    assert.equal(module.interpret([{ ...one, spec: { ...one.spec, ...change } }], null).code, 'INVALID_ARGUMENT');
  }
  assert.equal(module.interpret([{ ...one, outputs: { ...outputs, embedding: null } }], null).code, 'INVALID_ARGUMENT');
});

test('interpret averages views and combines two pictures', () => {
  /** @param {number[]} scores */
  const outputs = (...scores) => ({
    scores: new Float32Array(scores),
    maps: null,
    mapHeight: 0,
    mapWidth: 0,
    embedding: null,
    views: scores.length / 3,
  });
  /** @param {number[]} scores */
  const of = (scores, usable = true) => ({
    outputs: outputs(...scores),
    frameOutputs: null,
    spec: { ...decision, rejectionThreshold: 5 },
    usable,
    framing: 'whole',
    explain: null,
  });
  /**
   * @param {number[]} found
   * @param {number[]} wanted
   */
  const near = (found, wanted) =>
    found.forEach((value, i) => assert.ok(Math.abs(value - (wanted[i] ?? NaN)) < 1e-6, `${found}`));
  const mean = module.interpret([of([0, 2, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0])], null).decision.probabilities;
  near(mean, module.interpret([of([0, 1, 1])], null).decision.probabilities);
  const pair = [of([2, 0, 0]), of([0, 0, 4])];
  const same = module.interpret(pair, null);
  near(same.decision.probabilities, module.interpret([of([1, 0, 2])], null).decision.probabilities);
  assert.deepEqual([same.combined, same.perPicture.length, same.decision.rejectionThreshold], [true, 2, 0]);
  // softmax(0.5 * [2, 0, 0] + 1 * [0, 0, 4]), since log-softmax differs from the logits by a constant
  const weighted = module.interpret(pair, {
    weights: [0.5, 1],
    temperature: 1,
    sets: decision.sets,
    tiers: decision.tiers,
  });
  near(weighted.decision.probabilities, module.interpret([of([1, 0, 4])], null).decision.probabilities);
  const left = module.interpret([of([2, 0, 0], false), of([0, 0, 4])], null);
  assert.deepEqual([left.combined, left.primaryIndex, left.decision], [false, 1, left.perPicture[1]]);
  for (const count of [0, 3]) assert.equal(module.interpret(Array(count).fill(pair[0]), null).code, 'INVALID_ARGUMENT');
});

test('sniff names a file by its beginning, and says who decodes it', async () => {
  for (const [name, format, foreign] of /** @type {[string, string, boolean][]} */ ([
    ['spot.jpg', 'jpeg', false],
    ['spot.png', 'png', false],
    ['spot.bmp', 'bmp', false],
    ['foreign/lossy.webp', 'webp', true],
    ['foreign/lossy.avif', 'avif', true],
    ['foreign/lossy.heic', 'heic', true],
  ])) {
    const bytes = await picture(name);
    assert.deepEqual(module.sniff(bytes), { ok: true, format, foreign });
    assert.deepEqual(module.sniff(bytes.subarray(0, 1024)), { ok: true, format, foreign });
  }
  assert.equal(module.sniff(await picture('document.pdf')).code, 'UNSUPPORTED_FORMAT');
  assert.equal(module.sniff(new Uint8Array()).code, 'CORRUPT_IMAGE');
});

test('inspect says what a header does', async () => {
  const { ok, colours, neutralising, ...header } = module.inspect(await picture('foreign/orientation-6.heic'));
  assert.equal(ok, true);
  assert.deepEqual(header, { format: 'heic', width: 120, height: 160, orientation: 6, channels: 3 });
  assert.ok(neutralising.length > 0 && neutralising.length % 2 === 0);
  assert.equal(typeof colours.kind, 'string');
  /** @param {string} name */
  const described = async (name) => module.inspect(await picture(name)).colours;
  assert.deepEqual(await described('spot.jpg'), { kind: 'none' });
  assert.deepEqual(await described('foreign/lossy.avif'), { kind: 'srgb' });
  const { kind, profile } = await described('p3.jpg');
  assert.equal(kind, 'profile');
  assert.equal(Buffer.from(profile.subarray(36, 40)).toString(), 'acsp');
  const numbers = await described('gama-chrm.png');
  assert.equal(numbers.kind, 'primaries');
  assert.equal(numbers.primaries.length, 8);
  assert.ok(numbers.exponent > 1);
  assert.equal(module.inspect(await picture('huge.png')).code, 'IMAGE_TOO_LARGE');
  assert.equal(module.inspect(await picture('foreign/cut-off.webp')).code, 'CORRUPT_IMAGE');
});

test('pixels and what their file says of its colours give what the file gives', async () => {
  for (const name of ['gama-chrm.png', 'gama.png', 'adobe-rgb.png', 'gray-gamma.png']) {
    const bytes = await picture(name);
    const header = { ...module.inspect(bytes), format: 'webp' }; // those whose pixels come from elsewhere
    const { width, height } = header;
    const asStored = { ...spec, width, height, quality: {}, previewSide: 0 };
    // A file that says nothing of its colours is shown as it is stored.
    const silent = Buffer.from(bytes);
    for (const chunk of ['gAMA', 'cHRM', 'iCCP'])
      if (silent.includes(chunk)) silent.write('zzZz', silent.indexOf(chunk));
    const pixels = module.prepare(silent, asStored, null).view;
    const expected = module.prepare(bytes, asStored, null);
    const found = module.prepare({ header, pixels }, asStored, null);
    assert.equal(found.source.colour, 'converted', name);
    assert.deepEqual(found.tensor, expected.tensor, name);
    assert.notDeepEqual(found.view.rgba, pixels.rgba, name);
  }
});

test('every kind of wrong file has its code', async () => {
  for (const [name, code] of Object.entries({
    'picture.gif': 'UNSUPPORTED_FORMAT',
    'picture.webp': 'UNSUPPORTED_FORMAT',
    'document.pdf': 'UNSUPPORTED_FORMAT',
    'note.txt': 'UNSUPPORTED_FORMAT',
    'drawing.svg': 'UNSUPPORTED_FORMAT',
    'empty.jpg': 'CORRUPT_IMAGE',
    'cut-off.jpg': 'CORRUPT_IMAGE',
    'corrupt.png': 'CORRUPT_IMAGE',
    'huge.png': 'IMAGE_TOO_LARGE',
  })) {
    assert.equal(module.prepare(await picture(name), spec, null).code, code, name);
  }
});

test('a picture that its file cannot hold is refused without memory', async () => {
  // 60 million pixels of 16-bit RGBA in 20 KB.
  const before = module.memoryBytes();
  assert.equal(module.prepare(await picture('deep.png'), spec, null).code, 'CORRUPT_IMAGE');
  assert.equal(module.memoryBytes(), before);
});

describe('without memory', () => {
  const most = 48; // MiB
  const start = async () =>
    createDermlet({ wasmBinary: withMostMemory(await readFile(path.join(folder, 'dermlet.wasm')), most) });

  test('a picture that needs more is too large, and the next one works, again and again', async () => {
    const small = await start();
    const expected = module.prepare(await picture('spot.jpg'), spec, null).tensor;
    const large = blankPng(4000, 3000);
    for (let i = 0; i < 5; ++i) {
      assert.equal(small.prepare(large, spec, null).code, 'IMAGE_TOO_LARGE');
      assert.deepEqual(small.prepare(await picture('spot.jpg'), spec, null).tensor, expected);
      assert.ok(small.memoryBytes() <= most << 20);
    }
    assert.equal(module.prepare(large, spec, null).ok, true); // it is a picture
  });

  test('a file that is larger than the memory is too large', async () => {
    const small = await start();
    const file = new Uint8Array(60 << 20);
    file.set(await picture('spot.jpg'));
    assert.equal(small.prepare(file, spec, null).code, 'IMAGE_TOO_LARGE');
    assert.equal(small.prepare(await picture('spot.jpg'), spec, null).ok, true);
  });

  test('pixels decoded elsewhere that are larger than the memory are too large', async () => {
    const small = await start();
    const header = { ...small.inspect(await picture('foreign/lossless.webp')), width: 4000, height: 3000 };
    const pixels = { width: 4000, height: 3000, rgba: new Uint8Array(4000 * 3000 * 4) };
    assert.equal(small.prepare({ header, pixels }, spec, null).code, 'IMAGE_TOO_LARGE');
    assert.equal(small.prepare(await picture('spot.jpg'), spec, null).ok, true);
  });

  test('wherever it runs out, the answer is a tensor or IMAGE_TOO_LARGE', async () => {
    // Sides at which one allocation after another no longer fits.
    const small = await start();
    const codes = new Set();
    const kinds = [{}, { depth: 8, colour: 2, samples: 3 }, { depth: 8, colour: 0, samples: 1 }];
    for (const [i, kind] of kinds.entries()) {
      for (let side = 400; side <= 5200; side += 400) {
        const prepared = small.prepare(blankPng(side, side + 16 * i, kind), { ...spec, previewSide: 2048 }, null);
        codes.add(prepared.ok ? 'ok' : prepared.code);
        assert.equal(small.prepare(await picture('tiny.png'), spec, null).ok, true);
      }
    }
    for (const name of ['spot-large.jpg', 'spot-large-progressive.jpg', 'kinds/jpeg-large-eighth-progressive.jpg']) {
      for (let side = 500; side <= 3500; side += 500) {
        const prepared = small.prepare(
          await picture(name),
          { ...spec, width: side, height: side, previewSide: 0, filter: 'lanczos' },
          null,
        );
        codes.add(prepared.ok ? 'ok' : prepared.code);
        assert.equal(small.prepare(await picture('tiny.png'), spec, null).ok, true);
      }
    }
    assert.deepEqual([...codes].sort(), ['IMAGE_TOO_LARGE', 'ok']);
  });
});

test('a hundred pictures in a row do not grow the memory', async () => {
  const bytes = await picture('spot.jpg');
  for (let i = 0; i < 5; ++i) module.prepare(bytes, spec, null);
  const before = module.memoryBytes();
  for (let i = 0; i < 100; ++i) assert.equal(module.prepare(bytes, spec, null).ok, true);
  assert.equal(module.memoryBytes(), before);
});
