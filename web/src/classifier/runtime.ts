/**
 * Which backend runs the network. WASM is the reference and the default. WebGPU is tried when asked for, or with 'auto'
 * if there is a hardware adapter; it is trusted only after the self-test, and given up for good at the first failure:
 * the current call then finishes on WASM.
 */
import { messageOf } from './abort.js';
import type { AdapterLike, Environment, GpuLike } from './environment.js';
import { DermletError } from './errors.js';
import { LIMITS } from './limits.js';
import { type Network, RestartNeeded } from './network.js';
import type { BackendChoice } from './options.js';
import type { Backend, Runtime as RuntimeReport } from './result.js';
import { within } from './within.js';

export type Fallback = NonNullable<RuntimeReport['fallback']>;

/**
 * A software adapter is slower than WASM. SwiftShader and llvmpipe do not always set the flag, but their names show it.
 */
export function isHardware(adapter: AdapterLike | null): boolean {
  if (!adapter || adapter.isFallbackAdapter === true || adapter.info?.isFallbackAdapter === true) return false;
  const { vendor = '', architecture = '', description = '' } = adapter.info ?? {};
  return !/swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i.test(`${vendor} ${architecture} ${description}`);
}

/** Whether to try WebGPU; `why` if it was asked for and is impossible. */
export async function wantsWebGpu(
  choice: BackendChoice,
  gpu: GpuLike | undefined,
): Promise<{ tried: boolean; why?: string }> {
  if (choice === 'wasm') return { tried: false };
  // `auto` found nothing better than the default: not a fallback, so not reported.
  const silent = choice === 'auto';
  if (!gpu) return { tried: false, ...(silent ? {} : { why: 'this browser has no WebGPU' }) };
  let adapter: AdapterLike | null;
  try {
    adapter = await within(gpu.requestAdapter(), LIMITS.adapter, 'WebGPU');
  } catch (error) {
    return { tried: false, ...(silent ? {} : { why: `WebGPU gave no adapter: ${messageOf(error)}` }) };
  }
  if (!adapter) return { tried: false, ...(silent ? {} : { why: 'WebGPU gave no adapter' }) };
  return { tried: choice === 'webgpu' || isHardware(adapter) };
}

export interface RuntimeOptions {
  choice: BackendChoice;
  environment: Environment;
  /** Creates a session; reads the model's bytes anew each time, so that none are held in between. */
  create(backend: Backend): Promise<Network>;
  /** Why the network's outputs are wrong; undefined if they are right. */
  selfTest(network: Network): Promise<string | undefined>;
}

export class Runtime {
  #network: Network;
  #fallback: Fallback | undefined;

  private constructor(
    readonly options: RuntimeOptions,
    network: Network,
    fallback: Fallback | undefined,
  ) {
    this.#network = network;
    this.#fallback = fallback;
  }

  /** @throws RestartNeeded, DermletError if WASM does not work either */
  static async start(options: RuntimeOptions): Promise<Runtime> {
    const { tried, why } = await wantsWebGpu(options.choice, options.environment.gpu);
    let reason = why;
    if (tried) {
      const attempt = await tryWebGpu(options);
      if (typeof attempt !== 'string') return new Runtime(options, attempt, undefined);
      reason = attempt;
    }
    return new Runtime(
      options,
      await options.create('wasm'),
      reason === undefined ? undefined : { from: 'webgpu', reason },
    );
  }

  get backend(): Backend {
    return this.#network.backend;
  }

  get threads(): number {
    return this.#network.threads;
  }

  get fallback(): Fallback | undefined {
    return this.#fallback;
  }

  /**
   * Runs `use` with the currently trusted network; if WebGPU fails, gives WebGPU up and runs `use` again on WASM.
   * @throws what `use` throws on WASM
   */
  async run<T>(use: (network: Network) => Promise<T>): Promise<T> {
    if (this.#network.backend === 'wasm') return use(this.#network);
    try {
      if (this.#network.lost !== undefined) throw new Error(this.#network.lost);
      return await use(this.#network);
    } catch (error) {
      await this.#leaveWebGpu(this.#network.lost ?? messageOf(error));
      return use(this.#network);
    }
  }

  async release(): Promise<void> {
    await this.#network.release();
  }

  async #leaveWebGpu(reason: string): Promise<void> {
    const left = this.#network;
    this.#network = await this.options.create('wasm');
    this.#fallback = { from: 'webgpu', reason };
    void left.release();
  }
}

/** A network that passed the self-test, or why there is none. */
async function tryWebGpu({ create, selfTest }: RuntimeOptions): Promise<Network | string> {
  let network: Network | undefined;
  try {
    network = await create('webgpu');
    const wrong = network.lost ?? (await selfTest(network));
    if (wrong === undefined) return network;
    void network.release();
    return wrong;
  } catch (error) {
    if (error instanceof DermletError && (error.code === 'ABORTED' || error.code === 'MODEL_CORRUPT')) throw error;
    void network?.release();
    return error instanceof RestartNeeded || error instanceof DermletError ? error.message : messageOf(error);
  }
}
