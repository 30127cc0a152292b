/**
 * All that is kept as one encrypted file. Numbers are little-endian:
 *
 *       0  "DRMSPOTS"
 *       8  version, u32: 1
 *      12  iterations of PBKDF2, u32
 *      16  number of entries, u32
 *      20  salt, 16 bytes
 *      36  IV of the data key, 12 bytes
 *      48  data key, encrypted, 48 bytes; bytes 0 to 47 are authenticated with it
 *      96  SHA-256 of bytes 0 to 95, which tells a damaged header from a wrong passphrase
 *     128  for each entry: length of what follows (u32), IV (12 bytes), and encrypted, with its place among all:
 *          length of the entry (u32), the entry as JSON, its picture
 */
import {
  type Bytes,
  ITERATIONS,
  IV,
  type Lock,
  lockWith,
  MOST_ITERATIONS,
  open,
  SALT,
  seal,
  TAG,
  unlock,
  utf8,
  WRAPPED,
} from './crypto.js';
import { bytesOf, checkPhoto, entryOf, type Item, isVisit, MOST_BYTES, MOST_ENTRIES, MOST_OF_ONE } from './entries.js';
import { SpotsError } from './error.js';

const MAGIC = utf8('DRMSPOTS');
const VERSION = 1;
const AUTHENTICATED = 48;
const CHECKED = 96;
export const HEADER = 128;
/** Around each entry: length, IV, tag, length of the entry. */
const AROUND = 4 + IV + TAG + 4;
/** Of a whole file. */
export const MOST_OF_FILE = HEADER + MOST_BYTES + MOST_ENTRIES * AROUND;
export const ENDING = '.dermlet-spots';

const labelOf = (index: number, count: number): string => `dermlet-spots file ${index} of ${count}`;
const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

function u32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

const u32At = (bytes: Bytes, at: number): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @throws SpotsError SHORT_PASSPHRASE, TOO_MUCH */
export async function writeFile(items: readonly Item[], passphrase: string): Promise<Blob> {
  const count = items.length;
  if (count > MOST_ENTRIES) throw new SpotsError('TOO_MUCH');
  const begun = (salt: Bytes, iv: Bytes): Bytes => joined(MAGIC, u32(VERSION), u32(ITERATIONS), u32(count), salt, iv);
  const { key, lock } = await lockWith(passphrase, begun);
  const header = joined(begun(lock.salt, lock.iv), lock.wrapped);
  const parts: Bytes[] = [header, await sha256(header)];
  for (const [index, { entry, photo }] of items.entries()) {
    const json = bytesOf(entry);
    const { iv, data } = await seal(
      key,
      labelOf(index, count),
      joined(u32(json.length), json, photo ?? new Uint8Array()),
    );
    parts.push(u32(iv.length + data.length), iv, data);
  }
  const file = new Blob(parts, { type: 'application/octet-stream' });
  if (file.size > MOST_OF_FILE) throw new SpotsError('TOO_MUCH');
  return file;
}

/**
 * Reads and checks all of a file before anything of it is returned.
 * @throws SpotsError NOT_OURS, NEWER_FILE, FILE_TOO_LARGE, UNREADABLE_FILE, WRONG_PASSPHRASE, DAMAGED
 */
export async function readFile(file: Blob, passphrase: string): Promise<Item[]> {
  if (file.size > MOST_OF_FILE) throw new SpotsError('FILE_TOO_LARGE');
  const header = await bytesAt(file, 0, HEADER);
  const { lock, count } = await headerOf(header);
  // All lengths first: deriving the key takes a second, and a cut file needs none.
  const places = await placesOf(file, count);
  const key = await unlock(passphrase, lock, header.slice(0, AUTHENTICATED));
  const items: Item[] = [];
  for (const [index, { from, length }] of places.entries()) {
    const bytes = await bytesAt(file, from, length);
    const sealed = { iv: bytes.slice(0, IV), data: bytes.slice(IV) };
    items.push(itemOf(await open(key, labelOf(index, count), sealed)));
  }
  checkTogether(items);
  return items;
}

async function headerOf(header: Bytes): Promise<{ lock: Lock; count: number }> {
  if (MAGIC.some((byte, at) => header[at] !== byte)) throw new SpotsError('NOT_OURS');
  if (header.length < HEADER) throw new SpotsError('DAMAGED');
  const sum = await sha256(header.slice(0, CHECKED));
  if (sum.some((byte, at) => header[CHECKED + at] !== byte)) throw new SpotsError('DAMAGED');
  if (u32At(header, 8) !== VERSION) throw new SpotsError('NEWER_FILE');
  const [iterations, count] = [u32At(header, 12), u32At(header, 16)];
  if (iterations < ITERATIONS || iterations > MOST_ITERATIONS || count > MOST_ENTRIES) throw new SpotsError('DAMAGED');
  const salt = header.slice(20, 20 + SALT);
  const iv = header.slice(36, 36 + IV);
  return { lock: { iterations, salt, iv, wrapped: header.slice(AUTHENTICATED, AUTHENTICATED + WRAPPED) }, count };
}

/** Where each entry lies; together they are the whole file. */
async function placesOf(file: Blob, count: number): Promise<{ from: number; length: number }[]> {
  const places = [];
  let at = HEADER;
  for (let index = 0; index < count; index++) {
    const head = await bytesAt(file, at, 4);
    if (head.length < 4) throw new SpotsError('DAMAGED');
    const length = u32At(head, 0);
    const most = MOST_OF_ONE + AROUND;
    if (length < IV + TAG + 4 || length > most || at + 4 + length > file.size) throw new SpotsError('DAMAGED');
    places.push({ from: at + 4, length });
    at += 4 + length;
  }
  if (at !== file.size) throw new SpotsError('DAMAGED');
  return places;
}

function itemOf(bytes: Bytes): Item {
  const length = u32At(bytes, 0);
  if (length > bytes.length - 4) throw new SpotsError('DAMAGED');
  const entry = entryOf(bytes.slice(4, 4 + length));
  const rest = bytes.slice(4 + length);
  if (isVisit(entry)) {
    checkPhoto(entry, rest);
    return { entry, photo: rest };
  }
  if (rest.length > 0) throw new SpotsError('DAMAGED');
  return { entry, photo: null };
}

/** Each id once, and each visit with its spot. */
function checkTogether(items: readonly Item[]): void {
  const spots = new Set(items.flatMap(({ entry }) => (isVisit(entry) ? [] : [entry.id])));
  const ids = new Set(items.map(({ entry }) => entry.id));
  if (ids.size !== items.length) throw new SpotsError('DAMAGED');
  if (items.some(({ entry }) => isVisit(entry) && !spots.has(entry.spot))) throw new SpotsError('DAMAGED');
}

async function bytesAt(file: Blob, from: number, length: number): Promise<Bytes> {
  try {
    return new Uint8Array(await file.slice(from, from + length).arrayBuffer());
  } catch (error) {
    throw new SpotsError('UNREADABLE_FILE', { cause: error });
  }
}
