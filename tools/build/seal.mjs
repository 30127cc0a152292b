/**
 * Writes into the built site what its scripts must be: the pages name the scripts and styles that they need at once
 * with their hashes (`integrity`), and the code knows those of all that comes later
 * (`web/src/classifier/scripts.ts`). So a wrong file (a sign-in page, half an upload) is not run, on a first visit too,
 * when no service worker checks files yet.
 *
 * Only files whose names change with them: of others a browser may hold an older copy for some minutes.
 */
import { createHash } from 'node:crypto';

/**
 * @typedef {object} SealedSite
 * @property {readonly string[]} names  of all its files, from its folder
 * @property {(name: string) => Uint8Array} read
 * @property {(name: string, bytes: Buffer) => void} write
 */

/** What the code has until hashes are written there, for `define`. */
export const UNSEALED = JSON.stringify({ 'dermlet:scripts': {} });

/** It, sealed or not, as minifiers leave it. */
const SEAL = /(['`])\{"dermlet:scripts":\{[^'`]*\}\}\1/g;

const ASSETS = 'assets/';
const PAGES = ['index.html', 'embed.html'];

/** @param {SealedSite} site */
export function seal({ names, read, write }) {
  /** @param {string} name */
  const text = (name) => Buffer.from(read(name)).toString();
  /** @param {string} name */
  const sha256 = (name) => createHash('sha256').update(read(name));
  /** @param {string} name */
  const built = (name) => [sha256(name).digest('hex'), read(name).length];
  const scripts = names.filter((name) => /^assets\/[^/]+\.js$/.test(name)).map((name) => name.slice(ASSETS.length));
  const known = new Set(scripts);
  /**
   * @param {string} code
   * @param {RegExp} how
   */
  const named = (code, how) => [...code.matchAll(how)].map(([, name = '']) => name).filter((name) => known.has(name));
  const code = new Map(scripts.map((name) => [name, text(ASSETS + name)]));
  /** @param {string} name */
  const withIts = (name) => named(code.get(name) ?? '', /(?:from|import)\s*["'`]\.\/([^"'`]+)["'`]/g);
  /** @param {string} name */
  const later = (name) => named(code.get(name) ?? '', /import\(\s*["'`]\.\/([^"'`]+)["'`]/g);
  /**
   * All that is reached from a script, itself too.
   * @param {string} from
   * @param {(name: string) => string[]} next
   */
  const reached = (from, next) => {
    const found = new Set([from]);
    for (const name of found) for (const other of next(name)) found.add(other);
    return found;
  };

  const [worker, ...more] = scripts.filter((name) => name.startsWith('worker-'));
  if (worker === undefined || more.length > 0) throw new Error('the site has no worker, or more than one');
  const workers = reached(worker, (name) => [...withIts(name), ...later(name)]);
  const holders = scripts.filter((name) => code.get(name)?.match(SEAL));
  const inWorker = holders.filter((name) => workers.has(name));
  const inPage = holders.filter((name) => !workers.has(name));
  if (inWorker.length !== 1 || inPage.length !== 1)
    throw new Error(`hashes belong into one script of the page and one of the worker, not into ${holders.join(', ')}`);

  /**
   * @param {string} holder
   * @param {Iterable<string>} checked  the scripts that it starts later
   * @param {readonly string[]} engine  names of the engine's scripts
   */
  const writeHashes = (holder, checked, engine) => {
    const running = reached(holder, withIts);
    /** @type {Record<string, (string | number)[]>} */
    const hashes = {};
    for (const name of checked) {
      const all = [...reached(name, withIts)].filter((other) => !running.has(other));
      for (const one of all) hashes[one] = built(ASSETS + one);
      hashes[name]?.push(...all.filter((other) => other !== name));
    }
    for (const name of engine) hashes[name] = built(name);
    const sealed = JSON.stringify({ 'dermlet:scripts': hashes });
    write(ASSETS + holder, Buffer.from((code.get(holder) ?? '').replace(SEAL, () => `'${sealed}'`)));
  };

  /** @param {readonly string[]} of */
  const started = (of) => new Set(of.flatMap((name) => later(name)));
  const engine = names.filter((name) => /^engine\/[^/]+\.mjs$/.test(name));
  // The worker's first: the page holds the hash of what it then is.
  writeHashes(/** @type {string} */ (inWorker[0]), started([...workers]), engine);
  const ofPage = scripts.filter((name) => !workers.has(name));
  writeHashes(/** @type {string} */ (inPage[0]), [...started(ofPage), worker], []);

  for (const page of PAGES) {
    const tag = /<(?:script|link rel="(?:modulepreload|stylesheet)")(?: [^>]*)?(?:src|href)="\.\/(assets\/[^"]+)"/g;
    const html = text(page).replace(/ integrity="[^"]*"/g, '');
    if (!html.match(tag)) throw new Error(`${page} names no scripts in assets/ any more.`);
    const sealed = html.replace(tag, (found, name) => `${found} integrity="sha256-${sha256(name).digest('base64')}"`);
    write(page, Buffer.from(sealed));
  }
}
