// npm run lint: checks the style of every hand-written file, each language with its own checker; the last line counts.
// npm run format (--fix): the same checkers fix what they can.
import { join, relative } from 'node:path';
import { lintPrograms } from './artifacts.mjs';
import { ask, isProgram, main, root, run, StepError, say } from './steps.mjs';
import { checkNode, ensurePackages, localBin } from './toolchain.mjs';

const PYTHON = ['tools/train', 'tests'];

/**
 * Each has only its own environment's globals: web/ (which the root refers to) a page's, its worker configuration those
 * of workers, the root (scripts, command line, the classifier in Node) Node's. Tests have both Node's and a page's,
 * because functions passed to page.evaluate() run in the page.
 */
export const TYPE_PROJECTS = [
  'tsconfig.json',
  'web/tsconfig.worker.json',
  'tests/tsconfig.json',
  'tests/tsconfig.page.json',
];

/**
 * Files that git tracks or would add, by extension.
 * @param {string[]} endings
 */
function files(...endings) {
  const listed = ask('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...endings]);
  if (listed === null) throw new StepError('Style is checked in a git checkout: git ls-files did not answer.');
  return listed.split('\n').filter(Boolean);
}

/**
 * The checkers of each language. `fix` writes; `check` exits with a non-zero status if it finds anything.
 * @typedef {[program: string, ...args: string[]]} Command
 * @returns {Promise<{ name: string, log: string, check: Command, fix?: Command }[]>}
 */
export async function checks() {
  const bin = await lintPrograms();
  const cpp = () => files('*.cc', '*.h');
  return [
    {
      name: 'Biome (TypeScript, JavaScript, CSS, JSON)',
      log: 'lint-biome',
      check: [localBin('biome'), 'ci', '--colors=off', '.'],
      fix: [localBin('biome'), 'check', '--write', '--colors=off', '.'],
    },
    {
      name: 'tsc (types of TypeScript and JavaScript)',
      log: 'lint-tsc',
      check: [localBin('tsc'), '--build', '--force', ...TYPE_PROJECTS],
    },
    {
      name: 'clang-format (C++)',
      log: 'lint-clang-format',
      check: [`${bin}/clang-format`, '--dry-run', '-Werror', ...cpp()],
      fix: [`${bin}/clang-format`, '-i', ...cpp()],
    },
    {
      name: 'clang-tidy (C++)',
      log: 'lint-clang-tidy',
      check: [process.execPath, join(root, 'tools', 'build', 'tidy.mjs')],
    },
    {
      name: 'ruff check (Python)',
      log: 'lint-ruff',
      check: [`${bin}/ruff`, 'check', ...PYTHON],
      fix: [`${bin}/ruff`, 'check', '--fix', ...PYTHON],
    },
    {
      name: 'ruff format (Python)',
      log: 'lint-ruff-format',
      check: [`${bin}/ruff`, 'format', '--check', ...PYTHON],
      fix: [`${bin}/ruff`, 'format', ...PYTHON],
    },
    {
      name: 'lines of 120 columns',
      log: 'lint-width',
      check: [process.execPath, join(root, 'tools', 'build', 'width.mjs')],
    },
  ];
}

if (isProgram(import.meta.url)) {
  await main(async () => {
    const unknown = process.argv.slice(2).filter((word) => word !== '--fix');
    if (unknown.length > 0) throw new StepError(`Unknown option ${unknown[0]}. Use: npm run lint, or npm run format`);
    const fixes = process.argv.includes('--fix');
    checkNode();
    await ensurePackages();
    let failed = 0;
    for (const { name, log, check, fix } of await checks()) {
      const wanted = fixes ? fix : check;
      if (wanted === undefined) continue;
      const [command, ...args] = wanted;
      const status = await run(command, args, { log, mayFail: true, echo: true });
      if (status === 0) continue;
      failed += 1;
      say(`${name}: something is left; ${relative(root, `${root}/build/logs/${log}.log`)}`);
    }
    say(
      failed === 0
        ? 'Style: nothing to mend'
        : `Style: ${failed} checkers found something. \`npm run format\` mends layout.`,
    );
    return failed > 0 ? 1 : 0;
  });
}
