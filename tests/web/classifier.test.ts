/**
 * Queue, abort, idle, crash and dispose, with the real protocol over a real message channel and an engine that does as
 * it is told.
 */
import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { assetBaseOf } from '../../web/src/classifier/asset-base.js';
import { Classifier, type Internals } from '../../web/src/classifier/classifier.js';
import type { Engine } from '../../web/src/classifier/engine.js';
import type { WorkerLike } from '../../web/src/classifier/engine-worker.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { MAX_FILE_BYTES } from '../../web/src/classifier/given.js';
import { filesIn, type InputOf } from '../../web/src/classifier/input.js';
import { RestartNeeded } from '../../web/src/classifier/network.js';
import type { LesionPicture, LoadOptions, Stage } from '../../web/src/classifier/options.js';
import type { LoadSettings } from '../../web/src/classifier/protocol.js';
import type { Result } from '../../web/src/classifier/result.js';
import { type ServerPort, serve } from '../../web/src/classifier/worker-server.js';
import { expectCode, manifest, result } from './support.js';

type Behaviour = (bytes: Uint8Array, settings: LoadSettings) => Promise<Partial<Result['runtime']> | void>;

/** Starts workers that are threads of thought only: each a channel with `serve` on its other end. */
class Workers {
  readonly started: LoadSettings[] = [];
  ended = 0;
  running = 0;
  most = 0;
  readonly seen: number[] = [];
  readonly asked: { input: InputOf<Uint8Array>; options: object }[] = [];
  behaviour: Behaviour = async () => undefined;
  load: (settings: LoadSettings) => Promise<void> = async () => undefined;
  #live: ((event: Event) => void)[] = [];

  spawn = (): WorkerLike => {
    const { port1, port2 } = new MessageChannel();
    const server = port2 as unknown as ServerPort & { start(): void; close(): void };
    serve(server, async (settings, onProgress) => {
      this.started.push(settings);
      onProgress({ phase: 'model', loaded: 1, total: 1, cached: true });
      await this.load(settings);
      const engine = {
        manifest: manifest(),
        runtime: { fallback: undefined },
        classify: this.#classify(settings),
        check: async (input: Uint8Array, options: object) => {
          const { quality } = await this.#classify(settings)(input, options, () => undefined);
          return quality;
        },
      } as unknown as Engine;
      return { engine };
    });
    server.start();
    const listeners: ((event: Event) => void)[] = [];
    return {
      postMessage: (message, transfer) => port1.postMessage(message, transfer as never),
      addEventListener: (type, listener) => {
        if (type === 'message') (port1 as unknown as EventTarget).addEventListener('message', listener);
        if (type === 'error') this.#live.push(listener);
        listeners.push(listener);
      },
      terminate: () => {
        this.ended++;
        port1.close();
        port2.close();
      },
    };
  };

  crash(message = 'out of memory'): void {
    for (const listener of this.#live.splice(0)) listener(Object.assign(new Event('error'), { message }));
  }

  #classify(settings: LoadSettings) {
    return async (input: InputOf<Uint8Array>, options: object, onStage: (stage: Stage) => void): Promise<Result> => {
      const [bytes] = filesIn(input) as [Uint8Array];
      this.most = Math.max(this.most, ++this.running);
      this.seen.push(bytes[0]!);
      this.asked.push({ input, options });
      onStage('decoding');
      try {
        const runtime = await this.behaviour(bytes, settings);
        const answer = result([['nv', 0.9, 'low', true]], 'single', 'low');
        return {
          ...answer,
          source: { ...answer.source, bytes: bytes.length },
          runtime: { ...answer.runtime, ...runtime },
        };
      } finally {
        this.running--;
      }
    };
  }
}

const open: Classifier[] = [];
afterEach(() => {
  for (const classifier of open.splice(0)) classifier.dispose();
});

async function load(
  workers: Workers,
  options: LoadOptions = {},
  internals: Partial<Internals> = {},
): Promise<Classifier> {
  const all = { assetBase: 'https://h/engine', ...options };
  const classifier = await Classifier.loadWith('https://h/models/skin-8/', all, {
    spawn: workers.spawn,
    stuckAfter: 50,
    ...internals,
  });
  open.push(classifier);
  return classifier;
}

