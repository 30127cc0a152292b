import { type Language, translation } from '../messages/index.js';

/**
 * Puts the words of the language that is set into the places of index.html that name a key (`data-message`). They hold
 * English: what has no translation keeps it, marked as such. A link in a place takes what stands between `<link>`
 * marks.
 */
export function translate(page: Document, { tag, direction }: Language): void {
  const root = page.documentElement;
  if (tag === root.lang) return;
  for (const place of page.querySelectorAll<HTMLElement>('[data-message]')) {
    const text = translation(place.dataset.message!);
    if (text === null) {
      place.lang = root.lang;
      place.dir = 'ltr';
      continue;
    }
    const [before = '', inside = '', after = ''] = text.split(/<\/?link>/);
    const link = place.querySelector('a');
    if (place instanceof HTMLMetaElement) place.content = text;
    else if (link) {
      link.textContent = inside;
      place.replaceChildren(before, link, after);
    } else place.textContent = text;
  }
  root.lang = tag;
  root.dir = direction;
}
