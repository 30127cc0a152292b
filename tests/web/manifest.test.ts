/**
 * The parser and models/manifest.schema.json, both generated, say the same by another library's word; the parser also
 * says what a schema cannot.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { decisionSpec } from '../../web/src/classifier/engine.js';
import { modelInfo, parseManifest, parseManifestText, parseReference } from '../../web/src/classifier/manifest.js';
import { expectCode, manifestJson, modelFile, root } from './support.js';

const schema = JSON.parse(readFileSync(`${root}models/manifest.schema.json`, 'utf8')) as object;
const bySchema = new Ajv2020({ allowUnionTypes: true }).compile(schema);

function byParser(value: unknown): boolean {
  try {
    parseManifest(value);
    return true;
  } catch {
    return false;
  }
}

type Path = (string | number)[];
type Container = Record<string | number, unknown>;

/** The shipped manifest with everything that a manifest may hold. */
function fullManifest(): Record<string, unknown> {
  const json = manifestJson() as { modalities: { id: string; sets: object; tiers: object }[] } & Record<
    string,
    unknown
  >;
  const [first, second] = json.modalities as [(typeof json.modalities)[0], (typeof json.modalities)[0]];
  const { sets, tiers } = first;
  const pooling = { weights: [0.7, 0.6], temperature: 1.1, sets, tiers };
  const testTimeAugmentation = { temperature: 0.5, sets, tiers, rejectionThreshold: -3 };
  const decision = { ...(json.decision as object), rejection: 'distance' };
  const rejection = { file: { path: 'rejection.bin', bytes: 88100, sha256: 'a'.repeat(64) } };
  const combination = { modalities: [first.id, second.id], ...pooling, testTimeAugmentation: pooling };
  const full = { ...json, modalities: [{ ...first, testTimeAugmentation }, second], combination, decision, rejection };
  return JSON.parse(JSON.stringify(full)) as Record<string, unknown>; // nothing shared: a change is in one place
}

/** Made once: it is copied for every change. */
const FULL = fullManifest();

/** Paths of every value in a JSON tree, the root left out; of long lists the first entry only. */
function paths(value: unknown, path: Path = []): Path[] {
  const own = path.length > 0 ? [path] : [];
  if (typeof value !== 'object' || value === null || path[0] === 'training') return own;
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.slice(0, 1).map((item, i) => [i, item])
    : Object.entries(value);
  return [...own, ...entries.flatMap(([key, inner]) => paths(inner, [...path, key]))];
}

function changed(path: Path, change: (container: Container, key: string | number) => void): unknown {
  const copy = structuredClone(FULL);
  let container = copy as Container;
  for (const key of path.slice(0, -1)) container = container[key] as Container;
  change(container, path.at(-1)!);
  return copy;
}

const replacements: unknown[] = [
  null,
  true,
  'text',
  '',
  '../x',
  'A B',
  -1,
  0,
  0.5,
  1.5,
  2,
  1e9,
  [],
  [1],
  ['a'],
  [1, 2, 3, 4],
  {},
  { path: 'a' },
  'f'.repeat(64),
];

/** What only the parser can know; the schema accepts these. */
const beyondSchema = new RegExp(
  [
    /must have one entry for each|twice|is none of the modalities|decision\.rejection/,
    /modalityProbe.*(rows of one length|for each of at least|needs an embedding)/,
    /std\[\d\] must not be 0/,
  ]
    .map(({ source }) => source)
    .join('|'),
);

