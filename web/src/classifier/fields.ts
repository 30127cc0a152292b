/**
 * Parsed JSON of unknown make, read field by field. Manifests and the list of models are read with it; messages name
 * the field.
 */
import { DermletError } from './errors.js';

/** What is wrong, and where; becomes a DermletError in `reading`. */
class FieldError extends Error {}

export function reject(path: string, problem: string): never {
  throw new FieldError(`${path || 'the whole'} ${problem}`);
}

/**
 * Runs a parser of one document.
 * @param document what it is, as a message begins
 * @throws DermletError MODEL_CORRUPT that names the first field found wrong
 */
export function reading<T>(document: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FieldError)
      throw new DermletError('MODEL_CORRUPT', `${document} is not valid: ${error.message}.`);
    throw error;
  }
}

/** One JSON object whose every key must be asked for; `end` refuses the rest. */
export class Fields {
  readonly #value: Record<string, unknown>;
  readonly #known = new Set<string>();

  constructor(
    value: unknown,
    readonly path: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) reject(path, 'must be an object');
    this.#value = value as Record<string, unknown>;
  }

  at(key: string): string {
    return this.path ? `${this.path}.${key}` : key;
  }

  has(key: string): boolean {
    this.#known.add(key);
    return Object.hasOwn(this.#value, key);
  }

  raw(key: string): unknown {
    if (!this.has(key)) reject(this.at(key), 'is missing');
    return this.#value[key];
  }

  text(key: string, pattern?: RegExp): string {
    const value = this.raw(key);
    if (typeof value !== 'string') reject(this.at(key), 'must be text');
    if (pattern && !pattern.test(value)) reject(this.at(key), 'has a form that is not allowed');
    return value;
  }

  flag(key: string): boolean {
    const value = this.raw(key);
    if (typeof value !== 'boolean') reject(this.at(key), 'must be true or false');
    return value;
  }

  number(key: string, low = -Infinity, high = Infinity): number {
    return numberIn(this.raw(key), this.at(key), low, high);
  }

  integer(key: string, low: number, high = Infinity): number {
    const value = this.number(key, low, high);
    if (!Number.isInteger(value)) reject(this.at(key), 'must be a whole number');
    return value;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.raw(key);
    if (!allowed.includes(value as T)) reject(this.at(key), `must be one of ${allowed.join(', ')}`);
    return value as T;
  }

  list<T>(key: string, least: number, item: (value: unknown, path: string) => T): T[] {
    const value = this.raw(key);
    if (!Array.isArray(value)) reject(this.at(key), 'must be a list');
    if (value.length < least) reject(this.at(key), `must have at least ${least} entries`);
    return value.map((entry, index) => item(entry, `${this.at(key)}[${index}]`));
  }

  keys(): string[] {
    return Object.keys(this.#value);
  }

  end(): void {
    const stranger = Object.keys(this.#value).find((key) => !this.#known.has(key));
    if (stranger !== undefined) reject(this.at(stranger), 'is not known');
  }
}

export function numberIn(value: unknown, path: string, low = -Infinity, high = Infinity): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) reject(path, 'must be a number');
  if (value < low || value > high) reject(path, `must be between ${low} and ${high}`);
  return value;
}
