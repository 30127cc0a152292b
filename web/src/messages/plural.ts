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
export const { strictNumber } = runtime;

/** The plural category of a count. From `Intl`, so that no tables are bundled. */
export function cardinal(locale: string): (count: number) => string {
  const rules = new Intl.PluralRules(locale);
  return (count) => rules.select(count);
}
