/**
 * What lies beside this code where it is served. The site has one folder for all; the npm package puts another module
 * in the place of this one, which names each of its files in the form that bundlers find and copy
 * (`new URL('./engine/dermlet.wasm', import.meta.url)`).
 */
export interface Shipped {
  /** The worker's script. */
  readonly worker: URL;
  /** Addresses by paths such as `engine/dermlet.wasm`; absent where files are found by their folders. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * Vite builds a worker where it reads `new Worker(new URL(...), ...)` and nowhere else. Here it only gives its address.
 */
class Worker {
  constructor(
    readonly address: URL,
    readonly options: WorkerOptions,
  ) {}
}

export const shipped = (): Shipped => ({
  worker: new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }).address,
});
