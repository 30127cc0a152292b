/**
 * Encryption of what is kept and of exported files, by WebCrypto: a random AES-GCM key of 256 bits for the data, itself
 * encrypted under a key that PBKDF2-SHA-256 derives from a passphrase (NIST SP 800-132; iterations by OWASP's Password
 * Storage Cheat Sheet, 2023). No DOM, no storage.
 */
import { SpotsError } from './error.js';

/** Of new locks. */
export const ITERATIONS = 600_000;
/** Of locks that are read: fewer would be weak, more would hold the page up for minutes. */
export const MOST_ITERATIONS = 10_000_000;
/** Bytes. */
export const SALT = 16;
export const IV = 12;
/** A data key under a passphrase: 32 bytes and their tag of 16. */
export const WRAPPED = 48;
export const TAG = 16;
/** Characters of a passphrase. */
export const SHORTEST = 8;

export type Bytes = Uint8Array<ArrayBuffer>;

/** A data key that a passphrase opens. */
export interface Lock {
  readonly iterations: number;
  readonly salt: Bytes;
  readonly iv: Bytes;
  readonly wrapped: Bytes;
}

export interface Sealed {
  readonly iv: Bytes;
  /** With the tag at the end. */
  readonly data: Bytes;
}

export const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));
export const utf8 = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text));

async function keyOf(passphrase: string, salt: Bytes, iterations: number): Promise<CryptoKey> {
  // The same letters are the same passphrase, however a keyboard composes them.
  const typed = await crypto.subtle.importKey('raw', utf8(passphrase.normalize('NFKC')), 'PBKDF2', false, [
    'deriveKey',
  ]);
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
  return crypto.subtle.deriveKey(parameters, typed, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

const dataKey = (raw: Bytes): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);

/**
 * A new data key, and the lock that opens it again.
 * @param about authenticated with the lock, given again to `unlock`; made of the salt
 * @throws SpotsError SHORT_PASSPHRASE
 */
export async function lockWith(
  passphrase: string,
  about: (salt: Bytes, iv: Bytes) => Bytes,
): Promise<{ key: CryptoKey; lock: Lock }> {
  if ([...passphrase.normalize('NFKC')].length < SHORTEST) throw new SpotsError('SHORT_PASSPHRASE');
  const raw = random(32);
  const [salt, iv] = [random(SALT), random(IV)];
  const { data } = await sealWith(await keyOf(passphrase, salt, ITERATIONS), iv, about(salt, iv), raw);
  const key = await dataKey(raw);
  raw.fill(0);
  return { key, lock: { iterations: ITERATIONS, salt, iv, wrapped: data } };
}

/**
 * The data key, which scripts can use and not read.
 * @throws SpotsError WRONG_PASSPHRASE, also for a lock that was changed: the two look the same
 */
export async function unlock(passphrase: string, lock: Lock, about: Bytes): Promise<CryptoKey> {
  const wrapping = await keyOf(passphrase, lock.salt, lock.iterations);
  try {
    const raw = await openWith(wrapping, { iv: lock.iv, data: lock.wrapped }, about);
    const key = await dataKey(raw);
    raw.fill(0);
    return key;
  } catch (error) {
    throw new SpotsError('WRONG_PASSPHRASE', { cause: error });
  }
}

/** @param label authenticated with the bytes, so that no record can stand in another's place */
export const seal = (key: CryptoKey, label: string, bytes: Bytes): Promise<Sealed> =>
  sealWith(key, random(IV), utf8(label), bytes);

/** @throws SpotsError DAMAGED if the bytes, the label or the key are others than those of `seal` */
export async function open(key: CryptoKey, label: string, sealed: Sealed): Promise<Bytes> {
  try {
    return await openWith(key, sealed, utf8(label));
  } catch (error) {
    throw new SpotsError('DAMAGED', { cause: error });
  }
}

async function sealWith(key: CryptoKey, iv: Bytes, additionalData: Bytes, bytes: Bytes): Promise<Sealed> {
  return { iv, data: new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, bytes)) };
}

async function openWith(key: CryptoKey, { iv, data }: Sealed, additionalData: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, data));
}
