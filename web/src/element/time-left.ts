/**
 * Time left of a download, by its speed over the last seconds. What is shown is calm: rounded up to steps that people
 * use, changed at most once a second, and raised only when it has become much longer.
 */

/** Milliseconds that the speed is measured over. */
const WINDOW = 9000;
/** Milliseconds before anything is said. */
const FIRST_AFTER = 2000;
const CHANGED_AFTER = 1000;
/** Only a time this many times the one shown, and more than a step longer, is shown in place of it. */
const MUCH_LONGER = 1.5;

/** 5, 10, ... 60 seconds, then whole minutes. */
export function steps(seconds: number): number {
  const step = seconds <= 60 ? 5 : 60;
  return Math.max(step, Math.ceil(seconds / step) * step);
}

export class TimeLeft {
  #samples: { at: number; loaded: number }[] = [];
  #shown: { seconds: number; since: number } | null = null;

  /**
   * @param at milliseconds
   * @returns seconds; null: unknown
   */
  update(at: number, loaded: number, total: number): number | null {
    // Begun anew, in another form.
    if (loaded < (this.#samples.at(-1)?.loaded ?? 0)) this.#samples = [];
    this.#samples.push({ at, loaded });
    while (this.#samples.length > 2 && this.#samples[1]!.at < at - WINDOW) this.#samples.shift();
    const first = this.#samples[0]!;
    const [time, bytes] = [at - first.at, loaded - first.loaded];
    if (loaded >= total || bytes <= 0 || time < FIRST_AFTER) return this.#shown?.seconds ?? null;
    const seconds = steps(((total - loaded) * time) / bytes / 1000);
    const shown = this.#shown;
    if (
      !shown ||
      (at - shown.since >= CHANGED_AFTER &&
        (seconds < shown.seconds || seconds > Math.max(shown.seconds + 5, shown.seconds * MUCH_LONGER)))
    )
      this.#shown = { seconds, since: at };
    return this.#shown!.seconds;
  }
}
