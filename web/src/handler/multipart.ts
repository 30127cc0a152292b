/**
 * The parts of a multipart/form-data body (RFC 7578). `Response.formData` is not used: Node's refuses boundaries of
 * fewer than 27 characters, which older clients send, and browsers differ in what else they refuse. Linear in the
 * body's length; copies nothing.
 */

export interface FormPart {
  /** The field. */
  name: string;
  /** Whether it came as a file: it has a file name, which is not read. */
  isFile: boolean;
  bytes: Uint8Array<ArrayBuffer>;
}

/** No client of ours sends more. */
const MOST_PARTS = 100;
const MOST_HEADER_BYTES = 8192;

const CR = 0x0d;
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const CRLF = ascii('\r\n');
const HEADERS_END = ascii('\r\n\r\n');
const CLOSE = ascii('--');

const startsAt = (bytes: Uint8Array, what: Uint8Array, at: number): boolean =>
  what.every((byte, i) => bytes[at + i] === byte);

/** Where `what`, which begins with a carriage return, is next; -1 for nowhere. */
function find(bytes: Uint8Array, what: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(CR, from); at >= 0; at = bytes.indexOf(CR, at + 1))
    if (startsAt(bytes, what, at)) return at;
  return -1;
}

/** A type's boundary; undefined if it has none that RFC 2046 allows. */
function boundaryOf(type: string): string | undefined {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(type) ?? [];
  const boundary = quoted ?? bare ?? '';
  return /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/.test(boundary) ? boundary : undefined;
}

/** The field that a part is of, and whether it is a file; undefined if it does not say. */
function fieldOf(headers: string): Pick<FormPart, 'name' | 'isFile'> | undefined {
  const disposition = /^content-disposition:\s*form-data\s*(;.*)$/im.exec(headers)?.[1];
  const [, quoted, bare] = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/i.exec(disposition ?? '') ?? [];
  const name = quoted ?? bare;
  return name === undefined ? undefined : { name, isFile: /;\s*filename\*?=/i.test(disposition!) };
}

/** @returns undefined if it is not a whole form */
export function partsOf(bytes: Uint8Array<ArrayBuffer>, type: string): FormPart[] | undefined {
  const boundary = boundaryOf(type);
  if (boundary === undefined) return undefined;
  const delimiter = ascii(`\r\n--${boundary}`);
  const parts: FormPart[] = [];
  // The first one has no line before it, or text for nobody.
  let at = startsAt(bytes, delimiter.subarray(CRLF.length), 0) ? -CRLF.length : find(bytes, delimiter, 0);
  while (at > -1 || at === -CRLF.length) {
    let head = at + delimiter.length;
    if (startsAt(bytes, CLOSE, head)) return parts;
    while (bytes[head] === 0x20 || bytes[head] === 0x09) head++;
    if (!startsAt(bytes, CRLF, head) || parts.length === MOST_PARTS) return undefined;
    const body = find(bytes, HEADERS_END, head);
    if (body < 0 || body - head > MOST_HEADER_BYTES) return undefined;
    const field = fieldOf(new TextDecoder().decode(bytes.subarray(head, body)));
    const from = body + HEADERS_END.length;
    // An empty part ends with the line that ends its headers.
    at = find(bytes, delimiter, from - CRLF.length);
    if (!field || at < 0) return undefined;
    parts.push({ ...field, bytes: bytes.subarray(from, Math.max(from, at)) });
  }
  return undefined;
}
