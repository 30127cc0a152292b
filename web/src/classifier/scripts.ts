/**
 * Scripts that come later are checked before they run: `import` takes no hash, and a worker knows no import map. So a
 * script is fetched, compared with the sha256 that the site's build wrote, and then imported, which takes it from the
 * browser's cache. A first visit needs this; later ones have the service worker, which checks what it keeps.
 */

import { messageOf } from './abort.js';
import { isMissingScript, whyMissing } from './causes.js';
import { type Fetch, fetchOk } from './download.js';
import { DermletError } from './errors.js';
import { FileStore, type Promised } from './file-store.js';
import { LIMITS } from './limits.js';
import { Late, within } from './within.js';

/** A script as it was built. */
type Built = Pick<Promised, 'bytes' | 'sha256'>;
/** By path from the folder of this script; with the scripts beside it that it imports. */
type Hashes = Readonly<Record<string, readonly [sha256: string, bytes: number, ...imports: string[]]>>;

/** Empty where no build of a site wrote them: in Node, and in the package, whose scripts bundlers make anew. */
const hashes: Hashes =
  typeof __DERMLET_SCRIPTS__ === 'string'
    ? (JSON.parse(__DERMLET_SCRIPTS__) as { 'dermlet:scripts': Hashes })['dermlet:scripts']
    : {};

/** Scripts that were right, by address. */
const right = new Map<string, Promise<void>>();

/** Fetches from the origin that was asked: WebKit imports modules from wherever an address redirects to. */
const fromItsOrigin: Fetch = async (url, init) => {
  const response = await fetch(url, init);
  const from = new URL(response.url).origin;
  if (from !== new URL(url).origin)
    throw new DermletError('MODEL_UNAVAILABLE', `${url} was redirected to another origin, ${from}.`);
  return response;
};

/** What browsers cache and the service worker keeps is enough: here nothing is. */
const store = new FileStore('', { fetch: fromItsOrigin, caches: null });

/** `built` undefined: it is only looked at where the script comes from. */
async function check(address: string, built: Built | undefined): Promise<void> {
  try {
    if (built)
      await store.file({ ...built, name: address.slice(address.lastIndexOf('/') + 1), url: address, key: address });
    else await fetchOk(address, { fetch: fromItsOrigin });
  } catch (cause) {
    right.delete(address);
    if ((cause as DermletError).code !== 'MODEL_UNAVAILABLE') throw cause;
    const why = await whyMissing(address, cause);
    throw why.code === 'MODEL_UNAVAILABLE' ? cause : why;
  }
}

/** WebKit imports modules from wherever an allowed address redirects to, whatever the content policy says of it. */
const followsRedirects = ({ userAgent = '' }: { userAgent?: string } = {}): boolean =>
  userAgent.includes('AppleWebKit') && !/Chrom(e|ium)/.test(userAgent);

/** Whether the build wrote the hash of a script. */
export const hasHash = (path: string): boolean => Object.hasOwn(hashes, path);

/**
 * Resolves when a script, and all that it imports, is as it was built; at once where its hash is not known.
 *
 * @param path as the build knows it: that of a script beside this one, or `engine/...`
 * @param given where it is fetched from, if not beside this script
 * @throws DermletError MODEL_CORRUPT (other bytes), as `whyMissing` gives (nothing came)
 */
export async function checkScript(path: string, given?: string): Promise<void> {
  const [sha256, bytes, ...imports] = hasHash(path) ? hashes[path]! : [];
  const built = sha256 !== undefined && bytes !== undefined ? { sha256, bytes } : undefined;
  if (!built && !(given && followsRedirects(globalThis.navigator))) return;
  // In two steps: bundlers treat `new URL('…', import.meta.url)` as a file to copy.
  const here = import.meta.url;
  const address = given ?? new URL(path, here).href;
  const checking = right.get(address) ?? check(address, built);
  right.set(address, checking);
  await Promise.all([checking, ...imports.map((one) => checkScript(one))]);
}

/** The path in `() => import('./x.js')`: bundlers name a part's file in that code alone. */
const pathIn = (load: () => unknown): string | undefined =>
  /\bimport\(\s*["'`]\.\/([^"'`]+)["'`]\s*\)/.exec(String(load))?.[1];

/**
 * A part that is imported when it is needed, checked before it runs. A failure says why.
 *
 * @param load `() => import('./part.js')`, and nothing else
 * @throws DermletError as `checkScript` gives
 */
export async function imported<Module>(load: () => Promise<Module>): Promise<Module> {
  const path = pathIn(load);
  if (path !== undefined) await checkScript(path);
  try {
    return await within(load(), LIMITS.script, 'A script');
  } catch (cause) {
    if (cause instanceof Late)
      throw new DermletError('MODEL_UNAVAILABLE', `A script could not be fetched: ${cause.message}`, { cause });
    if (!isMissingScript(cause)) throw cause;
    // Chromium and Firefox name the address.
    const [script] = /https?:\S+/.exec(messageOf(cause)) ?? [];
    if (script) throw await whyMissing(script, cause);
    throw new DermletError('PART_MISSING', `A script could not be fetched: ${messageOf(cause)}`, { cause });
  }
}
