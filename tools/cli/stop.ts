/** Stops at the first SIGINT or SIGTERM once what is under way is finished; the second ends the process. */
export function stopOnSignal(onStop: () => void) {
  const stop = new AbortController();
  let status: number | undefined;
  const handlers = (
    [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const
  ).map(([signal, code]) => {
    const handler = () => {
      for (const [name, own] of handlers) process.off(name, own);
      status = code;
      onStop();
      stop.abort();
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  return {
    signal: stop.signal,
    /** The exit status that belongs to the signal, if there was one. */
    status: () => status,
    release: () => handlers.forEach(([name, own]) => void process.off(name, own)),
  };
}
