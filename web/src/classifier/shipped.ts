/**
 * The files served beside this code. The site has one folder for all; the npm package replaces this module with one
 * that names each file in the form that bundlers find and copy
 * (`new URL('./engine/dermlet.wasm', import.meta.url)`).
 */
export interface Shipped {
  /** The worker's script. */
  readonly worker: URL;
  /** Addresses by path, such as `engine/dermlet.wasm`; absent if files are found by folder. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * Vite builds a worker only where the code says `new Worker(new URL(...), ...)`. This stand-in only gives its address.
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
