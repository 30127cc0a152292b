/**
 * Files compressed with Zstandard when the site is built: many static hosts compress nothing, and none of them what has
 * no type they know. The engine decompresses them as they come (`web/src/classifier/file-store.ts`).
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Zstd } from '@hpcc-js/wasm-zstd';
import { sha256 } from './hash.mjs';

const cache = join(fileURLToPath(new URL('../..', import.meta.url)), '.cache', 'compressed');
const LEVEL = 22;
/** A compressed copy must save this share, else the file is served as it is. */
const WORTH = 0.03;

/**
 * The compressed bytes, or null if compressing is not worth it. The highest level takes a minute for the largest file,
 * so results are remembered by content.
 * @param {Uint8Array} content
 * @returns {Promise<Uint8Array | null>}
 */
export async function compressed(content) {
  const zstd = await Zstd.load();
  const kept = join(cache, `${sha256(content)}.${LEVEL}.${zstd.version()}.zst`);
  const packed = await readFile(kept).catch(async () => {
    const made = zstd.compress(new Uint8Array(content), LEVEL);
    await mkdir(cache, { recursive: true });
    // Renamed when whole: an interrupted build must not leave half a file.
    await writeFile(`${kept}.${process.pid}`, made);
    await rename(`${kept}.${process.pid}`, kept);
    return made;
  });
  return packed.length <= content.length * (1 - WORTH) ? packed : null;
}

/**
 * Writes `<path>.zst` beside a file if that is worth it.
 * @param {string} path
 * @returns {Promise<number | null>} its bytes
 */
export async function writeCompressed(path) {
  const packed = await compressed(await readFile(path));
  if (packed === null) return null;
  await writeFile(`${path}.zst`, packed);
  return packed.length;
}