const bytes = (first: number, length = 8): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(first);
const never = () => new Promise<void>(() => undefined);
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe('load', () => {
  test('tells what the model is and how far it is', async () => {
    const workers = new Workers();
    const phases: string[] = [];
    const classifier = await load(workers, { onProgress: ({ phase }) => phases.push(phase) });
    expect(classifier.model.classes.map(({ id }) => id)).toContain('mel');
    expect(phases).toEqual(['model']);
    expect(workers.started[0]).toMatchObject({
      folder: 'https://h/models/skin-8/',
      assetBase: 'https://h/engine/',
      backend: 'auto',
      warmUp: true,
    });
  });

  test('fails with the worker', async () => {
    const workers = new Workers();
    workers.load = () => Promise.reject(new DermletError('MODEL_CORRUPT', 'one byte is wrong'));
    await expectCode(load(workers), 'MODEL_CORRUPT', /one byte/);
    expect(workers.ended).toBe(1);
  });

  test('fails when the worker script does not come', async () => {
    const workers = new Workers();
    workers.load = never;
    const work = load(
      workers,
      {},
      {
        spawn: () => {
          const worker = workers.spawn();
          queueMicrotask(() => workers.crash('404'));
          return worker;
        },
      },
    );
    await expectCode(work, 'MODEL_UNAVAILABLE', /could not be started/);
  });

  test('can be aborted before and during', async () => {
    const workers = new Workers();
    workers.load = never;
    await expectCode(load(workers, { signal: AbortSignal.abort() }), 'ABORTED');
    expect(workers.started).toHaveLength(0);
    await expectCode(load(workers, { signal: AbortSignal.timeout(10) }), 'ABORTED');
    expect(workers.ended).toBe(1);
  });

  test('starts again with one thread when threads are blocked', async () => {
    const workers = new Workers();
    workers.load = async ({ threads }) => {
      if (threads !== 1) throw new RestartNeeded('one-thread', 'blocked');
    };
    const classifier = await load(workers, { idleTimeout: 20 });
    expect(workers.started.map(({ threads }) => threads)).toEqual([undefined, 1]);
    await pause(60);
    await classifier.classify(bytes(1));
    expect(workers.started.at(-1)!.threads).toBe(1); // remembered
  });

  test('starts again with all of ONNX Runtime when less is not enough, and with one thread too', async () => {
    const workers = new Workers();
    workers.load = async ({ threads, wholeRuntime }) => {
      if (threads !== 1) throw new RestartNeeded('one-thread', 'blocked');
      if (!wholeRuntime) throw new RestartNeeded('whole-runtime', 'unreachable');
    };
    const classifier = await load(workers, { idleTimeout: 20 });
    const ways = () => workers.started.map(({ threads, wholeRuntime }) => [threads, wholeRuntime]);
    expect(ways()).toEqual([
      [undefined, undefined],
      [1, undefined],
      [1, true],
    ]);
    await pause(60);
    await classifier.classify(bytes(1));
    expect(ways().at(-1)).toEqual([1, true]); // remembered
  });

  test('does not start again for what it was started for', async () => {
    const workers = new Workers();
    workers.load = () => Promise.reject(new RestartNeeded('whole-runtime', 'unreachable'));
    await expectCode(load(workers), 'BACKEND_FAILED', /unreachable/);
    expect(workers.started).toHaveLength(2);
  });

  test('refuses what makes no sense', async () => {
    await expectCode(load(new Workers(), { backend: 'gpu' as 'wasm' }), 'INVALID_ARGUMENT');
    await expectCode(
      Classifier.loadWith('http://', {}, { spawn: new Workers().spawn, stuckAfter: 1 }),
      'INVALID_ARGUMENT',
    );
  });
});

