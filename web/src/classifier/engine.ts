/**
 * A picture's bytes -> Result, in the page's worker and in Node alike. Connects the WASM core, the network and the
 * manifest; computes nothing itself.
 */

import type {
  CombinationSpec,
  Decision,
  DecisionSpec,
  Explain,
  Interpreted,
  LesionOutputs,
  ModalityProbe,
  Prepared,
  PrepareSpec,
} from '../../../wasm_src/bindings/dermlet.js';
import type { Trained, TrainingExamples, TrainingSpec } from '../../../wasm_src/bindings/learn.js';
import { throwIfAborted } from './abort.js';
import type { Atlas } from './atlas.js';
import { PROBABILITY_TOLERANCE, QUALITY_CHECKS } from './contract.js';
import { Core, type Decoded } from './core.js';
import type { Environment } from './environment.js';
import { DermletError } from './errors.js';
import type { Head, HeadInfo } from './head.js';
import { type InputOf, isList, ofPicture } from './input.js';
import type { Inspection, SelfTestRun } from './inspection.js';
import {
  AUTO,
  type Calibration,
  type FileEntry,
  type Look,
  type Manifest,
  type Modality,
  parseReference,
  type QualityLimits,
  type SelfTestReference,
} from './manifest.js';
import { createNetwork, type Network, type NetworkOutputs } from './network.js';
import type { AtlasAnswer, AtlasQuestion } from './open-atlas.js';
import type { BackendChoice, ClassifyOptions, Crop, Stage } from './options.js';
import type {
  Backend,
  Frame,
  ModalityChoice,
  Quality,
  RankedClass,
  Rect,
  Rejection,
  Result,
  ResultImages,
  Runtime as RuntimeReport,
  Source,
} from './result.js';
import { Runtime } from './runtime.js';
import { imported } from './scripts.js';
import { sha256 } from './sha256.js';

/** The options that affect one call's result; plain data. */
export type CallOptions = Pick<
  ClassifyOptions,
  'modality' | 'crop' | 'explain' | 'images' | 'testTimeAugmentation' | 'embedding'
>;

/** How the limits of a check are chosen; plain data. */
export type CheckOptions = Pick<ClassifyOptions, 'modality'>;

export type EngineInput = InputOf<Uint8Array>;

/** Longest sides, pixels. */
const PREVIEW_SIDE = 1024;
const OVERLAY_SIDE = 512;

export interface EngineOptions {
  manifest: Manifest;
  /** One of the model's files, verified. @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT */
  file(entry: FileEntry): Promise<Uint8Array<ArrayBuffer>>;
  environment: Environment;
  /** In place of the network's last layer; of this network, else it is refused. */
  head?: Head | undefined;
  backend: BackendChoice;
  /** The self-tests passed on WASM before; without it each engine is tested. */
  passed?: PassedTests | undefined;
  /** Called before each self-test. */
  onSelfTest?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Remembers which versions of model and engine have passed the self-test. Neither function throws. */
export interface PassedTests {
  /** Milliseconds since 1970, 0: nobody knows when. Null: it has not passed. */
  when(version: string): Promise<number | null>;
  add(version: string, at: number): Promise<void>;
}

/** Passes the self-test over. */
export const ALL_PASSED: PassedTests = { when: async () => 0, add: async () => undefined };

export interface SelfTest {
  passed: boolean;
  /**
   * Greatest difference from the reference, over scores and embedding; NaN if the outputs cannot be compared with it.
   */
  difference: number;
  tolerance: number;
  /** Whether the scores can be of the kind that the manifest names. */
  kindFits: boolean;
}

/** @throws DermletError INVALID_ARGUMENT where it is a head of another network */
async function headedBy(base: Manifest, head: Head): Promise<{ manifest: Manifest; info: HeadInfo }> {
  const { headInfo, withHead } = await imported(() => import('./head.js'));
  return { manifest: withHead(base, head), info: headInfo(head.manifest) };
}

export class Engine {
  readonly manifest: Manifest;
  readonly head: HeadInfo | undefined;
  readonly #probe: ModalityProbe | undefined;
  #tested: SelfTestRun | null = null;
  /** Those that are open, by their keys; one that is deleted is closed. */
  readonly atlases = new Map<number, Promise<Atlas>>();

