/** Whether framing the spot may give an answer that is surer: where there is none, or several that may fit. No DOM. */
import type { Result, Spot } from '../../classifier/index.js';
import { centreOf } from './geometry.js';

/** Of the picture's shorter side: a spot shorter than this is small in it. */
const SMALL = 0.4;
/** Of the picture's width or height, from its middle. */
const OFF_CENTRE = 0.2;

/** Checks that fail for what is around the spot rather than for the photo itself. */
const ABOUT_FRAMING: ReadonlySet<string> = new Set(['out_of_frame', 'collage', 'flat']);

/** `spots`: those found in the photo, best first. */
export function mayHelp({ outcome, quality, source, frame }: Result, spots: readonly Spot[]): boolean {
  switch (outcome) {
    case 'no-spot':
    case 'several-spots':
      return true;
    case 'not-recognised':
      return frame.framing !== 'chosen';
    case 'poor-quality':
      return quality.checks.some(({ id, passed }) => !passed && ABOUT_FRAMING.has(id));
    case 'several': {
      const [best] = spots;
      if (!best || frame.framing === 'chosen') return false;
      const { x, y } = centreOf(best);
      const away = Math.max(Math.abs(x / source.width - 0.5), Math.abs(y / source.height - 0.5));
      return Math.max(best.width, best.height) < SMALL * Math.min(source.width, source.height) || away > OFF_CENTRE;
    }
    case 'single':
      return false;
  }
}
