/** Network, Cache Storage and everything that goes wrong with them. */
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Fetch, requireWasm } from '../../web/src/classifier/download.js';
import { ModelStore, modelFolder, verifyFile } from '../../web/src/classifier/model-store.js';
import { sha256, sha256Plain } from '../../web/src/classifier/sha256.js';
import { expectCode, manifest, manifestJson, modelFile } from './support.js';

const folder = 'https://example.org/models/skin-8/';

/** A static host in memory. */
class Host {
  readonly files = new Map<string, () => Response>();
  readonly asked: string[] = [];
  offline = false;

  constructor() {
    this.put('manifest.json', modelFile('manifest.json'));
    this.put('selftest.json', modelFile('selftest.json'));
  }

  put(name: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.files.set(folder + name, () => new Response(bytes));
  }

  fetch: Fetch = async (url, init) => {
    this.asked.push(url);
    if (this.offline) throw new TypeError('Failed to fetch');
    if (init?.signal?.aborted) throw init.signal.reason;
    return this.files.get(url)?.() ?? new Response('not here', { status: 404 });
  };
}

/** Cache Storage in memory, with ways to fail. */
class Caches {
  readonly entries = new Map<string, Uint8Array<ArrayBuffer>>();
  full = false;
  denied = false;

  open = async (): Promise<Cache> => {
    if (this.denied) throw new DOMException('denied', 'SecurityError');
    const cache: Partial<Cache> = {
      match: async (key) => {
        const bytes = this.entries.get(String(key));
        return bytes && new Response(bytes.slice());
      },
      put: async (key, response) => {
        if (this.full) throw new DOMException('full', 'QuotaExceededError');
        this.entries.set(String(key), new Uint8Array(await response.arrayBuffer()));
      },
      delete: async (key) => this.entries.delete(typeof key === 'string' ? key : (key as Request).url),
      keys: async () => [...this.entries.keys()].map((url) => new Request(url)),
    };
    return cache as Cache;
  };

  get storage(): CacheStorage {
    return this as unknown as CacheStorage;
  }
}

const store = (host: Host, caches: Caches | null, more: { signal?: AbortSignal; keptAfter?: number } = {}) =>
  new ModelStore(folder, { fetch: host.fetch, caches: caches?.storage ?? null, ...more });
const loaded = async (one: ModelStore) => (await one.versions()).manifest;
const reference = () => manifest().selfTest.reference;
const html = () =>
  new Response('<!doctype html><title>Sign in</title>', { headers: { 'content-type': 'text/html; charset=utf-8' } });