  private constructor(
    readonly options: EngineOptions,
    readonly core: Core,
    readonly runtime: Runtime,
    /** The rejection model's bytes, if the model has one. */
    readonly rejectionModel: Uint8Array | null,
    /** The manifest as the head has it, and what results say of the head. */
    headed: { manifest: Manifest; info: HeadInfo } | null,
  ) {
    this.manifest = headed?.manifest ?? options.manifest;
    this.head = headed?.info;
    const { modalityProbe: probe } = this.manifest;
    this.#probe = probe && { weights: probe.weights.flat(), bias: probe.bias };
  }

  /**
   * Starts the core and the network.
   * @throws RestartNeeded, DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, BACKEND_FAILED, ABORTED
   */
  static async load(options: EngineOptions): Promise<Engine> {
    const { manifest, environment, head, signal } = options;
    const headed = head ? await headedBy(manifest, head) : null; // before anything is fetched
    const starting = environment
      .coreWasm()
      .then((wasm) => Core.load(wasm, environment.coreUrl, undefined, environment.decodeForeign));
    let tested: SelfTestRun | null = null;
    const running = Runtime.start({
      choice: options.backend,
      environment,
      create: (backend) => createNetwork(backend, environment, options.file, manifest),
      selfTest: async (network) => {
        options.onSelfTest?.();
        const test = await runSelfTest(options, await starting, network);
        tested = runOf(test, network.backend);
        return failureOf(test);
      },
    });
    const rejecting = manifest.rejection ? options.file(manifest.rejection.file) : null;
    const [core, runtime, rejectionModel] = await Promise.all([starting, running, rejecting]);
    throwIfAborted(signal);
    const engine = new Engine(options, core, runtime, rejectionModel, headed);
    engine.#tested = tested;
    try {
      await engine.#prove();
    } catch (error) {
      void engine.dispose();
      throw error;
    }
    return engine;
  }

  /**
   * The self-test on WASM, once for each version of model and engine: a manifest that names the wrong order of channels
   * or kind of scores would answer wrongly and say nothing. On WebGPU it is part of choosing that.
   * @throws DermletError MODEL_CORRUPT
   */
  async #prove(): Promise<void> {
    if (this.runtime.backend !== 'wasm') return;
    const { manifest, environment, passed, onSelfTest } = this.options;
    await this.runtime.run(async (network) => {
      const version = await sha256(
        new TextEncoder().encode(JSON.stringify([manifest, environment.hashes, network.version])),
      );
      const { backend } = network;
      const before = await passed?.when(version);
      if (before != null) {
        this.#tested = { at: before || null, backend, passed: true };
        return;
      }
      onSelfTest?.();
      const test = await runSelfTest(this.options, this.core, network);
      this.#tested = runOf(test, backend);
      const failure = failureOf(test);
      if (failure !== undefined)
        throw new DermletError(
          'MODEL_CORRUPT',
          `The model does not answer its own test picture as it states that it does: ${failure}. Its manifest does ` +
            'not fit its network.',
        );
      await passed?.add(version, Date.now());
    });
  }

