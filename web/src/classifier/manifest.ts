/**
 * A model's manifest.json -> typed data. Says the same as `models/manifest.schema.json` (a test holds the two together)
 * and, beyond what a schema can say: one limit of the sets a class, no id twice, a default modality that exists, no
 * division by zero.
 */
import type { SetRule, TierCuts } from '../../../wasm_src/bindings/dermlet.js';
import { type Addresses, addressIn } from './asset-base.js';
import { DermletError } from './errors.js';
import { Fields, numberIn, reading, reject } from './fields.js';
import type { ModelInfo } from './options.js';
import type { Concern } from './result.js';

/** A file beside the manifest. `sha256` in lower-case hex. */
export interface FileEntry {
  path: string;
  bytes: number;
  sha256: string;
}

export interface ModelInput {
  name: string;
  /** Pixels. */
  width: number;
  height: number;
  layout: 'NCHW' | 'NHWC';
  channels: 'RGB' | 'BGR';
  fit: 'cover' | 'stretch';
  /** Share of each side of the fitted part that is shown, its middle; all of it where absent. */
  cropPct?: number;
  filter: 'bilinear' | 'bicubic' | 'lanczos';
  /** In the order of `channels`; value' = (value - mean) / std with value 0..255. */
  mean: [number, number, number];
  std: [number, number, number];
}

export interface ModelClass {
  id: string;
  name: string;
  plain?: string;
  concern: Concern;
}

export interface Calibration {
  temperature: number;
  /** Limits one a class, in the classes' order. */
  sets: SetRule;
  tiers: TierCuts;
  /** Refused above it; null never refuses. */
  rejectionThreshold: number | null;
}

export interface Modality extends Calibration {
  id: string;
  /** Without it a spot is looked at closely only where the picture as it is does not show its middle. */
  look?: Look;
  /** In place of the modality's own for the mean over the dihedral views; its own where absent. */
  thorough?: Calibration;
}

export interface Pooling {
  /** In the order of the combination's modalities. */
  weights: [number, number];
  temperature: number;
  sets: SetRule;
  tiers: TierCuts;
}

/**
 * How the scores of two pictures of one lesion, one of each modality, become one; `wasm_src/core/combine.h` has the
 * formula.
 */
export interface Combination extends Pooling {
  modalities: [string, string];
  /** In place of the combination's own for the means over the dihedral views; its own where absent. */
  thorough?: Pooling;
}

/**
 * Limits of the quality checks; `wasm_src/core/quality.h` says what each measures. A check without a limit is not made.
 */
export interface QualityLimits {
  minSide?: number;
  minSharpness?: number;
  minBrightness?: number;
  maxClipped?: number;
  minContrast?: number;
  minStructure?: number;
  maxNoise?: number;
  maxOffset?: number;
}

/**
 * The small network that finds spots in a whole picture, and what is made of its answer; `wasm_src/core/locate.h` has
 * the meaning of each number.
 */
export interface Locator {
  file: FileEntry;
  input: ModelInput;
  /** Name of the output (1, 3, rows, columns). */
  output: string;
  spotScore: number;
  rivalScore: number;
  rivalRatio: number;
  frameScore: number;
  frameScale: number;
}

/**
 * Up to which size a spot is scored in its frame alone, and up to which in the picture and its frame together;
 * `wasm_src/core/locate.h`.
 */
export interface Look {
  aloneShare: number;
  bothShare: number;
}

/** The one version that is read. 1 had thresholds in place of `sets` and no `tiers`. */
const MANIFEST_VERSION = 2;

export interface Manifest {
  manifestVersion: typeof MANIFEST_VERSION;
  name: string;
  version: string;
  title: string;
  license: { id: string; path: string; nonCommercial: boolean };
  card: string;
  file: FileEntry;
  input: ModelInput;
  outputs: { scores: string; scoresAre: 'logits' | 'probabilities'; maps?: string; embedding?: string };
  classes: ModelClass[];
  modalities: Modality[];
  combination?: Combination;
  defaultModality: string;
  decision: { coverage: number; rejection: 'energy' | 'distance' | 'none' };
  /**
   * Tells the modality by the embedding: a row of weights and a bias for each of `modalities`;
   * `wasm_src/core/modality.h` has the formula.
   */
  modalityProbe?: { weights: number[][]; bias: number[] };
  /** Without one pictures are classified as they are. */
  locator?: Locator;
  /** The rejection model, there when `decision.rejection` is `distance`. */
  rejection?: { file: FileEntry };
  quality: QualityLimits & {
    /** By the id of a modality: in place of the limits above. */
    modalities?: Record<string, QualityLimits>;
  };
  selfTest: { picture: FileEntry; reference: FileEntry };
}

