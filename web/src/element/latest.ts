/** One thing at a time: a later one ends the one before, which then says nothing. */
import type { DermletError } from '../classifier/index.js';
import { asDermletError } from './session.js';

export class Latest {
  #controller = new AbortController();

  /** Of what was begun last. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(): void {
    this.#controller.abort();
  }

  /** @param ended called once it has ended by itself, with why it failed or null */
  async run(work: (signal: AbortSignal) => Promise<void>, ended: (error: DermletError | null) => void): Promise<void> {
    this.stop();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    let failed: DermletError | null = null;
    try {
      await work(signal);
    } catch (error) {
      failed = asDermletError(error);
    }
    if (!signal.aborted) ended(failed);
  }
}
