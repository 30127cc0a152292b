/**
 * Tells the origin's pages that a model is now kept on this device: it is only after the model is ready, so that no
 * photo waits for it.
 */
const NAME = 'dermlet-kept';

const channel = (): BroadcastChannel | null =>
  typeof BroadcastChannel === 'function' ? new BroadcastChannel(NAME) : null;

/** @param folder the model's, absolute */
export function announceKept(folder: string): void {
  const open = channel();
  open?.postMessage(folder);
  open?.close();
}

/** Calls `listener` with the folder of each model that is kept from now on. */
export function onKept(listener: (folder: string) => void): void {
  channel()?.addEventListener('message', ({ data }: MessageEvent<string>) => listener(data));
}
