/** What answers make of an answer, in words. */
import type { Tier } from '../../classifier/index.js';
import { list, tierWords } from '../../messages/index.js';
import { say } from '../../messages/questions.js';
import type { Raised } from '../session.js';
import { type Answers, adviceOf, type Reason } from './advice.js';
import { saidWords } from './words.js';

/** A list of what was said. */
export const reasonsOf = (because: readonly Reason[]): string =>
  list(
    because.map((reason) => saidWords(reason)),
    'and',
  );

/** Null where the answers ask for no more than the tier does. */
export function raisedBy(answers: Answers, tier: Tier): Raised | null {
  const advice = adviceOf(tier, answers);
  if (!advice.raised) return null;
  return {
    tier: advice.tier,
    title: () => say(advice.tier === 'high' ? 'questions.title.high' : 'questions.title.moderate'),
    because: () => say('questions.because', { answers: reasonsOf(advice.because) }),
    network: () => say('questions.network', { title: tierWords(tier).title }),
  };
}
