/**
 * The words of the catalogue (`languages/en.json`) in the language that is set, English at first. Another language is a
 * module that is loaded when it is wanted. What it lacks is said in English, and `sentence` tells where that is so.
 */
import * as english from './compiled/en.shared.js';
import type { SharedArguments } from './compiled/keys.js';
import { LANGUAGES, sharedLanguages } from './compiled/languages.js';

export interface Language {
  /** As in `lang` attributes. */
  readonly tag: string;
  /** For `Intl`: English here is British. */
  readonly locale: string;
  readonly direction: 'ltr' | 'rtl';
}

/** Key -> what makes the sentence of its arguments. */
export type Messages = Readonly<Record<string, (values: never) => string>>;
export type Load = () => Promise<{ readonly messages: Messages }>;

/** A part of the catalogue that not every front end needs. */
export interface Section {
  readonly english: Messages;
  /** By tag. */
  readonly languages: Readonly<Record<string, Load>>;
}

/** A wrong key or a missing argument does not compile. */
export type Say<Arguments> = <Key extends keyof Arguments & string>(
  key: Key,
  ...values: Arguments[Key] extends undefined ? [] : [Arguments[Key]]
) => string;

const ENGLISH: Language = LANGUAGES[0];
const languages: Language[] = [...LANGUAGES];
const shared: Record<string, Load> = { ...sharedLanguages };
const loads: Readonly<Record<string, Load>>[] = [shared];
const listeners = new Set<() => void>();

let source: Messages = english.messages;
let current = ENGLISH;
let translations: Messages = {};
/** Only English is spoken while this is set. */
let inEnglish = false;
/** A key was wanted that the language lacks. */
let lacking = false;
let turn = 0;

/** The language that is spoken. */
export const language = (): Language => (inEnglish ? ENGLISH : current);

function spoken(key: string, values?: unknown): string {
  const own = inEnglish ? undefined : translations[key];
  if (own === undefined && current !== ENGLISH) lacking = true;
  return ((own ?? source[key]) as (values: unknown) => string)(values);
}

export const say: Say<SharedArguments> = spoken;

/** For a front end with words of its own: gives what says those and the shared ones. Call it before `setLanguage`. */
export function withSection<Arguments>(section: Section): Say<Arguments & SharedArguments> {
  source = { ...source, ...section.english };
  loads.push(section.languages);
  return spoken;
}

/** The words of a key of index.html in the language that is set; null where it lacks them, and in English. */
export function translation(key: string): string | null {
  const own = translations[key] as ((values?: undefined) => string) | undefined;
  return own?.() ?? null;
}

export interface Sentence extends Language {
  readonly text: string;
}

/**
 * What `make` says, and in which language: wholly in English where the language that is set lacks a part of it. For
 * sentences of medical weight, which must not stand among others as if they were translated.
 */
export function sentence(make: () => string): Sentence {
  lacking = false;
  const text = make();
  if (!lacking) return { ...language(), text };
  inEnglish = true;
  try {
    return { ...ENGLISH, text: make() };
  } finally {
    inEnglish = false;
  }
}

/** The first of `wanted` that there is, whole or by its beginning (`de-AT`: `de`); else English. */
function match(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    for (let part = tag.toLowerCase(); part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('-')))) {
      const found = languages.find((other) => other.tag.toLowerCase() === part);
      if (found) return found;
    }
  }
  return ENGLISH;
}

/**
 * Speaks the first language of `wanted` (tags as in `navigator.languages`) that there is, else English. What was set
 * stays where a language cannot be loaded. Of two calls the later one counts.
 */
export async function setLanguage(wanted: readonly string[]): Promise<Language> {
  const own = ++turn;
  const next = match(wanted);
  if (next === current) return next;
  try {
    const modules = await Promise.all(
      next === ENGLISH
        ? []
        : loads.flatMap((section) => (Object.hasOwn(section, next.tag) ? [section[next.tag]!()] : [])),
    );
    if (own !== turn) return current;
    translations = Object.assign({}, ...modules.map(({ messages }) => messages)) as Messages;
    current = next;
    for (const listener of listeners) listener();
  } catch (error) {
    console.info(`Dermlet could not load its words in '${next.tag}':`, error);
  }
  return current;
}

/** Calls back after each change of the language; returns the way to stop. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Makes a language known that does not come with Dermlet, or puts another in the place of one that does. */
export function addLanguage(added: Language, load: Load): void {
  const place = languages.findIndex(({ tag }) => tag === added.tag);
  if (place < 0) languages.push(added);
  else languages[place] = added;
  shared[added.tag] = load;
}