describe('the queue', () => {
  test('runs one call at a time, in order', async () => {
    const workers = new Workers();
    workers.behaviour = () => pause(5);
    const classifier = await load(workers);
    await Promise.all([1, 2, 3, 4].map((n) => classifier.classify(bytes(n))));
    expect(workers.seen).toEqual([1, 2, 3, 4]);
    expect(workers.most).toBe(1);
  });

  test('says queued only when another call is ahead, and how long it waited', async () => {
    const workers = new Workers();
    workers.behaviour = () => pause(30);
    const classifier = await load(workers);
    const stages: Stage[][] = [[], []];
    const [first, second] = await Promise.all(
      [0, 1].map((n) => classifier.classify(bytes(n), { onStage: (stage) => stages[n]!.push(stage) })),
    );
    expect(stages).toEqual([['decoding'], ['queued', 'decoding']]);
    expect(first!.runtime.timings.queue).toBeLessThan(20);
    expect(second!.runtime.timings.queue).toBeGreaterThan(20);
    expect(second!.runtime.timings.total).toBeGreaterThan(second!.runtime.timings.queue);
  });

  test('a failed call leaves the next alone', async () => {
    const workers = new Workers();
    workers.behaviour = async ([first]) => {
      if (first === 1) throw new DermletError('CORRUPT_IMAGE', 'cut off');
      if (first === 2) throw new Error('surprise');
    };
    const classifier = await load(workers);
    const calls = [1, 2, 3].map((n) => classifier.classify(bytes(n)));
    await expectCode(calls[0]!, 'CORRUPT_IMAGE', /cut off/);
    await expectCode(calls[1]!, 'BACKEND_FAILED', /surprise/);
    expect((await calls[2]!).outcome).toBe('single');
  });

  test('a callback that throws stops nothing', async () => {
    const errors: unknown[] = [];
    const listener = (error: unknown) => errors.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', listener);
    const classifier = await load(new Workers());
    const answer = await classifier.classify(bytes(1), {
      onStage: () => {
        throw new Error('theirs');
      },
    });
    await pause(5);
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
    expect(answer.outcome).toBe('single');
    expect(String(errors[0])).toMatch(/theirs/);
  });
});

describe('a check', () => {
  test('waits its turn, crosses with its modality, and leaves the buffer whole', async () => {
    const workers = new Workers();
    const classifier = await load(workers);
    const given = bytes(3);
    const answers = await Promise.all([
      classifier.classify(bytes(2)),
      classifier.check(given, { modality: 'photo' }),
      classifier.check(bytes(4)),
    ]);
    expect(answers[1]).toEqual({ usable: true, checks: [] });
    expect(workers.seen).toEqual([2, 3, 4]);
    expect(workers.most).toBe(1);
    expect(workers.asked.slice(1).map(({ options }) => options)).toEqual([{ modality: 'photo' }, {}]);
    expect(given).toEqual(bytes(3));
  });

  test('fails alone, is aborted at once, and not done after the end', async () => {
    const workers = new Workers();
    workers.behaviour = (picture) =>
      picture[0] === 9 ? Promise.reject(new DermletError('CORRUPT_IMAGE', 'cut off')) : pause(20);
    const classifier = await load(workers);
    await expectCode(classifier.check(bytes(9)), 'CORRUPT_IMAGE');
    const abort = new AbortController();
    const checking = classifier.check(bytes(1), { signal: abort.signal });
    abort.abort();
    await expectCode(checking, 'ABORTED');
    expect(await classifier.check(bytes(1))).toMatchObject({ usable: true });
    classifier.dispose();
    await expectCode(classifier.check(bytes(1)), 'DISPOSED');
  });
});

describe('input', () => {
  test("the caller's buffer stays whole and may change afterwards", async () => {
    const workers = new Workers();
    const classifier = await load(workers);
    const own = bytes(7);
    const work = classifier.classify(own.buffer);
    own.fill(9);
    await work;
    expect(workers.seen).toEqual([7]);
    expect(own.buffer.byteLength).toBe(8);
  });

  test('a part of a larger buffer is that part', async () => {
    const workers = new Workers();
    const classifier = await load(workers);
    const answer = await classifier.classify(new Uint8Array([1, 2, 3, 4]).subarray(2));
    expect(workers.seen).toEqual([3]);
    expect(answer.source.bytes).toBe(2);
  });

  test('a Blob is read', async () => {
    const workers = new Workers();
    await (await load(workers)).classify(new Blob([bytes(5)]));
    expect(workers.seen).toEqual([5]);
  });

  test('a file over the limit is refused before it is read', async () => {
    const classifier = await load(new Workers());
    const huge = new Blob([]);
    const read = vi.spyOn(huge, 'arrayBuffer');
    Object.defineProperty(huge, 'size', { value: MAX_FILE_BYTES + 1 });
    await expectCode(classifier.classify(huge), 'IMAGE_TOO_LARGE');
    expect(read).not.toHaveBeenCalled();
  });

  test('a file that cannot be read, and no file at all', async () => {
    const classifier = await load(new Workers());
    const gone = new Blob(['x']);
    vi.spyOn(gone, 'arrayBuffer').mockRejectedValue(new DOMException('gone', 'NotFoundError'));
    await expectCode(classifier.classify(gone), 'UNREADABLE_FILE', /gone/);
    await expectCode(classifier.classify('photo.jpg' as unknown as Blob), 'INVALID_ARGUMENT');
  });
});

