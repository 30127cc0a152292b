/** Waits that end. */
import { abortedError } from './abort.js';

/** What was waited for did not come in time. */
export class Late extends Error {
  override readonly name = 'Late';
}

/** Milliseconds by which a timer is late at most while the device is awake. */
const ASLEEP = 5000;

/**
 * Calls `late` once, after this time; a sleeping device or a frozen tab starts it anew, as nothing can come meanwhile.
 * @returns what stops it
 */
export function after(milliseconds: number, late: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const start = () => {
    const began = performance.now();
    timer = setTimeout(() => {
      if (performance.now() - began > milliseconds + ASLEEP) start();
      else late();
    }, milliseconds);
  };
  start();
  return () => clearTimeout(timer);
}

/**
 * What `work` gives, unless its time is up or the signal fires first; what comes after that is dropped.
 * @param milliseconds of `limits.ts`
 * @param what is waited for, as the subject of a sentence
 * @throws Late, DermletError ABORTED, and what `work` throws
 */
export function within<T>(work: Promise<T>, milliseconds: number, what: string, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = after(milliseconds, () => reject(new Late(`${what} gave no sign for ${milliseconds / 1000} s.`)));
    const onAbort = () => reject(abortedError(signal));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    void work.then(resolve, reject).finally(() => {
      stop();
      signal?.removeEventListener('abort', onAbort);
    });
  });
}
