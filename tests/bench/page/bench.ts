/**
 * The benchmark's browser side: every way of turning a photo's bytes into the network's tensor, and of turning them
 * into ranked classes. Peers are used as their own documentation shows, on this page's thread, so that none pays for a
 * message to a worker; Dermlet's whole classification does.
 */
import type { DermletModule, PrepareSpec } from '../../../wasm_src/bindings/dermlet.js';

/** Where things were served from; set by tests/bench/main.ts. */
export interface Addresses {
  module: string;
  wasm: string;
  manifest: string;
  site: string;
  model: string;
  vips: string;
  transformers: string;
  /** ONNX Runtime as Dermlet uses it, and the folder of transformers.js' own. */
  runtime: string;
  transformersRuntime: string;
  /** A folder with the model in the layout of transformers.js. */
  transformersModel: string;
  litert: string;
  litertRuntime: string;
  /** The network as TFLite by kind of number; none without `--litert`. */
  tflite: Record<string, string>;
}

export interface Sample {
  way: string;
  /** Milliseconds, one a round; empty where the way failed. */
  times: number[];
  /** Mean absolute difference to the core's tensor in 8-bit levels; null where there is no tensor. */
  difference: number | null;
  /** Why this browser could not go this way. */
  error?: string;
}

/** What was measured on one picture. */
export interface Measurement {
  samples: Sample[];
  /**
   * Bytes that the core's memory has grown to in an instance that prepared nothing but this picture. WebAssembly memory
   * never shrinks: it is the peak.
   */
  memory: number;
}

/** A way to the tensor, which it resolves to as NCHW RGB; or to ranked classes: resolves to null. */
type Way = (bytes: Uint8Array<ArrayBuffer>, size: { width: number; height: number }) => Promise<Float32Array | null>;

interface VipsImage {
  width: number;
  height: number;
  bands: number;
  writeToMemory(): Uint8Array;
  delete(): void;
}

interface RawImage {
  data: Uint8ClampedArray;
  width: number;
  height: number;
  channels: number;
  rgb(): RawImage;
  resize(width: number, height: number, options: object): Promise<RawImage>;
  center_crop(width: number, height: number): Promise<RawImage>;
}

function jpeg(bytes: Uint8Array<ArrayBuffer>): Blob {
  return new Blob([bytes], { type: 'image/jpeg' });
}

/** 8-bit pixels to NCHW RGB: what every peer leaves to its caller. */
function normalise(pixels: ArrayLike<number>, channels: number, spec: PrepareSpec): Float32Array {
  const plane = spec.width * spec.height;
  const tensor = new Float32Array(3 * plane);
  for (let c = 0; c < 3; c += 1) {
    const mean = spec.mean[c] ?? 0;
    const scale = 1 / (spec.std[c] ?? 1);
    for (let i = 0, at = c; i < plane; i += 1, at += channels)
      tensor[c * plane + i] = ((pixels[at] as number) - mean) * scale;
  }
  return tensor;
}

function context(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const drawing = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (drawing === null) throw new Error('no 2D canvas');
  return drawing;
}

async function instance(at: Addresses): Promise<DermletModule> {
  const { default: create } = (await import(/* @vite-ignore */ at.module)) as {
    default: (options: object) => Promise<DermletModule>;
  };
  return create({ locateFile: () => at.wasm });
}

async function ours(at: Addresses, spec: PrepareSpec): Promise<Way> {
  const core = await instance(at);
  return (bytes) => {
    const prepared = core.prepare(bytes, spec, null);
    if (!prepared.ok) throw new Error(prepared.message);
    return Promise.resolve(prepared.tensor);
  };
}

function canvas(spec: PrepareSpec): Way {
  return async (bytes) => {
    const bitmap = await createImageBitmap(jpeg(bytes));
    const side = Math.min(bitmap.width, bitmap.height);
    const drawing = context(spec.width, spec.height);
    drawing.drawImage(
      bitmap,
      (bitmap.width - side) / 2,
      (bitmap.height - side) / 2,
      side,
      side,
      0,
      0,
      spec.width,
      spec.height,
    );
    bitmap.close();
    return normalise(drawing.getImageData(0, 0, spec.width, spec.height).data, 4, spec);
  };
}