describe('a lesion', () => {
  test("crosses with all that is its pictures' own, and the buffers stay whole", async () => {
    const workers = new Workers();
    const classifier = await load(workers);
    const [own, crop] = [bytes(7), { x: 1, y: 2, width: 3, height: 4 }];
    const work = classifier.classify(
      [{ picture: own.buffer, modality: 'dermoscopy', crop }, { picture: new Blob([bytes(8)]) }],
      { modality: 'photo', testTimeAugmentation: true },
    );
    own.fill(9);
    await work;
    expect(workers.asked).toEqual([
      {
        input: [{ bytes: bytes(7), modality: 'dermoscopy', crop }, { bytes: bytes(8) }],
        options: { modality: 'photo', testTimeAugmentation: true },
      },
    ]);
    expect(own.buffer.byteLength).toBe(8);
  });

  test('the same buffer twice is two pictures', async () => {
    const workers = new Workers();
    const own = bytes(5);
    await (await load(workers)).classify([{ picture: own }, { picture: own }]);
    expect(filesIn(workers.asked[0]!.input)).toEqual([bytes(5), bytes(5)]);
  });

  test('of one picture stays a list', async () => {
    const workers = new Workers();
    await (await load(workers)).classify([{ picture: bytes(5) }]);
    expect(workers.asked).toEqual([{ input: [{ bytes: bytes(5) }], options: {} }]);
  });

  test.each<[string, LesionPicture[], RegExp]>([
    ['no picture', [], /not 0/],
    ['three pictures', [1, 2, 3].map((n) => ({ picture: bytes(n) })), /not 3/],
    ['something else', [{ picture: 5 as unknown as Blob }], /must be a Blob/],
    ['nothing at all', [undefined as unknown as LesionPicture], /must be a Blob/],
  ])('of %s is refused', async (_name, pictures, message) => {
    const workers = new Workers();
    await expectCode((await load(workers)).classify(pictures), 'INVALID_ARGUMENT', message);
    expect(workers.asked).toEqual([]);
  });

  test('takes no crop for all, and says which file cannot be read', async () => {
    const classifier = await load(new Workers());
    await expectCode(
      classifier.classify([{ picture: bytes(1) }], { crop: { x: 0, y: 0, width: 1, height: 1 } }),
      'INVALID_ARGUMENT',
      /crop of its own/,
    );
    const gone = new Blob(['x']);
    vi.spyOn(gone, 'arrayBuffer').mockRejectedValue(new DOMException('gone', 'NotFoundError'));
    await expectCode(
      classifier.classify([{ picture: bytes(1) }, { picture: gone }]),
      'UNREADABLE_FILE',
      /^Picture 2: .*gone/,
    );
  });

  test('is answered at once when it is aborted, and the next call runs', async () => {
    const workers = new Workers();
    let release = () => undefined as void;
    workers.behaviour = ([first]) => (first === 1 ? new Promise((resolve) => (release = resolve)) : Promise.resolve());
    const classifier = await load(workers, {}, { stuckAfter: 10_000 });
    const abort = new AbortController();
    const first = classifier.classify([{ picture: bytes(1) }, { picture: bytes(2) }], {
      signal: abort.signal,
      testTimeAugmentation: true,
    });
    await vi.waitFor(() => expect(workers.running).toBe(1));
    const second = classifier.classify(bytes(3));
    abort.abort();
    await expectCode(first, 'ABORTED');
    release();
    expect((await second).outcome).toBe('single');
    expect(workers.seen).toEqual([1, 3]);
  });

  test('goes on in a worker with a single thread when threads fail', async () => {
    const workers = new Workers();
    workers.behaviour = async (_bytes, { threads }) => {
      if (threads !== 1) throw new RestartNeeded('one-thread', 'blocked');
    };
    await (await load(workers)).classify([{ picture: bytes(4), modality: 'photo' }, { picture: bytes(6) }]);
    expect(workers.asked).toHaveLength(2);
    expect(workers.asked[1]).toEqual({
      input: [{ bytes: bytes(4), modality: 'photo' }, { bytes: bytes(6) }],
      options: {},
    });
  });
});

