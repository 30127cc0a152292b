/** The shared messages and those of similar cases, which are loaded with them. */
import { messages } from './compiled/en.similar.js';
import type { SimilarArguments } from './compiled/keys.js';
import { similarLanguages } from './compiled/languages.similar.js';
import { withSection } from './say.js';

export const say = withSection<SimilarArguments>({ english: messages, languages: similarLanguages });