function bitmapResize(spec: PrepareSpec): Way {
  return async (bytes, { width, height }) => {
    const scale = Math.max(spec.width / width, spec.height / height);
    const resize = {
      resizeWidth: Math.round(width * scale),
      resizeHeight: Math.round(height * scale),
      resizeQuality: 'high',
    } as const;
    const bitmap = await createImageBitmap(jpeg(bytes), resize);
    const drawing = context(spec.width, spec.height);
    drawing.drawImage(bitmap, (spec.width - bitmap.width) / 2, (spec.height - bitmap.height) / 2);
    bitmap.close();
    return normalise(drawing.getImageData(0, 0, spec.width, spec.height).data, 4, spec);
  };
}

/** The browser's decoder, told to reduce while it decodes; it may give more pixels than were asked for. */
function imageDecoder(spec: PrepareSpec): Way {
  return async (bytes, { width, height }) => {
    const scale = Math.max(spec.width / width, spec.height / height);
    const decoder = new ImageDecoder({
      data: bytes,
      type: 'image/jpeg',
      desiredWidth: Math.round(width * scale),
      desiredHeight: Math.round(height * scale),
    });
    const { image } = await decoder.decode();
    const side = Math.min(image.displayWidth, image.displayHeight);
    const drawing = context(spec.width, spec.height);
    const [left, top] = [(image.displayWidth - side) / 2, (image.displayHeight - side) / 2];
    drawing.drawImage(image, left, top, side, side, 0, 0, spec.width, spec.height);
    image.close();
    decoder.close();
    return normalise(drawing.getImageData(0, 0, spec.width, spec.height).data, 4, spec);
  };
}

async function wasmVips(at: Addresses, spec: PrepareSpec): Promise<Way> {
  interface Vips {
    Image: { thumbnailBuffer(bytes: Uint8Array, width: number, options: object): VipsImage };
  }
  const { default: create } = (await import(/* @vite-ignore */ at.vips)) as {
    default: (options: object) => Promise<Vips>;
  };
  const vips = await create({ dynamicLibraries: [] });
  return (bytes) => {
    const image = vips.Image.thumbnailBuffer(bytes, spec.width, { height: spec.height, crop: 'centre' });
    const tensor = normalise(image.writeToMemory(), image.bands, spec);
    image.delete();
    return Promise.resolve(tensor);
  };
}

async function transformers(at: Addresses, spec: PrepareSpec): Promise<Way> {
  const { RawImage } = (await import(/* @vite-ignore */ at.transformers)) as {
    RawImage: { fromBlob(blob: Blob): Promise<RawImage> };
  };
  return async (bytes, { width, height }) => {
    const scale = Math.max(spec.width / width, spec.height / height);
    const image = (await RawImage.fromBlob(jpeg(bytes))).rgb();
    const small = await image.resize(Math.round(width * scale), Math.round(height * scale), { resample: 'bicubic' });
    const cut = await small.center_crop(spec.width, spec.height);
    return normalise(cut.data, cut.channels, spec);
  };
}

type Classifiers = typeof import('../../../web/src/classifier/index.js');
let classifier: ReturnType<Classifiers['Classifier']['load']> | undefined;

async function loadedFrom(at: Addresses): ReturnType<Classifiers['Classifier']['load']> {
  const { Classifier } = (await import(/* @vite-ignore */ at.site)) as Classifiers;
  return (classifier ??= Classifier.load(at.model, { backend: 'wasm', idleTimeout: 0 }));
}

/**
 * @param crop `whole`: the picture as it is, as the peers take it; `auto`: its spot is looked for, and looked at.
 * @param given what it is given: a file, as by a person and to the peers, which the browser reads; or its bytes
 */
async function classify(at: Addresses, crop: 'auto' | 'whole', given: 'file' | 'bytes' = 'file'): Promise<Way> {
  const loaded = await loadedFrom(at);
  return async (bytes) => {
    await loaded.classify(given === 'file' ? jpeg(bytes) : bytes, { crop, modality: 'photo' });
    return null;
  };
}