  /**
   * Classifies one picture, or one lesion from one or two. `ranking` has every class's probability whatever the
   * outcome; only `outcome` says whether one may be shown.
   * @throws DermletError with any code but DISPOSED; for a lesion, the message says which picture
   */
  async classify(
    input: EngineInput,
    options: CallOptions = {},
    onStage: (stage: Stage) => void = () => undefined,
  ): Promise<Result> {
    const began = performance.now();
    const request = this.#request(input, options);
    const { testTimeAugmentation, images, explained } = request;
    onStage('decoding');
    const clock = new Clock();
    const prepared: Decoded[] = [];
    for (const [index, picture] of request.pictures.entries()) {
      prepared.push(
        await ofPicture(index, request.pictures.length, () => clock.preparing(() => this.#prepare(picture, request))),
      );
    }
    onStage('analysing');
    const { seen, interpreted, inferredAt } = await this.runtime.run(async (network) => {
      const seen: Seen[] = [];
      for (const [index, picture] of prepared.entries())
        seen.push(await this.#see(network, picture, request.pictures[index]!, request, clock));
      const combination = combinationSpec(
        this.manifest,
        seen.map(({ modality }) => modality),
        testTimeAugmentation,
      );
      const inferredAt = performance.now();
      if (explained !== null) onStage('explaining');
      const outputs = seen.map(
        ({ outputs, frameOutputs, modality, quality, picture, frame: { framing } }): LesionOutputs => {
          const explain =
            explained === null || outputs.maps === null ? null : explainSpec(explained, picture.region, images);
          return {
            outputs,
            frameOutputs,
            spec: decisionSpec(this.manifest, modality, testTimeAugmentation, this.rejectionModel, this.options.head),
            usable: quality.usable,
            framing,
            explain,
          };
        },
      );
      return { seen, interpreted: await this.#interpret(outputs, combination), inferredAt };
    });
    const ended = performance.now();
    const timings = {
      queue: 0,
      prepare: clock.prepare,
      inference: inferredAt - began - clock.prepare,
      interpret: ended - inferredAt,
      total: ended - began,
    };
    onStage('done');
    return this.#result(request, seen, interpreted, timings);
  }

  /**
   * What the quality gate says of a picture as it is. The network is not run, so that `auto` is the default modality.
   * @throws DermletError INVALID_ARGUMENT, UNSUPPORTED_FORMAT, CORRUPT_IMAGE, IMAGE_TOO_LARGE, BACKEND_FAILED
   */
  async check(bytes: Uint8Array, { modality = AUTO }: CheckOptions = {}): Promise<Quality> {
    const { id } = findModality(this.manifest, modality === AUTO ? undefined : modality);
    return (await this.core.prepare(bytes, prepareSpec(this.manifest, id, 0), null)).quality;
  }

  /**
   * Trains a head. `stopped` is asked now and then; once it says so the training ends.
   * @throws DermletError INVALID_ARGUMENT, ABORTED, BACKEND_FAILED, MODEL_UNAVAILABLE
   */
  async train(
    examples: TrainingExamples,
    spec: TrainingSpec,
    onProgress: (progress: number) => void,
    stopped: () => boolean,
  ): Promise<Trained> {
    const [{ train }, wasm] = await Promise.all([
      imported(() => import('./learn.js')),
      this.options.environment.learnWasm(),
    ]);
    return train(wasm, examples, spec, onProgress, stopped);
  }

  /**
   * Looks up in an atlas, which is opened when it is first asked for.
   * @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW, UNREADABLE_FILE, INVALID_ARGUMENT, BACKEND_FAILED,
   * MODEL_UNAVAILABLE
   */
  async lookUp(question: AtlasQuestion): Promise<AtlasAnswer> {
    const { lookUp } = await imported(() => import('./atlas.js'));
    return lookUp(question, this.atlases, () => this.options.environment.learnWasm());
  }

  /** What the network says of the model's self-test picture, compared with nothing. @throws DermletError */
  async answerToTest(): Promise<NetworkOutputs> {
    return this.runtime.run((network) => askTest(this.options, this.core, network));
  }

  /** Classifies the model's self-test picture and compares with the shipped reference. @throws DermletError */
  async selfTest(): Promise<SelfTest> {
    return this.runtime.run((network) => runSelfTest(this.options, this.core, network));
  }

  /**
   * What runs here.
   * @param test whether to run the self-test anew
   * @throws DermletError
   */
  async inspect(test: boolean): Promise<Omit<Inspection, 'files'>> {
    const run = test ? await this.selfTest() : null;
    const { backend, threads, fallback } = this.runtime;
    if (run) this.#tested = runOf(run, backend);
    return {
      backend,
      threads,
      ...(fallback ? { fallback } : {}),
      onnxRuntime: await this.runtime.run(async ({ version }) => version),
      // After a change of backend the earlier one's test says nothing.
      selfTest: this.#tested?.backend === backend ? this.#tested : null,
    };
  }

  /**
   * Runs everything once, so that the first photo need not wait for compilation. The first photo reports failures.
   */
  async warmUp(): Promise<void> {
    try {
      // Without a crop: a second run for the spot would delay the first photo.
      await this.classify(await this.options.file(this.manifest.selfTest.picture), { explain: true, crop: 'whole' });
    } catch {
      // No caller is waiting yet; the first photo reports the failure.
    }
  }

  async dispose(): Promise<void> {
    await this.runtime.release();
  }

  /** What a head's own pictures were seen by, where a call does not say. */
  get #crop(): Crop | undefined {
    return this.options.head?.manifest.crop as Crop | undefined;
  }

  /** Checks everything that can be known before a picture is read. @throws DermletError INVALID_ARGUMENT */
  #request(input: EngineInput, options: CallOptions): EngineRequest {
    const { manifest } = this;
    const lesion = isList(input);
    if (lesion && options.crop !== undefined)
      throw new DermletError('INVALID_ARGUMENT', 'Each picture of a lesion has a crop of its own.');
    const pictures = (
      lesion ? input : [{ bytes: input, ...(options.crop === undefined ? {} : { crop: options.crop }) }]
    ).map(
      ({ bytes, crop, modality = options.modality ?? AUTO }): RequestedPicture => ({
        bytes,
        crop: checkedCrop(crop ?? this.#crop),
        modality: modality === AUTO ? AUTO : findModality(manifest, modality),
      }),
    );
    const testTimeAugmentation = options.testTimeAugmentation === true;
    const modalities = pictures.map(({ modality }) =>
      modality === AUTO && !manifest.modalityProbe ? findModality(manifest) : modality,
    );
    // Refused now where no network is needed to tell; the rest once the pictures' modalities are recognised.
    if (modalities.length < 1 || modalities.length > 2 || !modalities.includes(AUTO))
      combinationSpec(manifest, modalities as Modality[], testTimeAugmentation);
    return {
      lesion,
      pictures,
      testTimeAugmentation,
      views: testTimeAugmentation ? viewsOf(manifest) : 1,
      explained: findExplained(manifest, options.explain),
      images: options.images === true,
      embedding: options.embedding === true,
    };
  }

  /**
   * The picture as it is, or the part asked for; with it, the whole picture for the locator if a spot is to be found.
   */
  async #prepare({ bytes, crop, modality }: RequestedPicture, { views, images }: EngineRequest): Promise<Decoded> {
    const { locator, defaultModality } = this.manifest;
    const spec = prepareSpec(
      this.manifest,
      modality === AUTO ? defaultModality : modality.id,
      images ? PREVIEW_SIDE : 0,
      views,
    );
    const whole = crop === 'auto' && locator ? locator.input : null;
    return this.core.prepare(bytes, { ...spec, whole }, typeof crop === 'object' ? crop : null);
  }

  /**
   * Runs the network on a picture as it is, which also recognises the modality, then on a frame around the spot if that
   * is small for this modality. A modality asked for takes precedence over the recognised one.
   */
  async #see(
    network: Network,
    picture: Decoded,
    { bytes, crop, modality: requested }: RequestedPicture,
    { views }: EngineRequest,
    clock: Clock,
  ): Promise<Seen> {
    const { locator } = this.manifest;
    const outputs = await network.run(picture.tensor, views);
    const recognised = await this.#recognise(outputs);
    const modality = requested === AUTO ? (recognised?.modality ?? findModality(this.manifest)) : requested;
    const choice: ModalityChoice = {
      by: requested !== AUTO ? 'caller' : recognised ? 'picture' : 'default',
      ...(recognised ? { recognised: { modality: recognised.modality.id, probability: recognised.probability } } : {}),
    };
    const judged = async (seen: Decoded): Promise<Quality> =>
      this.core.judgeQuality(seen.qualityValues, qualitySpec(this.manifest.quality, modality.id));
    const asItIs = { picture, outputs, frameOutputs: null, modality, choice };
    if (!picture.whole || !locator) {
      return {
        ...asItIs,
        quality: await judged(picture),
        frame: { framing: typeof crop === 'object' ? 'chosen' : 'whole', spots: [] },
      };
    }
    const { framing, frame, spots } = await this.core.locate(await network.locate(picture.whole), picture.source, {
      ...locator,
      ...(modality.look ?? NO_LOOK),
    });
    if (framing === 'whole' || framing === 'none')
      return { ...asItIs, quality: await judged(picture), frame: { framing, spots } };
    const close = await clock.preparing(() =>
      this.core.prepare(bytes, prepareSpec(this.manifest, modality.id, 0, views), frame),
    );
    const frameOutputs = await network.run(close.tensor, views);
    if (framing === 'both')
      return { ...asItIs, frameOutputs, quality: await judged(picture), frame: { framing, spots } };
    const framed = { ...close, preview: picture.preview, whole: null };
    return {
      picture: framed,
      outputs: frameOutputs,
      frameOutputs: null,
      modality,
      choice,
      quality: await judged(close),
      frame: { framing, spots },
    };
  }

  /** The modality the picture looks like; undefined if the model cannot tell. */
  async #recognise({
    embedding,
    views,
  }: NetworkOutputs): Promise<{ modality: Modality; probability: number } | undefined> {
    if (!this.#probe || !embedding) return undefined;
    const upright = embedding.subarray(0, embedding.length / views);
    const { index, probability } = await this.core.recogniseModality(upright, this.#probe);
    return { modality: this.manifest.modalities[index]!, probability };
  }

  /** Input that the core refuses here came from the network, never from the caller. */
  async #interpret(pictures: LesionOutputs[], combination: CombinationSpec | null): Promise<Interpreted> {
    try {
      return await this.core.interpret(pictures, combination);
    } catch (cause) {
      if (cause instanceof DermletError && cause.code === 'INVALID_ARGUMENT') {
        throw new DermletError('BACKEND_FAILED', `The network's answer cannot be used: ${cause.message}`, { cause });
      }
      throw cause;
    }
  }

  #result(request: EngineRequest, seen: Seen[], interpreted: Interpreted, timings: RuntimeReport['timings']): Result {
    const { manifest, runtime } = this;
    const { decision, heatMap, perPicture, primaryIndex, combined } = interpreted;
    const { testTimeAugmentation, pictures } = request;
    const classOf = (index: number) => manifest.classes[index]!;
    const ranking = decision.ranking.map(
      (index): RankedClass => ({
        ...classOf(index),
        probability: decision.probabilities[index]!,
        inSet: decision.predictionSet.includes(index),
      }),
    );
    const sources = seen.map(({ picture }, index) => sourceOf(picture, pictures[index]!.bytes.length));
    const main = seen[primaryIndex]!;
    const rejections = perPicture.map(
      ({ rejection }, index): Rejection => ({
        method: manifest.decision.rejection,
        score: rejection,
        threshold: rejectionThreshold(manifest, seen[index]!.modality, testTimeAugmentation),
      }),
    );
    return {
      resultVersion: 2,
      model: { name: manifest.name, version: manifest.version, sha256: manifest.file.sha256, title: manifest.title },
      outcome: decision.outcome,
      tier: decision.tier,
      modality: main.modality.id,
      modalityChoice: main.choice,
      testTimeAugmentation,
      ranking,
      predictionSet: decision.predictionSet.map((index) => classOf(index).id),
      coverage: manifest.decision.coverage,
      rejection: combined
        ? { method: manifest.decision.rejection, score: decision.rejection, threshold: decision.rejectionThreshold }
        : rejections[primaryIndex]!,
      quality: main.quality,
      source: sources[primaryIndex]!,
      frame: main.frame,
      ...(heatMap
        ? {
            explanation: {
              classId: classOf(heatMap.classIndex).id,
              rows: heatMap.rows,
              columns: heatMap.columns,
              values: heatMap.values,
            },
          }
        : {}),
      ...(request.lesion
        ? {
            lesion: {
              perPicture: perPicture.map((each, index) => ({
                modality: seen[index]!.modality.id,
                modalityChoice: seen[index]!.choice,
                frame: seen[index]!.frame,
                usable: seen[index]!.quality.usable,
                quality: seen[index]!.quality,
                source: sources[index]!,
                rejection: rejections[index]!,
                probabilities: probabilitiesById(manifest, each),
              })),
              combined,
              primaryIndex,
            },
          }
        : {}),
      runtime: {
        backend: runtime.backend,
        threads: runtime.threads,
        ...(runtime.fallback ? { fallback: runtime.fallback } : {}),
        timings,
      },
      ...(request.embedding && interpreted.embedding.length > 0 ? { embedding: [...interpreted.embedding] } : {}),
      ...(this.head ? { head: this.head } : {}),
      ...(request.images ? { images: resultImages(main.picture, heatMap) } : {}),
    };
  }
}