describe('a call that needs what the worker has not', () => {
  test('goes on in one with all of ONNX Runtime, and with one thread after that', async () => {
    const workers = new Workers();
    workers.behaviour = async (_bytes, { threads, wholeRuntime }) => {
      if (!wholeRuntime) throw new RestartNeeded('whole-runtime', 'unreachable');
      if (threads !== 1) throw new RestartNeeded('one-thread', 'blocked');
    };
    const classifier = await load(workers);
    expect((await classifier.classify(bytes(4))).source.bytes).toBe(8);
    expect(workers.seen).toEqual([4, 4, 4]);
    expect(workers.started.map(({ threads, wholeRuntime }) => [threads, wholeRuntime])).toEqual([
      [undefined, undefined],
      [undefined, true],
      [1, true],
    ]);
  });

  test('fails where the worker already has it', async () => {
    const workers = new Workers();
    workers.behaviour = () => Promise.reject(new RestartNeeded('whole-runtime', 'unreachable'));
    await expectCode((await load(workers)).classify(bytes(4)), 'BACKEND_FAILED', /unreachable/);
    expect(workers.seen).toEqual([4, 4]);
  });
});

describe('abort', () => {
  test('of a waiting call: it never runs', async () => {
    const workers = new Workers();
    workers.behaviour = () => pause(20);
    const classifier = await load(workers);
    const abort = new AbortController();
    const first = classifier.classify(bytes(1));
    const second = classifier.classify(bytes(2), { signal: abort.signal });
    const third = classifier.classify(bytes(3));
    abort.abort();
    await expectCode(second, 'ABORTED');
    await Promise.all([first, third]);
    expect(workers.seen).toEqual([1, 3]);
  });

  test('of a running call: answered at once, the next runs in the same worker', async () => {
    const workers = new Workers();
    let release = () => undefined as void;
    workers.behaviour = ([first]) => (first === 1 ? new Promise((resolve) => (release = resolve)) : Promise.resolve());
    const classifier = await load(workers, {}, { stuckAfter: 10_000 });
    const abort = new AbortController();
    const first = classifier.classify(bytes(1), { signal: abort.signal });
    await vi.waitFor(() => expect(workers.running).toBe(1));
    const second = classifier.classify(bytes(2));
    abort.abort();
    await expectCode(first, 'ABORTED');
    release();
    expect((await second).outcome).toBe('single');
    expect(workers.started).toHaveLength(1);
  });

  test('of a call that is stuck: the worker is ended and the next gets a new one', async () => {
    const workers = new Workers();
    workers.behaviour = ([first]) => (first === 1 ? never() : Promise.resolve());
    const classifier = await load(workers, {}, { stuckAfter: 20 });
    const abort = new AbortController();
    const first = classifier.classify(bytes(1), { signal: abort.signal });
    await vi.waitFor(() => expect(workers.running).toBe(1));
    const second = classifier.classify(bytes(2));
    abort.abort();
    await expectCode(first, 'ABORTED');
    expect((await second).outcome).toBe('single');
    expect(workers.started).toHaveLength(2);
    expect(workers.ended).toBe(1);
  });

  test('before the call, and after the answer', async () => {
    const classifier = await load(new Workers());
    await expectCode(classifier.classify(bytes(1), { signal: AbortSignal.abort() }), 'ABORTED');
    const abort = new AbortController();
    expect((await classifier.classify(bytes(1), { signal: abort.signal })).outcome).toBe('single');
    abort.abort();
    expect((await classifier.classify(bytes(2))).outcome).toBe('single');
  });
});

