/**
 * What a program that is one file has inside it. Site and package have nothing: `tools/build/single.mjs` puts
 * `single-file.ts` in the place of this module, and of `shipped.ts`.
 */
import type { Fetch } from './download.js';
import type { CreateLibheif } from './libheif.js';

export interface Inside {
  /** As the platform's, for the addresses of files that are inside; asks nobody for others. */
  readonly fetch: Fetch;
  /** Starts the worker. */
  readonly start: () => Worker;
  /** What libheif's script made; only in the worker. */
  readonly libheif: () => CreateLibheif;
}

export const inside: Inside | null = null;
