/** All figures of an evaluation: overall, by part, set and skin tone, refusals, and pairs. */

import { type FigureOptions, type LesionFigures, lesionFigures, type ToneFigures, toneFigures } from './figures.js';
import { type Merged, mergeClasses } from './labels.js';
import { type Pair, type PairFigures, pairFigures } from './pairs.js';
import { type RefusalFigures, refusalFigures } from './refusal.js';
import { say } from './say.js';
import { type Answered, grouped, type Scored, scored } from './scored.js';
import { UsageError } from './usage.js';

/** A group of sets, evaluated with their own merging of classes. */
export interface Part {
  name: string;
  sets: string[];
  merge: string[];
}

/** All that figures depend on besides the answers; the same for every shard of one evaluation. */
export interface Setup {
  model: { name: string; version: string; sha256: string; classes: string[] };
  /** What judged in place of its last layer; the classes are its own. */
  head?: { title: string; sha256: string };
  options: {
    sets: string[] | null;
    split: string | null;
    modality: string | null;
    merge: string[];
    /** As asked for: absent is not the same as its default. */
    positive: string | null;
    malignant: string[];
    benign: string[];
    parts: Part[];
    testTimeAugmentation: boolean;
    crop: string;
  };
  counts: { rows: number; repeated: number; unknownLabels: Record<string, number>; pictures: number; pairs: number };
  /** SHA-256 of the rows that are evaluated, in their order. */
  table: string;
  combined: [string, string] | null;
}

export interface PartFigures {
  sets: string[];
  merge: string[];
  classes: string[];
  lesions: LesionFigures;
}

export interface Figures {
  overall: LesionFigures;
  bySet: Record<string, LesionFigures>;
  byModality: Record<string, LesionFigures>;
  bySkinTone: Record<string, Record<string, ToneFigures>>;
  parts: Record<string, PartFigures>;
  refusal: RefusalFigures | null;
  pairs: PairFigures | null;
}

export interface EvaluationOptions {
  /** The model's classes. */
  ids: readonly string[];
  /** Of all but the parts. */
  merge: readonly string[];
  positive: string | undefined;
  malignant: readonly string[];
  /** The model's own classes of low concern. */
  benign: readonly string[];
  parts: readonly Part[];
  resamples: number;
}

export interface AnsweredPairs {
  modalities: [string, string];
  /** Indices into the answers, and the answer for both pictures together. */
  pairs: { pair: Pair; together: Answered }[];
}

/** `NAME:SET[,SET][:FROM:INTO[,FROM:INTO]]`. @throws UsageError */
export function parsePart(text: string): Part {
  const [name = '', sets = '', ...merges] = text.split(':');
  const part = { name, sets: sets.split(',').filter(Boolean), merge: merges.join(':').split(',').filter(Boolean) };
  if (!/^[a-z0-9][a-z0-9-]*$/u.test(name) || part.sets.length === 0) {
    throw new UsageError(say('cli.error.part', { text }));
  }
  return part;
}

/**
 * Index of the positive class of the one-against-all figures, -1 if the default is not there. @throws UsageError for an
 * unknown `option`
 */
export function positiveIndex(option: string | undefined, { classes }: Merged): number {
  const index = classes.indexOf(option ?? 'mel');
  if (option !== undefined && index < 0)
    throw new UsageError(say('cli.error.positive', { id: option, known: classes.join(', ') }));
  return index;
}

function figureOptions(merged: Merged, { positive, malignant, resamples }: EvaluationOptions): FigureOptions {
  return { classes: merged.classes, positive: positiveIndex(positive, merged), malignant, resamples };
}

const isLesion = ({ truth }: Scored): boolean => truth >= 0;

function partFigures(answers: readonly Answered[], part: Part, options: EvaluationOptions): PartFigures {
  const merged = mergeClasses(options.ids, part.merge);
  const own = answers.filter(({ row }) => part.sets.includes(row.set));
  const lesions = own.map((answer) => scored(answer, options.ids, merged, options)).filter(isLesion);
  return {
    sets: part.sets,
    merge: part.merge,
    classes: merged.classes,
    lesions: lesionFigures(lesions, figureOptions(merged, options)),
  };
}

function pairsOf(
  answers: readonly Answered[],
  { modalities, pairs }: AnsweredPairs,
  score: (answer: Answered) => Scored,
  options: FigureOptions,
): PairFigures {
  const scoredPairs = pairs
    .map(({ pair, together }) => ({
      perPicture: pair.pictures.map((i) => score(answers[i]!)) as [Scored, Scored],
      together: score(together),
    }))
    .filter(({ together }) => isLesion(together));
  return pairFigures(scoredPairs, modalities, options);
}

export function allFigures(answers: readonly Answered[], options: EvaluationOptions, pairs?: AnsweredPairs): Figures {
  const merged = mergeClasses(options.ids, options.merge);
  const own = figureOptions(merged, options);
  const score = (answer: Answered) => scored(answer, options.ids, merged, options);
  const rows = answers.map(score);
  const lesions = rows.filter(isLesion);
  const negatives = rows.filter((row) => !isLesion(row));
  const by = (key: (row: Scored) => string) =>
    Object.fromEntries(grouped(lesions, key).map(([name, part]) => [name, lesionFigures(part, own)]));
  return {
    overall: lesionFigures(lesions, own),
    bySet: by(({ set }) => set),
    byModality: by(({ modality }) => modality),
    bySkinTone: toneFigures(lesions, own),
    parts: Object.fromEntries(options.parts.map((part) => [part.name, partFigures(answers, part, options)])),
    refusal: negatives.length > 0 ? refusalFigures(negatives, lesions, options.resamples) : null,
    pairs: pairs && pairs.pairs.length > 0 ? pairsOf(answers, pairs, score, own) : null,
  };
}