describe('the worker', () => {
  test('is ended when idle and started again unnoticed, with the same model', async () => {
    const workers = new Workers();
    const classifier = await load(workers, { idleTimeout: 20 });
    await classifier.classify(bytes(1));
    await vi.waitFor(() => expect(workers.ended).toBe(1));
    const stages: Stage[] = [];
    await classifier.classify(bytes(2), { onStage: (stage) => stages.push(stage) });
    expect(stages).toEqual(['starting', 'decoding']);
    expect(workers.started[1]).toMatchObject({ warmUp: false, manifest: { name: 'skin-8' } });
  });

  test('is not ended while it works', async () => {
    const workers = new Workers();
    workers.behaviour = () => pause(80);
    const classifier = await load(workers, { idleTimeout: 20 });
    await classifier.classify(bytes(1));
    expect(workers.ended).toBe(0);
  });

  test('is never ended with idleTimeout 0', async () => {
    const workers = new Workers();
    await load(workers, { idleTimeout: 0 });
    await pause(40);
    expect(workers.ended).toBe(0);
  });

  test('that crashes fails its call, and the next call works', async () => {
    const workers = new Workers();
    workers.behaviour = ([first]) => (first === 1 ? never() : Promise.resolve());
    const classifier = await load(workers);
    const first = classifier.classify(bytes(1));
    await vi.waitFor(() => expect(workers.running).toBe(1));
    const second = classifier.classify(bytes(2));
    workers.crash();
    await expectCode(first, 'BACKEND_FAILED', /crashed: out of memory/);
    expect((await second).outcome).toBe('single');
    expect(workers.started).toHaveLength(2);
  });

  test('that cannot be started again fails one call, not the classifier', async () => {
    const workers = new Workers();
    const classifier = await load(workers, { idleTimeout: 10 });
    await vi.waitFor(() => expect(workers.ended).toBe(1));
    workers.load = () => Promise.reject(new DermletError('MODEL_UNAVAILABLE', 'offline'));
    await expectCode(classifier.classify(bytes(1)), 'MODEL_UNAVAILABLE');
    workers.load = async () => undefined;
    expect((await classifier.classify(bytes(2))).outcome).toBe('single');
  });

  test('whose threads fail during a call gives the bytes back to one with a single thread', async () => {
    const workers = new Workers();
    workers.behaviour = async (_bytes, { threads }) => {
      if (threads !== 1) throw new RestartNeeded('one-thread', 'blocked');
    };
    const classifier = await load(workers);
    expect((await classifier.classify(bytes(4))).source.bytes).toBe(8);
    expect(workers.seen).toEqual([4, 4]);
    expect(workers.started.map(({ threads }) => threads)).toEqual([undefined, 1]);
  });

  test('after WebGPU was left is started on WASM, and still says why', async () => {
    const workers = new Workers();
    workers.behaviour = async (_bytes, { backend }) =>
      backend === 'auto' ? { fallback: { from: 'webgpu', reason: 'device lost' } } : undefined;
    const classifier = await load(workers, { idleTimeout: 10 });
    await classifier.classify(bytes(1));
    await vi.waitFor(() => expect(workers.ended).toBe(1));
    const again = await classifier.classify(bytes(2));
    expect(workers.started[1]!.backend).toBe('wasm');
    expect(again.runtime.fallback).toEqual({ from: 'webgpu', reason: 'device lost' });
  });
});

describe('dispose', () => {
  test('rejects what is running and waiting, and everything later', async () => {
    const workers = new Workers();
    workers.behaviour = never;
    const classifier = await load(workers);
    const calls = [1, 2].map((n) => classifier.classify(bytes(n)));
    const all = Promise.all(calls.map((call) => expectCode(call, 'DISPOSED')));
    classifier.dispose();
    classifier.dispose();
    await all;
    await expectCode(classifier.classify(bytes(3)), 'DISPOSED');
    expect(workers.ended).toBe(1);
  });

  test('while a worker starts ends that one too', async () => {
    const workers = new Workers();
    const classifier = await load(workers, { idleTimeout: 10 });
    await vi.waitFor(() => expect(workers.ended).toBe(1));
    workers.load = never;
    const call = classifier.classify(bytes(1));
    await vi.waitFor(() => expect(workers.started).toHaveLength(2));
    classifier.dispose();
    await expectCode(call, 'DISPOSED');
    expect(workers.ended).toBe(2);
  });
});

test.each([
  ['https://h/app/dermlet.js', 'https://h/app/engine/'],
  ['https://h/app/assets/index-abc.js', 'https://h/app/engine/'],
  ['https://h/assets/x.js?v=1', 'https://h/engine/'],
])('engine files of %s', (module, folder) => expect(assetBaseOf(module)).toBe(folder));
