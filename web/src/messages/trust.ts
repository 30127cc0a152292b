/** The shared messages and those of the trust panel, which are loaded with it. */
import { messages } from './compiled/en.trust.js';
import type { TrustArguments } from './compiled/keys.js';
import { trustLanguages } from './compiled/languages.trust.js';
import { withSection } from './say.js';

export const say = withSection<TrustArguments>({ english: messages, languages: trustLanguages });
