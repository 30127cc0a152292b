/** The shared messages and those of a second network's answer, which are loaded with it. */
import type { Result } from '../classifier/index.js';
import { mayName } from './answer.js';
import { messages } from './compiled/en.beside.js';
import type { BesideArguments } from './compiled/keys.js';
import { besideLanguages } from './compiled/languages.beside.js';
import { withSection } from './say.js';

export const say = withSection<BesideArguments>({ english: messages, languages: besideLanguages });

/**
 * Whether two networks say the same of one picture.
 *
 * - `same`: they name the same category first, or both none, and the tier is one
 * - `tier`: they name the same category first, with another tier
 * - `one`: only one of them names a category
 * - `order`: they name different ones first, and each holds the other's possible
 * - `different`: they name different ones first
 */
export type Agreement = 'same' | 'tier' | 'one' | 'order' | 'different';

/** Categories are the same where their ids are. */
export function agreement(first: Result, second: Result): Agreement {
  if (mayName(first) !== mayName(second)) return 'one';
  const [a, b] = [first.ranking[0]!.id, second.ranking[0]!.id];
  if (mayName(first) && a !== b)
    return first.predictionSet.includes(b) && second.predictionSet.includes(a) ? 'order' : 'different';
  return first.tier === second.tier ? 'same' : 'tier';
}
