/**
 * What each quality check says when it fails, and what to do about it. Shared by the element, the command line and the
 * retired servers' answers.
 */
import { QUALITY_CHECKS, type QualityCheck, type QualityCheckId } from '../classifier/index.js';

/** What failed, without what only follows from it: an empty picture has no contrast, an edge or a place either. */
export function failedChecks(checks: readonly QualityCheck[]): QualityCheck[] {
  const failed = checks.filter((check) => !check.passed);
  const empty = failed.some(({ id }) => id === 'flat');
  return failed.filter(({ id }) => !empty || !['blurred', 'low_contrast', 'out_of_frame'].includes(id));
}

/** Goes on from 'This picture'. */
export function problem({ id, value, limit }: QualityCheck): string {
  switch (id) {
    case 'too_small':
      return `is too small (${Math.round(value)} of at least ${Math.round(limit)} pixels on its shorter side)`;
    case 'blurred':
      return 'is blurred';
    case 'dark':
      return 'is too dark';
    case 'bright':
      return `is too bright (${Math.round(value * 100)}\u00a0% of it has lost its colours)`;
    case 'low_contrast':
      return 'has too little contrast';
    case 'flat':
      return 'shows almost nothing but one even colour';
    case 'noisy':
      return 'is too grainy';
    case 'out_of_frame':
      return 'shows what stands out at its edge, or only part of it';
  }
}

const CHECK_ADVICE: Record<QualityCheckId, string> = {
  too_small: 'Use the original photo, or cut out a larger part of it.',
  blurred: 'Hold the camera still, tap the picture to focus, and move back a little if it will not get sharp.',
  dark: 'Move to daylight or under an even lamp.',
  bright: 'Turn off the flash, or move out of direct light.',
  low_contrast: 'Wipe the lens, and take the photo in daylight without glare or haze.',
  flat: 'Check that the skin you ask about is in the picture and nothing covers the lens.',
  noisy: 'Use more light, and no digital zoom.',
  out_of_frame: 'Bring it to the middle, with some skin around it, or choose the part of the photo that shows it.',
};

/** What to do about each check that failed; empty when none did. */
export function advice(checks: readonly QualityCheck[]): string[] {
  return failedChecks(checks).map(({ id }) => CHECK_ADVICE[id]);
}

export interface CheckWords {
  name: string;
  /** What was measured, and the limit. */
  value: string;
}

/** A quality check as a line of the details. */
export function checkWords({ id, value, limit }: QualityCheck): CheckWords {
  const line = (name: string, decimals: number, unit = ''): CheckWords => ({
    name,
    value:
      `${value.toFixed(decimals)}${unit} ` +
      `(at ${QUALITY_CHECKS[id].limit} ${Number(limit.toFixed(decimals))}${unit})`,
  });
  switch (id) {
    case 'too_small':
      return line('Shorter side', 0);
    case 'blurred':
      return line('Sharpness', 2);
    case 'dark':
      return line('Brightness', 0, ' of 255');
    case 'bright':
      return line('Overexposed share', 3);
    case 'low_contrast':
      return line('Contrast', 0, ' of 255');
    case 'flat':
      return line('Structure', 1);
    case 'noisy':
      return line('Grain', 1);
    case 'out_of_frame':
      return line('Off centre', 2);
  }
}
