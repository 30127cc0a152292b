/**
 * The language of the page: the one chosen in the settings, which is kept on this device, else the first that the
 * browser asks for and the catalogue has.
 */
import { allLanguages, language, onLanguage, setLanguage } from '../messages/index.js';
import { translate } from './translate.js';

const KEY = 'dermlet-language';

/** The tag of the language that was chosen; empty: as the browser has it. */
export function chosenLanguage(): string {
  try {
    const tag = localStorage.getItem(KEY) ?? '';
    return allLanguages().some((known) => known.tag === tag) ? tag : '';
  } catch {
    // Storage is absent or throws in some privacy modes: the choice then lasts until the page is closed.
    return '';
  }
}

/** Remembers a language by its tag. */
export function keepLanguage(tag: string): void {
  try {
    if (tag === '') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, tag);
  } catch {
    // See above.
  }
}

/** The page in the language that was chosen before or, without one, in the browser's; then it follows each change. */
export async function speakAsChosen(): Promise<void> {
  const say = () => translate(document, language());
  say();
  onLanguage(say);
  const tag = chosenLanguage();
  await setLanguage(tag === '' ? navigator.languages : [tag]);
}