/** One picture of a request, checked. */
interface RequestedPicture {
  bytes: Uint8Array;
  crop: Crop;
  modality: Modality | typeof AUTO;
}

/**
 * A picture after its network runs, and how the outputs are read. `picture` is the one scored: the frame around the
 * spot if that is small.
 */
interface Seen {
  picture: Decoded;
  outputs: NetworkOutputs;
  /** The frame's outputs, if picture and frame are combined. */
  frameOutputs: NetworkOutputs | null;
  frame: Frame;
  modality: Modality;
  choice: ModalityChoice;
  quality: Quality;
}

/** Adds up the time spent preparing pictures: some are prepared between network runs. */
class Clock {
  prepare = 0;

  async preparing<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.prepare += performance.now() - began;
    }
  }
}

/** One call, checked. */
interface EngineRequest {
  /** Whether the caller passed a list of one lesion's pictures. */
  lesion: boolean;
  pictures: RequestedPicture[];
  testTimeAugmentation: boolean;
  views: number;
  explained: number | null;
  images: boolean;
  embedding: boolean;
}

const probabilitiesById = ({ classes }: Manifest, { probabilities }: Decision): Record<string, number> =>
  Object.fromEntries(classes.map(({ id }, index) => [id, probabilities[index]!]));

function sourceOf({ source, region, decodePath }: Decoded, size: number): Source {
  return {
    format: source.format,
    bytes: size,
    width: source.width,
    height: source.height,
    orientation: source.orientation,
    colour: source.colour,
    decodePath,
    bitExact: decodePath === 'core',
    region,
  };
}

