// Known vulnerabilities (advisories.json) among what is locked or compiled into what is shipped. `npm audit` needs a
// network, and sees no C++ inside of WebAssembly; docs/supply-chain.md has both ways.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILED } from './licences.mjs';
import { LOCKS, requirementsIn } from './python-locks.mjs';
import { root } from './steps.mjs';

/**
 * @typedef {object} Advisory
 * @property {'compiled' | 'npm' | 'pypi'} ecosystem
 * @property {string} name
 * @property {string} below  the first version without it
 * @property {string[]} ids
 * @property {string} what
 * @property {{ looked: string, why: string }} [accepted]  when and why somebody decided to ship it all the same
 *
 * @typedef {Pick<Advisory, 'ecosystem' | 'name'> & { version: string }} Used
 */

/**
 * Whether a version is older than another, by its numbers.
 * @param {string} version
 * @param {string} than
 */
export function isOlder(version, than) {
  const [mine, others] = [version, than].map((text) => (/^\d+(\.\d+)*/.exec(text)?.[0] ?? '').split('.').map(Number));
  if (!mine || !others) return false;
  for (let i = 0; i < Math.max(mine.length, others.length); ++i) {
    const difference = (mine[i] ?? 0) - (others[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** @returns {{ refreshed: string, advisories: Advisory[] }} */
export const knownAdvisories = () => JSON.parse(readFileSync(join(root, 'tools/build/advisories.json'), 'utf8'));

/** Days after which the list is old enough to say so. */
const OLD = 180;

/**
 * What is said of a list that nobody has brought up to date for long; null: nothing. It fails no build: an old commit
 * must still be buildable.
 * @param {string} refreshed  YYYY-MM-DD
 * @param {Date} [now]
 */
export function ageWarning(refreshed, now = new Date()) {
  const days = Math.floor((now.getTime() - Date.parse(refreshed)) / 86_400_000);
  return days > OLD
    ? `advisories.json was brought up to date ${days} days ago: docs/supply-chain.md says how to do it again`
    : null;
}

/**
 * Everything that is locked, in all lock files, and what is known to be compiled in.
 * @returns {Used[]}
 */
export function everythingUsed() {
  const npm = ['.', 'tests/bench', 'tests/package'].flatMap((folder) =>
    Object.entries(JSON.parse(readFileSync(join(root, folder, 'package-lock.json'), 'utf8')).packages)
      .filter(([path]) => path !== '')
      .map(([path, { name, version }]) => ({
        ecosystem: /** @type {const} */ ('npm'),
        name: name ?? path.split('node_modules/').at(-1),
        version,
      })),
  );
  const python = LOCKS.flatMap(({ folder, lock, torch }) =>
    [lock, ...(torch ? [torch.withCuda, torch.cpu] : [])].flatMap((file) =>
      requirementsIn(readFileSync(join(root, folder, file), 'utf8')).map((entry) => {
        const [, name = '', version = ''] = /^([\w.-]+)==([^\s;]+)/.exec(entry) ?? [];
        return { ecosystem: /** @type {const} */ ('pypi'), name, version };
      }),
    ),
  );
  const compiled = COMPILED.flatMap(({ name, version: stated }) => {
    const version = typeof stated === 'string' ? stated : stated();
    return version === '' ? [] : [{ ecosystem: /** @type {const} */ ('compiled'), name, version }];
  });
  return [...npm, ...python, ...compiled];
}

/**
 * @param {readonly Advisory[]} advisories
 * @param {readonly Used[]} used
 * @returns {{ open: string[], stale: string[] }}  what must be mended or decided on; decisions about what is mended
 */
export function compare(advisories, used) {
  const open = [];
  const stale = [];
  for (const { ecosystem, name, below, ids, what, accepted } of advisories) {
    const hit = used.filter((one) => one.ecosystem === ecosystem && one.name === name && isOlder(one.version, below));
    if (hit.length > 0 && !accepted)
      open.push(
        `${name} ${hit.map(({ version }) => version).join(', ')}: ${ids.join(', ')}, mended in ${below}. ${what}`,
      );
    if (hit.length === 0 && accepted) stale.push(`${name}: ${ids.join(', ')}`);
  }
  return { open, stale };
}
