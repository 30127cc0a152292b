/**
 * The self-tests that passed, in Cache Storage: one of each model's folder. Where there is none, or it is denied, each
 * new session tests again.
 */
import type { PassedTests } from './engine.js';

const CACHE = 'dermlet-self-tests';

export class KeptTests implements PassedTests {
  /** @param folder the model's, absolute, ending in '/' */
  constructor(readonly folder: string) {}

  async has(version: string): Promise<boolean> {
    try {
      const kept = await (await caches.open(CACHE)).match(this.folder);
      return (await kept?.text()) === version;
    } catch {
      return false;
    }
  }

  async add(version: string): Promise<void> {
    try {
      await (await caches.open(CACHE)).put(this.folder, new Response(version));
    } catch {
      // The next session tests again.
    }
  }
}