function resultImages(prepared: Prepared, heatMap: Interpreted['heatMap']): ResultImages {
  return {
    ...(prepared.preview ? { preview: prepared.preview } : {}),
    view: prepared.view,
    ...(heatMap ? { overlay: heatMap.overlay } : {}),
  };
}

/** @param modality id of the modality whose quality limits apply */
export function prepareSpec(
  { input, quality }: Manifest,
  modality: string,
  previewSide: number,
  views = 1,
): PrepareSpec {
  const { name: _name, ...picture } = input;
  return { cropPct: 1, ...picture, quality: qualitySpec(quality, modality), previewSide, views, whole: null };
}

/** For a modality that defines none: no spot is small. */
const NO_LOOK: Look = { aloneShare: 0, bothShare: 0 };

/** The manifest's limits by check id. */
function qualitySpec(quality: Manifest['quality'], modality: string): PrepareSpec['quality'] {
  const limits: QualityLimits = { ...quality, ...quality.modalities?.[modality] };
  const known = Object.entries(QUALITY_CHECKS).flatMap(([id, { key }]) =>
    limits[key] === undefined ? [] : [[id, limits[key]] as const],
  );
  return Object.fromEntries(known);
}

/** All dihedral views of a square input, else those that keep the shape; `wasm_src/core/view/views.h`. */
const viewsOf = ({ input }: Manifest): number => (input.width === input.height ? 8 : 4);

