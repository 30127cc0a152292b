/**
 * Every way a call to the classifier can fail. Codes are stable: scripts and front ends switch on them; messages are
 * for people.
 */
export type ErrorCode =
  | 'UNSUPPORTED_FORMAT' // not a picture format that can be read; the message names what it seems to be
  | 'CORRUPT_IMAGE' // the right format, but broken or cut off
  | 'IMAGE_TOO_LARGE' // over a stated limit, or over the memory that can be had
  | 'INVALID_ARGUMENT' // options that make no sense, such as a crop outside the picture
  | 'MODEL_UNAVAILABLE' // model or engine could not be fetched or started (offline, 404, an HTML page in its place)
  | 'MODEL_CORRUPT' // fetched, but not what the manifest promises (sha256, size, schema, outputs)
  | 'BACKEND_FAILED' // ONNX Runtime could not run the network on any backend
  | 'ABORTED' // the caller's AbortSignal
  | 'DISPOSED'; // dispose() was called

/** The one error type of the public API. `cause` holds the underlying error where there is one. */
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
