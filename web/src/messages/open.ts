/** The shared messages and those about opening a model from this device, which are loaded with the settings. */
import { messages } from './compiled/en.open.js';
import type { OpenArguments } from './compiled/keys.js';
import { openLanguages } from './compiled/languages.open.js';
import { withSection } from './say.js';

export const say = withSection<OpenArguments>({ english: messages, languages: openLanguages });
