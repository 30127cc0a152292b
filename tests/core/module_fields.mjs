// The built WebAssembly module refuses what its interface does not allow: for every field of every call, a value that
// is missing, of another type, unknown or out of range is INVALID_ARGUMENT, and the message names the field.
//   node tests/core/module_fields.mjs [folder of dermlet.js]
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import test, { describe } from 'node:test';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.resolve(process.argv[2] ?? path.join(root, 'build/wasm'));
const { default: createDermlet } = await import(pathToFileURL(path.join(folder, 'dermlet.js')).href);
/** Called with what its types forbid. */
const module = await createDermlet({ wasmBinary: await readFile(path.join(folder, 'dermlet.wasm')) });
/** @param {string} name */
const picture = (name) => readFile(path.join(root, 'tests/pictures', name)).then((bytes) => new Uint8Array(bytes));

/** What no field of its kind takes, beside what each is given below. */
const NOT = {
  number: [undefined, null, NaN, Infinity, -Infinity, 1e39, '1', true, 1n, [1], {}],
  integer: [undefined, null, NaN, Infinity, 0.5, 2 ** 31, -(2 ** 31) - 1, '1', true, [1], {}],
  boolean: [undefined, null, 0, 1, 'true', {}],
  word: [undefined, null, '', 'unknown', 0, true, {}, []],
  object: [undefined, 1, 'text', true, () => ({})],
  array: [undefined, null, 1, 'text', {}, new Float32Array(3)],
  bytes: [undefined, 1, 'text', {}, [1, 2], new ArrayBuffer(8), new Float32Array(3), new DataView(new ArrayBuffer(8))],
  floats: [undefined, 1, 'text', {}, [1, 2], new Uint8Array(3), new Float64Array(3)],
};
const NULL = [null];
const ELEMENTS = [[1, 2, undefined], [1, 2, '3'], [1, 2, null], [1, NaN, 2], [1, Infinity, 2], [1, 2, 1e39], Array(3)];

const sets = { limits: [0.8, 0.8], penalty: 0.02, freeRanks: 1 };
const tiers = { high: 0.3, moderate: 0.1 };
/** @param {string} at */
const setsAndTiers = (at) => ({
  [`${at}.sets`]: [...NOT.object, ...NULL],
  [`${at}.sets.penalty`]: [...NOT.number, -0.1],
  [`${at}.sets.freeRanks`]: [...NOT.integer, -1],
  [`${at}.tiers`]: [...NOT.object, ...NULL],
  [`${at}.tiers.high`]: [...NOT.number, -0.1],
  [`${at}.tiers.moderate`]: [...NOT.number, -0.1],
});

const prepareSpec = {
  width: 32,
  height: 32,
  layout: 'NCHW',
  channels: 'RGB',
  fit: 'cover',
  cropPct: 1,
  filter: 'bicubic',
  mean: [127, 127, 127],
  std: [128, 128, 128],
  quality: { too_small: 8, noisy: 30 },
  previewSide: 16,
  views: 1,
  whole: {
    width: 16,
    height: 24,
    layout: 'NCHW',
    channels: 'RGB',
    filter: 'bicubic',
    mean: [127, 127, 127],
    std: [128, 128, 128],
  },
};
/** @param {string} at */
const tensorFields = (at) => ({
  [`${at}.width`]: [...NOT.integer, 0, -1, 4097],
  [`${at}.height`]: [...NOT.integer, 0, -1, 4097],
  [`${at}.layout`]: [...NOT.word, 'nchw', 'NCWH'],
  [`${at}.channels`]: [...NOT.word, 'rgb', 'RGBA'],
  [`${at}.filter`]: [...NOT.word, 'nearest'],
  [`${at}.mean`]: [...NOT.array, ...ELEMENTS, [], [127], [127, 127], [127, 127, 127, 127]],
  [`${at}.std`]: [...NOT.array, ...ELEMENTS, [], [128], [128, 128], [128, 128, 128, 128], [128, 0, 128]],
});
const specFields = {
  spec: [...NOT.object, ...NULL],
  ...tensorFields('spec'),
  'spec.fit': [...NOT.word, 'contain'],
  'spec.cropPct': [...NOT.number, 0, -0.5, 1.01],
  'spec.quality': [...NOT.object, ...NULL],
  'spec.quality.too_small': NOT.number,
  'spec.quality.blured': [0.1],
  'spec.previewSide': [...NOT.integer, -1],
  'spec.views': [...NOT.integer, 0, 2, 3, 9],
  'spec.whole': NOT.object,
  ...tensorFields('spec.whole'),
};
const cropFields = {
  crop: NOT.object,
  'crop.x': NOT.integer,
  'crop.y': NOT.integer,
  'crop.width': NOT.integer,
  'crop.height': NOT.integer,
};

