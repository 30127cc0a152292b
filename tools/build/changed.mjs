// Which tests a change calls for: `npm test -- --changed`, for daily work. What cannot be told from the files' names is
// left to the whole suite, which decides.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ask, root, StepError } from './steps.mjs';

/**
 * @typedef {object} Selection
 * @property {string[]} parts  ids of parts, in no order
 * @property {string[] | null} web  test files of the part `web`; null: those that import a changed module, and all that
 *   start the command line where that changed
 * @property {string[]} e2e  spec files
 * @property {string[]} train  test files of the training tool
 */

/**
 * Parts by the folders that they test; the first pattern that fits a file counts.
 * @type {readonly { files: RegExp, parts: readonly string[] }[]}
 */
const RULES = [
  { files: /^docs\//, parts: ['scripts', 'site'] },
  { files: /\.md$|(^|\/)LICENSE[^/]*$/, parts: ['scripts'] },
  { files: /^(wasm_src|cmake|CMake)/, parts: ['lint', 'core', 'module', 'web', 'train', 'e2e'] },
  { files: /^tests\/(core|golden|pictures|imported)\//, parts: ['lint', 'core', 'web'] },
  { files: /^tests\/(fuzz|exactness|bench|package|browsers|spots)\//, parts: ['lint'] },
  { files: /^contract\//, parts: ['scripts', 'lint', 'core', 'web', 'train'] },
  { files: /^models\//, parts: ['scripts', 'web', 'train', 'e2e'] },
  { files: /^tools\/train\//, parts: ['lint', 'train'] },
  { files: /^tools\/build\//, parts: ['scripts', 'lint', 'site'] },
  { files: /^tools\/cli\//, parts: ['lint', 'web'] },
  { files: /^tests\/web\//, parts: ['lint', 'web'] },
  { files: /^tests\/e2e\//, parts: ['lint', 'e2e'] },
  { files: /^web\/(index\.html|public|src\/(element|page|sw|dermlet))/, parts: ['lint', 'web', 'site', 'e2e'] },
  { files: /^web\//, parts: ['lint', 'web', 'site', 'e2e'] },
  { files: /./, parts: ['scripts', 'lint', 'web', 'site'] },
];

/** The shortest way through the page, for changes that may touch anything in it. */
const SHORT_E2E = 'tests/e2e/classify.spec.ts';

/** The test of the core as a Python module. */
const CORE_MODULE = 'test_core_module.py';

/** Files of the training tool that every test of it stands on. */
const TRAIN_BASE = /^tools\/train\/(pyproject\.toml|(requirements|locked).*|tests\/conftest\.py)$/;

/**
 * Files that differ from `since`, those not committed and new ones included. Without `since`: from where the branch
 * left its upstream, else from the last commit but one.
 * @param {string | undefined} since  a commit
 * @param {string} [folder]
 * @returns {{ since: string, files: string[] }}
 */
export function changedFiles(since, folder = root) {
  const git = (/** @type {string[]} */ ...args) => ask('git', ['-C', folder, ...args]);
  const found =
    since ??
    git('merge-base', 'HEAD', '@{upstream}')?.trim() ??
    (git('status', '--porcelain')?.trim() ? 'HEAD' : 'HEAD~1');
  const differing = git('diff', '--name-only', '--no-renames', '-z', found);
  const untracked = git('ls-files', '--others', '--exclude-standard', '-z');
  if (differing === null || untracked === null)
    throw new StepError(`--changed needs git, and '${found}' to be a commit of this repository.`);
  return { since: found, files: [...new Set(`${differing}${untracked}`.split('\0').filter(Boolean))].sort() };
}

/**
 * Test files of the training tool that name a changed module, and changed ones.
 * @param {readonly string[]} files
 */
function trainTests(files) {
  const own = files.filter((file) => file.startsWith('tools/train/'));
  const folder = join(root, 'tools/train/tests');
  const all = readdirSync(folder).filter((name) => /^test_.*\.py$/.test(name));
  if (own.length < files.length || own.some((file) => TRAIN_BASE.test(file))) return all;
  const modules = own.flatMap((file) => /^tools\/train\/dermlet_train\/(.+)\.py$/.exec(file)?.[1] ?? []);
  const names = modules.map((module) => module.replace(/\/__init__$/, '').replaceAll('/', '.'));
  const core = own.some((file) => file.startsWith('tools/train/core/'));
  return all.filter((name) => {
    if (own.includes(`tools/train/tests/${name}`) || (core && name === CORE_MODULE)) return true;
    const text = readFileSync(join(folder, name), 'utf8');
    return names.some((module) => {
      const [parent, last] = [module.split('.').slice(0, -1), module.split('.').at(-1)];
      const from = ['dermlet_train', ...parent].join('\\.');
      return new RegExp(`${from}\\.${last}\\b|from ${from} import [^)\\n]*(\\([^)]*)?\\b${last}\\b`).test(text);
    });
  });
}

/**
 * @param {readonly string[]} files  changed ones, relative to the repository
 * @returns {Selection}
 */
export function selectionFor(files) {
  const parts = new Set(files.flatMap((file) => RULES.find((rule) => rule.files.test(file))?.parts ?? []));
  const specs = files.filter((file) => /^tests\/e2e\/.*\.spec\.ts$/.test(file));
  const trained = files.filter((file) => /^(tools\/train|contract|models)\//.test(file));
  const bound = files.some((file) => /^(wasm_src|cmake|CMake)/.test(file));
  const drawn = files.some((file) => /^(wasm_src|tests\/golden|tests\/pictures|models|contract)\//.test(file));
  return {
    parts: [...parts],
    web: drawn ? [] : null,
    e2e: specs.length > 0 ? specs : [SHORT_E2E],
    train: [...new Set([...(trained.length > 0 ? trainTests(trained) : []), ...(bound ? [CORE_MODULE] : [])])],
  };
}

/**
 * The unit tests' files for a change: what imports a changed module (as vitest follows imports), and the tests that
 * start the command line as a process, which no import shows.
 * @param {readonly string[]} related  files that vitest names
 * @param {readonly string[]} files  changed ones
 */
export function webTests(related, files) {
  const processes = files.some((file) => /^(tools\/cli|web\/src\/(classifier|handler|messages))\//.test(file));
  const cli = readdirSync(join(root, 'tests/web')).filter((name) => /^(cli|endurance).*\.test\.ts$/.test(name));
  return [...new Set([...related, ...(processes ? cli.map((name) => `tests/web/${name}`) : [])])].filter((file) =>
    basename(file).endsWith('.test.ts'),
  );
}
