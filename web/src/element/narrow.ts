/** Whether the element is too narrow for columns side by side: as `@container (min-width: 46rem)` in its styles. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** Rem. */
const COLUMNS = 46;

export class Narrow implements ReactiveController {
  /** False until it was measured. */
  is = false;

  readonly #host: ReactiveControllerHost & Element;
  #sizes: ResizeObserver | null = null;

  constructor(host: ReactiveControllerHost & Element) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#sizes ??= new ResizeObserver(([entry]) => this.#measured(entry?.contentBoxSize[0]?.inlineSize ?? 0));
    this.#sizes.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#sizes?.disconnect();
  }

  #measured(width: number): void {
    const is = width < COLUMNS * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    if (is === this.is) return;
    this.is = is;
    this.#host.requestUpdate();
  }
}
