/** The shared messages and those of the room for many photos, which is fetched when there are many. */
import { messages } from './compiled/en.review.js';
import type { ReviewArguments } from './compiled/keys.js';
import { reviewLanguages } from './compiled/languages.review.js';
import { withSection } from './say.js';

export const say = withSection<ReviewArguments>({ english: messages, languages: reviewLanguages });
