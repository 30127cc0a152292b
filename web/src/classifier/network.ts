/**
 * One ONNX Runtime session: creates, runs and releases it, and checks it against the manifest. Decisions are made in
 * `runtime.ts`.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { ModelOutputs } from '../../../wasm_src/bindings/dermlet.js';
import { messageOf } from './abort.js';
import { isMissingScript, whyMissing } from './causes.js';
import type { Environment } from './environment.js';
import { DermletError } from './errors.js';
import { LIMITS } from './limits.js';
import type { FileEntry, Manifest, ModelInput } from './manifest.js';
import { clearUpperHalves } from './registers.js';
import type { Backend } from './result.js';
import { checkScript, imported } from './scripts.js';
import { within } from './within.js';

/** The views of one picture, one after the other, as the core's `interpret` takes them. */
export type NetworkOutputs = ModelOutputs;

/** 3 * rows * columns values; `wasm_src/core/view/locate.h` says which. */
export interface LocatorOutput {
  values: Float32Array;
  rows: number;
  columns: number;
}

export interface Network {
  readonly backend: Backend;
  readonly threads: number;
  /** ONNX Runtime's. */
  readonly version: string;
  /** Why it can no longer run (a lost device); undefined while it can. */
  readonly lost: string | undefined;
  /**
   * @param tensor `views` pictures, one after the other: one run if the graph's batch dimension is open, else one run
   * each
   * @throws RestartNeeded, DermletError MODEL_CORRUPT (outputs are not what the manifest says), BACKEND_FAILED
   */
  run(tensor: Float32Array<ArrayBuffer>, views?: number): Promise<NetworkOutputs>;
  /**
   * Looks for spots in a whole picture, on the CPU whatever the backend. Only for a model with a locator.
   * @throws RestartNeeded, DermletError MODEL_CORRUPT (the output is not what the manifest says), BACKEND_FAILED
   */
  locate(tensor: Float32Array<ArrayBuffer>): Promise<LocatorOutput>;
  release(): Promise<void>;
}

/** How another worker can do what this one could not: with a single thread; with all of ONNX Runtime. */
export type Restart = 'one-thread' | 'whole-runtime';

