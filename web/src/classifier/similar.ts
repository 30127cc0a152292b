/** Similar cases, as whoever asks for them sees them. */
import type { AtlasManifest } from './documents.js';
import { DermletError } from './errors.js';

/** What is kept of one picture. */
export interface AtlasCase {
  label: string;
  /** Of the picture's file, hexadecimal. */
  sha256: string;
  /** The file's name, with the folders that it lies in; absent where the archive's owner does not tell it. */
  name?: string;
}

/** A case of the atlas that is like a result. */
export interface SimilarCase extends AtlasCase {
  /** Cosine of the angle between the embeddings, -1..1; 1 is alike. Not a probability. */
  similarity: number;
}

/** How alike cases of an atlas are to their nearest other case: what a similarity can be compared with. */
export interface UsualSimilarity {
  /** Of half of them. */
  median: number;
  /** One in ten has a lower one. */
  low: number;
}

/** @throws DermletError INVALID_ARGUMENT where an atlas was made by another network */
export function requireBase({ base }: Pick<AtlasManifest, 'base'>, { sha256 }: { sha256: string }): void {
  if (base.sha256 === sha256) return;
  throw new DermletError(
    'INVALID_ARGUMENT',
    `The atlas was made by ${base.name} ${base.version}; its cases are like no other network's.`,
  );
}
