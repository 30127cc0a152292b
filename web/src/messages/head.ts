/** The shared messages and those about heads, which are loaded with what opens or trains one. */
import { messages } from './compiled/en.head.js';
import type { HeadArguments } from './compiled/keys.js';
import { headLanguages } from './compiled/languages.head.js';
import { withSection } from './say.js';

export const say = withSection<HeadArguments>({ english: messages, languages: headLanguages });
