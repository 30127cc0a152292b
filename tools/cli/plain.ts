/**
 * Text of strangers (file names, labels, names in a model) for a terminal: it can neither move the cursor nor forge a
 * line.
 */

/**
 * Control, format, unpaired and private characters, and the separators of lines and paragraphs. Not: the joiners that
 * Persian and emoji are written with, and the marks (not overrides) of direction that `Intl` puts into numbers.
 */
const UNSEEN = /(?![\u200c-\u200f\u061c])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string): string => {
  const code = character.codePointAt(0)!;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
};

/** On one line, with what cannot be seen written as an escape. */
export const plain = (text: string): string => text.replace(UNSEEN, escaped);

/** The same for text of our own, whose line breaks stand. */
export const plainLines = (text: string): string => text.split('\n').map(withoutControls).join('\n');

const withoutControls = (line: string): string => line.replace(/\p{Cc}/gu, escaped);

/** Every string in a value of plain data, escaped. */
export function plainData<T>(value: T): T {
  if (typeof value === 'string') return plain(value) as T;
  if (ArrayBuffer.isView(value) || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plainData) as T;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [plain(key), plainData(each)])) as T;
}

/** JSON whose strings hold no character that a terminal would act on: `\u` escapes, which readers undo. */
export const plainJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );

const LONGEST_NAME = 80;

/** A name that a model of somebody else's gives a class: in quotes and of limited length. */
export function strangersName(name: string): string {
  const characters = [...name.replaceAll('"', "'").replace(/\s+/gu, ' ')];
  if (characters.length > LONGEST_NAME) characters.splice(LONGEST_NAME - 1, Infinity, '…');
  return `"${characters.join('')}"`;
}
