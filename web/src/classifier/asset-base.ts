import { DermletError } from './errors.js';
import { shipped } from './shipped.js';

/**
 * Where the engine's files (`dermlet.wasm`, `ort-wasm-simd-threaded*.{mjs,wasm}`) are: the folder `engine/` beside the
 * module that the page imports. Bundlers put chunks into `assets/`, so a trailing `assets/` of this module's address is
 * dropped:
 *
 *     https://host/app/dermlet.js             -> https://host/app/engine/
 *     https://host/app/assets/classifier-x.js -> https://host/app/engine/
 *
 * Models loaded by name are in `models/` beside that folder. If the files are served elsewhere, set
 * `LoadOptions.assetBase`; there is no other setting and no global.
 */
export function assetBaseOf(moduleUrl: string): string {
  const folder = new URL('./', moduleUrl);
  // In two steps, not as new URL('…', import.meta.url): bundlers treat that form as an asset.
  return new URL(folder.pathname.endsWith('/assets/') ? '../engine/' : 'engine/', folder).href;
}

/** Addresses by file name, for files that may not be in their folder. */
export type Addresses = Readonly<Record<string, string>>;

const LIST = 'models/index.json';

/**
 * The folder that holds the npm package's `engine/` and `models/`. If a bundler moved and renamed its files, there is
 * no such folder: the address is then only a key for `shippedIn`.
 */
function shippedRoot(files: Addresses): string {
  const list = new URL(files[LIST]!);
  list.search = '';
  return list.href.endsWith(`/${LIST}`) ? list.href.slice(0, -LIST.length) : new URL('dermlet/', list).href;
}

/** Addresses of the files shipped with this code that belong in `folder`; undefined if it has files of its own. */
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
  addresses && Object.hasOwn(addresses, path) ? addresses[path]! : new URL(path, folder).href;

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
