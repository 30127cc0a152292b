/**
 * ONNX Runtime starts its threads by the address of its own script, which no policy of the page binds. In a worker that
 * is bound they become bound too: each a line that imports that script. The line also tells of the request that the
 * import may have caused, which is recorded in the thread alone.
 */
import { bootstrapOf } from './bootstrap.js';
import { CLEARING } from './registers.js';
import { madeOf, type RequestRecord, type Told } from './requests.js';

/**
 * What a thread does before each message that it gets, its work among them: its listener comes before that of the
 * script, which has set one by then.
 */
const BEFORE_EACH_MESSAGE =
  `const { onmessage } = self; self.onmessage = null; self.addEventListener('message', () => { ${CLEARING} });` +
  'self.onmessage = onmessage;';

/** What a thread posts of itself, once: later on it runs without a pause, and fetches nothing. */
interface ThreadRecords {
  type: 'dermlet-thread-requests';
  /** `null`: requests are not recorded there. */
  records: RequestRecord[] | null;
  /** When its clock began, in milliseconds since 1970. */
  origin: number;
}

const TELLING =
  "const recorded = globalThis.PerformanceObserver?.supportedEntryTypes?.includes('resource');" +
  "const records = performance.getEntriesByType('resource').map(" +
  '({ name, startTime, transferSize, decodedBodySize }) => ({ name, startTime, transferSize, decodedBodySize }));' +
  "self.postMessage({ type: 'dermlet-thread-requests', origin: performance.timeOrigin," +
  ' records: recorded ? records : null });';

/** The part of a worker's global scope that is used. */
export interface ThreadScope {
  readonly location: { readonly protocol: string };
  Worker: typeof Worker;
}

/**
 * From now on this worker's workers are bound as it is, if it is.
 *
 * @param tell is given the requests of each, or once `null` where they are not known
 */
export function bindThreadWorkers(scope: ThreadScope, tell: (made: Told) => void): void {
  const Unbound = scope.Worker;
  const isBound = scope.location.protocol === 'blob:';
  scope.Worker = class extends Unbound {
    constructor(script: string | URL, options?: WorkerOptions) {
      const { href, protocol } = new URL(script);
      if (!isBound || protocol === 'blob:') {
        super(script, options);
        if (protocol !== 'blob:') tell(null);
        return;
      }
      const bootstrap = bootstrapOf(href, TELLING + BEFORE_EACH_MESSAGE);
      super(bootstrap.address, options);
      for (const type of ['message', 'error']) this.addEventListener(type, bootstrap.forget, { once: true });
      this.addEventListener('message', (event: MessageEvent<Partial<ThreadRecords> | null>) => {
        const { type, records, origin = 0 } = event.data ?? {};
        if (type !== 'dermlet-thread-requests') return;
        // The script's own listener comes later, and knows no such message.
        event.stopImmediatePropagation();
        tell(records ? madeOf(records, origin) : null);
      });
    }
  };
}
