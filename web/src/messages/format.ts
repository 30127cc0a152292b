/** Numbers, shares, sizes and lists in the current language. */
import { language, say } from './say.js';

const formatters = new Map<string, unknown>();

/** One of a kind for each language: to make one takes as long as many sentences. */
function kept<Format>(kind: string, make: (locale: string) => Format): Format {
  const { locale } = language();
  const key = `${locale} ${kind}`;
  const known = formatters.get(key) as Format | undefined;
  if (known) return known;
  const fresh = make(locale);
  formatters.set(key, fresh);
  return fresh;
}

const formatter = (least: number, most: number): Intl.NumberFormat =>
  kept(
    `${least} ${most}`,
    (locale) =>
      new Intl.NumberFormat(locale, {
        minimumFractionDigits: least,
        maximumFractionDigits: most,
        useGrouping: false,
      }),
  );

export const number = (value: number, decimals = 0): string => formatter(decimals, decimals).format(value);
/** Without trailing zeros. */
export const shortNumber = (value: number, decimals: number): string => formatter(0, decimals).format(value);

/** Day and month, as a sentence names them. */
export const day = (date: Date): string =>
  kept('day', (locale) => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long' })).format(date);

export function list(entries: readonly string[], conjunction: 'and' | 'or'): string {
  const type = conjunction === 'and' ? 'conjunction' : 'disjunction';
  return kept(type, (locale) => new Intl.ListFormat(locale, { type })).format(entries);
}

/**
 * Browsers read what they know of a language when it is first asked for, which takes as long as drawing an answer: so
 * each kind is asked for before, in a task of its own.
 */
export async function readyFormats(nextTask: () => Promise<void>): Promise<void> {
  for (const format of [
    () => number(0),
    () => number(0, 1),
    () => day(new Date()),
    () => list(['', ''], 'and'),
    () => list(['', ''], 'or'),
  ]) {
    await nextTask();
    format();
  }
}

/** Control characters, line and paragraph separators, marks of direction and other invisible ones. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;
/** More marks on one character than any script has. */
const HEAPED = /(\p{M}{4})\p{M}+/gu;

/** A stranger's text (the name of a file) for one line: what could change the text around it is taken out of it. */
export function printable(text: string, most = 100): string {
  const plain = text.replace(UNPRINTABLE, '\ufffd').replace(HEAPED, '$1');
  const characters = [...plain];
  if (characters.length <= most) return plain;
  const end = Math.floor(most / 3);
  return `${characters.slice(0, most - end - 1).join('')}…${characters.slice(-end).join('')}`;
}

/**
 * The same between Unicode's marks of isolation (first strong isolate, pop directional isolate), so that its direction
 * does not reorder the sentence. The element sets what is between them in `<bdi>`.
 */
export const isolated = (text: string, most?: number): string => `\u2068${printable(text, most)}\u2069`;

/** Sentences as one text. */
export const joined = (sentences: readonly string[]): string =>
  sentences.length === 0 ? '' : sentences.reduce((first, second) => say('format.sentences', { first, second }));

export const wholePercent = (share: number): string =>
  say('format.percent', { value: number(Math.round(share * 100)) });

/** `0.834` -> `83 %`. Never rounded to 0 % or 100 %: no network is certain. */
export function percent(share: number): string {
  if (share > 0.99) return say('format.over', { percent: wholePercent(0.99) });
  if (share < 0.01) return say('format.under', { percent: wholePercent(0.01) });
  return wholePercent(share);
}

/** A share in per cent with as many decimals as given, never rounded up to 100. */
function exactly(share: number, decimals: number): string {
  const factor = 10 ** decimals;
  const rounded = Math.round(share * 100 * factor) / factor;
  return number(rounded >= 100 && share < 1 ? 100 - 1 / factor : rounded, decimals);
}

/** Per cent with as many decimals as given; no line ends before the sign. */
export const exactPercent = (share: number, decimals = 0): string =>
  say('format.percent', { value: exactly(share, decimals) });

/** The same in plain text, for terminals and files. */
export const plainPercent = (share: number, decimals = 0): string =>
  say('format.plainPercent', { value: exactly(share, decimals) });

/** Bytes -> `3.2 MB` (decimal megabytes, as browsers' download lists count). */
export function megabytes(bytes: number): string {
  return bytes < 100_000
    ? say('format.kilobytes', { value: number(Math.max(1, Math.round(bytes / 1000))) })
    : say('format.megabytes', { value: number(bytes / 1_000_000, 1) });
}

/** `3.6` and `7.9 MB`: bytes so far in the unit of all. */
export function ofTotal(loaded: number, total: number): { loaded: string; total: string } {
  const soFar = total < 100_000 ? number(Math.round(loaded / 1000)) : number(loaded / 1_000_000, 1);
  return { loaded: soFar, total: megabytes(total) };
}

export const milliseconds = (value: number): string =>
  say('format.milliseconds', { value: value < 10 ? number(value, 1) : number(Math.round(value)) });
