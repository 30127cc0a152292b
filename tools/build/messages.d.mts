/** A message in English has a description for translators; in other languages it is its text. */
export type Entry = string | { message: string; medical?: boolean; description: string };

export interface Catalogue {
  tag: string;
  locale: string;
  direction: 'ltr' | 'rtl';
  messages: Record<string, Entry>;
}

export const LANGUAGES: string;
export const COMPILED: string;
export function catalogues(folder?: string): Record<string, Catalogue> & { en: Catalogue };
export function textOf(entry: Entry): string;
export function argumentsOf(text: string): Record<string, 'string' | 'number'>;
export function compiledMessages(all?: Record<string, Catalogue> & { en: Catalogue }): Record<string, string>;
export function missingMessages(all?: Record<string, Catalogue> & { en: Catalogue }): string[];
export function functionsOf(catalogue: Catalogue): Record<string, (values: object) => string>;
export function withWords(html: string, catalogue?: Catalogue): string;
