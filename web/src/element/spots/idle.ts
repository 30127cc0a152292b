/** Tells when a page has not been used for a while, whether it was seen, hidden or asleep. */

/** What a person does. */
const INPUT = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const;
/** Before any part of the page can keep it to itself. */
const HEARD = { capture: true, passive: true } as const;

/** Where input is heard, and where it is told that the page is seen again. */
interface Heard {
  readonly input: EventTarget;
  readonly seen: EventTarget;
}

/**
 * Calls `idle` once, when there was no input for so long. By the clock and not by a timer alone: hidden tabs have slow
 * timers, sleeping devices none. What wakes them up later than that is no input.
 * @returns what stops it
 */
export function whenIdle(
  milliseconds: number,
  idle: () => void,
  { input, seen }: Heard = { input: window, seen: document },
): () => void {
  let last = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    clearTimeout(timer);
    for (const type of INPUT) input.removeEventListener(type, used, HEARD);
    seen.removeEventListener('visibilitychange', look);
  };
  const look = () => {
    clearTimeout(timer);
    const now = Date.now();
    last = Math.min(last, now); // a clock that was set back
    if (now - last < milliseconds) {
      timer = setTimeout(look, last + milliseconds - now);
      return;
    }
    stop();
    idle();
  };
  const used = () => {
    if (Date.now() - last >= milliseconds) look();
    else last = Date.now();
  };
  for (const type of INPUT) input.addEventListener(type, used, HEARD);
  seen.addEventListener('visibilitychange', look);
  look();
  return stop;
}
