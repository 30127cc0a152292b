import { number } from '../../web/src/messages/index.js';
import { say } from './say.js';

/** A line that is rewritten on a terminal; elsewhere a new line every ten seconds. */
export class Progress {
  readonly #startedAt = performance.now();
  #done = 0;
  #printedAt = 0;

  constructor(
    readonly total: number,
    readonly write: (text: string) => void,
    readonly live: boolean,
  ) {}

  get done(): number {
    return this.#done;
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  step(): void {
    this.#done++;
    const now = performance.now();
    const pause = this.live ? 200 : 10_000;
    if (now - this.#printedAt < pause && this.#done < this.total) return;
    this.#printedAt = now;
    this.write(this.live ? `\r\x1b[K${this.#line()}${this.#done === this.total ? '\n' : ''}` : `${this.#line()}\n`);
  }

  #line(): string {
    const rate = this.#done / this.seconds;
    return say('cli.progress', {
      done: number(this.#done),
      total: number(this.total),
      rate: number(rate, 1),
      left: duration((this.total - this.#done) / rate),
    });
  }
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const part = (unit: number, next: number) => number(Math.floor((whole % next) / unit));
  if (whole < 60) return say('cli.duration.seconds', { seconds: part(1, 60) });
  if (whole < 3600) return say('cli.duration.minutes', { minutes: part(60, 3600), seconds: part(1, 60) });
  return say('cli.duration.hours', { hours: part(3600, Infinity), minutes: part(60, 3600) });
}
