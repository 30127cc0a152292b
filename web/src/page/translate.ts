import { type Language, translation } from '../messages/index.js';

/**
 * Translates index.html: every place with a key (`data-message`) gets its text in the current language. What has no
 * translation stays in English, marked as such. A link inside a place gets the text between the `<link>` marks, a
 * picture (`data-alt`) its alternative text.
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
  for (const picture of page.querySelectorAll<HTMLImageElement>('[data-alt]')) {
    const text = translation(picture.dataset.alt!);
    if (text === null) picture.lang = root.lang;
    else picture.alt = text;
  }
  root.lang = tag;
  root.dir = direction;
}
