/** A model's card: a page of this site where there is one, else the text file beside the model. */
import { say } from '../messages/index.js';

/** Pages to read that lie beside the page. */
export interface Pages {
  /** Folder relative to the document, ending in '/'; empty: there are none. */
  readonly folder: string;
  /** Names of the models whose cards are pages, `card-<name>.html`. */
  readonly cards: readonly string[];
}

export const NO_PAGES: Pages = { folder: '', cards: [] };

/** @param cards names, with spaces between them */
export const pagesIn = (folder: string, cards: string): Pages => ({
  folder: folder && !folder.endsWith('/') ? `${folder}/` : folder,
  cards: cards.split(/\s+/).filter(Boolean),
});

/** Where the card is; `words` say when it is not a page, as browsers save text files rather than show them. */
export function cardOf(
  { name, cardUrl }: { name: string; cardUrl: string },
  { folder, cards }: Pages,
): { href: string; words: string; isPage: boolean } {
  if (folder && cards.includes(name))
    return {
      href: new URL(`${folder}card-${name}.html`, document.baseURI).href,
      words: say('details.cardLink'),
      isPage: true,
    };
  return { href: cardUrl, isPage: false, words: say('card.file', { card: say('details.cardLink') }) };
}
