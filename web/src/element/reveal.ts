/**
 * Brings an answer into view when it is ready, if it was asked for and the person has not gone elsewhere meanwhile. The
 * focus stays where it is.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { focused } from './focused.js';
import { bringToTop } from './scroll.js';

/** Keys that scroll, or take the focus on: what has it must stay in view. */
const LEAVING_KEYS: ReadonlySet<string> = new Set([
  'PageDown',
  'PageUp',
  'Home',
  'End',
  'ArrowDown',
  'ArrowUp',
  ' ',
  'Tab',
]);

/** Whether a person types, drags or chooses there: it must not move away under them. */
const isInUse = (element: Element | null): boolean =>
  element?.matches('input, select, textarea, [contenteditable], [role=application]') ?? false;

export class Reveal implements ReactiveController {
  #asked = false;

  constructor(host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    for (const type of ['wheel', 'touchmove', 'keydown'] as const)
      addEventListener(type, this.#gone, { capture: true, passive: true });
  }

  hostDisconnected(): void {
    for (const type of ['wheel', 'touchmove', 'keydown'] as const)
      removeEventListener(type, this.#gone, { capture: true });
  }

  /** The person asked for something: its answer is to be seen. */
  ask(): void {
    this.#asked = true;
  }

  readonly #gone = (event: Event) => {
    if (!(event instanceof KeyboardEvent) || LEAVING_KEYS.has(event.key)) this.#asked = false;
  };

  /** `needed`: the part of `answer` that must be in view; if it is, nothing moves. */
  show(answer: Element, needed: DOMRect): void {
    if (!this.#asked) return;
    this.#asked = false;
    if (isInUse(focused()) || (needed.top >= 0 && needed.bottom <= innerHeight)) return;
    bringToTop(answer);
  }
}
