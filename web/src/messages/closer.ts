/** The shared messages and those of a closer look, which are loaded with it. */
import { messages } from './compiled/en.closer.js';
import type { CloserArguments } from './compiled/keys.js';
import { closerLanguages } from './compiled/languages.closer.js';
import { withSection } from './say.js';

export const say = withSection<CloserArguments>({ english: messages, languages: closerLanguages });
