/** What a reader has said of photos, and which of it the network in use has a category for. */
import type { ModelInfo } from '../../classifier/index.js';
import type { Photo } from '../session.js';

export interface Reading {
  /** Id of a category of the model, or words of the reader's own. */
  readonly label: string;
  /** Name of that category; null: the words are her own. */
  readonly category: string | null;
  /** Whether she gave it before she could see the network's answer. */
  readonly first: boolean;
}

/** By the photos' ids. */
export type Readings = ReadonlyMap<number, Reading>;

/**
 * Readings stay with their photos when the network is changed: those of a category that the new one lacks are set
 * aside, and count again with one that has it.
 * @param classes null: not known yet; nothing is set aside then
 */
export function sorted(
  photos: readonly Pick<Photo, 'id' | 'reading'>[],
  classes: ModelInfo['classes'] | null,
): { readings: Readings; aside: readonly Reading[] } {
  const readings = new Map<number, Reading>();
  const aside: Reading[] = [];
  for (const { id, reading } of photos) {
    if (!reading) continue;
    const fits = reading.category === null || classes === null || classes.some((one) => one.id === reading.label);
    if (fits) readings.set(id, reading);
    else aside.push(reading);
  }
  return { readings, aside };
}
