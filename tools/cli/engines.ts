/** Several classifiers of one model, each in its own thread, behind one queue. */
import {
  Classifier,
  DermletError,
  type LoadOptions,
  type ModelInfo,
  type Result,
} from '../../web/src/classifier/node/index.js';
import type { PictureClassifier } from '../../web/src/handler/index.js';

/** Someone who waits for a free classifier. */
interface Waiter {
  take(classifier: Classifier): void;
  refuse(error: DermletError): void;
}

export class Engines implements PictureClassifier {
  readonly #all: readonly Classifier[];
  readonly #free: Classifier[];
  readonly #waiting = new Set<Waiter>();
  #disposed = false;

  private constructor(classifiers: readonly Classifier[]) {
    this.#all = classifiers;
    this.#free = [...classifiers];
  }

  /** @throws DermletError if one cannot be started; the others are ended then */
  static async load(model: string, count: number, more: Pick<LoadOptions, 'signal' | 'head'> = {}): Promise<Engines> {
    const options = { idleTimeout: 0, ...more };
    const loads = await Promise.allSettled(Array.from({ length: count }, () => Classifier.load(model, options)));
    const loaded = loads.flatMap((load) => (load.status === 'fulfilled' ? [load.value] : []));
    const failed = loads.find((load) => load.status === 'rejected');
    if (!failed) return new Engines(loaded);
    for (const classifier of loaded) classifier.dispose();
    throw failed.reason;
  }

  get model(): ModelInfo {
    return this.#all[0]!.model;
  }

  /** In the order of the calls. @throws DermletError with any code */
  async classify(picture: Blob, { signal }: { signal: AbortSignal }): Promise<Result> {
    const classifier = await this.#next(signal);
    try {
      return await classifier.classify(picture, { signal });
    } finally {
      this.#giveBack(classifier);
    }
  }

  /** Calls not yet answered are rejected with DISPOSED. */
  dispose(): void {
    this.#disposed = true;
    for (const waiter of this.#waiting) waiter.refuse(new DermletError('DISPOSED', 'The classifier was disposed.'));
    for (const classifier of this.#all) classifier.dispose();
  }

  #next(signal: AbortSignal): Promise<Classifier> {
    const aborted = () => new DermletError('ABORTED', 'The call was aborted.', { cause: signal.reason });
    if (signal.aborted) return Promise.reject(aborted());
    if (this.#disposed) return Promise.reject(new DermletError('DISPOSED', 'The classifier was disposed.'));
    const free = this.#free.pop();
    if (free) return Promise.resolve(free);
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        take: (classifier) => {
          end();
          resolve(classifier);
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const onAbort = () => waiter.refuse(aborted());
      signal.addEventListener('abort', onAbort);
      this.#waiting.add(waiter);
    });
  }

  #giveBack(classifier: Classifier): void {
    const [first] = this.#waiting;
    if (first) first.take(classifier);
    else this.#free.push(classifier);
  }
}
