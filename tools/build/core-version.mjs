import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Identifies the build of dermlet.wasm, in its address: an old copy in an HTTP cache must never meet new glue. */
export function coreVersion() {
  const binary = readFileSync(new URL('../../build/wasm/dermlet.wasm', import.meta.url));
  return createHash('sha256').update(binary).digest('hex').slice(0, 12);
}