/** @param {number[]} scores */
const outputs = (scores) => ({
  scores: new Float32Array(scores),
  maps: new Float32Array(scores.length * 4),
  mapHeight: 2,
  mapWidth: 2,
  embedding: new Float32Array([1, 2]),
  views: 1,
});
/** @param {string} at */
const outputFields = (at) => ({
  [at]: NOT.object,
  [`${at}.scores`]: [...NOT.floats, ...NULL],
  [`${at}.maps`]: NOT.floats,
  [`${at}.mapHeight`]: [...NOT.integer, -1],
  [`${at}.mapWidth`]: [...NOT.integer, -1],
  [`${at}.embedding`]: NOT.floats,
  [`${at}.views`]: [...NOT.integer, 0, -1],
});
const lesionPicture = () => ({
  outputs: outputs([0, 1]),
  frameOutputs: outputs([1, 0]),
  spec: {
    scoresAre: 'logits',
    temperature: 1,
    sets,
    tiers,
    rejectionThreshold: 5,
    rejectionModel: null,
    concern: ['low', 'high'],
    head: null,
  },
  usable: true,
  framing: 'both',
  explain: { classIndex: -1, width: 8, height: 8 },
});

/**
 * @typedef {object} Call
 * @property {string} call
 * @property {string} [name]  of the group of tests, where a call has several
 * @property {() => Promise<Record<string, unknown>>} args  by their names
 * @property {Record<string, unknown[]>} fields  path -> values that are refused
 */

