import { DermletError } from './errors.js';

/**
 * Where the engine's files (`dermlet.wasm`, `ort-wasm-simd-threaded*.{mjs,wasm}`) lie: the folder `engine/` beside the
 * module that the page imports. Bundlers put chunks into `assets/`, so that a trailing `assets/` of this module's own
 * address is left out:
 *
 *     https://host/app/dermlet.js             -> https://host/app/engine/
 *     https://host/app/assets/classifier-x.js -> https://host/app/engine/
 *
 * Models that are asked for by name lie in `models/` beside that folder. Whoever serves them elsewhere says so with
 * `LoadOptions.assetBase`; there is no other setting and no global.
 */
export function assetBaseOf(moduleUrl: string): string {
  const folder = new URL('./', moduleUrl);
  // In two steps and not as new URL('…', import.meta.url): bundlers take that form for an asset of theirs.
  return new URL(folder.pathname.endsWith('/assets/') ? '../engine/' : 'engine/', folder).href;
}

export const defaultAssetBase = (): string => assetBaseOf(import.meta.url);

/**
 * The engine's folder, absolute and ending in '/'.
 * @param here what `base` is relative to
 * @throws DermletError INVALID_ARGUMENT
 */
export function engineFolder(base: string | URL | undefined, here: string | undefined): string {
  if (base === undefined) return defaultAssetBase();
  try {
    const url = new URL(base, here);
    if (!url.pathname.endsWith('/')) url.pathname += '/';
    return url.href;
  } catch (cause) {
    throw new DermletError('INVALID_ARGUMENT', `'${String(base)}' is not the address of a folder.`, { cause });
  }
}
