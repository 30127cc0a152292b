/**
 * Brings the answer onto the screen when it is there, as it may lie below on a phone: once for each time that photos
 * are added, and not after the person has scrolled or used a key, who then looks at something else.
 */
const ELSEWHERE = ['wheel', 'touchmove', 'keydown'] as const;

export class AnswerInView {
  #photo: number | null = null;
  readonly #elsewhere = () => this.forget();

  /** From now on the answer about that photo is awaited. */
  await(photo: number | null): void {
    this.#photo = photo;
    for (const type of ELSEWHERE) addEventListener(type, this.#elsewhere, { passive: true });
  }

  forget(): void {
    this.#photo = null;
    for (const type of ELSEWHERE) removeEventListener(type, this.#elsewhere);
  }

  /**
   * @param answer whose top is brought to that of the screen if not all of it down to `end` is seen
   */
  show(photo: number, answer: Element, end: Element): void {
    if (photo !== this.#photo) return;
    this.forget();
    const seen = answer.getBoundingClientRect().top >= 0 && end.getBoundingClientRect().bottom <= innerHeight;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (!seen) answer.scrollIntoView({ block: 'start', behavior: calm ? 'auto' : 'smooth' });
  }
}
