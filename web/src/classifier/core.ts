/**
 * The WASM core, kept in a state in which the next call works.
 *
 * WASM memory never shrinks, so that one very large photo would hold its memory for good and could leave no room for the next: an instance that
 * threw, ran out of memory or has grown past a limit is dropped and a new one made from the same bytes.
 */
import createDermlet from '../../../build/wasm/dermlet.js';
import type {
  CombinationSpec,
  CoreErrorCode,
  DermletModule,
  Failure,
  Interpreted,
  LesionOutputs,
  Prepared,
  PrepareSpec,
  Rect,
} from '../../../wasm_src/bindings/dermlet.js';
import { messageOf } from './abort.js';
import { DermletError } from './errors.js';
import { requireWasm } from './download.js';

/** An instance that holds more than this after a call is dropped. */
const KEPT_BYTES = 256 << 20;

export type CreateModule = typeof createDermlet;

export class Core {
  #instance: DermletModule | undefined;

  private constructor(
    readonly wasm: Uint8Array,
    readonly create: CreateModule,
  ) {}

  /**
   * @param wasm bytes of dermlet.wasm; kept, for new instances
   * @param url where they came from, for messages
   * @throws DermletError MODEL_UNAVAILABLE when they are not WebAssembly, BACKEND_FAILED when they cannot be compiled
   */
  static async load(wasm: Uint8Array, url: string, create: CreateModule = createDermlet): Promise<Core> {
    requireWasm(url, wasm);
    const core = new Core(wasm, create);
    await core.#ready();
    return core;
  }

  /** @throws DermletError with the core's code */
  async prepare(bytes: Uint8Array, spec: PrepareSpec, crop: Rect | null): Promise<Prepared> {
    return this.#call((instance) => instance.prepare(bytes, spec, crop));
  }

  /** @throws DermletError with the core's code */
  async interpret(pictures: readonly LesionOutputs[], combination: CombinationSpec | null): Promise<Interpreted> {
    return this.#call((instance) => instance.interpret(pictures, combination));
  }

  async #ready(): Promise<DermletModule> {
    try {
      // The bytes are copied: the glue may keep or detach what it is given.
      this.#instance ??= await this.create({ wasmBinary: this.wasm.slice(), locateFile: (path) => path });
      return this.#instance;
    } catch (cause) {
      throw new DermletError('BACKEND_FAILED', `The image core could not be started: ${messageOf(cause)}`, { cause });
    }
  }

  async #call<T extends { ok: true }>(run: (instance: DermletModule) => T | Failure): Promise<T> {
    const instance = await this.#ready();
    let answer: T | Failure;
    try {
      answer = run(instance);
    } catch (cause) {
      this.#instance = undefined;
      throw crashed(cause);
    }
    const outOfMemory = !answer.ok && answer.code === 'IMAGE_TOO_LARGE';
    if (outOfMemory || instance.memoryBytes() > KEPT_BYTES) this.#instance = undefined;
    if (!answer.ok) throw new DermletError(answer.code satisfies CoreErrorCode, answer.message);
    return answer;
  }
}

/** The core throws nothing; what comes here is a trap, or memory that the engine could not give. */
function crashed(cause: unknown): DermletError {
  const message = messageOf(cause);
  if (cause instanceof RangeError || /memory|alloc/i.test(message)) {
    return new DermletError('IMAGE_TOO_LARGE', 'There is not enough memory for this picture.', { cause });
  }
  return new DermletError('CORRUPT_IMAGE', `The picture could not be decoded: ${message}`, { cause });
}
