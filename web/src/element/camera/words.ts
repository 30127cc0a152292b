/** The words of each hint and cause; each key stands here in full, so that none is lost. */
import { say } from '../../messages/camera.js';
import type { Hint } from './hints.js';
import type { Cause } from './stream.js';

const HINTS: Readonly<Record<Hint, () => string>> = {
  waiting: () => say('camera.hint.waiting'),
  good: () => say('camera.hint.good'),
  dark: () => say('camera.hint.dark'),
  bright: () => say('camera.hint.bright'),
  flat: () => say('camera.hint.flat'),
  blurred: () => say('camera.hint.blurred'),
  contrast: () => say('camera.hint.contrast'),
  aim: () => say('camera.hint.aim'),
  grey: () => say('camera.hint.grey'),
};

export const hintWords = (hint: Hint): string => HINTS[hint]();

/** Why there is no live picture, and what to do. */
export function causeWords(cause: Cause): { title: string; help: string } {
  switch (cause) {
    case 'refused':
      return { title: say('camera.cause.refused.title'), help: say('camera.cause.refused.help') };
    case 'missing':
      return { title: say('camera.cause.missing.title'), help: say('camera.cause.missing.help') };
    case 'busy':
      return { title: say('camera.cause.busy.title'), help: say('camera.cause.busy.help') };
    case 'blocked':
      return { title: say('camera.cause.blocked.title'), help: say('camera.cause.blocked.help') };
    case 'failed':
      return { title: say('camera.cause.failed.title'), help: say('camera.cause.failed.help') };
  }
}