/** In place of a modality's id: whichever the picture is of. */
export const AUTO = 'auto';

/** Forms that other parsers need too. */
export const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/u;
export const MODEL_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/u;
export const VERSION = /^\d+\.\d+\.\d+$/u;
const SHA256 = /^[0-9a-f]{64}$/u;

function parseFile(value: unknown, path: string): FileEntry {
  const fields = new Fields(value, path);
  const file = {
    path: fields.text('path', FILE_NAME),
    bytes: fields.integer('bytes', 1),
    sha256: fields.text('sha256', SHA256),
  };
  fields.end();
  return file;
}

function triple(fields: Fields, key: string): [number, number, number] {
  const values = fields.list(key, 3, numberIn1);
  if (values.length !== 3) reject(fields.at(key), 'must have 3 entries');
  return values as [number, number, number];
}

function pair<T>(fields: Fields, key: string, item: (value: unknown, path: string) => T): [T, T] {
  const values = fields.list(key, 2, item);
  if (values.length !== 2) reject(fields.at(key), 'must have 2 entries');
  return values as [T, T];
}

function textIn(value: unknown, path: string): string {
  if (typeof value !== 'string') reject(path, 'must be text');
  return value;
}

const numberIn1 = (value: unknown, path: string): number => numberIn(value, path);
/** A weight or a limit. */
const notNegative = (value: unknown, path: string): number => numberIn(value, path, 0);

function parseInput(value: unknown, path: string): ModelInput {
  const fields = new Fields(value, path);
  const input: ModelInput = {
    name: fields.text('name'),
    width: fields.integer('width', 16, 1024),
    height: fields.integer('height', 16, 1024),
    layout: fields.oneOf('layout', ['NCHW', 'NHWC']),
    channels: fields.oneOf('channels', ['RGB', 'BGR']),
    fit: fields.oneOf('fit', ['cover', 'stretch']),
    ...(fields.has('cropPct') ? { cropPct: fields.number('cropPct', 0.01, 1) } : {}),
    filter: fields.oneOf('filter', ['bilinear', 'bicubic', 'lanczos']),
    mean: triple(fields, 'mean'),
    std: triple(fields, 'std'),
  };
  fields.end();
  return input;
}

function parseOutputs(value: unknown, path: string): Manifest['outputs'] {
  const fields = new Fields(value, path);
  const outputs: Manifest['outputs'] = {
    scores: fields.text('scores'),
    scoresAre: fields.oneOf('scoresAre', ['logits', 'probabilities']),
    ...(fields.has('maps') ? { maps: fields.text('maps') } : {}),
    ...(fields.has('embedding') ? { embedding: fields.text('embedding') } : {}),
  };
  fields.end();
  return outputs;
}

function parseClass(value: unknown, path: string): ModelClass {
  const fields = new Fields(value, path);
  const parsed: ModelClass = {
    id: fields.text('id', /^[a-z0-9][a-z0-9_-]{0,31}$/u),
    name: fields.text('name', /^[\s\S]/u),
    ...(fields.has('plain') ? { plain: fields.text('plain') } : {}),
    concern: fields.oneOf('concern', ['low', 'moderate', 'high']),
  };
  fields.end();
  return parsed;
}

function temperatureOf(fields: Fields): number {
  const temperature = fields.number('temperature', 0);
  if (temperature === 0) reject(fields.at('temperature'), 'must be greater than 0');
  return temperature;
}

const setsOf = (fields: Fields): SetRule => ({
  limits: fields.list('limits', 0, notNegative),
  penalty: fields.number('penalty', 0, 1),
  freeRanks: fields.integer('freeRanks', 0, 1000),
});