describe('parser and schema', () => {
  test('accept the shipped manifest', () => {
    expect(bySchema(manifestJson())).toBe(true);
    expect(byParser(manifestJson())).toBe(true);
    expect(bySchema(fullManifest())).toBe(true);
    expect(byParser(fullManifest())).toBe(true);
  });

  test('agree on every field removed, replaced and added', () => {
    let compared = 0;
    const disagree: string[] = [];
    const compare = (name: string, value: unknown) => {
      compared++;
      const schemaSays = bySchema(value);
      let problem: string | undefined;
      try {
        parseManifest(value);
      } catch (error) {
        problem = (error as Error).message;
      }
      const parserSays = problem === undefined || (schemaSays && beyondSchema.test(problem));
      if (schemaSays !== parserSays) disagree.push(`${name}: schema ${schemaSays}, parser ${problem ?? 'accepts'}`);
    };
    for (const path of paths(FULL)) {
      const name = path.join('.');
      compare(
        `${name} removed`,
        changed(path, (container, key) =>
          Array.isArray(container) ? container.splice(Number(key), 1) : delete container[key],
        ),
      );
      for (const value of replacements)
        compare(
          `${name} = ${JSON.stringify(value)}`,
          changed(path, (container, key) => (container[key] = value)),
        );
      compare(
        `${name} gets a stranger`,
        changed(path, (container, key) => {
          const inner = container[key];
          if (Array.isArray(inner)) inner.push('stranger');
          else if (typeof inner === 'object' && inner !== null) (inner as Container).stranger = 1;
          else container[`${String(key)}2`] = 1;
        }),
      );
    }
    expect(disagree).toEqual([]);
    expect(compared).toBeGreaterThan(1000);
  });

  test.each([[null], [[]], ['text'], [1], [{}]])('both refuse %j as a whole', (value) => {
    expect(bySchema(value)).toBe(false);
    expect(byParser(value)).toBe(false);
  });
});

