import { type Language, translation } from '../messages/index.js';

/** The language that index.html is built in. */
const SOURCE = 'en';
/** The language that a document is in, which a browser's translator may have changed `lang` to hide. */
const spoken = new WeakMap<Document, string>();
/** What stood in a place before it was translated, a link in it between `<link>` marks. */
const sources = new WeakMap<Element, string>();

const linkIn = (place: HTMLElement) => place.querySelector('a');

function read(place: HTMLElement): string {
  if (place instanceof HTMLMetaElement) return place.content;
  if (place instanceof HTMLImageElement) return place.alt;
  return [...place.childNodes]
    .map((node) => (node === linkIn(place) ? `<link>${node.textContent}</link>` : node.textContent))
    .join('');
}

function write(place: HTMLElement, text: string): void {
  const link = linkIn(place);
  if (place instanceof HTMLMetaElement) place.content = text;
  else if (place instanceof HTMLImageElement) place.alt = text;
  else if (link) {
    const [before = '', inside = '', after = ''] = text.split(/<\/?link>/);
    link.textContent = inside;
    place.replaceChildren(before, link, after);
  } else place.textContent = text;
}

/**
 * Translates index.html: every place with a key (`data-message`) gets its text in the current language, a picture
 * (`data-alt`) its alternative text. What has no translation stays in English, marked as such. A link inside a place
 * gets the text between the `<link>` marks.
 */
export function translate(page: Document, { tag, direction }: Language): void {
  const places = page.querySelectorAll<HTMLElement>('[data-message], [data-alt]');
  for (const place of places) if (!sources.has(place)) sources.set(place, read(place));
  if (tag === (spoken.get(page) ?? SOURCE)) return;
  spoken.set(page, tag);
  for (const place of places) {
    const text = translation((place.dataset.message ?? place.dataset.alt)!);
    write(place, text ?? sources.get(place)!);
    if (text === null && tag !== SOURCE) {
      place.lang = SOURCE;
      place.dir = 'ltr';
    } else {
      place.removeAttribute('lang');
      place.removeAttribute('dir');
    }
  }
  page.documentElement.lang = tag;
  page.documentElement.dir = direction;
}
