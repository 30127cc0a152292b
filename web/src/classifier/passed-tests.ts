/**
 * The self-tests that passed, in Cache Storage: one of each model's folder. Where there is none, or it is denied, each
 * new session tests again.
 */
import { inCache, platformCaches } from './cache-storage.js';
import type { PassedTests } from './engine.js';

const CACHE = 'dermlet-self-tests';

export class KeptTests implements PassedTests {
  /** @param folder the model's, absolute, ending in '/' */
  constructor(readonly folder: string) {}

  async when(version: string): Promise<number | null> {
    const kept = await inCache(platformCaches(), CACHE, async (cache) => (await cache.match(this.folder))?.text());
    const [passed, at] = kept?.split(' ') ?? [];
    return passed === version && Number(at) > 0 ? Number(at) : null;
  }

  /** Where it cannot be kept, the next session tests again. */
  async add(version: string, at: number): Promise<void> {
    await inCache(platformCaches(), CACHE, (cache) => cache.put(this.folder, new Response(`${version} ${at}`)));
  }
}
