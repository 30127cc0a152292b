/**
 * Counts the network requests that this page makes, as the browser itself records them (resource timing). The page's
 * own thread only: what a worker fetches is recorded in the worker. Addresses are kept so that a count above 0 can be
 * explained.
 */
export interface RequestCounter {
  /** Addresses of the requests begun at `time` or later, in milliseconds as `performance.now()` tells them. */
  since(time: number): readonly string[];
  /** Calls back after each new request; returns the way to stop. */
  onChange(listener: () => void): () => void;
}

/**
 * `blob:` and `data:` addresses are memory of this page: browsers differ in whether they record them, and no request
 * leaves for them.
 */
function isRequest(entry: PerformanceEntry): boolean {
  return /^(https?|wss?):/.test(entry.name);
}

class ObservedRequests implements RequestCounter {
  readonly #entries: PerformanceEntry[] = [];
  readonly #listeners = new Set<() => void>();

  constructor() {
    if (typeof PerformanceObserver === 'undefined') return;
    new PerformanceObserver((list) => {
      const fresh = list.getEntries().filter(isRequest);
      if (fresh.length === 0) return;
      this.#entries.push(...fresh);
      this.#listeners.forEach((listener) => listener());
    }).observe({ type: 'resource', buffered: true });
  }

  since(time: number): readonly string[] {
    return this.#entries.filter((entry) => entry.startTime >= time).map((entry) => entry.name);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

let shared: RequestCounter | undefined;

/** One observer serves every element on the page. */
export function requestCounter(): RequestCounter {
  shared ??= new ObservedRequests();
  return shared;
}
