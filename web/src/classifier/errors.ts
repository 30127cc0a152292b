import type { ErrorCode } from './contract.js';

export type { ErrorCode };

/** The one error type of the public API. `cause` holds the underlying error, if any. */
export class DermletError extends Error {
  override readonly name = 'DermletError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
