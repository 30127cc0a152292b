/** Two pictures of one lesion, one of each modality: each alone, and both given together, on the same lesions. */
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

/** The places, among the rows, of the pictures that belong together. */
export interface Pair {
  group: string;
  /** Indices into the rows, in the order of the two modalities. */
  pictures: [number, number];
}

/** One lesion's three answers. */
export interface AnsweredPair {
  alone: [Scored, Scored];
  together: Scored;
}

/** Figure of both together less that of one alone, positive where together is greater, with a paired interval. */
export interface Difference {
  value: Figure;
  interval: Interval | null;
}

export interface PairFigures {
  lesions: number;
  modalities: [string, string];
  alone: Record<string, MainFigures>;
  together: MainFigures;
  /** By the modality that is compared with. */
  difference: Record<string, Partial<Record<FigureName, Difference>>>;
}

/**
 * Finds the lesions that have a picture of each modality: rows of one group and one label. Where there are several of
 * one modality, the first by set and name counts, so that every lesion counts once.
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

/** All differences are of the same resamples: a lesion is drawn with its three answers. */
export function pairFigures(
  pairs: readonly AnsweredPair[],
  modalities: [string, string],
  options: FigureOptions,
): PairFigures {
  const rowsOf = (side: 0 | 1) => pairs.map(({ alone }) => alone[side]);
  const togetherRows = pairs.map(({ together }) => together);
  const together = new Prepared(togetherRows, options);
  const groups = togetherRows.map(({ group }) => group);
  const difference = (side: 0 | 1) => {
    const alone = new Prepared(rowsOf(side), options);
    const differences = (weights?: Float64Array) => {
      const [both, one] = [together.figures(weights), alone.figures(weights)];
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
