/** Figures for two pictures of a lesion, one per modality: each by itself and both combined, on the same lesions. */
import {
  type Figure,
  type FigureName,
  type FigureOptions,
  type MainFigures,
  mainFigures,
  Prepared,
} from './figures.js';
import type { Scored } from './scored.js';
import { bootstrap, type Interval } from './statistics.js';

/** Two rows of one lesion. */
export interface Pair {
  group: string;
  /** Indices into the rows, in the order of the two modalities. */
  pictures: [number, number];
}

/** A lesion's three answers. */
export interface AnsweredPair {
  perPicture: [Scored, Scored];
  together: Scored;
}

/** Figure of both pictures minus that of one, with a paired interval. */
export interface Difference {
  value: Figure;
  interval: Interval | null;
}

export interface PairFigures {
  lesions: number;
  modalities: [string, string];
  alone: Record<string, MainFigures>;
  together: MainFigures;
  /** By the modality compared with. */
  difference: Record<string, Partial<Record<FigureName, Difference>>>;
}

/**
 * Finds lesions (rows with the same group and label) with a picture of each modality. Of several in one modality the
 * first by set and name is used, so that every lesion counts once.
 */
export function findPairs(
  rows: readonly { set: string; image: string; group: string; label: string }[],
  modalities: readonly string[],
  [first, second]: readonly [string, string],
): Pair[] {
  const name = (i: number) => `${rows[i]!.set}/${rows[i]!.image}`;
  const places = new Map<string, { group: string; of: Map<string, number> }>();
  rows.forEach(({ group, label }, i) => {
    const key = JSON.stringify([group, label]);
    const lesion = places.get(key) ?? { group, of: new Map<string, number>() };
    places.set(key, lesion);
    const known = lesion.of.get(modalities[i]!);
    if (known === undefined || name(i) < name(known)) lesion.of.set(modalities[i]!, i);
  });
  return [...places.values()].flatMap(({ group, of }) => {
    const [a, b] = [of.get(first), of.get(second)];
    return a === undefined || b === undefined ? [] : [{ group, pictures: [a, b] as [number, number] }];
  });
}

/** Differences use the same resamples: a lesion is drawn with all three answers. */
export function pairFigures(
  pairs: readonly AnsweredPair[],
  modalities: [string, string],
  options: FigureOptions,
): PairFigures {
  const rowsOf = (side: 0 | 1) => pairs.map(({ perPicture }) => perPicture[side]);
  const togetherRows = pairs.map(({ together }) => together);
  const together = new Prepared(togetherRows, options);
  const groups = togetherRows.map(({ group }) => group);
  const difference = (side: 0 | 1) => {
    const single = new Prepared(rowsOf(side), options);
    const differences = (weights?: Float64Array) => {
      const [both, one] = [together.figures(weights), single.figures(weights)];
      return Object.fromEntries(
        Object.entries(both).map(([name, value]) => [name, value - one[name as FigureName]]),
      ) as Record<FigureName, number>;
    };
    const intervals = bootstrap(groups, differences, { resamples: options.resamples });
    const values = Object.entries(differences()).map(([name, value]): [string, Difference] => [
      name,
      { value: Number.isNaN(value) ? null : value, interval: intervals[name as FigureName] ?? null },
    ]);
    return Object.fromEntries(values);
  };
  return {
    lesions: pairs.length,
    modalities,
    alone: { [modalities[0]]: mainFigures(rowsOf(0), options), [modalities[1]]: mainFigures(rowsOf(1), options) },
    together: mainFigures(togetherRows, options),
    difference: { [modalities[0]]: difference(0), [modalities[1]]: difference(1) },
  };
}
