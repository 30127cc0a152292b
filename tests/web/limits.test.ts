/** Everything that may never answer, by something that never does; time is the test's own. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeInBrowser } from '../../web/src/classifier/browser-decoder.js';
import { spawnWorker } from '../../web/src/classifier/browser-worker.js';
import { whyMissing } from '../../web/src/classifier/causes.js';
import { Classifier } from '../../web/src/classifier/classifier.js';
import { download, type Fetch } from '../../web/src/classifier/download.js';
import type { Engine } from '../../web/src/classifier/engine.js';
import type { WorkerLike } from '../../web/src/classifier/engine-worker.js';
import { bytesOf } from '../../web/src/classifier/given.js';
import { LIMITS } from '../../web/src/classifier/limits.js';
import { keptVersion, ModelStore } from '../../web/src/classifier/model-store.js';
import type { FromWorker, ToWorker } from '../../web/src/classifier/protocol.js';
import { wantsWebGpu } from '../../web/src/classifier/runtime.js';
import { imported } from '../../web/src/classifier/scripts.js';
import { after } from '../../web/src/classifier/within.js';
import { type LoadedEngine, serve } from '../../web/src/classifier/worker-server.js';
import { filesIn } from '../../web/src/element/dropped.js';
import { picturesOf } from '../../web/src/element/similar/pictures.js';
import { expectCode, manifest, modelFile, picture, result } from './support.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const never = () => new Promise<never>(() => undefined);
/** Lets messages and streams through, which take no time. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
};
const pass = async (milliseconds: number) => {
  await settle();
  await vi.advanceTimersByTimeAsync(milliseconds);
  await settle();
};

/** What became of a promise so far. */
function watched<T>(work: Promise<T>): { state: 'open' | 'done' | 'failed'; work: Promise<T> } {
  const seen: { state: 'open' | 'done' | 'failed'; work: Promise<T> } = { state: 'open', work };
  work.then(
    () => (seen.state = 'done'),
    () => (seen.state = 'failed'),
  );
  return seen;
}

/** It fails with this code at the limit, and not before. */
async function expectAt(
  milliseconds: number,
  work: Promise<unknown>,
  code: Parameters<typeof expectCode>[1],
  message = /no sign for/,
) {
  const seen = watched(work);
  await pass(milliseconds - 1);
  expect(seen.state).toBe('open');
  await pass(1);
  expect(seen.state).toBe('failed');
  await expectCode(work, code, message);
}

/** A worker on the same thread, which can fall silent. */
class Port implements WorkerLike {
  static made: Port[] = [];
  silent = false;
  ended = false;
  readonly #page: ((event: Event) => void)[] = [];
  #server: ((event: { data: ToWorker }) => void) | undefined;

  constructor(load: () => Promise<LoadedEngine>) {
    Port.made.push(this);
    const port = {
      postMessage: (data: FromWorker) => {
        if (this.silent || this.ended) return;
        for (const listener of this.#page) listener(Object.assign(new Event('message'), { data }));
      },
      addEventListener: (_type: 'message', listener: (event: { data: ToWorker }) => void) => {
        this.#server = listener;
      },
    };
    serve(port, load);
  }

  postMessage(data: ToWorker): void {
    if (!this.silent) queueMicrotask(() => this.#server?.({ data }));
  }

  addEventListener(type: string, listener: (event: Event) => void): void {
    if (type === 'message') this.#page.push(listener);
  }

  terminate(): void {
    this.ended = true;
  }
}

const engine = () =>
  ({
    manifest: manifest(),
    runtime: { fallback: undefined },
    classify: async () => result([['nv', 0.9, 'low', true]], 'single', 'low'),
  }) as unknown as Engine;

const loadWith = (load: () => Promise<LoadedEngine>, silent = false): Promise<Classifier> => {
  Port.made = [];
  const spawn = () => {
    const port = new Port(load);
    port.silent = silent;
    return port;
  };
  const options = { assetBase: 'https://h/engine', idleTimeout: 0 };
  return Classifier.loadWith('https://h/models/skin-8/', options, { spawn, stuckAfter: LIMITS.stuck });
};

class SilentBlob extends Blob {
  override arrayBuffer = never;
  override text = never;
  override stream = () => new ReadableStream<Uint8Array<ArrayBuffer>>({ pull: never });
}

describe('a file that never answers', () => {
  test('is given up, and until then Cancel lets the next photo go', async () => {
    const classifier = await loadWith(async () => ({ engine: engine() }));
    const abort = new AbortController();
    const first = classifier.classify(new SilentBlob(['x']), { signal: abort.signal });
    const second = watched(classifier.classify(new Blob(['y'])));
    await settle();
    expect(second.state).toBe('open');
    abort.abort();
    await expectCode(first, 'ABORTED');
    await settle();
    expect(second.state).toBe('done');
    await expectAt(LIMITS.file, classifier.classify(new SilentBlob(['x'])), 'UNREADABLE_FILE');
    expect((await classifier.classify(new Blob(['y']))).outcome).toBe('single');
  });

  test('nor does its server, or it stops in the middle', async () => {
    vi.stubGlobal('fetch', never);
    await expectAt(LIMITS.still, bytesOf(new URL('https://h/photo.jpg')), 'UNREADABLE_FILE');
    vi.stubGlobal('fetch', async () => new Response(halfway()));
    await expectAt(LIMITS.still, bytesOf(new URL('https://h/photo.jpg')), 'UNREADABLE_FILE');
  });
});

/** Sends some bytes and no more. */
const halfway = () => new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(10)), pull: never });

