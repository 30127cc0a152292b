/**
 * Reads JSON documents with the checks generated from the contract; an error becomes one sentence that names the field.
 */
import * as v from 'valibot';
import { DermletError } from './errors.js';

/** What is wrong and where; `read` turns it into a DermletError. */
class FieldError extends Error {}

export function reject(path: string, problem: string): never {
  throw new FieldError(`${path || 'the whole'} ${problem}`);
}

/** @throws DermletError MODEL_TOO_NEW where a document's version is later than the one that is read here */
export function refuseNewer(document: string, version: number, known: number): void {
  if (version > known)
    throw new DermletError(
      'MODEL_TOO_NEW',
      `${document} is made for a newer Dermlet: it is of version ${version}, and this one reads version ${known}.`,
    );
}

/** @throws DermletError MODEL_CORRUPT */
export function parsed(document: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DermletError('MODEL_CORRUPT', `${document} is not valid: it is not JSON.`, { cause });
  }
}

/**
 * A document's value, checked and typed.
 * @param document what it is, at the start of a message
 * @param rules what its schema cannot say, before and after it; they call `reject`
 * @throws DermletError MODEL_CORRUPT that names the first field found wrong
 */
export function read<T>(
  document: string,
  check: v.GenericSchema<unknown, T>,
  value: unknown,
  rules: { before?: (value: unknown) => void; after?: (value: T) => void } = {},
): T {
  try {
    rules.before?.(value);
    const answer = v.safeParse(check, value, { abortEarly: true, abortPipeEarly: true });
    if (!answer.success) rejectFor(answer.issues[0]);
    rules.after?.(answer.output);
    return answer.output;
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new DermletError('MODEL_CORRUPT', `${document} is not valid: ${error.message}.`);
  }
}

type Place = v.IssuePathItem[];

const written = (place: Place): string =>
  place.reduce((path, { type, key }) => {
    if (type === 'array') return `${path}[${String(key)}]`;
    return path ? `${path}.${String(key)}` : String(key);
  }, '');

function rejectFor(issue: v.BaseIssue<unknown>): never {
  const place: Place = issue.path ?? [];
  const holder = place.at(-1);
  const around = written(place.slice(0, -1));
  if (holder && Array.isArray(holder.input)) {
    if (holder.type === 'object') reject(around, 'must be an object');
    if (issue.type === 'strict_tuple' && issue.expected === 'never') reject(around, 'has too many entries');
    if ((holder.key as number) >= holder.input.length) reject(around, 'has too few entries');
  }
  reject(written(place), problemOf(issue));
}

/** What is wrong with a field, as the end of a sentence. */
function problemOf({ type, expected, requirement }: v.BaseIssue<unknown>): string {
  switch (type) {
    case 'strict_object':
    case 'object':
      if (expected === 'never') return 'is not known';
      return expected === 'Object' ? 'must be an object' : 'is missing';
    case 'custom':
      return 'must be an object';
    case 'array':
    case 'strict_tuple':
      return 'must be a list';
    case 'string':
      return 'must be text';
    case 'boolean':
      return 'must be true or false';
    case 'number':
    case 'finite':
      return 'must be a number';
    case 'integer':
      return 'must be a whole number';
    case 'literal':
      return `must be ${expected}`;
    case 'picklist':
      return `must be one of ${expected?.replace(/[()"]/gu, '').replaceAll(' | ', ', ')}`;
    case 'min_length':
      return `must have a length of at least ${String(requirement)}`;
    case 'min_value':
      return `must be at least ${String(requirement)}`;
    case 'max_value':
      return `must be at most ${String(requirement)}`;
    case 'gt_value':
      return `must be greater than ${String(requirement)}`;
    default:
      return 'has a form that is not allowed';
  }
}