/** One run of the network alone, by the same runtime with as many threads, on a tensor that stays the same. */
async function network(at: Addresses, spec: PrepareSpec): Promise<Way> {
  const ort = (await import(/* @vite-ignore */ at.runtime)) as typeof import('onnxruntime-web');
  const { file, input } = (await (await fetch(at.manifest)).json()) as {
    file: { path: string };
    input: { name: string };
  };
  ort.env.wasm.numThreads = (await (await loadedFrom(at)).inspect()).threads;
  const session = await ort.InferenceSession.create(new URL(file.path, at.manifest).href, {
    executionProviders: ['wasm'],
  });
  const values = Float32Array.from({ length: 3 * spec.width * spec.height }, (_, i) => Math.sin(i));
  const tensor = new ort.Tensor('float32', values, [1, 3, spec.height, spec.width]);
  return async () => {
    await session.run({ [input.name]: tensor });
    return null;
  };
}

/** transformers.js' `pipeline` on the same ONNX file, whose input has another name than it gives. */
async function pipeline(at: Addresses): Promise<Way> {
  interface Inputs {
    pixel_values: unknown;
  }
  interface Pipeline {
    (image: Blob): Promise<{ label: string; score: number }[]>;
    model: { forward(inputs: object): Promise<unknown> };
  }
  const { env, pipeline: create } = (await import(/* @vite-ignore */ at.transformers)) as {
    env: {
      allowRemoteModels: boolean;
      allowLocalModels: boolean;
      localModelPath: string;
      useBrowserCache: boolean;
      backends: { onnx: { wasm: { wasmPaths: string } } };
    };
    pipeline(task: string, model: string, options: object): Promise<Pipeline>;
  };
  const model = new URL(at.transformersModel);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  // An address with a scheme would be looked for at the hub.
  env.localModelPath = new URL('..', model).pathname;
  env.backends.onnx.wasm.wasmPaths = at.transformersRuntime;
  const name = model.pathname.split('/').at(-2) as string;
  const ranked = await create('image-classification', name, { dtype: 'fp32', device: 'wasm' });
  const forward = ranked.model.forward.bind(ranked.model);
  ranked.model.forward = (inputs) => forward({ pixels: (inputs as Inputs).pixel_values });
  return async (bytes) => {
    const classes = await ranked(jpeg(bytes));
    if (classes.length === 0) throw new Error('no classes came');
    return null;
  };
}

let litertLoaded: Promise<unknown> | undefined;

/** LiteRT.js on the CPU. How a picture becomes a tensor it leaves to its caller: the canvas' way, as in its samples. */
async function litert(at: Addresses, spec: PrepareSpec, kind: string): Promise<Way> {
  const address = at.tflite[kind];
  if (address === undefined) throw new Error('not asked for: --litert');
  interface Values {
    toTypedArray(): Float32Array;
    delete(): void;
  }
  const { loadLiteRt, loadAndCompile, Tensor } = (await import(/* @vite-ignore */ at.litert)) as {
    loadLiteRt(folder: string): Promise<unknown>;
    loadAndCompile(model: string, options: object): Promise<{ run(tensor: unknown): Promise<Values[]> }>;
    Tensor: new (values: Float32Array, shape: number[]) => Values;
  };
  await (litertLoaded ??= loadLiteRt(at.litertRuntime));
  const model = await loadAndCompile(address, { accelerator: 'wasm' });
  const plane = spec.width * spec.height;
  const tensorOf = canvas(spec);
  return async (bytes, size) => {
    const planes = (await tensorOf(bytes, size)) as Float32Array;
    const values = new Float32Array(planes.length);
    for (let i = 0; i < plane; i += 1)
      for (let c = 0; c < 3; c += 1) values[3 * i + c] = planes[c * plane + i] as number;
    const tensor = new Tensor(values, [1, spec.height, spec.width, 3]);
    const outputs = await model.run(tensor);
    const scores = [...(outputs[0] as Values).toTypedArray()];
    const ranked = scores.map((score, index) => ({ score, index })).sort((a, b) => b.score - a.score);
    for (const each of [tensor, ...outputs]) each.delete();
    if (ranked.length === 0) throw new Error('no classes came');
    return null;
  };
}

function meanDifference(a: Float32Array, b: Float32Array, spec: PrepareSpec): number {
  const plane = spec.width * spec.height;
  let sum = 0;
  for (let i = 0; i < a.length; i += 1)
    sum += Math.abs((a[i] as number) - (b[i] as number)) * (spec.std[Math.floor(i / plane)] ?? 1);
  return sum / a.length;
}

