/** The choice of the page's language, in the settings. */
import { allLanguages, language, setLanguage } from '../messages/index.js';
import type { LanguageStore } from './language.js';

/** A language in itself: `Deutsch`, `English`. */
function ownName(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
}

/** Lets a person choose in `choice`, whose first option is the browser's language. */
export function offerLanguages(choice: HTMLSelectElement, store: LanguageStore): void {
  for (const { tag, direction } of allLanguages()) {
    const option = new Option(ownName(tag), tag);
    option.lang = tag;
    option.dir = direction;
    choice.add(option);
  }
  choice.value = store.tag;
  choice.addEventListener('change', async () => {
    const wanted = choice.value;
    const { tag } = await setLanguage(wanted === '' ? navigator.languages : [wanted]);
    if (choice.value !== wanted) return;
    if (wanted === '' || tag === wanted) store.tag = wanted;
    // It could not be loaded: the choice shows what is spoken.
    else choice.value = language().tag;
  });
}