describe('the manifest', () => {
  test('comes from the network, and from the kept copy when there is none', async () => {
    const host = new Host();
    const caches = new Caches();
    const first = await loaded(store(host, caches));
    await store(host, caches).commit(first);
    host.offline = true;
    expect(await loaded(store(host, caches))).toEqual(first);
  });

  test('is not kept before its network is', async () => {
    const host = new Host();
    const caches = new Caches();
    await loaded(store(host, caches));
    host.offline = true;
    await expectCode(loaded(store(host, caches)), 'MODEL_UNAVAILABLE', /could not be fetched/);
  });

  test('is MODEL_UNAVAILABLE when the server has none', () => {
    const host = new Host();
    host.files.clear();
    return expectCode(loaded(store(host, null)), 'MODEL_UNAVAILABLE', /404/);
  });

  test('an HTML page in its place is said so, by type and by content', async () => {
    const host = new Host();
    host.files.set(`${folder}manifest.json`, html);
    await expectCode(loaded(store(host, null)), 'MODEL_UNAVAILABLE', /HTML page/);
    host.files.set(
      `${folder}manifest.json`,
      () => new Response('\n <!DOCTYPE html><p>hello', { headers: { 'content-type': 'application/json' } }),
    );
    await expectCode(loaded(store(host, null)), 'MODEL_UNAVAILABLE', /HTML page/);
  });

  test('a page of a captive portal does not hide the kept copy', async () => {
    const host = new Host();
    const caches = new Caches();
    const first = await loaded(store(host, caches));
    await store(host, caches).commit(first);
    host.files.set(`${folder}manifest.json`, html);
    expect(await loaded(store(host, caches))).toEqual(first);
  });

  test('a new one made for another version of Dermlet leaves the kept one in use, and says so', async () => {
    const host = new Host();
    const caches = new Caches();
    await store(host, caches).commit(manifest());
    host.put('manifest.json', new TextEncoder().encode('{"manifestVersion": 4}'));
    const { manifest: used, kept, failed } = await store(host, caches).versions();
    expect(used).toEqual(manifest());
    expect(kept).toBeUndefined();
    expect(failed).toMatchObject({ code: 'MODEL_TOO_NEW', message: expect.stringMatching(/of version 4, and this/) });
  });

  test('one that a newer Dermlet has kept is left to it', async () => {
    const host = new Host();
    const caches = new Caches();
    const key = `${folder}manifest.json`;
    caches.entries.set(key, new TextEncoder().encode('{"manifestVersion": 4}'));
    expect((await store(host, caches).versions()).kept).toBeUndefined();
    expect(caches.entries.has(key)).toBe(true);
  });

  test('a new version comes with the kept one, in case that not all of it comes', async () => {
    const host = new Host();
    const caches = new Caches();
    await store(host, caches).commit(manifest());
    const { file } = manifest();
    const newer = { ...manifestJson(), version: '99.0.0', file: { ...file, sha256: '0'.repeat(64) } };
    host.put('manifest.json', new TextEncoder().encode(JSON.stringify(newer)));
    const versions = await store(host, caches).versions();
    expect(versions.manifest.version).toBe('99.0.0');
    expect(versions.kept).toEqual(manifest());
  });

  test('is not kept when a file of its version could not be: what was kept before stays', async () => {
    const host = new Host();
    const caches = new Caches();
    const old = `${folder}skin-8.onnx?sha256=${'a'.repeat(64)}`;
    caches.entries.set(old, new Uint8Array(1));
    caches.full = true;
    const one = store(host, caches);
    await one.file(reference());
    await new Promise(setImmediate);
    caches.full = false; // the manifest itself would fit
    expect(await one.commit(manifest())).toBe(false); // so nobody is told that it is kept
    expect([...caches.entries.keys()]).toEqual([old]);
  });

  test('a network that never answers gives way to the kept copy', async () => {
    const host = new Host();
    const caches = new Caches();
    await store(host, caches).commit(manifest());
    const hanging = new ModelStore(folder, {
      fetch: () => new Promise(() => undefined),
      caches: caches.storage,
      keptAfter: 20,
    });
    expect((await loaded(hanging)).name).toBe('skin-8');
  });

  test('a damaged kept copy is thrown away', async () => {
    const host = new Host();
    const caches = new Caches();
    caches.entries.set(`${folder}manifest.json`, new TextEncoder().encode('{'));
    host.offline = true;
    await expectCode(loaded(store(host, caches)), 'MODEL_UNAVAILABLE');
    expect(caches.entries.size).toBe(0);
  });
});

