/** The shared messages and those of the kept spots, which are loaded with them. */
import { messages } from './compiled/en.spots.js';
import type { SpotsArguments } from './compiled/keys.js';
import { spotsLanguages } from './compiled/languages.spots.js';
import { withSection } from './say.js';

export const say = withSection<SpotsArguments>({ english: messages, languages: spotsLanguages });
