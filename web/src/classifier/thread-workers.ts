/**
 * ONNX Runtime starts its threads by the address of its own script, which no policy of the page binds. In a worker that
 * is bound they become bound too: each a line that imports that script.
 */
import { bootstrapOf } from './bootstrap.js';
import { CLEARING } from './registers.js';

/**
 * What a thread does before each message that it gets, its work among them: its listener comes before that of the
 * script, which has set one by then.
 */
const BEFORE_EACH_MESSAGE =
  `const { onmessage } = self; self.onmessage = null; self.addEventListener('message', () => { ${CLEARING} });` +
  'self.onmessage = onmessage;';

/** The part of a worker's global scope that is used. */
export interface ThreadScope {
  readonly location: { readonly protocol: string };
  Worker: typeof Worker;
}

/** From now on this worker's workers are bound as it is, if it is. */
export function bindThreadWorkers(scope: ThreadScope): void {
  if (scope.location.protocol !== 'blob:') return;
  const Unbound = scope.Worker;
  scope.Worker = class extends Unbound {
    constructor(script: string | URL, options?: WorkerOptions) {
      const { href, protocol } = new URL(script);
      if (protocol === 'blob:') {
        super(script, options);
        return;
      }
      const bootstrap = bootstrapOf(href, BEFORE_EACH_MESSAGE);
      super(bootstrap.address, options);
      for (const type of ['message', 'error']) this.addEventListener(type, bootstrap.forget, { once: true });
    }
  };
}
