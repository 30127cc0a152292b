/**
 * Messages in the current language. English (`languages/en.json`) is built in and the default; each other language is a
 * module, loaded on demand. Missing messages fall back to English, and `sentence` reports that.
 */
import * as english from './compiled/en.shared.js';
import type { SharedArguments } from './compiled/keys.js';
import { LANGUAGES, sharedLanguages } from './compiled/languages.js';

export interface Language {
  /** For `lang` attributes. */
  readonly tag: string;
  /** For `Intl`; that of English is `en-GB`. */
  readonly locale: string;
  readonly direction: 'ltr' | 'rtl';
}

/** Key -> function that formats the message. */
export type Messages = Readonly<Record<string, (values: never) => string>>;
export type Load = () => Promise<{ readonly messages: Messages }>;

/** A part of the catalogue that only some front ends need. */
export interface Section {
  readonly english: Messages;
  /** By tag. */
  readonly languages: Readonly<Record<string, Load>>;
}

/** Wrong keys and missing arguments do not compile. */
export type Say<Arguments> = <Key extends keyof Arguments & string>(
  key: Key,
  ...values: Arguments[Key] extends undefined ? [] : [Arguments[Key]]
) => string;

const ENGLISH: Language = LANGUAGES[0];
const languages: Language[] = [...LANGUAGES];
const shared: Record<string, Load> = { ...sharedLanguages };
const loaders: Readonly<Record<string, Load>>[] = [shared];
const listeners = new Set<() => void>();

let source: Messages = english.messages;
let current = ENGLISH;
let translations: Messages = {};
/** Ignores the current language while set. */
let inEnglish = false;
/** Whether a message fell back to English. */
let fellBack = false;
/** Counts the calls of `setLanguage`. */
let calls = 0;
/** Words of sections that were added since the language was set. */
let coming: Promise<void> = Promise.resolve();

let load = (words: Load): ReturnType<Load> => words();

/** From now on words are loaded by `by`: the site checks scripts before they run. */
export function loadWordsBy(by: typeof load): void {
  load = by;
}

/** The current language. */
export const language = (): Language => (inEnglish ? ENGLISH : current);

function format(key: string, values?: unknown): string {
  const own = inEnglish ? undefined : translations[key];
  if (own === undefined && current !== ENGLISH) fellBack = true;
  return ((own ?? source[key]) as (values: unknown) => string)(values);
}

export const say: Say<SharedArguments> = format;

/**
 * Adds a section; returns `say` for it and the shared messages. In another language than English they come a moment
 * later, like after a change of language; `allWords` waits for them.
 */
export function withSection<Arguments>(section: Section): Say<Arguments & SharedArguments> {
  source = { ...source, ...section.english };
  loaders.push(section.languages);
  if (current !== ENGLISH) coming = coming.then(() => addWords(section.languages));
  return format;
}

/** Resolves once the words of each section that was added have come in the current language, as far as they come. */
export const allWords = (): Promise<void> => coming;

async function addWords(languages: Section['languages']): Promise<void> {
  const call = calls;
  const { tag } = current;
  if (!Object.hasOwn(languages, tag)) return;
  try {
    const { messages } = await load(languages[tag]!);
    // Since then the language was changed, which has loaded this section too.
    if (call !== calls) return;
    translations = { ...translations, ...messages };
    for (const listener of listeners) listener();
  } catch (error) {
    tellNotLoaded(tag, error);
  }
}

function tellNotLoaded(tag: string, error: unknown): void {
  console.info(`Dermlet could not load its words in '${tag}':`, error);
}

/** A message of index.html in the current language; null if it has none, or is English. */
export function translation(key: string): string | null {
  const own = translations[key] as ((values?: undefined) => string) | undefined;
  return own?.() ?? null;
}

/**
 * What the current language calls a text of a shipped model's manifest; null if it does not know this key with just
 * this text, as a model of another maker may have the same ids.
 */
export function translationOf(key: string, text: string): string | null {
  return inEnglish ? null : translation(`${key}=${text}`);
}

export interface Sentence extends Language {
  readonly text: string;
}

/**
 * The text that `make` returns, with its language: all of it is English if any message in it has no translation. For
 * medically relevant sentences, whose fallback must be visible.
 */
export function sentence(make: () => string): Sentence {
  fellBack = false;
  const text = make();
  if (!fellBack) return { ...language(), text };
  inEnglish = true;
  try {
    return { ...ENGLISH, text: make() };
  } finally {
    inEnglish = false;
  }
}

/** The first tag that matches a language, exactly or by a prefix (`de-AT`: `de`); else English. */
function bestMatch(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    for (let part = tag.toLowerCase(); part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('-')))) {
      const found = languages.find((other) => other.tag.toLowerCase() === part);
      if (found) return found;
    }
  }
  return ENGLISH;
}

/**
 * Changes to the first available language of `wanted` (such as `navigator.languages`), else to English. If it cannot be
 * loaded, the current one stays. Of overlapping calls the last one wins.
 */
export async function setLanguage(wanted: readonly string[]): Promise<Language> {
  const call = ++calls;
  const next = bestMatch(wanted);
  if (next === current) return next;
  const sections = loaders.length;
  try {
    const modules = await Promise.all(
      next === ENGLISH
        ? []
        : loaders.flatMap((section) => (Object.hasOwn(section, next.tag) ? [load(section[next.tag]!)] : [])),
    );
    if (call !== calls) return current;
    translations = Object.assign({}, ...modules.map(({ messages }) => messages)) as Messages;
  } catch (error) {
    tellNotLoaded(next.tag, error);
    return current;
  }
  current = next;
  // Those that were added meanwhile were not among what was loaded.
  if (next !== ENGLISH) for (const section of loaders.slice(sections)) coming = coming.then(() => addWords(section));
  for (const listener of listeners) listener();
  return current;
}

/** Every language there is, English first. */
export const allLanguages = (): readonly Language[] => languages;

/** Calls `listener` after each change of language; returns an unsubscribe function. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Adds a language that Dermlet does not ship, or replaces one that it does. */
export function addLanguage(added: Language, load: Load): void {
  const place = languages.findIndex(({ tag }) => tag === added.tag);
  if (place < 0) languages.push(added);
  else languages[place] = added;
  shared[added.tag] = load;
}
