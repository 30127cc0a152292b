/** Medically relevant sentences in templates. */
import { html, type TemplateResult } from 'lit';
import { language, sentence } from '../messages/index.js';

/** The text that `make` returns. Without a translation it is English, marked so for browsers and screen readers. */
export function medical(make: () => string): string | TemplateResult {
  const { tag, direction, text } = sentence(make);
  return tag === language().tag ? text : html`<span lang=${tag} dir=${direction}>${text}</span>`;
}
