/** Whether what is kept stays within what one exported file holds. No storage. */
import { type Entry, type Item, isVisit, MOST_BYTES, MOST_ENTRIES } from './entries.js';
import { SpotsError } from './error.js';

/**
 * Bytes of each entry with its picture, by id.
 * @param written bytes of each entry as it is stored
 */
export const sizesOf = (
  entries: readonly Entry[],
  written: ReadonlyMap<string, { readonly data: Uint8Array } | null>,
): Map<string, number> =>
  new Map(
    entries.map((entry) => [
      entry.id,
      (written.get(entry.id)?.data.length ?? 0) + (isVisit(entry) ? entry.photoBytes : 0),
    ]),
  );

export const sum = (sizes: ReadonlyMap<string, number>): number =>
  [...sizes.values()].reduce((all, size) => all + size, 0);

/**
 * Only what grows is refused: deleting and renaming are always possible.
 * @param before as of `sizesOf`, of what is kept
 * @param put with their sizes
 * @param remove ids
 * @throws SpotsError TOO_MUCH
 */
export function checkRoom(
  before: ReadonlyMap<string, number>,
  put: readonly Item[],
  sizes: ReadonlyMap<string, number>,
  remove: readonly string[],
): void {
  const after = new Map(before);
  for (const id of remove) after.delete(id);
  for (const { entry } of put) after.set(entry.id, sizes.get(entry.id) ?? 0);
  const [now, then] = [sum(before), sum(after)];
  const fuller = then > now && then > MOST_BYTES && put.some(({ photo }) => photo !== null);
  if (fuller || (after.size > before.size && after.size > MOST_ENTRIES)) throw new SpotsError('TOO_MUCH');
}
