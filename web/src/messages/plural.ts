/** What compiled messages call: the library's functions with the types that they have for messages. */
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

/** Which plural form a count takes: the platform's rules, so that no table of them is carried along. */
export function cardinal(locale: string): (count: number) => string {
  const rules = new Intl.PluralRules(locale);
  return (count) => rules.select(count);
}
