/** Medically relevant sentences in templates. */
import type { TemplateResult } from 'lit';
import { language, sentence } from '../messages/index.js';
import { html } from './html.js';

/** The text that `make` returns. Without a translation it is English, marked so for browsers and screen readers. */
export function medical(make: () => string): string | TemplateResult {
  const { tag, direction, text } = sentence(make);
  return tag === language().tag ? text : html`<span lang=${tag} dir=${direction}>${text}</span>`;
}