const calibrationOf = (modality: Modality, testTimeAugmentation: boolean): Calibration =>
  testTimeAugmentation ? (modality.testTimeAugmentation ?? modality) : modality;

export function decisionSpec(
  manifest: Manifest,
  modality: Modality,
  testTimeAugmentation: boolean,
  rejectionModel: Uint8Array | null = null,
  head?: Head,
): DecisionSpec {
  const { temperature, sets, tiers } = calibrationOf(modality, testTimeAugmentation);
  return {
    scoresAre: manifest.outputs.scoresAre,
    temperature,
    sets,
    // A head's tiers would need cuts fitted on more pictures than it has.
    tiers: head ? null : (tiers ?? null),
    rejectionThreshold: rejectionThreshold(manifest, modality, testTimeAugmentation),
    rejectionModel,
    concern: manifest.classes.map(({ concern }) => concern),
    head: head ? { weights: head.weights, bias: head.bias } : null,
  };
}

const rejectionThreshold = (manifest: Manifest, modality: Modality, testTimeAugmentation: boolean): number | null =>
  manifest.decision.rejection === 'none' ? null : calibrationOf(modality, testTimeAugmentation).rejectionThreshold;

/**
 * The manifest's combination with its weights in the pictures' order; null for pictures of one modality.
 * @throws DermletError INVALID_ARGUMENT
 */
