/**
 * The WASM core, kept usable for the next call.
 *
 * WASM memory never shrinks: one very large photo would hold its memory for good and could leave no room for the next.
 * An instance that threw, ran out of memory or grew past a limit is therefore dropped, and a new one made from the same
 * bytes.
 */
import createDermlet from '../../../build/wasm/dermlet.js';
import type {
  CombinationSpec,
  CoreErrorCode,
  DermletModule,
  Failure,
  ForeignPicture,
  Interpreted,
  LesionOutputs,
  Located,
  LocateSpec,
  ModalityProbe,
  Prepared,
  PrepareSpec,
  Quality,
  Rect,
} from '../../../wasm_src/bindings/dermlet.js';
import { messageOf } from './abort.js';
import { requireWasm } from './download.js';
import { DermletError } from './errors.js';
import { type DecodeForeign, type DecodePath, patchedCopy, unsupported } from './foreign.js';
import type { LocatorOutput } from './network.js';
import { clearUpperHalves } from './registers.js';
import { imported } from './scripts.js';

/** An instance that holds more than this after a call is dropped. */
const KEPT_BYTES = 256 << 20;

export type CreateModule = typeof createDermlet;

/** `DICM` after 128 bytes of anything. Those without it are refused by the core. */
const isDicom = (bytes: Uint8Array): boolean =>
  bytes.length > 132 && bytes[128] === 0x44 && bytes[129] === 0x49 && bytes[130] === 0x43 && bytes[131] === 0x4d;

/** A prepared picture and what decoded it. */
export interface Decoded extends Prepared {
  decodePath: DecodePath;
}

export class Core {
  #instance: DermletModule | undefined;
  /**
   * Decoded foreign pictures, cached while the file's bytes are referenced: a picture is prepared more than once, and
   * decoding takes longest.
   */
  readonly #foreign = new WeakMap<Uint8Array, ForeignPicture & { path: DecodePath }>();

  private constructor(
    readonly wasm: Uint8Array,
    readonly create: CreateModule,
    readonly decodeForeign: DecodeForeign | undefined,
  ) {}

  /**
   * @param wasm bytes of dermlet.wasm; kept, for new instances
   * @param url where the bytes came from, for messages
   * @param decodeForeign decodes what the core does not; without it such files are refused
   * @throws DermletError MODEL_UNAVAILABLE if they are not WebAssembly, BACKEND_FAILED if they cannot be compiled
   */
  static async load(
    wasm: Uint8Array,
    url: string,
    create: CreateModule = createDermlet,
    decodeForeign?: DecodeForeign,
  ): Promise<Core> {
    requireWasm(url, wasm);
    const core = new Core(wasm, create, decodeForeign);
    await core.#ready();
    return core;
  }

  /** The pictures in DICOM files, cached as those above. */
  readonly #taken = new WeakMap<Uint8Array, Uint8Array>();

  /** @throws DermletError with the core's code, and what `decodeForeign` and `imported` throw */
  async prepare(file: Uint8Array, spec: PrepareSpec, crop: Rect | null): Promise<Decoded> {
    const bytes = isDicom(file) ? await this.#jpegIn(file) : file;
    const foreign = await this.#foreignPicture(bytes);
    const prepared = await this.#call((instance) => instance.prepare(foreign ?? bytes, spec, crop));
    return { ...prepared, decodePath: foreign?.path ?? 'core' };
  }

  /** The JPEG in a DICOM file: decoded as any other. */
  async #jpegIn(file: Uint8Array): Promise<Uint8Array> {
    const known = this.#taken.get(file);
    if (known) return known;
    // What is a picture by its first bytes is read as one, whatever follows.
    if ((await this.#answer((instance) => instance.sniff(file))).ok) return file;
    const { jpegOf } = await imported(() => import('./dicom.js'));
    const jpeg = jpegOf(file as Uint8Array<ArrayBuffer>);
    this.#taken.set(file, jpeg);
    return jpeg;
  }

  /** Undefined for files the core decodes itself, and for files that are no picture: `prepare` reports those. */
  async #foreignPicture(bytes: Uint8Array): Promise<(ForeignPicture & { path: DecodePath }) | undefined> {
    const known = this.#foreign.get(bytes);
    if (known) return known;
    const sniffed = await this.#answer((instance) => instance.sniff(bytes));
    if (!sniffed.ok || !sniffed.foreign) return undefined;
    const header = await this.#call((instance) => instance.inspect(bytes));
    if (!this.decodeForeign) throw unsupported(sniffed.format, 'there is nothing here that decodes it');
    const { path, ...pixels } = await this.decodeForeign(patchedCopy(bytes, header.neutralising), sniffed.format);
    const picture = { header, pixels, path };
    this.#foreign.set(bytes, picture);
    return picture;
  }

  /** @throws DermletError with the core's code */
  async judgeQuality(values: readonly number[], limits: PrepareSpec['quality']): Promise<Quality> {
    const { usable, checks } = await this.#call((instance) => instance.judgeQuality(values, limits));
    return { usable, checks };
  }

  /** @throws DermletError with the core's code */
  async locate(
    { values, rows, columns }: LocatorOutput,
    picture: { width: number; height: number },
    spec: LocateSpec,
  ): Promise<Located> {
    return this.#call((instance) => instance.locate(values, rows, columns, picture, spec));
  }

  /** @throws DermletError with the core's code */
  async recogniseModality(
    embedding: Float32Array,
    probe: ModalityProbe,
  ): Promise<{ index: number; probability: number }> {
    return this.#call((instance) => instance.recogniseModality(embedding, probe));
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
    return wanted(await this.#answer(run));
  }

  async #answer<T extends { ok: true }>(run: (instance: DermletModule) => T | Failure): Promise<T | Failure> {
    const instance = await this.#ready();
    let answer: T | Failure;
    try {
      clearUpperHalves();
      answer = run(instance);
    } catch (cause) {
      this.#instance = undefined;
      throw crashed(cause);
    }
    const outOfMemory = !answer.ok && answer.code === 'IMAGE_TOO_LARGE';
    if (outOfMemory || instance.memoryBytes() > KEPT_BYTES) this.#instance = undefined;
    return answer;
  }
}

/** @throws DermletError with the core's code */
export function wanted<T extends { ok: true }>(answer: T | Failure): T {
  if (!answer.ok) throw new DermletError(answer.code satisfies CoreErrorCode, answer.message);
  return answer;
}

/** The core itself never throws: this is a WASM trap, or memory that could not be allocated. */
function crashed(cause: unknown): DermletError {
  const message = messageOf(cause);
  if (cause instanceof RangeError || /memory|alloc/i.test(message)) {
    return new DermletError('IMAGE_TOO_LARGE', 'There is not enough memory for this picture.', { cause });
  }
  return new DermletError('CORRUPT_IMAGE', `The picture could not be decoded: ${message}`, { cause });
}
