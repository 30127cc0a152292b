/** Keys on a frame -> what they do to it. No DOM. */
import type { Rect } from '../../classifier/index.js';
import { type Bounds, centreOf, frameAround, moved, scaled } from './geometry.js';

/** Share of the picture's shorter side that an arrow moves or resizes by. */
const STEP = 1 / 50;
/** Of one step of the buttons, the wheel, + and -. */
export const FACTOR = 1.1;

const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The frame after a key; null: the key is none of the frame's. */
export function framedByKey(key: string, shift: boolean, frame: Rect, bounds: Bounds): Rect | null {
  if (key === '+' || key === '=') return scaled(frame, FACTOR, bounds);
  if (key === '-' || key === '_') return scaled(frame, 1 / FACTOR, bounds);
  const arrow = ARROWS[key];
  if (!arrow) return null;
  const step = Math.max(1, Math.round(STEP * Math.min(bounds.width, bounds.height)));
  const [x, y] = [arrow[0] * step, arrow[1] * step];
  if (!shift) return moved(frame, { x, y }, bounds);
  // With a fixed shape, right and down enlarge it, left and up make it smaller.
  if (bounds.shape) return scaled(frame, (frame.width + x + y) / frame.width, bounds);
  return frameAround(centreOf(frame), { width: frame.width + x, height: frame.height + y }, bounds);
}
