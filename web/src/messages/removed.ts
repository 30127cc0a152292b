/** The shared messages and those after a removal, which are loaded with it. */
import { messages } from './compiled/en.removed.js';
import type { RemovedArguments } from './compiled/keys.js';
import { removedLanguages } from './compiled/languages.removed.js';
import { withSection } from './say.js';

export const say = withSection<RemovedArguments>({ english: messages, languages: removedLanguages });
