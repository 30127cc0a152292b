/** One line that is rewritten on a terminal; elsewhere a plain line now and then. */
export class Progress {
  readonly #began = performance.now();
  #done = 0;
  #shownAt = 0;

  constructor(
    readonly total: number,
    readonly write: (text: string) => void,
    readonly live: boolean,
  ) {}

  get done(): number {
    return this.#done;
  }

  /** Seconds since the first picture was asked for. */
  get seconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  step(): void {
    this.#done++;
    const now = performance.now();
    const pause = this.live ? 200 : 10_000;
    if (now - this.#shownAt < pause && this.#done < this.total) return;
    this.#shownAt = now;
    this.write(this.live ? `\r\x1b[K${this.#line()}${this.#done === this.total ? '\n' : ''}` : `${this.#line()}\n`);
  }

  #line(): string {
    const rate = this.#done / this.seconds;
    return (
      `${this.#done}/${this.total} pictures, ${rate.toFixed(1)} images/s, ` +
      `${duration((this.total - this.#done) / rate)} left`
    );
  }
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