describe('a worker that falls silent', () => {
  test('while it starts, and the next one is tried', async () => {
    await expectAt(
      LIMITS.silence,
      loadWith(async () => ({ engine: engine() }), true),
      'MODEL_UNAVAILABLE',
    );
    expect(Port.made[0]!.ended).toBe(true);
    await expectAt(LIMITS.silence, loadWith(never), 'MODEL_UNAVAILABLE');
  });

  test('before a call: that call fails, and the next has a new worker', async () => {
    const classifier = await loadWith(async () => ({ engine: engine() }));
    Port.made[0]!.silent = true;
    await expectAt(LIMITS.firstWord, classifier.classify(new Blob(['x'])), 'BACKEND_FAILED');
    expect((await classifier.classify(new Blob(['y']))).outcome).toBe('single');
    expect(Port.made).toHaveLength(2);
    expect(Port.made[0]!.ended).toBe(true);
  });

  test('in a call; one that works for long and says so is left alone', async () => {
    let say: (stage: 'analysing') => void = () => undefined;
    const slow = engine();
    slow.classify = (_input, _options, onStage) => {
      say = onStage!;
      onStage!('decoding');
      return never();
    };
    const classifier = await loadWith(async () => ({ engine: slow }));
    const call = watched(classifier.classify(new Blob(['x'])));
    for (let i = 0; i < 3; i++) {
      await pass(LIMITS.silence - 1);
      expect(call.state).toBe('open');
      say('analysing');
    }
    await pass(LIMITS.silence);
    await expectCode(call.work, 'BACKEND_FAILED', /no sign for/);
  });

  test('a silent idle worker is no fault', async () => {
    await loadWith(async () => ({ engine: engine() }));
    await pass(10 * LIMITS.silence);
    expect(Port.made[0]!.ended).toBe(false);
  });
});

describe('a worker that still keeps its files', () => {
  test.each(['kept', 'silent'])('is ended after dispose() only then: %s', async (how) => {
    let keep: () => void = () => undefined;
    const keeping = new Promise<void>((resolve) => (keep = resolve));
    const classifier = await loadWith(async () => ({ engine: engine(), keeping }));
    const waiting = classifier.classify(new SilentBlob(['x']));
    classifier.dispose();
    await expectCode(waiting, 'DISPOSED');
    await pass(LIMITS.keeping - 1);
    expect(Port.made[0]!.ended).toBe(false);
    if (how === 'kept') keep();
    await pass(how === 'kept' ? 0 : 1);
    expect(Port.made[0]!.ended).toBe(true);
  });
});

describe('a server', () => {
  const url = 'https://h/file';
  test('that never answers', () => expectAt(LIMITS.still, download(url, { fetch: never }), 'MODEL_UNAVAILABLE'));

  test('that stops in the middle; the request is ended, and trying again works', async () => {
    let cancelled = false;
    const body = () =>
      new ReadableStream({
        start: (half) => half.enqueue(new Uint8Array(10)),
        pull: never,
        cancel: () => {
          cancelled = true;
        },
      });
    await expectAt(LIMITS.still, download(url, { fetch: async () => new Response(body()) }), 'MODEL_UNAVAILABLE');
    expect(cancelled).toBe(true);
    expect((await download(url, { fetch: async () => new Response(new Uint8Array(20)) })).length).toBe(20);
  });

  test('that sends a little every now and then is waited for', async () => {
    let chunks = 0;
    const slow = new ReadableStream({
      pull: async (body) => {
        await new Promise((resolve) => setTimeout(resolve, LIMITS.still - 1));
        body.enqueue(new Uint8Array(10));
        if (++chunks === 5) body.close();
      },
    });
    const coming = watched(download(url, { fetch: async () => new Response(slow) }));
    for (let i = 0; i < 5; i++) await pass(LIMITS.still - 1);
    expect(coming.state).toBe('done');
  });

  test('that never says why a script did not come', async () => {
    vi.stubGlobal('fetch', never);
    vi.stubGlobal('location', new URL('https://h/'));
    vi.stubGlobal('origin', 'https://h');
    const why = whyMissing('https://h/a.js', new TypeError('x'));
    await pass(LIMITS.explanation);
    expect((await why).code).toBe('MODEL_UNAVAILABLE');
  });

  test('that never sends a script', () => expectAt(LIMITS.script, imported(never), 'MODEL_UNAVAILABLE'));
});