/** @type {Call[]} */
const CALLS = [
  {
    call: 'prepare',
    args: async () => ({
      source: await picture('spot.jpg'),
      spec: prepareSpec,
      crop: { x: 1, y: 2, width: 300, height: 200 },
    }),
    fields: {
      source: [undefined, null, 1, 'text', new ArrayBuffer(8), new Float32Array(3), new DataView(new ArrayBuffer(8))],
      ...specFields,
      ...cropFields,
    },
  },
  {
    name: 'prepare of pixels',
    call: 'prepare',
    args: async () => ({
      source: {
        header: {
          format: 'avif',
          width: 2,
          height: 1,
          orientation: 6,
          channels: 3,
          colours: { kind: 'profile', profile: new Uint8Array(4) },
        },
        pixels: { width: 2, height: 1, rgba: new Uint8ClampedArray(8) },
      },
      spec: prepareSpec,
      crop: null,
    }),
    fields: {
      'source.header': [...NOT.object, ...NULL],
      'source.header.format': [...NOT.word, 'gif'],
      'source.header.width': [...NOT.integer, 0, 65536],
      'source.header.height': [...NOT.integer, 0, 65536],
      'source.header.orientation': [...NOT.integer, 0, 9],
      'source.header.channels': [...NOT.integer, 0, 5],
      'source.header.colours': [...NOT.object, ...NULL],
      'source.header.colours.kind': [...NOT.word, 'p3'],
      'source.header.colours.profile': [...NOT.bytes, ...NULL],
      'source.pixels': [...NOT.object, ...NULL],
      'source.pixels.width': NOT.integer,
      'source.pixels.height': NOT.integer,
      'source.pixels.rgba': [...NOT.bytes, ...NULL],
    },
  },
  {
    name: 'prepare of pixels whose file states primaries',
    call: 'prepare',
    args: async () => ({
      source: {
        header: {
          format: 'avif',
          width: 2,
          height: 1,
          orientation: 1,
          channels: 3,
          colours: {
            kind: 'primaries',
            primaries: [0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06],
            exponent: 2.2,
          },
        },
        pixels: { width: 2, height: 1, rgba: new Uint8ClampedArray(8) },
      },
      spec: prepareSpec,
      crop: null,
    }),
    fields: {
      'source.header.colours.primaries': [...NOT.array, [], [0.3, 0.3], Array(9).fill(0.3)],
      'source.header.colours.primaries[7]': NOT.number,
      'source.header.colours.exponent': NOT.number.filter((value) => value !== null),
    },
  },
  ...['sniff', 'inspect'].map((call) => ({
    call,
    args: async () => ({ bytes: await picture('spot.jpg') }),
    fields: { bytes: [...NOT.bytes, ...NULL] },
  })),
  {
    call: 'judgeQuality',
    args: async () => ({ values: [100, 1, 50, 0, 50, 10, 1, 0, 60, 0.1], limits: { too_small: 8 } }),
    fields: {
      values: [...NOT.array, ...ELEMENTS, [], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      limits: [...NOT.object, ...NULL],
      'limits.noisy': NOT.number,
      'limits.minSide': [64],
    },
  },
  {
    call: 'locate',
    args: async () => ({
      output: new Float32Array(12),
      rows: 2,
      columns: 2,
      picture: { width: 40, height: 30 },
      spec: {
        spotScore: 0.5,
        rivalScore: 0.5,
        rivalRatio: 0.8,
        frameScore: 0.5,
        frameScale: 1.6,
        aloneShare: 0.2,
        bothShare: 0.4,
      },
    }),
    fields: {
      output: [...NOT.floats, ...NULL],
      rows: [...NOT.integer, 0, 257],
      columns: [...NOT.integer, 0, 257],
      picture: [...NOT.object, ...NULL],
      'picture.width': [...NOT.integer, 0],
      'picture.height': [...NOT.integer, 0],
      spec: [...NOT.object, ...NULL],
      ...Object.fromEntries(
        ['spotScore', 'rivalScore', 'rivalRatio', 'frameScore', 'aloneShare', 'bothShare'].map((name) => [
          `spec.${name}`,
          [...NOT.number, -0.1, 1.1],
        ]),
      ),
      'spec.frameScale': [...NOT.number, 0.9, 101],
    },
  },
  {
    call: 'recogniseModality',
    args: async () => ({
      embedding: new Float32Array([1, 2]),
      probe: { weights: [1, 2, 3, 4], bias: [0, 1] },
    }),
    fields: {
      embedding: [...NOT.floats, ...NULL],
      probe: [...NOT.object, ...NULL],
      'probe.weights': [...NOT.array, ...ELEMENTS],
      'probe.bias': [...NOT.array, ...ELEMENTS],
    },
  },
  {
    call: 'interpret',
    args: async () => ({
      pictures: [lesionPicture(), lesionPicture()],
      combination: { weights: [0.5, 1], temperature: 1, sets, tiers },
    }),
    fields: {
      pictures: [...NOT.array, [], [1, 2, 3]],
      'pictures[0]': [...NOT.object, ...NULL],
      ...outputFields('pictures[0].outputs'),
      'pictures[0].outputs': [...NOT.object, ...NULL],
      ...outputFields('pictures[1].frameOutputs'),
      'pictures[1].spec': [...NOT.object, ...NULL],
      'pictures[1].spec.scoresAre': [...NOT.word, 'logit'],
      'pictures[1].spec.temperature': [...NOT.number, 0, -1],
      ...setsAndTiers('pictures[0].spec'),
      'pictures[0].spec.tiers': NOT.object,
      'pictures[0].spec.head': NOT.object.filter((value) => value !== undefined),
      'pictures[0].spec.sets.limits': [...NOT.array, ...ELEMENTS, [], [0.8], [0.8, 0.8, 0.8]],
      'pictures[0].spec.rejectionThreshold': NOT.number.filter((value) => value !== null),
      'pictures[0].spec.rejectionModel': [
        ...NOT.bytes.filter((value) => value !== undefined),
        new Uint8Array(8), // not such a file
      ],
      'pictures[0].spec.concern': [...NOT.array, []],
      'pictures[0].spec.concern[1]': [...NOT.word, 'High', 'medium'],
      'pictures[0].usable': NOT.boolean,
      'pictures[0].framing': [...NOT.word, 'frame'],
      'pictures[0].explain': NOT.object,
      'pictures[0].explain.classIndex': [...NOT.integer, -2],
      'pictures[0].explain.width': [...NOT.integer, 0, 8193],
      'pictures[0].explain.height': [...NOT.integer, 0, 8193],
      combination: NOT.object,
      'combination.weights': [...NOT.array, ...ELEMENTS, [], [1], [1, 1, 1]],
      'combination.temperature': [...NOT.number, 0, -1],
      ...setsAndTiers('combination'),
      'combination.sets.limits': [...NOT.array, ...ELEMENTS],
    },
  },
];

/** @param {string} field */
const steps = (field) => field.split(/[.[\]]+/).filter(Boolean);

/**
 * A copy of the arguments in which one field has another value.
 * @param {any} args
 * @param {string[]} path
 * @param {unknown} value
 * @returns {any}
 */
function changed(args, [first = '', ...rest], value) {
  const copy = Array.isArray(args) ? [...args] : { ...args };
  copy[first] = rest.length === 0 ? value : changed(args[first], rest, value);
  return copy;
}

/**
 * @param {any} args
 * @param {string[]} path
 * @returns {any}
 */
function removed(args, [first = '', ...rest]) {
  const copy = { ...args };
  if (rest.length === 0) delete copy[first];
  else copy[first] = removed(args[first], rest);
  return copy;
}

/**
 * Every path to a value inside the arguments; arrays and typed arrays count as one value.
 * @param {unknown} value
 * @param {string} at
 * @returns {string[]}
 */
function pathsIn(value, at) {
  const holds = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  const inside = holds ? Object.entries(value).flatMap(([key, member]) => pathsIn(member, `${at}.${key}`)) : [];
  return [at, ...inside];
}

/** @param {unknown} value */
const shown = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

for (const { call, name = call, args, fields } of CALLS) {
  describe(name, async () => {
    const fine = await args();
    /** @param {Record<string, unknown>} given */
    const made = (given) => module[call](...Object.values(given));

    test('takes what is right', () => {
      const answer = made(fine);
      assert.equal(answer.ok, true, answer.message);
    });

    for (const [field, values] of Object.entries(fields)) {
      test(`refuses ${field}`, () => {
        for (const value of values) {
          const { ok, code, message } = made(changed(fine, steps(field), value));
          assert.deepEqual([ok, code], [false, 'INVALID_ARGUMENT'], shown(value));
          assert.ok(
            [`${field} `, `${field}:`].some((start) => message.startsWith(start)),
            `${shown(value)}: ${message}`,
          );
        }
      });
    }
  });
}

test('every field of every call is tried', async () => {
  for (const { call, args } of CALLS) {
    const fine = await args();
    const fields = CALLS.filter((each) => each.call === call).flatMap((each) => Object.keys(each.fields));
    const tried = new Set(fields.map((field) => field.replace(/\[\d\]/g, '[]')));
    const all = Object.entries(fine).flatMap(([name, value]) =>
      name === 'pictures' && Array.isArray(value) ? [name, ...pathsIn(value[0], 'pictures[]')] : pathsIn(value, name),
    );
    /**
     * One description of the outputs holds for both kinds, one limit of the quality checks for all.
     * @param {string} field
     */
    const alike = (field) => /\.(outputs|frameOutputs)\b/.test(field) || /^(spec\.quality|limits)\./.test(field);
    assert.deepEqual(
      all.filter((field) => !tried.has(field) && !alike(field)),
      [],
      call,
    );
  }
});

test('a member that is not there is refused like one that is undefined', async () => {
  const bytes = await picture('spot.jpg');
  for (const name of Object.keys(prepareSpec)) {
    const answer = module.prepare(bytes, removed({ spec: prepareSpec }, ['spec', name]).spec, null);
    assert.deepEqual([answer.code, answer.message.startsWith(`spec.${name} `)], ['INVALID_ARGUMENT', true]);
  }
});

test('what may be left out may be', () => {
  const { rejectionModel: _, ...spec } = lesionPicture().spec;
  const answer = module.interpret(
    [{ ...lesionPicture(), spec, frameOutputs: null, explain: null, framing: 'whole' }],
    null,
  );
  assert.equal(answer.ok, true, answer.message);
});

test('arrays of another realm are taken', async () => {
  const { runInNewContext } = await import('node:vm');
  const { mean, bytes } = runInNewContext('({ mean: [1, 2, 3], bytes: new Uint8Array(4) })');
  assert.equal(module.prepare(bytes, { ...prepareSpec, mean }, null).code, 'UNSUPPORTED_FORMAT');
});
