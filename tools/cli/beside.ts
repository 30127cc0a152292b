/** Two models' answers to one picture. */
import type { Result } from '../../web/src/classifier/node/index.js';
import { agreement, say as sayBeside } from '../../web/src/messages/beside.js';
import { mayName, plainPercent, tierWords } from '../../web/src/messages/index.js';
import { plainData } from './plain.js';
import { say } from './say.js';
import { wrap } from './terminal.js';

export { agreement };

/** What the second says, and whether that is what the first says. */
export function besideLines(first: Result, second: Result, columns: number): string {
  const { name, version } = plainData(second.model);
  const [best] = plainData(second.ranking);
  const named = mayName(second) ? `${best!.name} ${plainPercent(best!.probability, 1)}` : say('cli.beside.none');
  const { title } = tierWords(second.tier);
  return [
    say('cli.beside', { model: `${name} ${version}`, named, tier: title }),
    sayBeside(`beside.${agreement(first, second)}`),
    sayBeside('beside.note'),
  ]
    .map((line) => wrap(line, columns, '  '))
    .join('\n');
}
