/**
 * Counts the page's network requests by the browser's resource timing. Covers the main thread only: workers have a
 * record of their own. Addresses are kept to explain a count above 0.
 */
export interface RequestCounter {
  /** Addresses of the requests started at `time` (by `performance.now()`) or later. */
  since(time: number): readonly string[];
  /** Calls `listener` after each new request; returns an unsubscribe function. */
  onChange(listener: () => void): () => void;
}

/** `blob:` and `data:` addresses cause no network request; browsers differ in whether they record them. */
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

/** One observer, shared by all elements on the page. */
export function requestCounter(): RequestCounter {
  shared ??= new ObservedRequests();
  return shared;
}
