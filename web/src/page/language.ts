/**
 * The language of the page: the one chosen in the settings, which is kept on this device, else the first that the
 * browser asks for and the catalogue has.
 */
import { imported } from '../element/index.js';
import { allLanguages, language, onLanguage, setLanguage } from '../messages/index.js';

const KEY = 'dermlet-language';

/** Tag of the language that was chosen, kept on this device; empty: as the browser has it. */
export interface LanguageStore {
  tag: string;
}

export const languageStore: LanguageStore = {
  get tag() {
    try {
      const tag = localStorage.getItem(KEY) ?? '';
      return allLanguages().some((known) => known.tag === tag) ? tag : '';
    } catch {
      // Storage is absent or throws in some privacy modes: the choice then lasts until the page is closed.
      return '';
    }
  },
  set tag(tag) {
    try {
      if (tag === '') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, tag);
    } catch {
      // See above.
    }
  },
};

/** The page in the language that was chosen before or, without one, in the browser's; then it follows each change. */
export async function speakAsChosen(): Promise<void> {
  onLanguage(translatePage);
  const { tag } = languageStore;
  await setLanguage(tag === '' ? navigator.languages : [tag]);
}

/** The page is built in English, so most visits need nothing of this. */
async function translatePage(): Promise<void> {
  try {
    const { translate } = await imported(() => import('./translate.js'));
    translate(document, language());
  } catch (error) {
    console.info('Dermlet could not translate the page around it:', error);
  }
}
