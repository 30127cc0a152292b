/**
 * Two visits to one spot, beside each other. It says what the network said of each and whether that compares at all;
 * it says nothing of how the skin changed: two pictures differ in light, distance and focus too. No DOM, no words.
 */
import { safeParse } from 'valibot';
import type { Rect } from '../../classifier/index.js';
import { rectSchema, type Visit } from './entries.js';

/** Why two answers do not compare. */
export type Apart = 'model' | 'modality' | 'unnamed';

export interface Comparison {
  /** By when they were kept. */
  readonly earlier: Visit;
  readonly later: Visit;
  /** Null: they compare. */
  readonly apart: Apart | null;
  /** Whether both look most like the same category; null where they do not compare. */
  readonly same: boolean | null;
  /**
   * Whether both frames are drawn over each other: each lies around the spot, and they have the same shape. A frame
   * around the whole picture says nothing of where the spot is.
   */
  readonly aligned: boolean;
  /** Whether either picture failed a check of its quality. */
  readonly poor: boolean;
}

/** Shares by which the shapes of two frames may differ: rounding to whole pixels. */
const SHAPE = 0.02;

const shapeOf = ({ width, height }: Rect): number => width / height;
const isNamed = ({ result: { outcome } }: Visit): boolean => outcome === 'single' || outcome === 'several';

/**
 * Around the spot, in pixels of the upright picture; null: none. Where the picture was looked at whole as well
 * (`both`), what the network saw is the picture, and the frame is that of the spot that was found.
 */
export function frameOf({ result: { frame, source } }: Pick<Visit, 'result'>): Rect | null {
  switch (frame.framing) {
    case 'spot':
    case 'chosen':
      return source.region;
    case 'both': {
      const read = safeParse(rectSchema, frame.spots[0]?.frame);
      return read.success ? read.output : null;
    }
    default:
      return null;
  }
}

function apartOf({ result: a, ...one }: Visit, { result: b, ...other }: Visit): Apart | null {
  const sameModel = (['name', 'version', 'sha256'] as const).every((key) => a.model[key] === b.model[key]);
  if (!sameModel) return 'model';
  if (a.modality !== b.modality) return 'modality';
  return isNamed({ ...one, result: a }) && isNamed({ ...other, result: b }) ? null : 'unnamed';
}

/** @throws RangeError for visits to different spots, or one with itself: nobody may compare those */
export function compare(one: Visit, other: Visit): Comparison {
  if (one.spot !== other.spot || one.id === other.id) throw new RangeError('only two visits to one spot compare');
  const [earlier, later] = one.keptAt <= other.keptAt ? [one, other] : [other, one];
  const apart = apartOf(earlier, later);
  const [before, after] = [frameOf(earlier), frameOf(later)];
  return {
    earlier,
    later,
    apart,
    same: apart === null ? earlier.result.ranking[0]?.id === later.result.ranking[0]?.id : null,
    aligned: before !== null && after !== null && Math.abs(shapeOf(before) / shapeOf(after) - 1) <= SHAPE,
    poor: [earlier, later].some(({ result }) => result.quality.checks.some(({ passed }) => !passed)),
  };
}

/**
 * Where a whole picture lies, so that a part of it fills a box: shares of the box's size.
 * @param part in pixels of the picture
 * @param picture its size
 */
export function filling(part: Rect, picture: { readonly width: number; readonly height: number }): Rect {
  return {
    x: -part.x / part.width,
    y: -part.y / part.height,
    width: picture.width / part.width,
    height: picture.height / part.height,
  };
}