const tiersOf = (fields: Fields): TierCuts => ({
  high: fields.number('high', 0, 1),
  moderate: fields.number('moderate', 0, 1),
});

function calibrationOf(fields: Fields): Calibration {
  return {
    temperature: temperatureOf(fields),
    sets: section(fields, 'sets', setsOf),
    tiers: section(fields, 'tiers', tiersOf),
    rejectionThreshold: fields.raw('rejectionThreshold') === null ? null : fields.number('rejectionThreshold'),
  };
}

function parseModality(value: unknown, path: string): Modality {
  const fields = new Fields(value, path);
  const modality: Modality = {
    id: fields.text('id'),
    ...calibrationOf(fields),
    ...(fields.has('look')
      ? {
          look: section(fields, 'look', (look) => ({
            aloneShare: look.number('aloneShare', 0, 1),
            bothShare: look.number('bothShare', 0, 1),
          })),
        }
      : {}),
    ...(fields.has('thorough') ? { thorough: section(fields, 'thorough', calibrationOf) } : {}),
  };
  fields.end();
  return modality;
}

function poolingOf(fields: Fields): Pooling {
  return {
    weights: pair(fields, 'weights', notNegative),
    temperature: temperatureOf(fields),
    sets: section(fields, 'sets', setsOf),
    tiers: section(fields, 'tiers', tiersOf),
  };
}

function combinationOf(fields: Fields): Combination {
  return {
    modalities: pair(fields, 'modalities', textIn),
    ...poolingOf(fields),
    ...(fields.has('thorough') ? { thorough: section(fields, 'thorough', poolingOf) } : {}),
  };
}

function section<T>(fields: Fields, key: string, read: (fields: Fields) => T): T {
  const inner = new Fields(fields.raw(key), fields.at(key));
  const value = read(inner);
  inner.end();
  return value;
}

/** Least and greatest value of each limit. */
const QUALITY_RANGES: Record<keyof QualityLimits, readonly [number, number]> = {
  minSide: [1, 65536],
  minSharpness: [0, 16],
  minBrightness: [0, 255],
  maxClipped: [0, 1],
  minContrast: [0, 255],
  minStructure: [0, 128],
  maxNoise: [0, 512],
  maxOffset: [0, 2],
};

function qualityLimitsOf(fields: Fields): QualityLimits {
  const limits: QualityLimits = {};
  for (const [key, [low, high]] of Object.entries(QUALITY_RANGES) as [
    keyof QualityLimits,
    readonly [number, number],
  ][]) {
    if (fields.has(key)) limits[key] = fields.number(key, low, high);
  }
  return limits;
}

function locatorOf(fields: Fields): Locator {
  return {
    file: parseFile(fields.raw('file'), fields.at('file')),
    input: parseInput(fields.raw('input'), fields.at('input')),
    output: fields.text('output'),
    spotScore: fields.number('spotScore', 0, 1),
    rivalScore: fields.number('rivalScore', 0, 1),
    rivalRatio: fields.number('rivalRatio', 0, 1),
    frameScore: fields.number('frameScore', 0, 1),
    frameScale: fields.number('frameScale', 1, 100),
  };
}

const numbers = (value: unknown, path: string): number[] => {
  if (!Array.isArray(value)) reject(path, 'must be a list');
  return value.map((each, index) => numberIn(each, `${path}[${index}]`));
};

/** An object whose keys are ids. */
function record<T>(fields: Fields, key: string, read: (fields: Fields) => T): Record<string, T> {
  const inner = new Fields(fields.raw(key), fields.at(key));
  return Object.fromEntries(inner.keys().map((id) => [id, section(inner, id, read)]));
}

