import { DermletError } from './errors.js';
import { shipped } from './shipped.js';

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

/** Addresses by file name, of files that need not lie where their folder's address says. */
export type Addresses = Readonly<Record<string, string>>;

const LIST = 'models/index.json';

/**
 * The folder that holds `engine/` and `models/` of the npm package. Where a bundler moved and renamed its files there
 * is no such folder any more: then it is a name only, by which `shippedIn` knows them.
 */
function shippedRoot(files: Addresses): string {
  const list = new URL(files[LIST]!);
  list.search = '';
  return list.href.endsWith(`/${LIST}`) ? list.href.slice(0, -LIST.length) : new URL('dermlet/', list).href;
}

/** The addresses of the files that came with this code and belong into a folder; undefined where that has its own. */
export function shippedIn(folder: string): Addresses | undefined {
  const { files } = shipped();
  if (!files || !folder.startsWith(shippedRoot(files))) return undefined;
  const prefix = folder.slice(shippedRoot(files).length);
  const within = Object.entries(files).filter(([path]) => path.startsWith(prefix));
  if (within.length === 0) return undefined;
  return Object.fromEntries(within.map(([path, address]) => [path.slice(prefix.length), address]));
}

/** @param folder absolute, ending in '/' */
export const addressIn = (folder: string, path: string, addresses: Addresses | undefined): string =>
  addresses?.[path] ?? new URL(path, folder).href;

function defaultAssetBase(): string {
  const { files } = shipped();
  return files ? `${shippedRoot(files)}engine/` : assetBaseOf(import.meta.url);
}

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
