/** What to do about the live picture, by the core's quality checks; and how often it is said. No DOM, no words. */
import type { QualityCheck, QualityCheckId } from '../../classifier/index.js';

export type Hint = 'waiting' | 'good' | 'dark' | 'bright' | 'flat' | 'blurred' | 'contrast' | 'aim' | 'grey';

/**
 * The first that fails counts: without light nothing else can be judged, and an empty picture is neither sharp nor in
 * place. A sample is small, so its size says nothing; pasted pictures do not come from a camera.
 */
const IN_ORDER: readonly (readonly [QualityCheckId, Hint])[] = [
  ['dark', 'dark'],
  ['bright', 'bright'],
  ['noisy', 'dark'],
  ['flat', 'flat'],
  ['blurred', 'blurred'],
  ['low_contrast', 'contrast'],
  ['grey', 'grey'],
  ['out_of_frame', 'aim'],
];

export function hintOf(checks: readonly QualityCheck[]): Hint {
  const failed = new Set(checks.filter(({ passed }) => !passed).map(({ id }) => id));
  return IN_ORDER.find(([id]) => failed.has(id))?.[1] ?? 'good';
}

/** Milliseconds that a hint stands at least: a screen reader is to end its sentence. */
const STANDS_FOR = 3000;

/** Hints as they come, at a pace at which they can be heard. */
export class Calm {
  #hint: Hint = 'waiting';
  #since = Number.NEGATIVE_INFINITY;

  /** The hint to show. @param now milliseconds, never falling */
  next(hint: Hint, now: number): Hint {
    if (hint !== this.#hint && now - this.#since >= STANDS_FOR) {
      this.#hint = hint;
      this.#since = now;
    }
    return this.#hint;
  }
}
