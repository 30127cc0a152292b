/**
 * The network requests of a page, its workers and its service worker. Each has a record of its own (Resource Timing):
 * workers and service worker tell the page of theirs, and the page's log holds all.
 */
export interface MadeRequest {
  address: string;
  /** When it began, in milliseconds since 1970: the clocks of page and workers start at different times. */
  at: number;
}

/** `null`: where it comes from, requests are not recorded. */
export type Told = readonly MadeRequest[] | null;

/** What the service worker posts to its pages. */
const FROM_SERVICE_WORKER = 'dermlet-requests';

/**
 * `blob:` and `data:` cause no request, and nothing was sent for a body that came from a cache of this device (the
 * service worker's: what it sends itself, it tells itself). A request that failed has no body, and counts.
 */
const wasSent = ({ name, transferSize, decodedBodySize }: RequestRecord): boolean =>
  /^(https?|wss?):/.test(name) && !(transferSize === 0 && decodedBodySize > 0);

/** What is used of a `PerformanceResourceTiming`. */
export type RequestRecord = Pick<PerformanceResourceTiming, 'name' | 'startTime' | 'transferSize' | 'decodedBodySize'>;

/** Those of the records that were sent. `origin`: when the clock of `startTime` began, in milliseconds since 1970. */
export const madeOf = (records: readonly RequestRecord[], origin: number): MadeRequest[] =>
  records.filter(wasSent).map(({ name, startTime }) => ({ address: name, at: origin + startTime }));

/** A message of a service worker that is one of ours by its form. */
function isTold(data: unknown): data is { made: Told } {
  const { type, made } = (data ?? {}) as { type?: unknown; made?: unknown };
  if (type !== FROM_SERVICE_WORKER) return false;
  const isMade = (one: Partial<MadeRequest> | null) => typeof one?.address === 'string' && typeof one.at === 'number';
  return made === null || (Array.isArray(made) && made.every(isMade));
}

/** Whether a service worker is this page's: others of the origin may write to it too, and say what they like. */
async function isOurs(container: ServiceWorkerContainer, source: MessageEventSource | null): Promise<boolean> {
  if (!(source instanceof ServiceWorker)) return false;
  if (source === container.controller) return true;
  const ours = await container.getRegistration().catch(() => undefined);
  return [ours?.installing, ours?.waiting, ours?.active].some((one) => one?.scriptURL === source.scriptURL);
}

/** Tells of each request that is or was made from here, or once that they are not recorded. */
export function observeRequests(tell: (made: Told) => void): void {
  if (!globalThis.PerformanceObserver?.supportedEntryTypes?.includes('resource')) return tell(null);
  new PerformanceObserver((list) => {
    const made = madeOf(list.getEntries() as PerformanceResourceTiming[], performance.timeOrigin);
    if (made.length > 0) tell(made);
  }).observe({ type: 'resource', buffered: true });
}

export class RequestLog extends EventTarget {
  #made: MadeRequest[] = [];
  #whole = true;

  /** Fires `change`. */
  add(told: Told): void {
    if (told) this.#made.push(...told);
    else this.#whole = false;
    this.dispatchEvent(new Event('change'));
  }

  /** Addresses of requests begun at `time` (by the page's `performance.now()`) or later; null: not all are known. */
  since(time: number): readonly string[] | null {
    const from = performance.timeOrigin + time;
    return this.#whole ? this.#made.filter(({ at }) => at >= from).map(({ address }) => address) : null;
  }
}

let log: RequestLog | undefined;

/** undefined where there are none, as in a sandbox without its own origin, where asking throws. */
export function serviceWorkers(): ServiceWorkerContainer | undefined {
  try {
    return (globalThis.navigator as { serviceWorker?: ServiceWorkerContainer } | undefined)?.serviceWorker;
  } catch {
    return undefined;
  }
}

/** The page's log, which starts with the first call. */
export function requestLog(): RequestLog {
  if (log) return log;
  const started = new RequestLog();
  log = started;
  observeRequests((made) => started.add(made));
  const serviceWorker = serviceWorkers();
  serviceWorker?.addEventListener('message', ({ data, source }: MessageEvent<unknown>) => {
    if (isTold(data)) void isOurs(serviceWorker, source).then((ours) => ours && started.add(data.made));
  });
  serviceWorker?.startMessages();
  return started;
}
