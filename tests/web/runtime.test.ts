/** Choice of backend, trust and fallback, with networks that do as they are told. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type AdapterLike,
  allowedThreads,
  browserEnvironment,
  type Environment,
} from '../../web/src/classifier/environment.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import type { Network } from '../../web/src/classifier/network.js';
import type { BackendChoice } from '../../web/src/classifier/options.js';
import type { Backend } from '../../web/src/classifier/result.js';
import { isHardware, Runtime } from '../../web/src/classifier/runtime.js';
import { expectCode } from './support.js';

class FakeNetwork implements Network {
  readonly threads = 1;
  readonly version = '1.0.0';
  lost: string | undefined;
  released = false;
  constructor(readonly backend: Backend) {}
  run = () => Promise.reject(new Error('not asked for here'));
  locate = () => Promise.reject(new Error('not asked for here'));
  release = async () => void (this.released = true);
}

const hardware: AdapterLike = { info: { vendor: 'nvidia', architecture: 'turing' } };
const software: AdapterLike = { info: { vendor: 'google', architecture: 'swiftshader' } };

interface Setup {
  choice?: BackendChoice;
  adapter?: AdapterLike | null;
  gpu?: boolean;
  selfTest?: () => Promise<string | undefined>;
  createWebGpu?: () => Promise<Network>;
}

async function start({
  choice = 'auto',
  adapter = hardware,
  gpu = true,
  selfTest = async () => undefined,
  createWebGpu,
}: Setup) {
  const made: FakeNetwork[] = [];
  const environment = {
    threads: 1,
    gpu: gpu ? { requestAdapter: async () => adapter } : undefined,
  } as unknown as Environment;
  const runtime = await Runtime.start({
    choice,
    environment,
    selfTest,
    create: async (backend) => {
      if (backend === 'webgpu' && createWebGpu) return createWebGpu();
      const network = new FakeNetwork(backend);
      made.push(network);
      return network;
    },
  });
  return { runtime, made };
}

describe('the first choice', () => {
  test.each<[string, Setup, Backend, RegExp | undefined]>([
    ['wasm when asked for', { choice: 'wasm' }, 'wasm', undefined],
    ['webgpu with a hardware adapter', {}, 'webgpu', undefined],
    ['wasm with a software adapter, and nothing to tell', { adapter: software }, 'wasm', undefined],
    ['wasm with a fallback adapter', { adapter: { isFallbackAdapter: true } }, 'wasm', undefined],
    ['wasm without WebGPU', { gpu: false }, 'wasm', undefined],
    ['any adapter when webgpu is asked for', { choice: 'webgpu', adapter: software }, 'webgpu', undefined],
    ['wasm when webgpu is asked for and there is none', { choice: 'webgpu', gpu: false }, 'wasm', /no WebGPU/],
    ['wasm when the adapter is null', { choice: 'webgpu', adapter: null }, 'wasm', /no adapter/],
    ['wasm when the self-test fails', { selfTest: async () => 'differs by 0.5' }, 'wasm', /differs by 0.5/],
    ['wasm when the self-test throws', { selfTest: () => Promise.reject(new Error('shader')) }, 'wasm', /shader/],
    [
      'wasm when the session cannot be made',
      { createWebGpu: () => Promise.reject(new DermletError('BACKEND_FAILED', 'no f16')) },
      'wasm',
      /no f16/,
    ],
    [
      "wasm when WebGPU's files do not come",
      { createWebGpu: () => Promise.reject(new DermletError('MODEL_UNAVAILABLE', '404')) },
      'wasm',
      /404/,
    ],
  ])('%s', async (_name, setup, backend, reason) => {
    const { runtime } = await start(setup);
    expect(runtime.backend).toBe(backend);
    if (reason)
      expect(runtime.fallback).toMatchObject({ from: 'webgpu', reason: expect.stringMatching(reason) as string });
    else expect(runtime.fallback).toBeUndefined();
  });

  test('a damaged model is no reason to fall back', () =>
    expectCode(
      start({ createWebGpu: () => Promise.reject(new DermletError('MODEL_CORRUPT', 'sha256')) }),
      'MODEL_CORRUPT',
    ));
});

describe('a failure later', () => {
  test('finishes the call on WASM, for good', async () => {
    const { runtime, made } = await start({});
    const used: Backend[] = [];
    const use = async ({ backend }: Network) => {
      used.push(backend);
      if (backend === 'webgpu') throw new Error('validation error');
      return 'answer';
    };
    expect(await runtime.run(use)).toBe('answer');
    expect(await runtime.run(use)).toBe('answer');
    expect(used).toEqual(['webgpu', 'wasm', 'wasm']);
    expect(runtime.fallback).toEqual({ from: 'webgpu', reason: 'validation error' });
    expect(made[0]!.released).toBe(true);
  });

  test('a lost device is not even tried', async () => {
    const { runtime, made } = await start({});
    made[0]!.lost = 'the GPU was reset';
    expect(await runtime.run(async ({ backend }) => backend)).toBe('wasm');
    expect(runtime.fallback?.reason).toBe('the GPU was reset');
  });

  test('on WASM is the caller’s to hear', async () => {
    const { runtime } = await start({ choice: 'wasm' });
    await expect(runtime.run(() => Promise.reject(new Error('both')))).rejects.toThrow('both');
  });
});

test.each<[AdapterLike | null, boolean]>([
  [hardware, true],
  [{}, true],
  [software, false],
  [null, false],
  [{ info: { description: 'llvmpipe (LLVM 15.0.6)' } }, false],
  [{ info: { isFallbackAdapter: true } }, false],
])('isHardware(%j) is %s', (adapter, expected) => expect(isHardware(adapter)).toBe(expected));

test.each([
  [{ crossOriginIsolated: true, navigator: { hardwareConcurrency: 16 } }, 4],
  [{ crossOriginIsolated: true, navigator: { hardwareConcurrency: 2 } }, 2],
  [{ crossOriginIsolated: true }, 1],
  [{ crossOriginIsolated: false, navigator: { hardwareConcurrency: 16 } }, 1],
  [{}, 1],
])('threads of %j: %i', (scope, expected) => expect(allowedThreads(scope)).toBe(expected));

describe('the browser’s files', () => {
  const wasm = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const entry = (bytes: Uint8Array) => ({
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
  const files = { 'dermlet.wasm': entry(wasm), 'ort-wasm-simd-threaded.wasm': entry(wasm) };
  const base = { assetBase: 'https://h/engine/', caches: null, files };

  test('an HTML page in place of a binary is said so', async () => {
    const page = () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } });
    const environment = browserEnvironment({ ...base, fetch: async () => page() });
    await expectCode(environment.coreWasm(), 'MODEL_UNAVAILABLE', /engine\/dermlet\.wasm.*HTML page/);
    await expectCode(environment.runtimeWasm('wasm'), 'MODEL_UNAVAILABLE', /HTML page/);
  });

  test('one flipped bit is refused, and the error names the file', async () => {
    const flipped = wasm.slice();
    flipped[5]! ^= 1;
    const environment = browserEnvironment({ ...base, fetch: async () => new Response(flipped) });
    await expectCode(environment.runtimeWasm('wasm'), 'MODEL_CORRUPT', /^ort-wasm-simd-threaded\.wasm is damaged/);
  });

  describe('for networks that need less than all of ONNX Runtime', () => {
    const less = { ...entry(new Uint8Array([...wasm, 0])), networks: ['skin', 'spot'] };
    const name = 'ort-wasm-simd-threaded.reduced.wasm';
    const opened = (networks?: string[]) => {
      const asked: string[] = [];
      const environment = browserEnvironment({
        ...base,
        files: { ...files, [name]: less },
        networks,
        fetch: async (url) => {
          asked.push(new URL(String(url)).pathname.replace('/engine/', ''));
          return new Response(String(url).includes('reduced') ? new Uint8Array([...wasm, 0]) : wasm);
        },
      });
      return { environment, asked };
    };

    test('it is fetched, counted and named as the whole would be', async () => {
      const { environment, asked } = opened(['skin', 'spot']);
      expect(environment.reduced).toBe(true);
      expect((await environment.coming('wasm')).map(([file]) => file)).toEqual(['dermlet.wasm', name]);
      expect(environment.hashes).toEqual([files['dermlet.wasm'].sha256, less.sha256]);
      await environment.runtimeWasm('wasm');
      expect(asked).toEqual([name]);
    });

    test.each([[undefined], [['skin', 'own']], [['own']]])('the whole is fetched for %j', async (networks) => {
      const { environment, asked } = opened(networks);
      expect(environment.reduced).toBe(false);
      await environment.runtimeWasm('wasm');
      expect(asked).toEqual(['ort-wasm-simd-threaded.wasm']);
    });

    test('WebGPU has its own', async () => {
      const { environment } = opened(['skin']);
      await expectCode(environment.runtimeWasm('webgpu'), 'MODEL_UNAVAILABLE', /asyncify/);
    });
  });

  test('progress is told by file', async () => {
    const seen: [string, number, number, boolean][] = [];
    const environment = browserEnvironment({
      ...base,
      fetch: async () => new Response(wasm),
      onFile: (...progress) => seen.push(progress),
    });
    await environment.coreWasm();
    await environment.runtimeWasm('wasm');
    for (const name of ['dermlet.wasm', 'ort-wasm-simd-threaded.wasm']) {
      const own = seen.filter(([file]) => file === name).map(([, loaded, total]) => [loaded, total]);
      expect([own[0], own.at(-1)]).toEqual([
        [0, 8],
        [8, 8],
      ]);
    }
  });
});
