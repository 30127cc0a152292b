/** How long what is to come over the line will take, from how fast it has come of late. */

/** Milliseconds that the speed is taken over, at most; and at least, before anything is said. */
const WINDOW = 8000;
const LEAST = 4000;

export class Meter {
  readonly #files = new Map<string, { loaded: number; total: number }>();
  /** When how many bytes had come, the oldest first. */
  readonly #marks: [at: number, bytes: number][] = [];

  constructor(readonly now: () => number = () => performance.now()) {}

  /** A file that comes over the line, or will: bytes so far and in all. */
  report(file: string, loaded: number, total: number): void {
    this.#files.set(file, { loaded, total });
    const at = this.now();
    this.#marks.push([at, this.#sum('loaded')]);
    while (this.#marks.length > 2 && at - this.#marks[1]![0] > WINDOW) this.#marks.shift();
  }

  /** Bytes of all files. */
  get loaded(): number {
    return this.#sum('loaded');
  }

  get total(): number {
    return this.#sum('total');
  }

  /** For all that is known to come; undefined while nothing is, or while it is too early to tell. */
  get secondsLeft(): number | undefined {
    const left = this.total - this.loaded;
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (left <= 0 || !first || !last) return undefined;
    const [time, bytes] = [this.now() - first[0], last[1] - first[1]];
    return time < LEAST || bytes <= 0 ? undefined : (left * time) / bytes / 1000;
  }

  #sum(of: 'loaded' | 'total'): number {
    return [...this.#files.values()].reduce((sum, file) => sum + file[of], 0);
  }
}
