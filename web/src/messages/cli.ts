/** The shared messages and those of the command line, which pages do not load. */
import { messages } from './compiled/en.cli.js';
import type { CliArguments } from './compiled/keys.js';
import { cliLanguages } from './compiled/languages.cli.js';
import { withSection } from './say.js';

export const say = withSection<CliArguments>({ english: messages, languages: cliLanguages });
