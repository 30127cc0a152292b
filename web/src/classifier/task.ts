/**
 * Resolves in a task of its own, soon: taps and keys are heard, and messages taken, before what follows. Timers come
 * late, `scheduler.yield` is not everywhere.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
