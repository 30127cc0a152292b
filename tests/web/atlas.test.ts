/** Atlases: their file, and what they find, with the real core. */
import { describe, expect, test } from 'vitest';
import { openAtlas, startAtlas } from '../../web/src/classifier/node/atlas.js';
import type { Result } from '../../web/src/classifier/result.js';
import type { AtlasCase } from '../../web/src/classifier/similar.js';
import { expectCode } from './support.js';

const base = { name: 'skin-8', version: '0.4.1', sha256: 'a'.repeat(64) };
const about = { title: 'An archive', base, crop: 'auto' };
const asked = (embedding?: number[], sha256 = base.sha256): Pick<Result, 'model' | 'embedding'> => ({
  model: { ...base, sha256, title: 'Test' },
  ...(embedding ? { embedding } : {}),
});
const entry = (label: string, at: number): AtlasCase => ({ label, sha256: at.toString(16).padStart(64, '0') });

/** Directions in steps of 10 degrees, with labels in turn. */
async function circle(count = 9): Promise<Uint8Array<ArrayBuffer>> {
  const writer = await startAtlas();
  for (let at = 0; at < count; at++) {
    const angle = (at * 10 * Math.PI) / 180;
    writer.add([Math.cos(angle) * (at + 1), Math.sin(angle) * (at + 1), 0], entry(at % 3 === 0 ? 'a mole' : 'b', at));
  }
  return writer.file(about);
}

test('gives the nearest cases with their labels and hashes, whatever the length of embeddings', async () => {
  const atlas = await openAtlas(await circle());
  expect(atlas.manifest).toMatchObject({ ...about, cases: 9, embeddingSize: 3, labels: ['a mole', 'b'] });
  const found = atlas.nearest(asked([0.5, 0, 0]), 4);
  expect(found.map(({ label, sha256 }) => [label, Number.parseInt(sha256, 16)])).toEqual([
    ['a mole', 0],
    ['b', 1],
    ['b', 2],
    ['a mole', 3],
  ]);
  for (const [at, { similarity }] of found.entries())
    expect(similarity).toBeCloseTo(Math.cos((at * 10 * Math.PI) / 180), 2);
  expect(atlas.nearest(asked([0, 3, 0]), 100)).toHaveLength(9);
});

test('is asked only by results of its own network that have an embedding', async () => {
  const atlas = await openAtlas(await circle());
  await expectCode(() => atlas.nearest(asked([1, 0, 0], 'b'.repeat(64))), 'INVALID_ARGUMENT', /made by skin-8 0\.4\.1/);
  await expectCode(() => atlas.nearest(asked()), 'INVALID_ARGUMENT', /embedding: true/);
  await expectCode(() => atlas.nearest(asked([1, 0])), 'INVALID_ARGUMENT', /other embeddings/);
  for (const count of [0, 101, 1.5, -1])
    await expectCode(() => atlas.nearest(asked([1, 0, 0]), count), 'INVALID_ARGUMENT');
});

test('tells names where the archive has them, and reads a Blob as bytes', async () => {
  const writer = await startAtlas();
  // Out of order, as answers come that are made side by side.
  for (const at of [2, 0, 1]) writer.add([at, 1, 0], { ...entry('b', at), name: `b/ärmel ${at}.jpg` }, at);
  const file = writer.file(about);
  const [atlas, same] = [await openAtlas(file), await openAtlas(new Blob([file]))];
  expect(atlas.nearest(asked([0, 1, 0]), 3).map(({ name }) => name)).toEqual(
    [0, 1, 2].map((at) => `b/ärmel ${at}.jpg`),
  );
  expect(same.nearest(asked([0, 1, 0]), 3)).toEqual(atlas.nearest(asked([0, 1, 0]), 3));
  for (let length = 0; length < file.length; length++)
    await expectCode(openAtlas(file.subarray(0, length)), 'MODEL_CORRUPT');
  for (const wrong of [0x0a, 0xff, 0x07]) {
    const changed = file.slice();
    changed[file.length - 3] = wrong;
    await expectCode(openAtlas(changed), 'MODEL_CORRUPT', /name/);
  }
  for (const name of ['', 'a\nb', 'a\u202eb', 'x'.repeat(301)])
    await expectCode(() => writer.add([1, 1, 1], { ...entry('b', 3), name }), 'INVALID_ARGUMENT', /name/);
  await expectCode(() => writer.add([1, 1, 1], entry('b', 3)), 'INVALID_ARGUMENT', /All cases have a name/);
});

test('knows how alike neighbours in it are, where there are enough', async () => {
  expect((await openAtlas(await circle(19))).usual()).toBeNull();
  // In steps of 10 degrees each has a neighbour that far.
  const usual = (await openAtlas(await circle(36))).usual()!;
  for (const each of [usual.median, usual.low]) expect(each).toBeCloseTo(Math.cos(Math.PI / 18), 2);
});

