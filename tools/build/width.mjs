// Lines are at most 120 columns wide in every language; formatters do not wrap strings and comments. A line without a
// space to break at (an address, a hash) may be longer, as may compiled messages. Ruff checks Python's lines.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, main, root, StepError, say } from './steps.mjs';

const WIDTH = 120;
const CODE = [
  '*.cc',
  '*.h',
  '*.cmake',
  '*CMakeLists.txt',
  '*.ts',
  '*.tsx',
  '*.mts',
  '*.mjs',
  '*.js',
  '*.css',
  ':!web/src/messages/compiled',
];

await main(async () => {
  const listed = ask('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...CODE]);
  if (listed === null) throw new StepError('Style is checked in a git checkout: git ls-files did not answer.');
  let wide = 0;
  for (const path of listed.split('\n').filter((name) => name !== '' && existsSync(join(root, name)))) {
    for (const [i, line] of readFileSync(join(root, path), 'utf8').split('\n').entries()) {
      const columns = [...line].length;
      const longest = Math.max(...line.split(/\s+/).map((word) => word.length));
      if (columns <= WIDTH || longest > WIDTH - 20) continue;
      wide += 1;
      say(`${path}:${i + 1}: ${columns} columns`);
    }
  }
  return wide > 0 ? 1 : 0;
});
