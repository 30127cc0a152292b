/** Sentences that accompany every result, and the result as plain text for the command line and the handler. */
import type { RankedClass, Result } from '../classifier/index.js';
import { plainName } from './category.js';
import { joined, plainPercent } from './format.js';
import { advice, failedChecks, problem } from './quality.js';
import { say } from './say.js';

/** Shown with every result. */
export const doctor = (): string => say('doctor');

/** Shown wherever Dermlet is used. */
export const purpose = (): string => say('purpose');

/** Whether a category may be named as an answer. */
export function mayName({ outcome }: Pick<Result, 'outcome'>): boolean {
  return outcome === 'single' || outcome === 'several';
}

/** Why no category is named and, if known, what to do about it. */
export function whyNone({ outcome, quality }: Result): string {
  if (outcome === 'single' || outcome === 'several') return say('summary.none.not-recognised');
  const failed = outcome === 'poor-quality' ? failedChecks(quality.checks) : [];
  if (failed.length === 0) return say(`summary.none.${outcome}`);
  const problems = failed.map(problem).reduce((problems, next) => say('summary.none.and', { problems, problem: next }));
  return joined([say('summary.none.problems', { problems }), ...advice(failed)]);
}

/** The first category, the others of the prediction set, and the concern tier. */
export function summary(result: Result): string {
  const [first] = result.ranking;
  if (!mayName(result)) return whyNone(result);
  if (!first) return say('summary.none.not-recognised');
  const scored = (entry: RankedClass) => ({ name: plainName(entry), score: plainPercent(entry.probability) });
  const others = result.ranking
    .slice(1)
    .filter(({ inSet }) => inSet)
    .map((entry) => say('summary.other', scored(entry)));
  const named =
    others.length > 0
      ? say('summary.several', { ...scored(first), others: others.join(say('summary.separator')) })
      : say('summary.single', scored(first));
  // A head of somebody's own gives no tier.
  return joined(result.head ? [named] : [named, say(`summary.tier.${result.tier}`)]);
}
