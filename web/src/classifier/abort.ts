import { DermletError } from './errors.js';

/** The error for an aborted call, whatever the signal's reason. */
export function abortedError(signal?: AbortSignal): DermletError {
  return new DermletError('ABORTED', 'The call was aborted.', { cause: signal?.reason });
}

/** @throws DermletError ABORTED */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw abortedError(signal);
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
