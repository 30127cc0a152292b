/**
 * A model's manifest.json -> typed data. Fields, types and their checks come from the contract (`documents.ts`); what a
 * schema cannot say is checked here: one prediction-set limit per class, no duplicate ids, an existing default
 * modality, no division by zero.
 */
import { type Addresses, addressIn } from './asset-base.js';
import { MANIFEST_VERSION } from './contract.js';
import { type Manifest as ManifestFile, manifest, type SetRule, selfTestReference } from './documents.js';
import type { ModelInfo } from './options.js';
import { parsed, read, refuseNewer, reject } from './reading.js';

export type {
  Calibration,
  Combination,
  FileEntry,
  HeadManifest,
  Locator,
  Look,
  Modality,
  ModelClass,
  ModelInput,
  Pooling,
  QualityLimits,
} from './documents.js';
export { filesOf } from './documents.js';

/** Without the fields that only humans read. */
export type Manifest = Omit<ManifestFile, '$schema' | 'training'>;

/** In place of a modality's id: recognise it from the picture. */
export const AUTO = 'auto';

const WHAT = "The model's manifest";

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
  manifest.modalities.forEach(({ sets, testTimeAugmentation }, index) => {
    oneEach(`modalities[${index}]`, sets);
    oneEach(`modalities[${index}].testTimeAugmentation`, testTimeAugmentation?.sets);
  });
  const { combination } = manifest;
  if (combination) {
    oneEach('combination', combination.sets);
    oneEach('combination.testTimeAugmentation', combination.testTimeAugmentation?.sets);
    const [a, b] = combination.modalities;
    for (const id of [a, b])
      if (!manifest.modalities.some((modality) => modality.id === id))
        reject('combination.modalities', `names '${id}', which is none of the modalities`);
    if (a === b) reject('combination.modalities', `name '${a}' twice`);
  }
  if (manifest.modalities.some(({ id }) => id === AUTO))
    reject('modalities', `name '${AUTO}', which stands for whichever modality the picture is of`);
  // As a key it is passed over (`v.record`), and with it the limits of that modality.
  const member = manifest.modalities.find(({ id }) => id in Object.prototype || id === 'prototype');
  if (member) reject('modalities', `name '${member.id}', which scripts keep for themselves`);
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
 * A manifest of another release may be intact, but cannot be read here: the error must name its version, not its first
 * unknown field.
 */
function checkVersion(value: unknown): void {
  const version = (value as { manifestVersion?: unknown } | null | undefined)?.manifestVersion;
  if (!Number.isInteger(version) || version === MANIFEST_VERSION) return;
  refuseNewer(WHAT, version as number, MANIFEST_VERSION);
  reject(
    'manifestVersion',
    `is ${String(version)}, but only version ${MANIFEST_VERSION} is read here: model and engine must be of one release`,
  );
}

/**
 * Reads a parsed manifest.json.
 * @throws DermletError MODEL_CORRUPT that names the first field found wrong, MODEL_TOO_NEW
 */
export function parseManifest(value: unknown): Manifest {
  const {
    $schema: _schema,
    training: _training,
    ...whole
  } = read(WHAT, manifest, value, {
    before: checkVersion,
    after: checkTogether,
  });
  return whole;
}

/** The same from the file's text. @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW */
export const parseManifestText = (text: string): Manifest => parseManifest(parsed(WHAT, text));

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
    ...(manifest.input.fit === 'cover'
      ? { cropShape: { width: manifest.input.width, height: manifest.input.height } }
      : {}),
    ...(manifest.combination ? { combines: [...manifest.combination.modalities] } : {}),
    coverage: manifest.decision.coverage,
  };
}

/**
 * What the self-test compares with: the network's raw outputs for its picture, and how far each may differ.
 */
export interface SelfTestReference {
  scores: number[];
  embedding: number[];
  tolerance: number;
}

/** @throws DermletError MODEL_CORRUPT */
export function parseReference(text: string): SelfTestReference {
  const what = "The model's self-test reference";
  return { embedding: [], ...read(what, selfTestReference, parsed(what, text)) };
}
