/** Reads one file of a multipart form, and never more of the body than it may have. */
import { partsOf } from './multipart.js';
import type { RefusalCode } from './refusals.js';

/** What a form may hold besides its file: boundaries, headers, other short fields. */
const ENVELOPE_BYTES = 64 * 1024;

/** Why there is no file. */
export class FormError extends Error {
  override readonly name = 'FormError';

  constructor(
    readonly code: Extract<
      RefusalCode,
      'UNSUPPORTED_MEDIA_TYPE' | 'MALFORMED_BODY' | 'FILE_MISSING' | 'FILE_TOO_LARGE'
    >,
    /** Names of the fields that came with a file. */
    readonly received: readonly string[] = [],
  ) {
    super(code);
  }
}

/**
 * The whole body. A stated length is believed only if it is too large.
 * @throws FormError FILE_TOO_LARGE before more than `most` bytes are read; the signal's reason
 */
async function bodyOf(request: Request, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const { body, signal } = request;
  if (Number(request.headers.get('content-length') ?? 0) > most) {
    await body?.cancel().catch(() => undefined);
    throw new FormError('FILE_TOO_LARGE');
  }
  if (body === undefined) {
    const whole = await request.blob(); // a browser whose requests have no streams
    if (whole.size > most) throw new FormError('FILE_TOO_LARGE');
    return new Uint8Array(await whole.arrayBuffer());
  }
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const end = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', end);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for (;;) {
      signal.throwIfAborted();
      const { value, done } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > most) {
        end();
        throw new FormError('FILE_TOO_LARGE');
      }
      chunks.push(value as Uint8Array<ArrayBuffer>);
    }
  } finally {
    signal.removeEventListener('abort', end);
  }
  signal.throwIfAborted();
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * The file in a field of a form.
 * @throws FormError; the request's own reason if it was aborted
 */
export async function fileIn(request: Request, field: string, maxFileBytes: number): Promise<Blob> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\s*(;|$)/i.test(type)) {
    await request.body?.cancel().catch(() => undefined);
    throw new FormError('UNSUPPORTED_MEDIA_TYPE');
  }
  let body: Uint8Array<ArrayBuffer>;
  try {
    body = await bodyOf(request, maxFileBytes + ENVELOPE_BYTES);
  } catch (error) {
    request.signal.throwIfAborted();
    // A connection that broke.
    throw error instanceof FormError ? error : new FormError('MALFORMED_BODY');
  }
  const files = partsOf(body, type)?.filter(({ isFile }) => isFile);
  if (!files) throw new FormError('MALFORMED_BODY');
  const file = files.find(({ name }) => name === field);
  if (!file) throw new FormError('FILE_MISSING', [...new Set(files.map(({ name }) => name))]);
  if (file.bytes.length > maxFileBytes) throw new FormError('FILE_TOO_LARGE');
  return new Blob([file.bytes]);
}
