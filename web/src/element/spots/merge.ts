/** What an imported file changes in what is kept: by id, and never an older one over a newer one. No storage. */
import { type Entry, type Item, isVisit } from './entries.js';
import { SpotsError } from './error.js';

export interface Merged {
  /** To be written. */
  readonly put: readonly Item[];
  readonly added: number;
  /** Older here than in the file. */
  readonly updated: number;
  /** The same here, or newer: left as they are. */
  readonly left: number;
}

/** @throws SpotsError DAMAGED if an id means something else here, or a visit would move to another spot */
export function merge(here: readonly Entry[], items: readonly Item[]): Merged {
  const known = new Map(here.map((entry) => [entry.id, entry]));
  const put: Item[] = [];
  let [added, updated, left] = [0, 0, 0];
  for (const item of items) {
    const { entry } = item;
    const own = known.get(entry.id);
    if (own && (own.kind !== entry.kind || (isVisit(own) && isVisit(entry) && own.spot !== entry.spot)))
      throw new SpotsError('DAMAGED');
    if (own && own.changedAt >= entry.changedAt) left += 1;
    else {
      put.push(item);
      if (own) updated += 1;
      else added += 1;
    }
  }
  return { put, added, updated, left };
}
