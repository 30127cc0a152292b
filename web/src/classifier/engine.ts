/**
 * Bytes of a picture -> Result, anywhere: in the page's worker and in Node alike. Joins the WASM core, the network and the manifest; computes
 * nothing itself.
 */
import type { DecisionSpec, Explain, Interpreted, Prepared, PrepareSpec } from '../../../wasm_src/bindings/dermlet.js';
import { throwIfAborted } from './abort.js';
import { Core } from './core.js';
import type { Environment } from './environment.js';
import { DermletError } from './errors.js';
import { parseReference, type FileEntry, type Manifest, type Modality, type SelfTestReference } from './manifest.js';
import { createNetwork, type Network, type NetworkOutputs } from './network.js';
import type { BackendChoice, ClassifyOptions, Stage } from './options.js';
import type { RankedClass, Rect, Result, ResultPictures, Runtime as RuntimeReport } from './result.js';
import { Runtime } from './runtime.js';

/** The options of one call that decide the result; plain data. */
export type CallOptions = Pick<ClassifyOptions, 'modality' | 'crop' | 'explain' | 'pictures'>;

/** Longest sides, pixels. */
const PREVIEW_SIDE = 1024;
const OVERLAY_SIDE = 512;

export interface EngineOptions {
  manifest: Manifest;
  /** One of the model's files, verified. @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT */
  file(entry: FileEntry): Promise<Uint8Array<ArrayBuffer>>;
  environment: Environment;
  backend: BackendChoice;
  /** Called before each self-test. */
  onSelfTest?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface SelfTest {
  passed: boolean;
  /** Greatest difference from the reference, over scores and embedding; NaN when the network gave something else altogether. */
  difference: number;
  tolerance: number;
}

export class Engine {
  readonly manifest: Manifest;

  private constructor(
    readonly options: EngineOptions,
    readonly core: Core,
    readonly runtime: Runtime,
  ) {
    this.manifest = options.manifest;
  }

  /**
   * Starts the core and the network.
   * @throws ThreadsFailed (start again with one thread), DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, BACKEND_FAILED, ABORTED
   */
  static async load(options: EngineOptions): Promise<Engine> {
    const { manifest, environment, signal } = options;
    const starting = environment.coreWasm().then((wasm) => Core.load(wasm, environment.coreUrl));
    const running = Runtime.start({
      choice: options.backend,
      environment,
      create: (backend) => createNetwork(backend, environment, () => options.file(manifest.file), manifest),
      selfTest: async (network) => {
        options.onSelfTest?.();
        const { passed, difference, tolerance } = await runSelfTest(options, await starting, network);
        return passed ? undefined : `the self-test differs from its reference by ${difference.toPrecision(3)}, more than ${tolerance}`;
      },
    });
    const [core, runtime] = await Promise.all([starting, running]);
    throwIfAborted(signal);
    return new Engine(options, core, runtime);
  }

  /**
   * Classifies one picture. Every class's probability is in `ranking` whatever the outcome; only `outcome` says whether one may be shown.
   * @param bytes a whole JPEG, PNG or BMP file
   * @throws DermletError with any code but DISPOSED
   */
  async classify(bytes: Uint8Array, options: CallOptions = {}, onStage: (stage: Stage) => void = () => undefined): Promise<Result> {
    const began = performance.now();
    const modality = findModality(this.manifest, options.modality);
    const explained = findExplained(this.manifest, options.explain);
    const pictures = options.pictures === true;
    onStage('decoding');
    const prepared = await this.core.prepare(bytes, prepareSpec(this.manifest, pictures ? PREVIEW_SIDE : 0), checkedCrop(options.crop));
    const preparedAt = performance.now();
    onStage('analysing');
    const { interpreted, inferredAt } = await this.runtime.run(async (network) => {
      const outputs = await network.run(prepared.tensor);
      const inferredAt = performance.now();
      if (explained !== null) onStage('explaining');
      const explain = explained === null || outputs.maps === null ? null : explainSpec(explained, prepared.region, pictures);
      return { interpreted: await this.#interpret(outputs, modality, prepared.quality.usable, explain), inferredAt };
    });
    const ended = performance.now();
    const timings = { queue: 0, prepare: preparedAt - began, inference: inferredAt - preparedAt, interpret: ended - inferredAt, total: ended - began };
    onStage('done');
    return this.#result(bytes.length, modality, prepared, interpreted, pictures, timings);
  }

  /** Classifies the model's self-test picture and compares with the reference shipped. @throws DermletError */
  async selfTest(): Promise<SelfTest> {
    return this.runtime.run((network) => runSelfTest(this.options, this.core, network));
  }

  /** Runs everything once, so that the first photo does not pay for compilation. Failures are left to the first photo. */
  async warmUp(): Promise<void> {
    try {
      await this.classify(await this.options.file(this.manifest.selfTest.picture), { explain: true });
    } catch {
      // Nothing was asked for yet, so there is nobody to tell.
    }
  }

  async dispose(): Promise<void> {
    await this.runtime.release();
  }

  /** What the core refuses here came from the network, never from the caller. */
  async #interpret(outputs: NetworkOutputs, modality: Modality, usable: boolean, explain: Explain | null): Promise<Interpreted> {
    try {
      return await this.core.interpret(outputs, decisionSpec(this.manifest, modality), usable, explain);
    } catch (cause) {
      if (cause instanceof DermletError && cause.code === 'INVALID_ARGUMENT') {
        throw new DermletError('BACKEND_FAILED', `The network's answer cannot be used: ${cause.message}`, { cause });
      }
      throw cause;
    }
  }

