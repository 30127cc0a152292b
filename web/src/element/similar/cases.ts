/** What is said of the cases that were found. No DOM. */
import type { DermletError, ErrorCode, Result, SimilarCase, UsualSimilarity } from '../../classifier/index.js';
import { isolated } from '../../messages/index.js';
import { say } from '../../messages/similar.js';

/** Cases that are looked for. */
export const NEAREST = 10;
/** Of a sha256, enough to find the file by. */
const HASH_SHOWN = 12;

/** What a similarity means in an archive, by how alike its own neighbouring cases are. */
export type Alike = 'near' | 'far' | 'hardly';

export const alike = (similarity: number, { median, low }: UsualSimilarity): Alike =>
  similarity >= median ? 'near' : similarity >= low ? 'far' : 'hardly';

/** How many of the cases carry each label, the commonest first; of equals the one with the more similar case. */
export function labelsOf(cases: readonly SimilarCase[]): { label: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { label } of cases) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count);
}

/** The file's name, else the beginning of its hash. */
export const fileWords = ({ name, sha256 }: SimilarCase): string =>
  name === undefined
    ? say('similar.hash', { hash: isolated(sha256.slice(0, HASH_SHOWN)) })
    : say('similar.file', { name: isolated(name) });

/** Whether the photo can be compared at all: an atlas has only usable pictures. */
export const mayCompare = ({ quality, embedding }: Result): boolean => quality.usable && embedding !== undefined;

/** Whether the network knew what it looked at. */
export const isKnown = ({ outcome }: Result): boolean => outcome === 'single' || outcome === 'several';

const FAULTS = {
  MODEL_CORRUPT: 'corrupt',
  MODEL_TOO_NEW: 'newer',
  INVALID_ARGUMENT: 'other',
  UNREADABLE_FILE: 'unreadable',
  MODEL_UNAVAILABLE: 'part',
  PART_MISSING: 'part',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** Why an atlas could not be opened or asked. */
export const faultWords = ({ code }: DermletError): string =>
  say(
    `similar.fault.${(FAULTS as Partial<Record<ErrorCode, (typeof FAULTS)[keyof typeof FAULTS]>>)[code] ?? 'failed'}`,
  );
