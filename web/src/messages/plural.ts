/** Runtime of the compiled messages: the library's functions, with types for text. */
import * as runtime from '@messageformat/runtime';

type Forms = Readonly<Record<string, string>>;

export const plural = runtime.plural as (
  count: number,
  offset: number,
  rule: (count: number) => string,
  forms: Forms,
) => string;
export const select = runtime.select as (value: string, forms: Forms) => string;

/** Locales that write whole numbers below 1,000 as JavaScript does. */
const PLAIN_DIGITS = /^(de|en|es|fr)\b|-u-nu-latn$/;

/**
 * A count in a sentence, small ones without `Intl` where that makes no difference: the first `Intl.NumberFormat` of a
 * page holds a slow phone up for a tenth of a second, just when the page comes.
 * @throws Error if it is no number
 */
export function strictNumber(locale: string, value: number, offset: number, name: string): string {
  const count = value - offset;
  if (PLAIN_DIGITS.test(locale) && Number.isInteger(count) && count >= 0 && count < 1000) return String(count);
  return runtime.strictNumber(locale, value, offset, name);
}

/** The plural category of a count. From `Intl`, so that no tables are bundled. */
export function cardinal(locale: string): (count: number) => string {
  const rules = new Intl.PluralRules(locale);
  return (count) => rules.select(count);
}
