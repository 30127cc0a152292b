/** The order of files on the line: never two at once but for the last bytes of one, and never none. */
import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { FileStore, type Promised } from '../../web/src/classifier/file-store.js';
import { AHEAD, Line } from '../../web/src/classifier/line.js';
import { expectCode } from './support.js';

const PIECE = 64 << 10;
const PIECES = 8;

function file(name: string): { promised: Promised; bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(PIECES * PIECE).fill(name.charCodeAt(0));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const url = `https://example.org/${name}`;
  return { promised: { name, url, key: `${url}?sha256=${sha256}`, bytes: bytes.length, sha256 }, bytes };
}
const [a, b, c] = ['a', 'b', 'c'].map(file) as [
  ReturnType<typeof file>,
  ReturnType<typeof file>,
  ReturnType<typeof file>,
];

/** A host whose files come piece by piece, when the test says so. */
class Host {
  readonly asked: string[] = [];
  readonly #bodies = new Map<string, ReadableStreamDefaultController<Uint8Array>>();

  fetch = async (url: string): Promise<Response> => {
    this.asked.push(url.at(-1)!);
    return new Response(new ReadableStream({ start: (body) => void this.#bodies.set(url.at(-1)!, body) }));
  };

  send({ promised, bytes }: typeof a, from: number, to: number): void {
    const body = this.#bodies.get(promised.name)!;
    for (let piece = from; piece < to; piece++) body.enqueue(bytes.slice(piece * PIECE, (piece + 1) * PIECE));
    if (to === PIECES) body.close();
  }
}

const settle = () => new Promise((done) => setTimeout(done, 20));

describe('files of two stores on one line', () => {
  test('are asked for one after the other, each while the last bytes of the one before are still to come', async () => {
    const host = new Host();
    const line = new Line();
    const engine = new FileStore('engine', { fetch: host.fetch, caches: null, line });
    const model = new FileStore('model', { fetch: host.fetch, caches: null, line });
    const all = [engine.file(a.promised), model.file(b.promised), engine.file(c.promised)];
    await vi.waitFor(() => expect(host.asked).toEqual(['a']));
    const near = PIECES - AHEAD / PIECE;
    host.send(a, 0, near - 1);
    await settle();
    expect(host.asked).toEqual(['a']);
    host.send(a, near - 1, near);
    await vi.waitFor(() => expect(host.asked).toEqual(['a', 'b']));
    host.send(a, near, PIECES);
    await settle();
    expect(host.asked).toEqual(['a', 'b']);
    host.send(b, 0, PIECES);
    await vi.waitFor(() => expect(host.asked).toEqual(['a', 'b', 'c']));
    host.send(c, 0, PIECES);
    for (const [index, bytes] of (await Promise.all(all)).entries())
      expect(Buffer.compare(bytes, [a, b, c][index]!.bytes)).toBe(0);
  });

  test('that fail or are kept hold up nothing', async () => {
    const host = new Host();
    const fetch = async (url: string) => (url.endsWith('a') ? new Response('', { status: 404 }) : host.fetch(url));
    const cache = { match: async (key: string) => (key === b.promised.key ? new Response(b.bytes) : undefined) };
    const caches = { open: async () => ({ ...cache, put: async () => undefined }) } as unknown as CacheStorage;
    const store = new FileStore('files', { fetch, caches });
    const failing = expectCode(store.file(a.promised), 'MODEL_UNAVAILABLE', /404/);
    const kept = store.file(b.promised);
    const coming = store.file(c.promised);
    await failing;
    expect((await kept).length).toBe(b.bytes.length);
    await vi.waitFor(() => expect(host.asked).toEqual(['c']));
    host.send(c, 0, PIECES);
    expect((await coming).length).toBe(c.bytes.length);
  });
});
