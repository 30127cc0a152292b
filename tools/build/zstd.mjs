/**
 * The Zstandard decoder of `zstddec` (the official one, compiled to WebAssembly), as a module that pages and workers
 * bundle: the package's own script fetches it from a `data:` address, which the page's policy forbids.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256 } from './hash.mjs';
import { root, StepError } from './steps.mjs';

export const ZSTD_SOURCE = join('node_modules', 'zstddec', 'dist', 'zstddec-stream.mjs');
export const ZSTD_MODULE = 'build/zstd/decoder.js';
/** Of the binary in version 0.3.4. */
const SHA256 = '793b767467d8effccc43e8198c854f587835493a748512fa4352837a96fd1060';

/** Writes build/zstd/decoder.js: the binary, compressed with gzip, as base64. */
export async function writeZstd() {
  const script = await readFile(join(root, ZSTD_SOURCE), 'utf8');
  const [, base64 = ''] = /\bwasm\s*=\s*["']([A-Za-z0-9+/=]+)["']/.exec(script) ?? [];
  const binary = Buffer.from(base64, 'base64');
  if (sha256(binary) !== SHA256)
    throw new StepError(`${ZSTD_SOURCE} holds another decoder than tools/build/zstd.mjs was written for: look at it.`);
  const to = join(root, ZSTD_MODULE);
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, `export default '${gzipSync(binary, { level: 9 }).toString('base64')}';\n`);
}
