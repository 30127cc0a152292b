import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Names the build of dermlet.wasm: in its address, so that an old one in an HTTP cache never meets new glue. */
export function coreVersion() {
  const binary = readFileSync(new URL('../../build/wasm/dermlet.wasm', import.meta.url));
  return createHash('sha256').update(binary).digest('hex').slice(0, 12);
}