describe('Cache Storage that never answers', () => {
  const folder = 'https://h/models/skin-8/';
  const host: Fetch = async (url) => new Response(modelFile(url.slice(folder.length)));
  const answering = () => {
    const entries = new Map([[`${folder}skin-8.onnx?sha256=${'a'.repeat(64)}`, new Uint8Array(1)]]);
    return {
      match: async (key: string) => entries.has(key) && new Response(entries.get(key)!.slice()),
      put: async (key: string, response: Response) =>
        void entries.set(key, new Uint8Array(await response.arrayBuffer())),
      delete: async (key: string) => entries.delete(key),
      keys: async () => [...entries.keys()].map((url) => ({ url })),
    };
  };

  test.each([
    ['open', false],
    ['match', false],
    ['put', false],
    ['keys', true], // what is older stays, and what is newer is kept
    ['delete', true],
  ] as const)('to %s: everything comes, and nothing waits for it twice', async (what, kept) => {
    const cache = { ...answering(), [what]: never };
    const caches = { open: what === 'open' ? never : async () => cache } as unknown as CacheStorage;
    const store = new ModelStore(folder, { fetch: host, caches });
    const versions = store.versions();
    await pass(LIMITS.cache);
    const { manifest: found } = await versions;
    await store.file(found.selfTest.reference); // no time passes
    await settle();
    const commit = watched(store.commit(found));
    for (let second = 0; second < 120 && commit.state === 'open'; second++) await pass(1000);
    expect(await commit.work).toBe(kept);
  });

  test('when the page asks what is kept', async () => {
    const version = keptVersion(folder, { open: never } as unknown as CacheStorage);
    await pass(LIMITS.cache);
    expect(await version).toBeUndefined();
  });
});

test('an adapter, and a decoder, that never answer', async () => {
  const wanted = wantsWebGpu('webgpu', { requestAdapter: never });
  await pass(LIMITS.adapter);
  expect(await wanted).toMatchObject({ tried: false, why: expect.stringMatching(/no sign/) as string });
  const scope = { createImageBitmap: never, OffscreenCanvas: class {} as never };
  const decoding = watched(decodeInBrowser(picture('picture.webp'), 'webp', never, scope));
  await pass(2 * LIMITS.decoder);
  await expectCode(decoding.work, 'UNSUPPORTED_FORMAT');
});

test('a device that slept starts a limit anew', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  let late = false;
  after(1000, () => {
    late = true;
  });
  now = 3_600_000;
  await vi.advanceTimersByTimeAsync(1000);
  expect(late).toBe(false);
  now += 1000;
  await vi.advanceTimersByTimeAsync(1000);
  expect(late).toBe(true);
  vi.restoreAllMocks();
});

test('whether a worker’s scripts are kept: not, where Cache Storage is silent', async () => {
  vi.stubGlobal('navigator', { serviceWorker: { controller: {} } });
  vi.stubGlobal('caches', { match: never });
  const can = watched(spawnWorker.canStart!(['https://h/worker.js']));
  await pass(LIMITS.cache - 1);
  expect(can.state).toBe('open');
  await pass(1);
  expect(await can.work).toBe(false);
});

test('a picture of an opened folder that does not answer is left out', async () => {
  const file = new File(['x'], 'a.jpg');
  file.arrayBuffer = never;
  const found = watched(picturesOf([{ label: 'nv', name: 'a.jpg', sha256: '', similarity: 1 }], [file]));
  await pass(LIMITS.file - 1);
  expect(found.state).toBe('open');
  await pass(1);
  expect((await found.work).size).toBe(0);
});

describe('a dropped folder that does not answer', () => {
  const unread = (reader: object) => {
    const entry = { isDirectory: true, createReader: () => reader };
    const transfer = { files: [new File([], 'folder')], items: [{ kind: 'file', webkitGetAsEntry: () => entry }] };
    return expectAt(LIMITS.file, filesIn(transfer as unknown as DataTransfer), 'UNREADABLE_FILE', /could not be read/);
  };

  test('when it is listed', () => unread({ readEntries: () => undefined }));

  test('when a file is opened', () => {
    const lists = [[{ isDirectory: false, name: 'a.jpg', file: () => undefined }], []];
    const readEntries = (give: (entries: unknown) => void) => give(lists.shift());
    return unread({ readEntries });
  });
});