describe('a file', () => {
  test('is verified, kept under its sha256 and not fetched again', async () => {
    const host = new Host();
    const caches = new Caches();
    const seen: [number, number, boolean][] = [];
    const bytes = await store(host, caches).file(reference(), (...progress) => seen.push(progress));
    await vi.waitFor(() => expect(caches.entries.size).toBe(1));
    expect(bytes).toEqual(modelFile('selftest.json'));
    expect(seen[0]).toEqual([0, bytes.length, false]);
    expect(seen.at(-1)).toEqual([bytes.length, bytes.length, false]);
    expect([...caches.entries.keys()]).toEqual([`${folder}selftest.json?sha256=${reference().sha256}`]);
    host.offline = true;
    const again: boolean[] = [];
    await store(host, caches).file(reference(), (_loaded, _total, cached) => again.push(cached));
    expect(again).toEqual([true]);
    expect(host.asked).toHaveLength(1);
  });

  test('streams: progress rises chunk by chunk', async () => {
    const host = new Host();
    const bytes = modelFile('selftest.json');
    host.files.set(`${folder}selftest.json`, () => new Response(chunks(bytes, 1000)));
    const seen: number[] = [];
    await store(host, null).file(reference(), (loaded) => seen.push(loaded));
    expect(seen.length).toBeGreaterThan(10);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('with one byte flipped is refused and not kept', async () => {
    const host = new Host();
    const caches = new Caches();
    const bytes = modelFile('selftest.json');
    bytes[100]! ^= 1;
    host.put('selftest.json', bytes);
    await expectCode(store(host, caches).file(reference()), 'MODEL_CORRUPT', /sha256/);
    expect(caches.entries.size).toBe(0);
  });

  test('shorter, longer or a page in its place', async () => {
    const host = new Host();
    host.put('selftest.json', modelFile('selftest.json').slice(1));
    await expectCode(store(host, null).file(reference()), 'MODEL_CORRUPT', /should have/);
    let sent = 0;
    host.files.set(`${folder}selftest.json`, () => new Response(endless(() => sent++)));
    await expectCode(store(host, null).file(reference()), 'MODEL_CORRUPT', /larger/);
    expect(sent).toBeLessThan(50); // it stopped reading
    host.files.set(`${folder}selftest.json`, html);
    await expectCode(store(host, null).file(reference()), 'MODEL_UNAVAILABLE', /HTML page/);
  });

  test('a wrong kept copy is thrown away and fetched anew', async () => {
    const host = new Host();
    const caches = new Caches();
    const key = `${folder}selftest.json?sha256=${reference().sha256}`;
    const wrong = modelFile('selftest.json');
    wrong[0]! ^= 1;
    caches.entries.set(key, wrong);
    expect(await store(host, caches).file(reference())).toEqual(modelFile('selftest.json'));
    await vi.waitFor(() => expect(caches.entries.get(key)).toEqual(modelFile('selftest.json')));
  });

  test('works with storage full, denied and absent', async () => {
    const host = new Host();
    for (const caches of [
      Object.assign(new Caches(), { full: true }),
      Object.assign(new Caches(), { denied: true }),
      null,
    ]) {
      const one = store(host, caches);
      expect((await one.file(reference())).length).toBe(reference().bytes);
      await one.commit(manifest());
    }
  });

  test('an abort stops the stream', async () => {
    const host = new Host();
    const abort = new AbortController();
    let cancelled = false;
    const slow = new ReadableStream<Uint8Array>({
      pull: (controller) =>
        new Promise((resolve) =>
          setTimeout(() => {
            controller.enqueue(new Uint8Array(10));
            resolve();
          }, 5),
        ),
      cancel: () => void (cancelled = true),
    });
    abort.signal.addEventListener('abort', () => undefined);
    host.files.set(`${folder}selftest.json`, () => new Response(slow));
    const work = store(host, null, { signal: abort.signal }).file(reference(), (loaded) => {
      if (loaded > 20) abort.abort();
      if (abort.signal.aborted) throw new DOMException('aborted', 'AbortError'); // as fetch's own stream does
    });
    await expectCode(work, 'ABORTED');
    await vi.waitFor(() => expect(cancelled).toBe(true));
    await expectCode(store(host, null, { signal: abort.signal }).file(reference()), 'ABORTED');
  });
});

test('committing a version removes what older ones left, and nothing else', async () => {
  const caches = new Caches();
  const host = new Host();
  const old = `${folder}skin-8.onnx?sha256=${'a'.repeat(64)}`;
  const others = [
    `https://example.org/models/other/x.onnx?sha256=${'b'.repeat(64)}`,
    `${folder}deeper/x.onnx?sha256=${'b'.repeat(64)}`,
  ];
  for (const key of [old, ...others]) caches.entries.set(key, new Uint8Array(1));
  const one = store(host, caches);
  await one.file(reference());
  expect(await one.commit(manifest())).toBe(true);
  expect(caches.entries.has(old)).toBe(false);
  for (const key of others) expect(caches.entries.has(key)).toBe(true);
  expect(caches.entries.has(`${folder}selftest.json?sha256=${reference().sha256}`)).toBe(true);
});

test('what another tab holds is not removed', async () => {
  const caches = new Caches();
  const host = new Host();
  const [held, free] = ['a', 'b'].map((letter) => `${folder}skin-8.onnx?sha256=${letter.repeat(64)}`) as [
    string,
    string,
  ];
  for (const key of [held, free]) caches.entries.set(key, new Uint8Array(1));
  const holding = new Set([`dermlet:${held}`]);
  const request = async (name: string, _options: LockOptions, use: LockGrantedCallback<unknown>) =>
    use(holding.has(name) ? null : ({ name } as Lock));
  vi.stubGlobal('navigator', { locks: { request } });
  try {
    await store(host, caches).commit(manifest());
    expect(caches.entries.has(held)).toBe(true);
    expect(caches.entries.has(free)).toBe(false);
  } finally {
    vi.unstubAllGlobals();
  }
});

test('a rejection model is a file like the others: verified, kept, there without a network', async () => {
  const caches = new Caches();
  const host = new Host();
  const bytes = new Uint8Array(randomBytes(60));
  const entry = {
    path: 'rejection.bin',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
  const made = { ...manifest(), rejection: { file: entry } };
  host.put(entry.path, bytes);
  const one = store(host, caches);
  await one.file(entry);
  await one.commit(made);
  host.offline = true;
  expect(await store(host, caches).file(entry)).toEqual(bytes);
  await store(host, caches).commit(manifest()); // the next version has none
  expect([...caches.entries.keys()].filter((key) => key.includes('rejection.bin'))).toEqual([]);
});

describe('modelFolder', () => {
  test.each([
    ['models/skin-8', 'https://h/app/models/skin-8/'],
    ['models/skin-8/', 'https://h/app/models/skin-8/'],
    ['./models/skin-8/manifest.json?v=1#x', 'https://h/app/models/skin-8/'],
    ['https://other/m/', 'https://other/m/'],
  ])('%s', (url, expected) => expect(modelFolder(url, 'https://h/app/index.html')).toBe(expected));
  test('not an address', () => expectCode(() => modelFolder('http://', 'https://h/'), 'INVALID_ARGUMENT'));
});

describe('sha256', () => {
  afterEach(() => vi.unstubAllGlobals());
  test('the plain one equals the platform, at every length around a block', () => {
    for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 70_001]) {
      const bytes = new Uint8Array(randomBytes(length));
      expect(Buffer.from(sha256Plain(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });
  test('is used where there is no crypto.subtle', async () => {
    vi.stubGlobal('crypto', {});
    expect(await sha256(new TextEncoder().encode('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    await verifyFile(reference(), modelFile('selftest.json'));
  });
});

describe('WASM bytes', () => {
  test('a page is called a page', () =>
    expectCode(
      () => requireWasm('x.wasm', new TextEncoder().encode('<!doctype html>')),
      'MODEL_UNAVAILABLE',
      /HTML page/,
    ));
  test('other bytes are refused', () =>
    expectCode(() => requireWasm('x.wasm', new Uint8Array(8)), 'MODEL_UNAVAILABLE', /not a WebAssembly/));
});

function chunks(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (offset >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(offset, (offset += size)));
    },
  });
}

function endless(onPull: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      onPull();
      controller.enqueue(new Uint8Array(1000));
    },
  });
}
