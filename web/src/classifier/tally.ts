/**
 * What of a load comes over the network: bytes so far and bytes in all. Files that are kept on this device do not come.
 */
export class Tally {
  readonly #files = new Map<string, { loaded: number; total: number }>();

  /** A file that will come, unless more is known of it already. Bytes as they are sent. */
  expect(name: string, total: number): void {
    if (!this.#files.has(name)) this.#files.set(name, { loaded: 0, total });
  }

  report(name: string, loaded: number, total: number, cached: boolean): void {
    this.#files.set(name, cached ? { loaded: 0, total: 0 } : { loaded, total });
  }

  get all(): { loaded: number; total: number } {
    const files = [...this.#files.values()];
    return {
      loaded: files.reduce((sum, { loaded }) => sum + loaded, 0),
      total: files.reduce((sum, { total }) => sum + total, 0),
    };
  }
}
