/**
 * Tells the origin's pages that a model is now kept on this device: it is only after the model is ready, so that no
 * photo waits for it.
 */
const NAME = 'dermlet-kept';

const channel = (): BroadcastChannel | null =>
  typeof BroadcastChannel === 'function' ? new BroadcastChannel(NAME) : null;

export function announceKept(): void {
  const open = channel();
  open?.postMessage(null);
  open?.close();
}

/** Calls `listener` whenever a model is kept from now on. */
export function onKept(listener: () => void): void {
  channel()?.addEventListener('message', () => listener());
}
