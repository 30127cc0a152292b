/** Whatever a host sends in place of a Zstandard file: an error with its code, no more bytes than were promised. */
import { Zstd } from '@hpcc-js/wasm-zstd';
import { beforeAll, expect, test } from 'vitest';
import { DermletError } from '../../web/src/classifier/errors.js';
import { unzstd } from '../../web/src/classifier/unzstd.js';

const URL = 'https://example.org/part.bin.zst';
/** Text and what looks like noise: all kinds of blocks. */
const content = Uint8Array.from({ length: 50_000 }, (_, i) => (i % 3000 < 1500 ? 97 + (i % 7) : (i * i * 31) >> 3));
let packed: Uint8Array;

beforeAll(async () => {
  packed = (await Zstd.load()).compress(content, 19);
});

/** Numbers below `limit`, the same in each run (xorshift). */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

async function decompressed(file: Uint8Array, bytes: number, size = file.length): Promise<Uint8Array | DermletError> {
  const frames = await unzstd!(URL, bytes);
  try {
    for (let at = 0; at < file.length; at += size) frames.push(file.subarray(at, at + size));
    return frames.finish();
  } catch (error) {
    if (error instanceof DermletError) return error;
    throw error;
  }
}

test('a whole file is what it was, in whatever pieces it comes', async () => {
  for (const size of [1, 7, 4096, packed.length])
    expect(Buffer.compare((await decompressed(packed, content.length, size)) as Uint8Array, content)).toBe(0);
});

test('a file that is cut anywhere is MODEL_CORRUPT', async () => {
  const next = numbers(11);
  for (const length of [0, 1, 4, 5, packed.length - 1, ...Array.from({ length: 40 }, () => next(packed.length))])
    expect(await decompressed(packed.subarray(0, length), content.length), `${length}`).toMatchObject({
      code: 'MODEL_CORRUPT',
    });
});

test('a changed file is MODEL_CORRUPT, or as long as was promised at most', async () => {
  const next = numbers(3);
  const codes: string[] = [];
  for (let round = 0; round < 300; round++) {
    const file = packed.slice();
    // Headers most of all.
    for (let change = 0; change <= next(4); change++) file[next(next(2) ? 20 : file.length)] = next(256);
    const answer = await decompressed(file, content.length, 1 + next(file.length));
    if (answer instanceof DermletError) codes.push(answer.code);
    else expect(answer.length).toBeLessThanOrEqual(content.length);
  }
  expect(codes.length).toBeGreaterThan(100);
  expect(new Set(codes)).toEqual(new Set(['MODEL_CORRUPT']));
});

test('more than was promised is refused before it is kept', async () => {
  const bomb = (await Zstd.load()).compress(new Uint8Array(1 << 26), 3);
  expect(await decompressed(bomb, 1000)).toMatchObject({ code: 'MODEL_CORRUPT' });
});
