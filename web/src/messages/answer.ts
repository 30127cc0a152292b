/** The sentences that go with every answer. */
import type { Result, Tier } from '../classifier/index.js';
import { advice, failedChecks, problem } from './quality.js';

/** Stands wherever a result is shown. */
export const DOCTOR =
  'If a spot or rash is new, changing, bleeding or worries you, see a doctor whatever this page shows.';

/** Stands wherever Dermlet stands. */
export const PURPOSE =
  'A research and teaching tool, not a medical device. It shows how a network scores a picture against the ' +
  'categories ' +
  'it was trained on. It cannot examine you, and it is wrong at times, also when its score is high.';

const NO_CLASS = {
  'not-recognised': 'Not recognised: the picture is unlike those the model was trained on, so no category is named.',
  'poor-quality': 'Picture not usable, so no category is named.',
  'no-spot':
    'No spot stands out in the picture, so no category is named: take it closer, or say with a crop where to look.',
  'several-spots':
    'More than one spot stands out in the picture, so no category is named: say with a crop which one is meant.',
} as const;

const NEXT: Record<Tier, string> = {
  high: 'The categories that a doctor should look at soon have much of the score, taken together.',
  moderate: 'The categories that a doctor should look at have too much of the score to be put aside.',
  low:
    'The categories that a doctor should look at have little of the score, taken together, but a photo cannot ' +
    'rule anything out.',
  unknown: 'Nothing can be said about this picture.',
};

/** Per cent with as many decimals as given, never rounded up to 100. */
export function exactPercent(share: number, decimals = 0): string {
  const factor = 10 ** decimals;
  const rounded = Math.round(share * 100 * factor) / factor;
  return `${(rounded >= 100 && share < 1 ? 100 - 1 / factor : rounded).toFixed(decimals)} %`;
}

/** Why no category is named, and what to do about it where that is known. */
export function whyNone({ outcome, quality }: Result): string {
  if (outcome === 'single' || outcome === 'several') return NO_CLASS['not-recognised'];
  const failed = outcome === 'poor-quality' ? failedChecks(quality.checks) : [];
  if (failed.length === 0) return NO_CLASS[outcome];
  return (
    `Picture not usable, so no category is named: it ${failed.map(problem).join(', and it ')}. ` +
    `${advice(failed).join(' ')}`
  );
}

/**
 * What the picture looks most like, what comes next in the ranking and may not be left out, and what the concern tier
 * says.
 */
export function summary(result: Result): string {
  const [first] = result.ranking;
  if (result.outcome !== 'single' && result.outcome !== 'several') return whyNone(result);
  if (!first) return NO_CLASS['not-recognised'];
  const others = result.ranking.slice(1).filter(({ inSet }) => inSet);
  const rest =
    others.length > 0
      ? ` It may also be: ${others.map(({ name, probability }) => `${name}, ${exactPercent(probability)}`).join('; ')}.`
      : '';
  return `Looks most like: ${first.name}, score ${exactPercent(first.probability)}.${rest} ${NEXT[result.tier]}`;
}
