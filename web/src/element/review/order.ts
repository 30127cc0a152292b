/** Which photos are listed, and in which order. */
import { mayName } from '../../messages/index.js';
import { type Photo, tierOf } from '../session.js';

export type Sort = 'added' | 'tier' | 'score' | 'name';
/** A tier, raised where answers raised it, or where a photo without one stands. */
export type Kind = 'high' | 'moderate' | 'low' | 'unknown' | 'pending' | 'failed' | 'cancelled';

export const isTier = (kind: Kind) => kind === 'high' || kind === 'moderate' || kind === 'low' || kind === 'unknown';

export const SORTS: readonly Sort[] = ['added', 'tier', 'score', 'name'];
/** The most urgent first. */
export const KINDS: readonly Kind[] = ['high', 'moderate', 'unknown', 'low', 'failed', 'cancelled', 'pending'];

export interface Wanted {
  readonly sort: Sort;
  /** Null: each. */
  readonly kind: Kind | null;
  /** Id of a category that the answer names; null: each. */
  readonly category: string | null;
  /** Part of the name, whatever its case; empty: each. */
  readonly text: string;
}

type Listed = Pick<Photo, 'id' | 'name' | 'state' | 'said'>;

export function kindOf({ state, said }: Pick<Photo, 'state' | 'said'>): Kind {
  if (state.kind === 'done') return tierOf(state.result, said);
  return state.kind === 'failed' || state.kind === 'cancelled' ? state.kind : 'pending';
}

/** The greatest calibrated score, 0..1; null where the answer names no category. */
export function scoreOf({ state }: Pick<Photo, 'state'>): number | null {
  if (state.kind !== 'done' || !mayName(state.result)) return null;
  return state.result.ranking[0]?.probability ?? null;
}

const names = ({ state }: Listed, category: string): boolean =>
  state.kind === 'done' && mayName(state.result) && state.result.predictionSet.includes(category);

const collator = new Intl.Collator(undefined, { numeric: true });
const byName = (a: Listed, b: Listed): number => collator.compare(a.name, b.name) || a.id - b.id;

const COMPARE: Record<Sort, (a: Listed, b: Listed) => number> = {
  added: (a, b) => a.id - b.id,
  tier: (a, b) => KINDS.indexOf(kindOf(a)) - KINDS.indexOf(kindOf(b)) || byName(a, b),
  // Photos without a score are last.
  score: (a, b) => (scoreOf(b) ?? -1) - (scoreOf(a) ?? -1) || byName(a, b),
  name: byName,
};

/** A new list of those that are wanted, in the wanted order. */
export function listed<One extends Listed>(photos: readonly One[], wanted: Wanted): One[] {
  const text = wanted.text.trim().toLowerCase();
  return photos
    .filter(
      (photo) =>
        (wanted.kind === null || kindOf(photo) === wanted.kind) &&
        (wanted.category === null || names(photo, wanted.category)) &&
        photo.name.toLowerCase().includes(text),
    )
    .sort(COMPARE[wanted.sort]);
}

/** Rows of equal height to draw: those in view and as many again around them, never more than there are. */
export function rowsInView(count: number, height: number, top: number, view: number): { first: number; end: number } {
  const seen = Math.ceil(view / height) + 1;
  const at = Math.min(Math.max(0, Math.floor(top / height)), Math.max(0, count - seen));
  const around = Math.ceil(seen / 2);
  return { first: Math.max(0, at - around), end: Math.min(count, at + seen + around) };
}