  #result(
    size: number,
    modality: Modality,
    prepared: Prepared,
    interpreted: Interpreted,
    pictures: boolean,
    timings: RuntimeReport['timings'],
  ): Result {
    const { manifest, runtime } = this;
    const classOf = (index: number) => manifest.classes[index]!;
    const ranking = interpreted.ranking.map(
      (index): RankedClass => ({
        ...classOf(index),
        probability: interpreted.probabilities[index]!,
        inSet: interpreted.predictionSet.includes(index),
      }),
    );
    const { heatMap } = interpreted;
    return {
      resultVersion: 1,
      model: { name: manifest.name, version: manifest.version, sha256: manifest.file.sha256, title: manifest.title },
      outcome: interpreted.outcome,
      tier: interpreted.tier,
      modality: modality.id,
      ranking,
      predictionSet: interpreted.predictionSet.map((index) => classOf(index).id),
      coverage: manifest.decision.coverage,
      rejection: { method: manifest.decision.rejection, score: interpreted.rejection, threshold: rejectionThreshold(manifest, modality) },
      quality: prepared.quality,
      source: {
        format: prepared.source.format,
        bytes: size,
        width: prepared.source.width,
        height: prepared.source.height,
        orientation: prepared.source.orientation,
        colour: prepared.source.colour,
        decodePath: 'core',
        bitExact: true,
        region: prepared.region,
      },
      ...(heatMap
        ? { explanation: { classId: classOf(heatMap.classIndex).id, rows: heatMap.rows, columns: heatMap.columns, values: heatMap.values } }
        : {}),
      runtime: {
        backend: runtime.backend,
        threads: runtime.threads,
        ...(runtime.fallback ? { fallback: runtime.fallback } : {}),
        timings,
      },
      ...(pictures ? { pictures: resultPictures(prepared, heatMap) } : {}),
    };
  }
}

function resultPictures(prepared: Prepared, heatMap: Interpreted['heatMap']): ResultPictures {
  return {
    ...(prepared.preview ? { preview: prepared.preview } : {}),
    view: prepared.view,
    ...(heatMap ? { overlay: heatMap.overlay } : {}),
  };
}

export function prepareSpec({ input, quality }: Manifest, previewSide: number): PrepareSpec {
  const { name: _name, ...picture } = input;
  return { ...picture, minSide: quality.minSide, minContrast: quality.minContrast, previewSide };
}

export function decisionSpec(manifest: Manifest, modality: Modality): DecisionSpec {
  return {
    scoresAre: manifest.outputs.scoresAre,
    temperature: modality.temperature,
    setThresholds: modality.setThresholds,
    rejectionThreshold: rejectionThreshold(manifest, modality),
    concern: manifest.classes.map(({ concern }) => concern),
    highConcernMass: manifest.decision.highConcernMass,
  };
}

const rejectionThreshold = (manifest: Manifest, modality: Modality): number | null =>
  manifest.decision.rejection === 'none' ? null : modality.rejectionThreshold;

function findModality(manifest: Manifest, id = manifest.defaultModality): Modality {
  const found = manifest.modalities.find((modality) => modality.id === id);
  if (found) return found;
  const known = manifest.modalities.map((modality) => modality.id).join(', ');
  throw new DermletError('INVALID_ARGUMENT', `The model does not know the modality '${id}'; it knows ${known}.`);
}

/** Index of the class to explain, -1 for the first-ranked, null for none. */
function findExplained(manifest: Manifest, explain: boolean | string = false): number | null {
  if (typeof explain === 'boolean') return explain ? -1 : null;
  const index = manifest.classes.findIndex(({ id }) => id === explain);
  if (index < 0) throw new DermletError('INVALID_ARGUMENT', `The model has no class '${explain}' to explain.`);
  return index;
}

function checkedCrop(crop: Rect | undefined): Rect | null {
  if (!crop) return null;
  const { x, y, width, height } = crop;
  if (![x, y, width, height].every((value) => Number.isSafeInteger(value) && Math.abs(value) < 2 ** 31)) {
    throw new DermletError('INVALID_ARGUMENT', 'The crop must be whole pixels: x, y, width and height.');
  }
  return { x, y, width, height };
}

/** The overlay has the region's shape, so that it can be laid over it; without pictures only the grid is wanted. */
function explainSpec(classIndex: number, region: Rect, pictures: boolean): Explain {
  if (!pictures) return { classIndex, width: 1, height: 1 };
  const scale = Math.min(1, OVERLAY_SIDE / Math.max(region.width, region.height));
  return { classIndex, width: Math.max(1, Math.round(region.width * scale)), height: Math.max(1, Math.round(region.height * scale)) };
}

async function runSelfTest({ manifest, file }: EngineOptions, core: Core, network: Network): Promise<SelfTest> {
  const reference = parseReference(new TextDecoder().decode(await file(manifest.selfTest.reference)));
  const picture = await file(manifest.selfTest.picture);
  const { tensor } = await core.prepare(picture, prepareSpec(manifest, 0), null);
  const difference = greatestDifference(reference, await network.run(tensor));
  return { passed: difference <= reference.tolerance, difference, tolerance: reference.tolerance };
}

function greatestDifference(reference: SelfTestReference, { scores, embedding }: NetworkOutputs): number {
  const pairs: [number[], Float32Array][] = [[reference.scores, scores]];
  if (embedding) pairs.push([reference.embedding, embedding]);
  let greatest = 0;
  for (const [expected, found] of pairs) {
    if (expected.length !== found.length) return NaN;
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs(expected[i]! - found[i]!);
      if (!(difference <= greatest)) greatest = difference; // also takes NaN, which then stays
      if (Number.isNaN(greatest)) return NaN;
    }
  }
  return greatest;
}
