/**
 * Text for the quality checks: what is wrong, what to do, and the measured values.
 */
import { QUALITY_CHECKS, type QualityCheck } from '../classifier/index.js';
import { number, shortNumber, wholePercent } from './format.js';
import { say } from './say.js';

/** The failed checks, without those that follow from an empty picture, which has no contrast, edges or position. */
export function failedChecks(checks: readonly QualityCheck[]): QualityCheck[] {
  const failed = checks.filter((check) => !check.passed);
  const empty = failed.some(({ id }) => id === 'flat');
  return failed.filter(({ id }) => !empty || !['blurred', 'low_contrast', 'out_of_frame'].includes(id));
}

/** Continues 'This picture'. */
export function problem({ id, value, limit }: QualityCheck): string {
  switch (id) {
    case 'too_small':
      return say('quality.problem.too_small', { value: number(Math.round(value)), limit: number(Math.round(limit)) });
    case 'bright':
      return say('quality.problem.bright', { share: wholePercent(value) });
    default:
      return say(`quality.problem.${id}`);
  }
}

/** What to do about each failed check. */
export function advice(checks: readonly QualityCheck[]): string[] {
  return failedChecks(checks).map(({ id }) => say(`quality.advice.${id}`));
}

export interface CheckWords {
  name: string;
  /** The measured value and its limit. */
  value: string;
}

const DECIMALS = {
  too_small: 0,
  blurred: 2,
  dark: 0,
  bright: 3,
  low_contrast: 0,
  flat: 1,
  noisy: 1,
  out_of_frame: 2,
  grey: 0,
  collage: 2,
} as const;

/** A quality check as a row of the details. */
export function checkWords({ id, value, limit }: QualityCheck): CheckWords {
  const decimals = DECIMALS[id];
  const unit = (text: string) =>
    id === 'dark' || id === 'low_contrast' || id === 'grey' ? say('quality.of255', { value: text }) : text;
  return {
    name: say(`quality.check.${id}`),
    value: say(`quality.${QUALITY_CHECKS[id].limit}`, {
      value: unit(number(value, decimals)),
      limit: unit(shortNumber(limit, decimals)),
    }),
  };
}
