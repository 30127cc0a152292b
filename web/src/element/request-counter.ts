/**
 * Counts the network requests that this page makes, as the browser itself records them (resource timing). The page's own thread only: what a
 * worker fetches is recorded in the worker. Addresses are kept so that a count above 0 can be explained.
 */
export interface RequestCounter {
  /** Requests recorded since the page was opened. */
  readonly total: number;
  /** Addresses of the requests recorded after the first `mark`. */
  since(mark: number): readonly string[];
  /** Calls back after each new request; returns the way to stop. */
  onChange(listener: () => void): () => void;
}

/** `blob:` and `data:` addresses are memory of this page: browsers differ in whether they record them, and no request leaves for them. */
function isRequest(entry: PerformanceEntry): boolean {
  return /^(https?|wss?):/.test(entry.name);
}

class ObservedRequests implements RequestCounter {
  readonly #addresses: string[] = [];
  readonly #listeners = new Set<() => void>();

  constructor() {
    if (typeof PerformanceObserver === 'undefined') return;
    new PerformanceObserver((list) => {
      const fresh = list.getEntries().filter(isRequest);
      if (fresh.length === 0) return;
      this.#addresses.push(...fresh.map((entry) => entry.name));
      this.#listeners.forEach((listener) => listener());
    }).observe({ type: 'resource', buffered: true });
  }

  get total(): number {
    return this.#addresses.length;
  }

  since(mark: number): readonly string[] {
    return this.#addresses.slice(mark);
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
