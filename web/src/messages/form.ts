/** The shared messages and those of the element in a form, which are loaded with that. */
import { messages } from './compiled/en.form.js';
import type { FormArguments } from './compiled/keys.js';
import { formLanguages } from './compiled/languages.form.js';
import { withSection } from './say.js';

export const say = withSection<FormArguments>({ english: messages, languages: formLanguages });