describe('text that JSON can hold and a manifest cannot', () => {
  const whole = JSON.stringify(FULL);
  const withMember = (member: string): string => `{${member},${whole.slice(1)}`;

  // An object has members of these names without having them of its own.
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('a field named %s', (name) => {
    const text = withMember(`"${name}":{"classes":[],"name":"x"}`);
    expect(bySchema(JSON.parse(text))).toBe(false);
    expectCode(() => parseManifestText(text), 'MODEL_CORRUPT', new RegExp(`${name} is not known`));
    expect(({} as { classes?: unknown }).classes).toBeUndefined();
  });

  test.each(['constructor', 'prototype'])('a modality named %s, whose limits would be passed over', (name) => {
    const { id } = (FULL.modalities as { id: string }[])[0]!;
    expectCode(() => parseManifestText(whole.replaceAll(`"${id}"`, `"${name}"`)), 'MODEL_CORRUPT', RegExp(`'${name}'`));
  });

  test('a field that stands twice is its last', () =>
    expectCode(
      () => parseManifestText(`${whole.slice(0, -1)},"classes":7}`),
      'MODEL_CORRUPT',
      /classes must be a list/,
    ));

  test.each([
    ['where anything may stand', `"training":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, undefined],
    ['where nothing may', `"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}`, /deep is not known/],
  ])('nested a hundred thousand deep, %s', (_where, member, message) => {
    const { training: _training, ...rest } = FULL;
    const text = `${JSON.stringify(rest).slice(0, -1)},${member}}`;
    if (message) return expectCode(() => parseManifestText(text), 'MODEL_CORRUPT', message);
    expect(parseManifestText(text)).not.toHaveProperty('training');
    return undefined;
  });
});

test('names in any script are taken, at their full length', () => {
  for (const name of ['أم الملانوم', 'मेलानोमा', 'خال ملانوسیتی\u200cدار', '黒色腫', 'é'.repeat(80)])
    expect(parseManifest(changed(['classes', 0, 'name'], (container, key) => (container[key] = name)))).toBeTruthy();
});

describe('errors name the field', () => {
  const broken = (path: Path, value: unknown) => () =>
    parseManifest(changed(path, (container, key) => (container[key] = value)));
  test('of a wrong type', () =>
    expectCode(broken(['input', 'width'], '224'), 'MODEL_CORRUPT', /input\.width must be a number/));
  test('in a list', () =>
    expectCode(
      broken(['classes', 0, 'concern'], 'huge'),
      'MODEL_CORRUPT',
      /classes\[0\]\.concern must be one of low, moderate, high/,
    ));
  test('of the wrong length', () =>
    expectCode(
      broken(['modalities', 0, 'sets', 'limits'], [0.5]),
      'MODEL_CORRUPT',
      /modalities\[0\]\.sets\.limits .*8 classes/,
    ));
  test('of the wrong length, testTimeAugmentation', () =>
    expectCode(
      broken(['modalities', 0, 'testTimeAugmentation', 'sets', 'limits'], []),
      'MODEL_CORRUPT',
      /modalities\[0\]\.testTimeAugmentation\.sets\.limits/,
    ));
  test('of the wrong length, combined', () =>
    expectCode(
      broken(['combination', 'testTimeAugmentation', 'sets', 'limits'], []),
      'MODEL_CORRUPT',
      /combination\.testTimeAugmentation\.sets\.limits/,
    ));
  test.each([
    [['file', 'bytes'], 1.5, 'file.bytes must be a whole number'],
    [['file', 'bytes'], 0, 'file.bytes must be at least 1'],
    [['decision', 'coverage'], 2, 'decision.coverage must be at most 1'],
    [['modalities', 0, 'temperature'], 0, 'modalities[0].temperature must be greater than 0'],
    [['title'], '', 'title has a form that is not allowed'],
    [['title'], 7, 'title must be text'],
    // Words that people read: one line of a name's length, and nothing that changes the text around it.
    [['classes', 0, 'name'], 'x'.repeat(81), 'classes[0].name has a form that is not allowed'],
    [['classes', 0, 'name'], ' ', 'classes[0].name has a form that is not allowed'],
    [['classes', 0, 'name'], 'two\nlines', 'classes[0].name has a form that is not allowed'],
    [['classes', 0, 'name'], 'mole\u001b[2J', 'classes[0].name has a form that is not allowed'],
    [['classes', 0, 'name'], 'mole \u202e\u2067', 'classes[0].name has a form that is not allowed'],
    [['classes', 0, 'plain'], 'x'.repeat(301), 'classes[0].plain has a form that is not allowed'],
    [['classes', 0, 'plain'], 'a\u2028b', 'classes[0].plain has a form that is not allowed'],
    [['license', 'id'], 'MIT\u200f', 'license.id has a form that is not allowed'],
    [['modalities', 0, 'id'], 'See no doctor.', 'modalities[0].id has a form that is not allowed'],
    [['card'], '../card', 'card has a form that is not allowed'],
    [['license', 'nonCommercial'], 'no', 'license.nonCommercial must be true or false'],
    [['classes'], {}, 'classes must be a list'],
    [['input'], [], 'input must be an object'],
    [['quality'], [], 'quality must be an object'],
    [['quality', 'modalities', 'photo'], 1, 'quality.modalities.photo must be an object'],
    [['input', 'mean'], 0, 'input.mean must be a list'],
    [['input', 'mean'], [1, 2], 'input.mean has too few entries'],
    [['input', 'mean'], [1, 2, 3, 4], 'input.mean has too many entries'],
    [['file'], { path: 'a', bytes: 1 }, 'file.sha256 is missing'],
    [['selfTest', 'more'], 1, 'selfTest.more is not known'],
  ] as [Path, unknown, string][])('%j = %j', (path, value, sentence) =>
    expectCode(
      broken(path, value),
      'MODEL_CORRUPT',
      new RegExp(`^The model's manifest is not valid: ${sentence.replace(/[[\].]/gu, '\\$&')}\\.$`),
    ),
  );
  test('of no manifest at all', () =>
    expectCode(
      () => parseManifest([]),
      'MODEL_CORRUPT',
      /^The model's manifest is not valid: the whole must be an object\.$/,
    ));
  test('a negative limit', () =>
    expectCode(
      broken(['modalities', 0, 'sets', 'limits', 1], -0.1),
      'MODEL_CORRUPT',
      /modalities\[0\]\.sets\.limits\[1\]/,
    ));
  test('a cut that is no share', () =>
    expectCode(broken(['modalities', 1, 'tiers', 'high'], 1.2), 'MODEL_CORRUPT', /modalities\[1\]\.tiers\.high/));
  test('of a later version, made for a newer Dermlet', () =>
    expectCode(broken(['manifestVersion'], 4), 'MODEL_TOO_NEW', /newer Dermlet: it is of version 4, and .* version 3/));
  test.each([1, 2])('of version %i, which it names', (version) =>
    expectCode(
      broken(['manifestVersion'], version),
      'MODEL_CORRUPT',
      new RegExp(`manifestVersion is ${version}, but only version 3 is read`),
    ),
  );
  test('a combination of a modality with itself', () =>
    expectCode(broken(['combination', 'modalities'], ['photo', 'photo']), 'MODEL_CORRUPT', /'photo' twice/));
  test('a combination with a stranger', () =>
    expectCode(
      broken(['combination', 'modalities', 1], 'xray'),
      'MODEL_CORRUPT',
      /'xray', which is none of the modalities/,
    ));
  test('a negative weight', () =>
    expectCode(broken(['combination', 'weights', 0], -0.1), 'MODEL_CORRUPT', /combination\.weights\[0\]/));
  test('twice', () => expectCode(broken(['classes', 0, 'id'], 'mel'), 'MODEL_CORRUPT', /'mel' twice/));
  test('unknown modality', () => expectCode(broken(['defaultModality'], 'xray'), 'MODEL_CORRUPT', /defaultModality/));
  test('distance without a rejection model', () =>
    expectCode(broken(['decision', 'rejection'], 'energy'), 'MODEL_CORRUPT', /decision\.rejection/));
  test('distance of an embedding that is not there', () =>
    expectCode(broken(['outputs', 'scoresAre'], 'probabilities'), 'MODEL_CORRUPT', /logits and an embedding/));
  test('division by zero', () => expectCode(broken(['input', 'std'], [1, 0, 1]), 'MODEL_CORRUPT', /std\[1\]/));
  test('a path that leaves the folder', () =>
    expectCode(broken(['file', 'path'], '../../x.onnx'), 'MODEL_CORRUPT', /file\.path/));
  test('numbers too large for a double', () =>
    expectCode(() => parseManifestText('{"manifestVersion": 1e999}'), 'MODEL_CORRUPT', /manifestVersion/));
  test('not JSON', () => expectCode(() => parseManifestText('<!doctype html>'), 'MODEL_CORRUPT', /not JSON/));
});

test('modelInfo gives absolute addresses', () => {
  const info = modelInfo(parseManifest(manifestJson()), 'https://example.org/app/models/skin-8/');
  expect(info.cardUrl).toBe('https://example.org/app/models/skin-8/MODEL_CARD.md');
  expect(info.license.url).toBe('https://example.org/app/models/skin-8/LICENSE');
  expect(info.classes).toHaveLength(8);
  expect(modelInfo(parseManifest(fullManifest()), 'https://example.org/').combines).toEqual(['dermoscopy', 'photo']);
});

test('the self-test reference', async () => {
  const reference = parseReference(new TextDecoder().decode(modelFile('selftest.json')));
  expect(reference.scores).toHaveLength(8);
  await expectCode(() => parseReference('{"scores": [1, null], "tolerance": 1}'), 'MODEL_CORRUPT', /scores\[1\]/);
});

test('a modality may have no cuts of tiers: then no tier is given', () => {
  const json = manifestJson() as { modalities: { tiers?: object }[] };
  delete json.modalities[0]!.tiers;
  const read = parseManifest(json);
  expect(decisionSpec(read, read.modalities[0]!, false).tiers).toBeNull();
  expect(decisionSpec(read, read.modalities[1]!, false).tiers).toEqual(read.modalities[1]!.tiers);
});
