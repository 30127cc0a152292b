// npm run release -- VERSION [--dry-run]: dates the CHANGELOG, sets the version, commits and tags it, and packs the
// package, with its bill of materials beside it. Nothing leaves this machine: pushing the tag is left to a person; the
// tag then makes .github/workflows/release.yml test, build and pack the same commit anew, and attest what it publishes.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeBill } from './sbom.mjs';
import { ask, isProgram, main, root, run, StepError, say } from './steps.mjs';

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-[0-9A-Za-z.-]+)?$/;

/**
 * The changelog with its unreleased section named and dated, and a new, empty one before it.
 * @param {string} text
 * @param {string} version
 * @param {string} date
 */
export function datedChangelog(text, version, date) {
  const heading = /^## (\S+) \(unreleased\)$/m;
  const found = heading.exec(text);
  if (found === null)
    throw new StepError('CHANGELOG.md has no section "## VERSION (unreleased)": what would be released?');
  const after = text.slice(found.index + found[0].length);
  const [section = ''] = after.split(/^## /m);
  if (!/^- /m.test(section)) throw new StepError('The unreleased section of CHANGELOG.md is empty.');
  if (text.includes(`\n## ${version} (2`)) throw new StepError(`CHANGELOG.md has a version ${version} already.`);
  return `${text.slice(0, found.index)}## ${next(version)} (unreleased)\n\n## ${version} (${date})${after}`;
}

/**
 * The version that development continues with.
 * @param {string} version
 */
export function next(version) {
  const [major, minor = 0, patch] = (VERSION.exec(version) ?? []).slice(1).map(Number);
  return version.includes('-') ? `${major}.${minor}.${patch}` : `${major}.${minor + 1}.0`;
}

/** @param {string[]} args */
function git(...args) {
  const answer = ask('git', args);
  if (answer === null) throw new StepError(`git ${args.join(' ')} failed`);
  return answer.trim();
}

if (isProgram(import.meta.url)) {
  await main(async () => {
    const words = process.argv.slice(2);
    const dry = words.includes('--dry-run');
    const [version = '', ...rest] = words.filter((word) => word !== '--dry-run');
    if (!VERSION.test(version) || rest.length > 0) throw new StepError('Use: npm run release -- VERSION [--dry-run]');
    if (git('status', '--porcelain') !== '') throw new StepError('There are changes that are not committed.');
    if (git('branch', '--show-current') !== 'main') throw new StepError('Releases are made from main.');
    if (git('tag', '--list', `v${version}`) !== '') throw new StepError(`There is a tag v${version} already.`);
    const changelog = join(root, 'CHANGELOG.md');
    const dated = datedChangelog(readFileSync(changelog, 'utf8'), version, new Date().toISOString().slice(0, 10));
    if (dry) {
      say(`Would release ${version}; the changelog would begin:\n\n${dated.slice(0, 400)}`);
      return;
    }
    writeFileSync(changelog, dated);
    await run('npm', ['version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts'], {
      log: 'release',
    });
    git('commit', '--all', '--quiet', '--message', `Release ${version}`);
    git('tag', '--annotate', `v${version}`, '--message', `Dermlet ${version}`);
    const append = { log: 'release', append: true, echo: true };
    await run(process.execPath, [join(root, 'tools', 'build', 'build.mjs'), '--package'], append);
    await run('npm', ['pack', './build/package', '--ignore-scripts'], append);
    writeBill(join(root, `dermlet-${version}.tgz`));
    say(`Release ${version} is committed, tagged v${version} and packed. To publish: git push --follow-tags`);
  });
}
