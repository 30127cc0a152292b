/** The shared messages and those of the report, which pages load when it is first opened. */
import { messages } from './compiled/en.report.js';
import type { ReportArguments } from './compiled/keys.js';
import { reportLanguages } from './compiled/languages.report.js';
import { withSection } from './say.js';

export const say = withSection<ReportArguments>({ english: messages, languages: reportLanguages });
