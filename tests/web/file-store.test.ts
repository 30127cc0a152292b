/** Files that are fetched compressed, damaged, twice at once, and kept or not. */
import { createHash } from 'node:crypto';
import { Zstd } from '@hpcc-js/wasm-zstd';
import { beforeAll, describe, expect, test } from 'vitest';
import { FileStore, type Promised } from '../../web/src/classifier/file-store.js';
import { unzstd } from '../../web/src/classifier/unzstd.js';
import { expectCode, modelFile } from './support.js';

const folder = 'https://example.org/engine/';
const content = modelFile('selftest.json');
const promised: Promised = {
  name: 'part.bin',
  url: `${folder}part.bin`,
  key: `${folder}part.bin?sha256=x`,
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
  compressed: { url: `${folder}part.bin.zst`, bytes: 1 },
};
let packed: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  packed = new Uint8Array((await Zstd.load()).compress(content, 22));
  promised.compressed = { url: `${folder}part.bin.zst`, bytes: packed.length };
});

/** Sends a body in pieces, as a network does. */
function pieces(bytes: Uint8Array, size: number, onPull: () => void = () => undefined): Response {
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise(setImmediate);
      onPull();
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += size)));
    },
  });
  return new Response(stream);
}

const html = () => new Response('<!doctype html><title>Sign in</title>', { headers: { 'content-type': 'text/html' } });
const gone = () => new Response('', { status: 404 });

function host(answers: Record<string, () => Response>) {
  const asked: string[] = [];
  const store = new FileStore('test', {
    caches: null,
    unzstd,
    fetch: async (url, init) => {
      asked.push(`${url.slice(folder.length)} ${init?.cache ?? 'default'}`);
      return (answers[url.slice(folder.length)] ?? gone)();
    },
  });
  return { store, asked };
}

describe('a compressed file', () => {
  test.each([1, 3, 1000, 1 << 20])('is decompressed as it comes, in pieces of %i bytes', async (size) => {
    const { store, asked } = host({ 'part.bin.zst': () => pieces(packed, size) });
    const seen: [number, number][] = [];
    const bytes = await store.file(promised, (loaded, total) => seen.push([loaded, total]));
    expect(Buffer.compare(bytes, content)).toBe(0);
    expect(asked).toEqual(['part.bin.zst default']);
    expect(seen.at(-1)).toEqual([packed.length, packed.length]);
  });

  test('that the host has already decompressed is taken as it is', async () => {
    const { store } = host({ 'part.bin.zst': () => pieces(content, 500) });
    expect(Buffer.compare(await store.file(promised), content)).toBe(0);
  });

  const flipped = () => {
    const bytes = packed.slice();
    bytes[bytes.length >> 1]! ^= 1;
    return new Response(bytes);
  };
  /** A frame that asks for the largest window there is, 3.75 TiB. */
  const widest = () => Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00]);
  test.each<[string, () => Response]>([
    ['cut off', () => new Response(packed.slice(0, packed.length / 2))],
    ['with one bit flipped', flipped],
    ['with bytes after its end', () => new Response(Buffer.concat([packed, Buffer.from('more')]))],
    ['whose window is larger than any decoder takes', () => new Response(widest())],
    ['replaced by a sign-in page', html],
    ['replaced by a page of no type', () => new Response('<!doctype html>')],
    ['missing', gone],
  ])('%s gives way to the file itself', async (_what, answer) => {
    const { store, asked } = host({ 'part.bin.zst': answer, 'part.bin': () => new Response(content) });
    expect(Buffer.compare(await store.file(promised), content)).toBe(0);
    expect(asked).toEqual(['part.bin.zst default', 'part.bin reload']);
  });

  test('of several megabytes and more than one frame is whole, twice at once', async () => {
    const zstd = await Zstd.load();
    const network = modelFile('skin-8.onnx');
    const half = network.length >> 1;
    const frames = [network.subarray(0, half), network.subarray(half)].map((part) => zstd.compress(part, 1));
    for (const bytes of [Buffer.concat(frames), Buffer.from(zstd.compress(network, 3))]) {
      const both = await Promise.all([0, 1].map(() => unzstd!('network', network.length)));
      for (let at = 0; at < bytes.length; at += 100_000)
        for (const one of both) one.push(bytes.subarray(at, at + 100_000));
      for (const one of both) expect(Buffer.compare(one.finish(), network)).toBe(0);
    }
  });

  test('is fetched as it is where nothing decompresses', async () => {
    const seen: number[] = [];
    const store = new FileStore('test', { caches: null, fetch: async () => new Response(content) });
    expect(await store.coming(promised)).toBe(content.length);
    const bytes = await store.file(promised, (_loaded, total) => seen.push(total));
    expect(Buffer.compare(bytes, content)).toBe(0);
    expect(new Set(seen)).toEqual(new Set([content.length]));
  });

  test('that grows beyond its size is refused', async () => {
    const bomb = new Uint8Array((await Zstd.load()).compress(new Uint8Array(50 << 20), 3));
    let sent = 0;
    const { store } = host({ 'part.bin.zst': () => pieces(bomb, 100, () => sent++) });
    await expectCode(store.file(promised), 'MODEL_UNAVAILABLE', /404/);
    expect(sent * 100).toBeLessThan(bomb.length / 2); // it stopped reading
  });
});

test('a wrong copy in the HTTP cache is fetched again past it; a wrong one at the host is an error', async () => {
  const plain = { ...promised, compressed: undefined };
  const wrong = content.slice();
  wrong[7]! ^= 1;
  let asked = 0;
  const mended = host({ 'part.bin': () => new Response(asked++ === 0 ? wrong : content) });
  expect(Buffer.compare(await mended.store.file(plain), content)).toBe(0);
  expect(mended.asked).toEqual(['part.bin default', 'part.bin reload']);
  const bad = host({ 'part.bin': () => new Response(wrong) });
  await expectCode(bad.store.file(plain), 'MODEL_CORRUPT', /^part\.bin is damaged/);
});

test('who asks at the same time waits for one request', async () => {
  const { store, asked } = host({ 'part.bin.zst': () => pieces(packed, 100) });
  const [a, b] = await Promise.all([store.file(promised), store.file(promised)]);
  expect(a).toBe(b);
  expect(asked).toHaveLength(1);
});

test('only what was fetched is read again to know that it is kept, not what came from the cache', async () => {
  const entries = new Map<string, Uint8Array<ArrayBuffer>>();
  let read = 0;
  const cache = {
    match: async (key: string) => {
      const kept = entries.get(key);
      const arrayBuffer = async () => {
        read++;
        return kept!.slice().buffer;
      };
      return kept && { arrayBuffer };
    },
    put: async (key: string, response: Response) => void entries.set(key, new Uint8Array(await response.arrayBuffer())),
  };
  const caches = { open: async () => cache } as unknown as CacheStorage;
  const visit = () => new FileStore('test', { caches, unzstd, fetch: async () => new Response(packed) });
  const first = visit();
  await first.file(promised);
  expect(await first.isKept(promised)).toBe(true);
  expect(read).toBe(1);
  const second = visit();
  await second.file(promised);
  expect(await second.isKept(promised)).toBe(true);
  expect(read).toBe(2);
});