/** What a schema cannot say. */
function checkTogether(manifest: Manifest): void {
  const twice = (ids: string[]) => ids.find((id, index) => ids.indexOf(id) !== index);
  const sameClass = twice(manifest.classes.map(({ id }) => id));
  if (sameClass !== undefined) reject('classes', `name '${sameClass}' twice`);
  const sameModality = twice(manifest.modalities.map(({ id }) => id));
  if (sameModality !== undefined) reject('modalities', `name '${sameModality}' twice`);
  const oneEach = (path: string, sets: SetRule | undefined) => {
    if (!sets || sets.limits.length === manifest.classes.length) return;
    reject(
      `${path}.sets.limits`,
      `must have one entry for each of the ${manifest.classes.length} classes, but has ${sets.limits.length}`,
    );
  };
  manifest.modalities.forEach(({ sets, thorough }, index) => {
    oneEach(`modalities[${index}]`, sets);
    oneEach(`modalities[${index}].thorough`, thorough?.sets);
  });
  const { combination } = manifest;
  if (combination) {
    oneEach('combination', combination.sets);
    oneEach('combination.thorough', combination.thorough?.sets);
    const [a, b] = combination.modalities;
    for (const id of [a, b])
      if (!manifest.modalities.some((modality) => modality.id === id))
        reject('combination.modalities', `names '${id}', which is none of the modalities`);
    if (a === b) reject('combination.modalities', `name '${a}' twice`);
  }
  if (manifest.modalities.some(({ id }) => id === AUTO))
    reject('modalities', `name '${AUTO}', which stands for whichever modality the picture is of`);
  const { modalityProbe } = manifest;
  if (modalityProbe) {
    const { weights, bias } = modalityProbe;
    const count = manifest.modalities.length;
    if (count < 2 || weights.length !== count || bias.length !== count)
      reject('modalityProbe', `must have weights and a bias for each of at least two modalities; there are ${count}`);
    if (new Set(weights.map((row) => row.length)).size !== 1)
      reject('modalityProbe.weights', 'must be rows of one length');
    if (manifest.outputs.embedding === undefined) reject('modalityProbe', 'needs an embedding among the outputs');
  }
  const byDistance = manifest.decision.rejection === 'distance';
  if (byDistance !== (manifest.rejection !== undefined))
    reject('rejection', "must be there when decision.rejection is 'distance', and only then");
  if (byDistance && (manifest.outputs.embedding === undefined || manifest.outputs.scoresAre !== 'logits')) {
    reject('decision.rejection', "can be 'distance' only where the outputs have logits and an embedding");
  }
  if (!manifest.modalities.some(({ id }) => id === manifest.defaultModality))
    reject('defaultModality', 'is none of the modalities');
  for (const id of Object.keys(manifest.quality.modalities ?? {})) {
    if (!manifest.modalities.some((modality) => modality.id === id))
      reject('quality.modalities', `name '${id}', which is none of the modalities`);
  }
  manifest.input.std.forEach((value, index) => {
    if (value === 0) reject(`input.std[${index}]`, 'must not be 0');
  });
}

/**
 * Reads a parsed manifest.json.
 * @throws DermletError MODEL_CORRUPT that names the first field found wrong.
 */
export function parseManifest(value: unknown): Manifest {
  return reading("The model's manifest", () => readManifest(value));
}

/**
 * A manifest of another release is whole and still of no use here: which version it is of must be said, not what its
 * first strange field is.
 */
function checkVersion(version: unknown): void {
  if (version === MANIFEST_VERSION) return;
  if (!Number.isInteger(version)) reject('manifestVersion', `must be ${MANIFEST_VERSION}`);
  reject(
    'manifestVersion',
    `is ${String(version)}, but only version ${MANIFEST_VERSION} is read here: model and engine must be of one release`,
  );
}

