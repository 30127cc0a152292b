import { DermletError } from './errors.js';

/** The one error an AbortSignal turns into, whatever its reason was. */
export function abortedError(signal?: AbortSignal): DermletError {
  return new DermletError('ABORTED', 'The call was aborted.', { cause: signal?.reason });
}

/** @throws DermletError ABORTED */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw abortedError(signal);
}

/** What an unknown thrown value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