/** ONNX Runtime cannot be started twice in one worker: only a new worker, started otherwise, can continue. */
export class RestartNeeded extends Error {
  override readonly name = 'RestartNeeded';
  constructor(
    readonly restart: Restart,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

type Runtime = typeof import('onnxruntime-web/wasm');

/** Each entry is its own copy of the runtime with its own state; the second is fetched only when WebGPU is tried. */
const runtimes: Record<Backend, () => Promise<Runtime>> = {
  wasm: () => imported(() => import('onnxruntime-web/wasm')),
  webgpu: () => imported(() => import('onnxruntime-web/webgpu')),
};

/** The runtime's scripts: what is imported, and what that imports itself as soon as it starts. */
async function scripts(backend: Backend, environment: Environment): Promise<Runtime> {
  const script = environment.runtimeScript(backend);
  if (!script) return runtimes[backend]();
  const runtime = runtimes[backend]();
  runtime.catch(() => undefined); // awaited below
  await checkScript(`engine/${new URL(script).pathname.split('/').at(-1)}`, script);
  // Whether it came, the runtime says when it imports it.
  void import(/* @vite-ignore */ script).catch(() => undefined);
  return runtime;
}

function configure(
  runtime: Runtime,
  script: string | undefined,
  threads: number,
  binary: Uint8Array<ArrayBuffer>,
): void {
  runtime.env.logLevel = 'error';
  runtime.env.wasm.numThreads = threads;
  runtime.env.wasm.wasmBinary = binary;
  runtime.env.wasm.initTimeout = threads > 1 ? LIMITS.threads : 0;
  if (script) runtime.env.wasm.wasmPaths = { mjs: script };
}

/**
 * Starts ONNX Runtime for a backend and creates the session. Weights stored as fp16 or int8 are folded back to fp32
 * here ('all').
 * @param read returns one of the model's files, verified; called while the runtime is fetched
 * @throws RestartNeeded, DermletError as `whyMissing` gives (the runtime's scripts), MODEL_UNAVAILABLE, MODEL_CORRUPT
 * (names), BACKEND_FAILED
 */
export async function createNetwork(
  backend: Backend,
  environment: Environment,
  read: (entry: FileEntry) => Promise<Uint8Array>,
  manifest: Manifest,
): Promise<Network> {
  const threads = environment.threads;
  const { locator } = manifest;
  // In the order in which they are needed, all asked for at once so that the line is never idle: the runtime starts,
  // with the small locator, while the network still comes.
  const loading = scripts(backend, environment);
  const starting = environment.runtimeWasm(backend);
  const locating = locator ? read(locator.file) : null;
  const reading = read(manifest.file);
  for (const coming of [loading, locating, reading]) coming?.catch(() => undefined); // awaited below
  const binary = await starting;
  const script = environment.runtimeScript(backend);
  let runtime: Runtime;
  let session: InferenceSession;
  let finding: InferenceSession | null = null;
  try {
    runtime = await loading;
    configure(runtime, script, threads, binary);
    const finder = await locating;
    clearUpperHalves();
    // One thread of the processor's only computes. Drivers and threads may wait for ever.
    const limit = backend === 'webgpu' ? LIMITS.session : 2 * LIMITS.threads;
    const limited = <T>(work: Promise<T>): Promise<T> =>
      threads > 1 || backend === 'webgpu' ? within(work, limit, 'The runtime') : work;
    const find = (bytes: Uint8Array) =>
      runtime.InferenceSession.create(bytes, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
    // A runtime for WebGPU asks for its device with its first session: that one is the network's.
    if (finder && backend === 'wasm') finding = await limited(find(finder));
    const model = await reading;
    session = await limited(
      runtime.InferenceSession.create(model, { executionProviders: [backend], graphOptimizationLevel: 'all' }),
    );
    if (finder) finding ??= await find(finder);
    delete (runtime.env.wasm as { wasmBinary?: unknown }).wasmBinary; // up to 27 MB no longer needed
  } catch (cause) {
    if (cause instanceof DermletError) throw cause;
    const message = messageOf(cause);
    if (script && isMissingScript(cause)) throw await whyMissing(script, cause);
    if (threads > 1)
      throw new RestartNeeded('one-thread', `ONNX Runtime with ${threads} threads: ${message}`, { cause });
    if (environment.reduced && backend === 'wasm') throw lacking(cause);
    throw new DermletError('BACKEND_FAILED', `ONNX Runtime could not load the network on ${backend}: ${message}`, {
      cause,
    });
  }
  const { scores, maps, embedding } = manifest.outputs;
  checkFits('network', session, manifest.input, [scores, maps, embedding]);
  if (finding && locator) checkFits('locator', finding, locator.input, [locator.output]);
  const whole = !environment.reduced || backend !== 'wasm';
  return new SessionNetwork(backend, threads, whole, runtime, session, finding, manifest);
}

/** Where a function was left out it ends the run; whether it was that, the whole runtime will show. */
const lacking = (cause: unknown): RestartNeeded =>
  new RestartNeeded('whole-runtime', `ONNX Runtime, reduced: ${messageOf(cause)}`, { cause });

const shapeOf = ({ layout, height, width }: ModelInput, pictures: number): number[] =>
  layout === 'NCHW' ? [pictures, 3, height, width] : [pictures, height, width, 3];

/** Names and the input's shape, so that a manifest that does not fit says so before the first picture. */
function checkFits(which: string, session: InferenceSession, input: ModelInput, outputs: (string | undefined)[]): void {
  const missing = outputs.filter((name) => name !== undefined && !session.outputNames.includes(name));
  if (missing.length > 0)
    throw new DermletError(
      'MODEL_CORRUPT',
      `The ${which} has no output '${missing.join("', '")}' that its manifest names.`,
    );
  if (!session.inputNames.includes(input.name))
    throw new DermletError('MODEL_CORRUPT', `The ${which} has no input '${input.name}' that its manifest names.`);
  const found = session.inputMetadata.find(({ name }) => name === input.name);
  if (!found?.isTensor) return;
  const given = shapeOf(input, 1);
  // Open dimensions are names, or nothing.
  const fits =
    found.type === 'float32' &&
    found.shape.length === given.length &&
    found.shape.every((size, axis) => !(Number(size) > 0) || size === given[axis]);
  if (fits) return;
  const wanted = found.shape.map((size) => size || 'any').join(', ');
  throw new DermletError(
    'MODEL_CORRUPT',
    `The ${which} takes ${found.type} [${wanted}] as '${input.name}', but by its manifest it would get float32 ` +
      `[${given.join(', ')}].`,
  );
}

class SessionNetwork implements Network {
  lost: string | undefined;
  readonly version: string;

  constructor(
    readonly backend: Backend,
    readonly threads: number,
    /** Whether the runtime has all functions. */
    readonly whole: boolean,
    readonly runtime: Runtime,
    readonly session: InferenceSession,
    readonly finding: InferenceSession | null,
    readonly manifest: Manifest,
  ) {
    this.version = runtime.env.versions.common;
    if (backend === 'webgpu') void this.#watchDevice();
  }

  async run(tensor: Float32Array<ArrayBuffer>, views = 1): Promise<NetworkOutputs> {
    if (views === 1 || takesAnyBatch(this.session, this.manifest)) return this.#runBatch(tensor, views);
    const size = tensor.length / views;
    const parts: NetworkOutputs[] = [];
    for (let view = 0; view < views; view++)
      parts.push(await this.#runBatch(tensor.subarray(view * size, (view + 1) * size), 1));
    return joined(parts);
  }

  async #runBatch(tensor: Float32Array<ArrayBuffer>, views: number): Promise<NetworkOutputs> {
    const { input, outputs, classes } = this.manifest;
    const answer = await this.#answer(this.session, input, tensor, views, `the network on ${this.backend}`);
    try {
      const scores = floats(answer, outputs.scores, [views, classes.length]);
      const maps = outputs.maps === undefined ? null : floats(answer, outputs.maps, [views, classes.length, 0, 0]);
      const embedding = outputs.embedding === undefined ? null : floats(answer, outputs.embedding, [views, 0]);
      return {
        scores: scores.data,
        maps: maps?.data ?? null,
        mapHeight: maps?.dims[2] ?? 0,
        mapWidth: maps?.dims[3] ?? 0,
        embedding: embedding?.data ?? null,
        views,
      };
    } finally {
      for (const value of Object.values(answer)) (value as Tensor).dispose();
    }
  }

  async locate(tensor: Float32Array<ArrayBuffer>): Promise<LocatorOutput> {
    const { locator } = this.manifest;
    if (!this.finding || !locator) throw new DermletError('BACKEND_FAILED', 'The model has no locator.');
    const answer = await this.#answer(this.finding, locator.input, tensor, 1, 'the locator');
    try {
      const { data, dims } = floats(answer, locator.output, [1, 3, 0, 0]);
      return { values: data, rows: dims[2]!, columns: dims[3]! };
    } finally {
      for (const value of Object.values(answer)) (value as Tensor).dispose();
    }
  }

  async #answer(
    session: InferenceSession,
    input: ModelInput,
    tensor: Float32Array<ArrayBuffer>,
    views: number,
    what: string,
  ): Promise<InferenceSession.OnnxValueMapType> {
    try {
      clearUpperHalves();
      return await session.run({ [input.name]: new this.runtime.Tensor('float32', tensor, shapeOf(input, views)) });
    } catch (cause) {
      if (!this.whole) throw lacking(cause);
      throw new DermletError('BACKEND_FAILED', `ONNX Runtime could not run ${what}: ${messageOf(cause)}`, { cause });
    }
  }

  async release(): Promise<void> {
    try {
      await this.session.release();
      await this.finding?.release();
    } catch {
      // A lost device cannot release; its memory went with it.
    }
  }

  async #watchDevice(): Promise<void> {
    try {
      const device = (await this.runtime.env.webgpu.device) as unknown as {
        lost: Promise<{ message: string; reason: string }>;
      };
      const { message, reason } = await device.lost;
      this.lost = message || reason || 'the WebGPU device was lost';
    } catch {
      // No device to watch: a failing run is noticed anyway.
    }
  }
}

/** Whether the graph's batch dimension is open: a name, or nothing, instead of a number. */
function takesAnyBatch({ inputMetadata }: InferenceSession, { input }: Manifest): boolean {
  const found = inputMetadata.find(({ name }) => name === input.name);
  return found?.isTensor === true && !(Number(found.shape[0]) > 0);
}

/** The outputs of several runs, joined as if of one. */
function joined(parts: readonly NetworkOutputs[]): NetworkOutputs {
  const join = (of: (part: NetworkOutputs) => Float32Array | null): Float32Array | null => {
    const arrays = parts.flatMap((part) => of(part) ?? []);
    if (arrays.length === 0) return null;
    const whole = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
    let at = 0;
    for (const array of arrays) {
      whole.set(array, at);
      at += array.length;
    }
    return whole;
  };
  const [{ mapHeight, mapWidth }] = parts as [NetworkOutputs];
  return {
    scores: join(({ scores }) => scores)!,
    maps: join(({ maps }) => maps),
    mapHeight,
    mapWidth,
    embedding: join(({ embedding }) => embedding),
    views: parts.length,
  };
}

/** One output's values, copied; 0 in `shape` stands for any size. @throws DermletError MODEL_CORRUPT */
function floats(
  answer: InferenceSession.OnnxValueMapType,
  name: string,
  shape: number[],
): { data: Float32Array; dims: readonly number[] } {
  const value = answer[name] as Tensor | undefined;
  const fits =
    value?.type === 'float32' &&
    value.dims.length === shape.length &&
    shape.every((size, axis) => size === 0 || value.dims[axis] === size);
  if (!fits) {
    const found = value ? `${value.type} [${value.dims.join(', ')}]` : 'nothing';
    throw new DermletError(
      'MODEL_CORRUPT',
      `The network's output '${name}' is ${found}, but should be float32 [${shape.map((n) => n || 'any').join(', ')}].`,
    );
  }
  return { data: Float32Array.from(value.data as Float32Array), dims: value.dims };
}
