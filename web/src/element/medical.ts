/** Sentences of medical weight, in the templates of the element's parts. */
import { html, type TemplateResult } from 'lit';
import { language, sentence } from '../messages/index.js';

/** What `make` says. Where its translation is missing it is English, and marked as such for readers and browsers. */
export function medical(make: () => string): string | TemplateResult {
  const { tag, direction, text } = sentence(make);
  return tag === language().tag ? text : html`<span lang=${tag} dir=${direction}>${text}</span>`;
}
