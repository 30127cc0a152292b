/**
 * How long anything is waited for, in milliseconds: one table, so that no wait is without an end. Each limit is far
 * beyond what a slow phone on a slow line needs; what is cut off by one says so and can be tried again.
 */
export const LIMITS = {
  /** Reading a photo's file, at most 64 MiB: a card or a network drive of 1 MB/s takes as long. */
  file: 60_000,
  /** A request without an answer, or a download without a byte. At 2 kB/s there is one each second. */
  still: 60_000,
  /** A request that only explains an error: the error waits for it. */
  explanation: 10_000,
  /** A script that the browser fetches by itself, whose bytes nobody sees: 200 kB at 2 kB/s. */
  script: 120_000,
  /** Cache Storage. It answers in milliseconds, and in seconds where the device has just started. */
  cache: 10_000,
  /** Reading one kept file, or writing it: 17 MB, beside other work. */
  cacheFile: 30_000,
  /** A graphics adapter, and a network on it: drivers compile for seconds. */
  adapter: 10_000,
  session: 60_000,
  /** A browser's decoder: 64 million pixels take seconds. */
  decoder: 30_000,
  /** The threads of ONNX Runtime: where their script is blocked it waits for them for ever, without an error. */
  threads: 15_000,
  /** The network's manifest, where a kept one is here. */
  manifest: 4000,
  /** A worker may finish a call that was aborted, as to start another takes longer. */
  stuck: 15_000,
  /** A worker that has nothing else to do says at once that it has begun. */
  firstWord: 30_000,
  /** Between two words of a worker: the slowest is a large network, run eight times, on a slow phone. */
  silence: 300_000,
  /** A worker that is no longer needed and still keeps its files. */
  keeping: 30_000,
} as const;