function readManifest(value: unknown): Manifest {
  const fields = new Fields(value, '');
  if (fields.has('$schema')) fields.text('$schema');
  checkVersion(fields.raw('manifestVersion'));
  const manifest: Manifest = {
    manifestVersion: MANIFEST_VERSION,
    name: fields.text('name', MODEL_NAME),
    version: fields.text('version', VERSION),
    title: fields.text('title', /^[\s\S]/u),
    license: section(fields, 'license', (license) => ({
      id: license.text('id'),
      path: license.text('path', FILE_NAME),
      nonCommercial: license.flag('nonCommercial'),
    })),
    card: fields.text('card', FILE_NAME),
    file: parseFile(fields.raw('file'), 'file'),
    input: parseInput(fields.raw('input'), 'input'),
    outputs: parseOutputs(fields.raw('outputs'), 'outputs'),
    classes: fields.list('classes', 2, parseClass),
    modalities: fields.list('modalities', 1, parseModality),
    ...(fields.has('combination') ? { combination: section(fields, 'combination', combinationOf) } : {}),
    defaultModality: fields.text('defaultModality'),
    ...(fields.has('modalityProbe')
      ? {
          modalityProbe: section(fields, 'modalityProbe', (probe) => ({
            weights: probe.list('weights', 2, numbers),
            bias: probe.list('bias', 2, numberIn1),
          })),
        }
      : {}),
    ...(fields.has('locator') ? { locator: section(fields, 'locator', locatorOf) } : {}),
    ...(fields.has('rejection')
      ? {
          rejection: section(fields, 'rejection', (rejection) => ({
            file: parseFile(rejection.raw('file'), 'rejection.file'),
          })),
        }
      : {}),
    decision: section(fields, 'decision', (decision) => ({
      coverage: decision.number('coverage', 0, 1),
      rejection: decision.oneOf('rejection', ['energy', 'distance', 'none']),
    })),
    quality: section(fields, 'quality', (quality) => ({
      ...qualityLimitsOf(quality),
      ...(quality.has('modalities') ? { modalities: record(quality, 'modalities', qualityLimitsOf) } : {}),
    })),
    selfTest: section(fields, 'selfTest', (selfTest) => ({
      picture: parseFile(selfTest.raw('picture'), 'selfTest.picture'),
      reference: parseFile(selfTest.raw('reference'), 'selfTest.reference'),
    })),
  };
  if (fields.has('training')) new Fields(fields.raw('training'), 'training');
  fields.end();
  checkTogether(manifest);
  return manifest;
}

/** The files of a model that the engine reads, as its manifest names them. */
export const filesOf = ({
  file,
  selfTest,
  rejection,
  locator,
}: Pick<Manifest, 'file' | 'selfTest' | 'rejection' | 'locator'>): FileEntry[] => [
  file,
  selfTest.picture,
  selfTest.reference,
  ...(rejection ? [rejection.file] : []),
  ...(locator ? [locator.file] : []),
];

/** The same from the file's text. @throws DermletError MODEL_CORRUPT */
export function parseManifestText(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DermletError('MODEL_CORRUPT', "The model's manifest is not valid: it is not JSON.", { cause });
  }
  return parseManifest(value);
}

/** The public part. `base` is the model folder's address. */
export function modelInfo(manifest: Manifest, base: string, addresses?: Addresses): ModelInfo {
  return {
    name: manifest.name,
    version: manifest.version,
    title: manifest.title,
    sha256: manifest.file.sha256,
    bytes: manifest.file.bytes,
    license: {
      id: manifest.license.id,
      url: addressIn(base, manifest.license.path, addresses),
      nonCommercial: manifest.license.nonCommercial,
    },
    cardUrl: addressIn(base, manifest.card, addresses),
    classes: manifest.classes.map((entry) => ({ ...entry })),
    modalities: manifest.modalities.map(({ id }) => id),
    defaultModality: manifest.defaultModality,
    recognisesModality: manifest.modalityProbe !== undefined,
    findsSpots: manifest.locator !== undefined,
    ...(manifest.combination ? { combines: [...manifest.combination.modalities] } : {}),
    coverage: manifest.decision.coverage,
  };
}

/**
 * What the self-test must come to: the network's raw outputs for the self-test picture, and how far each may differ.
 */
export interface SelfTestReference {
  scores: number[];
  embedding: number[];
  tolerance: number;
}

/** @throws DermletError MODEL_CORRUPT */
export function parseReference(text: string): SelfTestReference {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DermletError('MODEL_CORRUPT', "The model's self-test reference is not JSON.", { cause });
  }
  return reading("The model's manifest", () => readReference(value));
}

function readReference(value: unknown): SelfTestReference {
  const fields = new Fields(value, 'selfTest.reference');
  return {
    scores: fields.list('scores', 1, numberIn1),
    embedding: fields.has('embedding') ? fields.list('embedding', 0, numberIn1) : [],
    tolerance: fields.number('tolerance', 0),
  };
}
