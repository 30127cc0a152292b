/** Labelled results -> what the core trains a head on -> a head. */
import type { Trained, TrainingExamples, TrainingSpec } from '../../../wasm_src/bindings/learn.js';
import { headManifest } from './documents.js';
import { DermletError } from './errors.js';
import { type Head, SET_MASS } from './head.js';
import type { ModelClass } from './manifest.js';
import type { ModelInfo, TrainingExample, TrainOptions } from './options.js';
import { read } from './reading.js';

/** Iterations of one fit; one of 400 pictures takes about 50. */
const ITERATIONS = 1000;
/** With more groups of pictures than this, a share of them is left out at a time: each alone would take minutes. */
const MOST_LEFT_OUT_ALONE = 150;
const FOLDS = 50;

export interface TrainingJob {
  examples: TrainingExamples;
  spec: TrainingSpec;
  /** The head of what the core trained. */
  finish(trained: Trained): Head;
}

/** @throws DermletError INVALID_ARGUMENT */
export function trainingJob(
  model: ModelInfo,
  given: readonly TrainingExample[],
  { title = 'Own categories', classes, crop = 'auto', inversePenalty = 4, balanced = true }: TrainOptions,
): TrainingJob {
  const ids = classes?.map(({ id }) => id) ?? [...new Set(given.map(({ label }) => label))].sort();
  const places = new Map(ids.map((id, index) => [id, index]));
  const groups = new Map<string, number>();
  const size = given[0]?.result.embedding?.length ?? 0;
  const embeddings = new Float32Array(given.length * size);
  const labels = given.map(({ label, result }, at) => {
    const place = places.get(label);
    if (place === undefined) throw wrong(`example ${at + 1} is of '${label}', which is none of the classes`);
    if (result.model.sha256 !== model.sha256) throw wrong(`example ${at + 1} was classified by another model`);
    if (!result.embedding) throw wrong(`example ${at + 1} has no embedding: classify it with embedding: true`);
    if (result.embedding.length !== size) throw wrong(`example ${at + 1} has an embedding of another length`);
    embeddings.set(result.embedding, at * size);
    return place;
  });
  // Pictures without a group have one of their own, whatever the names of the others'.
  const groupOf = given.map(({ group }, at) => {
    const name = group === undefined ? `#${at}` : `=${group}`;
    if (!groups.has(name)) groups.set(name, groups.size);
    return groups.get(name)!;
  });
  const rejections = given.map(({ result }) => result.rejection.score);
  const known = new Map(model.classes.map((each) => [each.id, each]));
  const own = (classes ?? ids.map((id) => known.get(id) ?? { id, name: id, concern: 'moderate' as const })).map(
    ({ id, name, plain, concern }): ModelClass => ({ id, name, ...(plain === undefined ? {} : { plain }), concern }),
  );
  return {
    examples: { embeddings, labels, groups: groupOf, rejections, classes: ids.length },
    spec: {
      inversePenalty,
      balanced,
      iterations: ITERATIONS,
      folds: groups.size <= MOST_LEFT_OUT_ALONE ? MOST_LEFT_OUT_ALONE : FOLDS,
      setMass: SET_MASS,
    },
    finish: ({ weights, bias, converged, rejectionLimit, heldOut }) => ({
      manifest: checked({
        headVersion: 1,
        title,
        base: { name: model.name, version: model.version, sha256: model.sha256 },
        embeddingSize: size,
        crop,
        classes: own,
        pictures: ids.map((_id, index) => labels.filter((label) => label === index).length),
        inversePenalty,
        balanced,
        converged,
        rejectionThreshold: rejectionLimit,
        heldOut,
      }),
      weights,
      bias,
    }),
  };
}

const wrong = (problem: string): DermletError => new DermletError('INVALID_ARGUMENT', `Cannot train: ${problem}.`);

/** Names and ids come from the caller: a head that could not be read again must not be made. */
function checked(manifest: Head['manifest']): Head['manifest'] {
  try {
    return read('The head', headManifest, manifest);
  } catch (cause) {
    throw new DermletError('INVALID_ARGUMENT', (cause as Error).message, { cause });
  }
}