test('gives what an exact sum gives, whatever the width', async () => {
  for (const width of [1, 15, 16, 17, 33, 1280]) {
    const writer = await startAtlas();
    const drawn = Array.from({ length: 30 }, (_none, at) =>
      Array.from({ length: width }, (_value, d) => Math.sin(0.5 + at * 12.9898 + d * 78.233)),
    );
    drawn.forEach((each, at) => void writer.add(each, entry('a', at)));
    const query = drawn[7]!.map((value, d) => value + 0.3 * Math.cos(d));
    const length = (of: number[]) => Math.hypot(...of);
    const exact = drawn.map(
      (each) => each.reduce((sum, value, d) => sum + value * query[d]!, 0) / length(each) / length(query),
    );
    const found = (await openAtlas(writer.file(about))).nearest(asked(query), 30);
    expect(found).toHaveLength(30);
    for (const { sha256, similarity } of found)
      expect(Math.abs(similarity - exact[Number.parseInt(sha256, 16)]!), `width ${width}`).toBeLessThan(0.01);
  }
});

test('an atlas of more than is read at a time keeps each case in its place', async () => {
  const writer = await startAtlas();
  const width = 8192;
  const count = 1100; // 9 MB
  for (let at = 0; at < count; at++) {
    const one = new Float32Array(width);
    one[at] = 1;
    one[width - 1 - at] = 0.5;
    writer.add(one, entry('a', at));
  }
  const atlas = await openAtlas(new Blob([writer.file(about)]));
  for (const at of [0, 511, 512, 513, 1099]) {
    const query = Array.from({ length: width }, (_none, d) => (d === at ? 1 : 0));
    const [best] = atlas.nearest(asked(query), 1);
    expect(Number.parseInt(best!.sha256, 16)).toBe(at);
  }
});

test('measures how many of the true neighbours it finds', async () => {
  const writer = await startAtlas();
  const drawn = Array.from({ length: 60 }, (_none, at) =>
    Array.from({ length: 64 }, (_value, d) => Math.abs(Math.sin(at * 12.9898 + d * 78.233) * 43758.5453) % 1),
  );
  const recall = writer.recall(drawn, 5, 60);
  expect(recall).toBeGreaterThan(0.9);
  expect(recall).toBeLessThanOrEqual(1);
  await expectCode(() => writer.recall(drawn.slice(0, 3), 5, 3), 'INVALID_ARGUMENT', /too few/);
});

describe('a file', () => {
  test('cut short anywhere, or longer, is refused', async () => {
    const whole = await circle(3);
    for (let length = 0; length < whole.length; length++)
      await expectCode(openAtlas(whole.subarray(0, length)), 'MODEL_CORRUPT', /atlas's file is not valid/);
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    await expectCode(openAtlas(longer), 'MODEL_CORRUPT', /length/);
  });

  test('with any byte changed is refused or opened', async () => {
    const whole = await circle(3);
    for (let at = 0; at < whole.length; at++) {
      const changed = whole.slice();
      changed[at]! ^= 0x81;
      await openAtlas(changed).then(
        (atlas) => expect(atlas.nearest(asked([1, 0, 0], atlas.manifest.base.sha256), 3)).toHaveLength(3),
        (error: { code?: string }) => expect(error.code).toMatch(/^MODEL_(CORRUPT|TOO_NEW)$/),
      );
    }
  });

  test('that says of itself that it is larger than it is takes no memory', async () => {
    const whole = await circle(3);
    const text = new TextDecoder('latin1').decode(whole).replace('"cases":3', '"cases":9');
    await expectCode(openAtlas(Uint8Array.from(text, (each) => each.charCodeAt(0))), 'MODEL_CORRUPT', /length/);
  });

  test('with more labels than its numbers tell apart is refused', async () => {
    const whole = await circle(3);
    const end = 8 + new DataView(whole.buffer).getUint32(4, true);
    const manifest = JSON.parse(new TextDecoder().decode(whole.subarray(8, end))) as { labels: string[] };
    const withLabels = async (count: number) => {
      const labels = Array.from({ length: count }, () => 'x');
      const text = JSON.stringify({ ...manifest, labels });
      const head = Buffer.from(text.padEnd((text.length + 3) & ~3));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(head.length);
      return openAtlas(new Uint8Array(Buffer.concat([whole.subarray(0, 4), length, head, whole.subarray(end)])));
    };
    expect((await withLabels(2 ** 16)).manifest.labels).toHaveLength(2 ** 16);
    await expectCode(withLabels(2 ** 16 + 1), 'MODEL_CORRUPT', /labels are more/);
  });

  test('that could not be read again is not made', async () => {
    const writer = await startAtlas();
    await expectCode(() => writer.file(about), 'INVALID_ARGUMENT');
    writer.add([1, 2], entry('a', 1));
    await expectCode(() => writer.add([1, 2, 3], entry('a', 2)), 'INVALID_ARGUMENT', /another length/);
    await expectCode(() => writer.add([1, Number.NaN], entry('a', 2)), 'INVALID_ARGUMENT', /finite/);
    await expectCode(() => writer.add([1, 2], { label: 'a', sha256: 'x' }), 'INVALID_ARGUMENT', /sha256/);
    await expectCode(() => writer.file({ ...about, title: '' }), 'INVALID_ARGUMENT', /title/);
  });
});
