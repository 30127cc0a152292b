/**
 * Cache Storage, which is never needed: where it is absent, denied, full or silent, everything works except offline
 * use.
 */
import { inside } from './inside.js';
import { LIMITS } from './limits.js';
import { Late, within } from './within.js';

/** Absent in insecure contexts; throws in some privacy modes. A program that is one file has nothing to keep. */
export function platformCaches(): CacheStorage | null {
  if (inside) return null;
  try {
    return globalThis.caches ?? null;
  } catch {
    return null;
  }
}

/** Those that once gave no answer: not asked again, as each wait would be as long. */
const silent = new WeakSet<CacheStorage>();

/**
 * Opened anew each time: a cache that a person has cleared would go on in memory, and hold what nobody finds.
 * @param use its answer, or undefined where there is none or it fails
 * @param milliseconds that all of it may take
 */
export async function inCache<T>(
  caches: CacheStorage | null,
  name: string,
  use: (cache: Cache) => Promise<T>,
  milliseconds: number = LIMITS.cache,
): Promise<T | undefined> {
  if (!caches || silent.has(caches)) return undefined;
  try {
    const opened = within(
      Promise.resolve().then(() => caches.open(name)),
      LIMITS.cache,
      'Cache Storage',
    );
    return await within(opened.then(use), milliseconds, 'Cache Storage');
  } catch (error) {
    if (error instanceof Late) silent.add(caches);
    return undefined;
  }
}
