/**
 * The order in which files come over the line: one after the other, as they are asked for. Each is requested while the
 * last bytes of the one before are still to come, and nothing that is done with a file holds up the next.
 */

/** Bytes still to come of a file when the next is requested: what a line of 10 to 20 Mbit/s sends in a round trip. */
export const AHEAD = 128 << 10;

/** A file's place in the order. */
export interface Place {
  /** Resolves when the file may be requested. */
  readonly turn: Promise<unknown>;
  /** Lets the next one go. May be called twice. */
  readonly leave: () => void;
}

export class Line {
  #last: Promise<unknown> = Promise.resolve();

  enter(): Place {
    const turn = this.#last;
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    this.#last = Promise.all([turn, left]);
    return { turn, leave };
  }
}
