/**
 * Every way a request is not answered by a result, in the JSON of the retired servers: `{"detail": ...}` of the FastAPI
 * one, `{"error": ...}` of the Django one, each with a stable `code` beside it. Texts are fixed: none is that of an
 * exception.
 */

/** The Django server's only path, relative to the base; the slash at its end is part of it. */
export const DIAGNOSIS_PATH = 'api/predict/skin-disease/';
export const PREDICT_PATH = 'predict';
export const HEALTH_PATH = 'health';

/** All paths of the retired servers, relative to the base. */
export const PATHS = {
  all: ['', HEALTH_PATH, PREDICT_PATH, DIAGNOSIS_PATH] as readonly string[],
  predictions: [PREDICT_PATH, DIAGNOSIS_PATH] as readonly string[],
};

/** Status and text by code. Stable: clients switch on codes. */
const REFUSALS = {
  MALFORMED_BODY: [400, 'The request body is not valid multipart/form-data.'],
  UNSUPPORTED_FORMAT: [400, 'File must be an image'],
  ORIGIN_NOT_ALLOWED: [403, 'Pages of this origin may not use this server.'],
  NOT_FOUND: [404, 'Not Found'],
  METHOD_NOT_ALLOWED: [405, 'Method Not Allowed'],
  BODY_TIMEOUT: [408, 'The request body took too long.'],
  FILE_TOO_LARGE: [413, 'File too large.'],
  IMAGE_TOO_LARGE: [413, 'The image has too many pixels.'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Send the file as multipart/form-data.'],
  HOST_NOT_ALLOWED: [421, 'This server does not answer for this host name.'],
  FILE_MISSING: [422, 'Field required'],
  CORRUPT_IMAGE: [422, 'The image is broken or cut off.'],
  BUSY: [429, 'Too many requests are waiting. Please try again later.'],
  PREDICTION_FAILED: [500, 'Prediction error'],
  MODEL_NOT_LOADED: [503, 'Model not loaded. Please try again later.'],
  TIMED_OUT: [503, 'The prediction took too long.'],
  STOPPING: [503, 'The server is stopping.'],
} as const satisfies Record<string, readonly [status: number, text: string]>;

export type RefusalCode = keyof typeof REFUSALS;

/** What the Django server said in other words, or with another status. */
const DIAGNOSIS: Partial<Record<RefusalCode, readonly [status: number, text: string]>> = {
  METHOD_NOT_ALLOWED: [405, 'Only POST allowed'],
  FILE_MISSING: [400, 'Image not provided'],
  PREDICTION_FAILED: [500, 'Prediction failed'],
  MODEL_NOT_LOADED: [503, 'Failed to load model'],
};

export interface RefusalDetails {
  /** For `FILE_TOO_LARGE`, in bytes. */
  maxFileBytes?: number;
  /** For `FILE_MISSING`: names of the fields that came with a file. */
  received?: readonly string[];
  /** For `METHOD_NOT_ALLOWED`. */
  allow?: string;
  /** Seconds, for what may be tried again. */
  retryAfter?: number;
}

/** How many names of fields are told, and how much of each. */
const NAMED = { fields: 20, characters: 100 };

/**
 * A limit as the retired server said it, `10MB`; a MB is 2^20 bytes. Below 10 it has one decimal. Cut, not rounded: no
 * more is said than is taken.
 */
function sizeWords(bytes: number): string {
  const [unit, name] =
    bytes >= 2 ** 20 / 10 ? [2 ** 20, 'MB'] : bytes >= 2 ** 10 / 10 ? [2 ** 10, 'KB'] : [1, ' bytes'];
  const size = bytes / unit;
  // 0.7 MB in whole bytes is a little less.
  return `${size < 10 ? Math.floor(size * 10 + 1e-3) / 10 : Math.floor(size)}${name}`;
}

/** JSON that nothing keeps. */
export function json(value: object, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
  });
}

/**
 * The refusal of a request in the shape of the server whose path it is.
 * @param path relative to the base, such as `predict`; unknown ones are answered as the FastAPI server did
 */
export function refusal(path: string, code: RefusalCode, details: RefusalDetails = {}): Response {
  const { maxFileBytes, received = [], allow, retryAfter } = details;
  const ofDiagnosis = path === DIAGNOSIS_PATH;
  const [status, fixed] = (ofDiagnosis ? DIAGNOSIS[code] : undefined) ?? REFUSALS[code];
  const text =
    code === 'FILE_TOO_LARGE' && maxFileBytes !== undefined
      ? `File too large. Maximum size is ${sizeWords(maxFileBytes)}`
      : fixed;
  const headers = {
    ...(allow === undefined ? {} : { Allow: allow }),
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
  };
  if (!ofDiagnosis) {
    // The FastAPI server's own list of faults in a form.
    const missing = [{ type: 'missing', loc: ['body', 'file'], msg: text, input: null }];
    return json({ detail: code === 'FILE_MISSING' ? missing : text, code }, status, headers);
  }
  const fields = received.slice(0, NAMED.fields).map((name) => name.slice(0, NAMED.characters));
  return json({ error: text, ...(code === 'FILE_MISSING' ? { received_files: fields } : {}), code }, status, headers);
}