export function combinationSpec(
  { combination }: Manifest,
  modalities: readonly Modality[],
  testTimeAugmentation: boolean,
): CombinationSpec | null {
  if (modalities.length < 1 || modalities.length > 2)
    throw new DermletError('INVALID_ARGUMENT', `A lesion has one or two pictures, not ${modalities.length}.`);
  const ids = modalities.map(({ id }) => id);
  if (new Set(ids).size === 1) return null;
  const places = ids.map((id) => combination?.modalities.indexOf(id) ?? -1);
  if (!combination || places.includes(-1)) {
    throw new DermletError(
      'INVALID_ARGUMENT',
      `The model does not say how the scores of '${ids[0]}' and '${ids[1]}' are combined; two pictures of one ` +
        'modality can be.',
    );
  }
  const { weights, temperature, sets, tiers } = testTimeAugmentation
    ? (combination.testTimeAugmentation ?? combination)
    : combination;
  return { weights: places.map((place) => weights[place]!), temperature, sets, tiers };
}

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

function checkedCrop(crop: Crop = 'auto'): Crop {
  if (crop === 'auto' || crop === 'whole') return crop;
  if (typeof crop !== 'object')
    throw new DermletError(
      'INVALID_ARGUMENT',
      "The crop must be 'auto', 'whole', or whole pixels: x, y, width and height.",
    );
  const { x, y, width, height } = crop;
  if (![x, y, width, height].every((value) => Number.isSafeInteger(value) && Math.abs(value) < 2 ** 31)) {
    throw new DermletError('INVALID_ARGUMENT', 'The crop must be whole pixels: x, y, width and height.');
  }
  return { x, y, width, height };
}

/** The overlay has the region's shape, to be drawn over it; without images only the grid is needed. */
function explainSpec(classIndex: number, region: Rect, images: boolean): Explain {
  if (!images) return { classIndex, width: 1, height: 1 };
  const scale = Math.min(1, OVERLAY_SIDE / Math.max(region.width, region.height));
  return {
    classIndex,
    width: Math.max(1, Math.round(region.width * scale)),
    height: Math.max(1, Math.round(region.height * scale)),
  };
}

async function askTest({ manifest, file }: EngineOptions, core: Core, network: Network): Promise<NetworkOutputs> {
  const picture = await file(manifest.selfTest.picture);
  const { tensor } = await core.prepare(picture, prepareSpec(manifest, manifest.defaultModality, 0), null);
  return network.run(tensor);
}

async function runSelfTest(options: EngineOptions, core: Core, network: Network): Promise<SelfTest> {
  const { manifest, file } = options;
  const reference = parseReference(new TextDecoder().decode(await file(manifest.selfTest.reference)));
  const outputs = await askTest(options, core, network);
  const difference = greatestDifference(reference, outputs);
  const { tolerance } = reference;
  const kindFits = lookLikeProbabilities(outputs.scores) === (manifest.outputs.scoresAre === 'probabilities');
  return { passed: difference <= tolerance && kindFits, difference, tolerance, kindFits };
}

const runOf = ({ passed, difference, tolerance }: SelfTest, backend: Backend): SelfTestRun => ({
  at: Date.now(),
  backend,
  passed,
  measured: { difference, tolerance },
});

/** Why a self-test failed; undefined if it passed. */
function failureOf({ passed, difference, tolerance, kindFits }: SelfTest): string | undefined {
  if (passed) return undefined;
  return kindFits
    ? `the self-test differs from its reference by ${difference.toPrecision(3)}, more than ${tolerance}`
    : "the network's scores are not of the kind that the manifest names (outputs.scoresAre)";
}

/**
 * Between 0 and 1 and of sum 1, as logits are only by a rare chance. The core holds every picture's own scores to it,
 * this one only tells the kind.
 */
const lookLikeProbabilities = (scores: Float32Array): boolean =>
  scores.every((score) => score >= -PROBABILITY_TOLERANCE && score <= 1 + PROBABILITY_TOLERANCE) &&
  Math.abs(scores.reduce((sum, score) => sum + score, 0) - 1) <= PROBABILITY_TOLERANCE;

function greatestDifference(reference: SelfTestReference, { scores, embedding }: NetworkOutputs): number {
  const pairs: [number[], Float32Array][] = [[reference.scores, scores]];
  if (embedding) pairs.push([reference.embedding, embedding]);
  let greatest = 0;
  for (const [expected, found] of pairs) {
    if (expected.length !== found.length) return NaN;
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs(expected[i]! - found[i]!);
      if (!(difference <= greatest)) greatest = difference; // also true for NaN, which then stays
      if (Number.isNaN(greatest)) return NaN;
    }
  }
  return greatest;
}