async function specOf(manifestUrl: string): Promise<PrepareSpec> {
  const { input } = (await (await fetch(manifestUrl)).json()) as {
    input: Omit<PrepareSpec, 'cropPct' | 'quality' | 'previewSide' | 'views'>;
  };
  if (input.layout !== 'NCHW' || input.channels !== 'RGB')
    throw new Error('the peers of this benchmark give NCHW RGB only');
  // All of the square: the peers know no other.
  return { ...input, quality: {}, cropPct: 1, previewSide: 0, views: 1, whole: null };
}

const MAKERS: Record<string, (at: Addresses, spec: PrepareSpec) => Way | Promise<Way>> = {
  dermlet: ours,
  canvas: (_, spec) => canvas(spec),
  'bitmap-resize': (_, spec) => bitmapResize(spec),
  'image-decoder': (_, spec) => imageDecoder(spec),
  'wasm-vips': wasmVips,
  'transformers.js': transformers,
  'classify-whole': (at) => classify(at, 'whole'),
  'classify-bytes': (at) => classify(at, 'whole', 'bytes'),
  classify: (at) => classify(at, 'auto'),
  network,
  pipeline,
  'litert-float': (at, spec) => litert(at, spec, 'float'),
  'litert-int8': (at, spec) => litert(at, spec, 'int8'),
};

interface Current {
  bytes: Uint8Array<ArrayBuffer>;
  size: { width: number; height: number };
  samples: Map<string, Sample>;
  tensors: Map<string, Float32Array | null>;
}

const ways = new Map<string, Way>();
const unavailable = new Map<string, string>();
let addresses: Addresses;
let spec: PrepareSpec;
let current: Current;

const said = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Loads the ways that are wanted; one that this browser cannot load is left out and named with every picture. */
async function load(at: Addresses, wanted: readonly string[]): Promise<void> {
  addresses = at;
  spec = await specOf(at.manifest);
  for (const [name, make] of Object.entries(MAKERS).filter(([name]) => wanted.includes(name))) {
    try {
      ways.set(name, await make(at, spec));
    } catch (error) {
      unavailable.set(name, said(error));
    }
  }
}

/** Fetches the picture that the rounds after it are about. */
async function begin(url: string, size: { width: number; height: number }): Promise<void> {
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const samples = [...ways.keys(), ...unavailable.keys()].map((way): [string, Sample] => {
    const error = unavailable.get(way);
    return [way, { way, times: [], difference: null, ...(error === undefined ? {} : { error }) }];
  });
  current = { bytes, size, samples: new Map(samples), tensors: new Map() };
}

/** In an order that the number alone decides (Fisher and Yates' shuffle, by a linear congruential generator). */
function shuffled<T>(items: readonly T[], number: number): T[] {
  const order = [...items];
  let state = number + 1;
  for (let i = order.length - 1; i > 0; i -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (i + 1));
    [order[i], order[other]] = [order[other] as T, order[i] as T];
  }
  return order;
}

/** Milliseconds: longer than a runtime's threads go on waiting in a loop for the next run, which slows all others. */
const PAUSE = 30;

/**
 * Times all ways once. Each round has another order, so that noise of the machine hits all alike and none has always
 * the same one before it, whose caches and threads it would find warm. Warm-up rounds are not kept.
 */
async function round(number: number, keep: boolean): Promise<void> {
  for (const name of shuffled([...ways.keys()], number)) {
    const sample = current.samples.get(name) as Sample;
    if (sample.error !== undefined) continue;
    const copy = current.bytes.slice();
    await new Promise((rested) => setTimeout(rested, PAUSE));
    try {
      const began = performance.now();
      const tensor = await (ways.get(name) as Way)(copy, current.size);
      const time = performance.now() - began;
      current.tensors.set(name, tensor);
      if (keep) sample.times.push(time);
    } catch (error) {
      sample.error = said(error);
      sample.times = [];
    }
  }
}

/** What the rounds came to. */
async function end(): Promise<Measurement> {
  const reference = current.tensors.get('dermlet');
  for (const [name, tensor] of current.tensors) {
    const sample = current.samples.get(name) as Sample;
    if (reference && tensor && sample.error === undefined) sample.difference = meanDifference(reference, tensor, spec);
  }
  const core = await instance(addresses);
  core.prepare(current.bytes, spec, null);
  return { samples: [...current.samples.values()], memory: core.memoryBytes() };
}

Object.assign(globalThis, { driven: { load, begin, round, end, isolated: () => crossOriginIsolated } });
