/** The shared messages and those of the questions, which are loaded with them. */
import { messages } from './compiled/en.questions.js';
import type { QuestionsArguments } from './compiled/keys.js';
import { questionsLanguages } from './compiled/languages.questions.js';
import { withSection } from './say.js';

export const say = withSection<QuestionsArguments>({ english: messages, languages: questionsLanguages });
