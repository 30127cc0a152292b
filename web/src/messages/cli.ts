/** The command line's own words, which no page has to load; `say` knows the shared ones as well. */
import { messages } from './compiled/en.cli.js';
import type { CliArguments } from './compiled/keys.js';
import { cliLanguages } from './compiled/languages.js';
import { withSection } from './say.js';

export const say = withSection<CliArguments>({ english: messages, languages: cliLanguages });
