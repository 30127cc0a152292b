/** `<dermlet-notice>`: an error: what went wrong, what to do, and the stable code in small print. Fires `retry`. */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';

import type { DermletError } from '../classifier/index.js';
import { errorWords, isolated } from '../messages/index.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import { alertIcon } from './icons.js';
import { medical } from './medical.js';
import { base } from './styles.js';

/** Characters of a message, which may name addresses and files. */
const LONGEST = 400;

export class DermletNotice extends LitElement {
  static override styles = [
    base,
    css`
      .notice {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.4rem 0.9rem;
        padding: 1.1rem 1.25rem;
        border: 1px solid var(--moderate);
        border-radius: 0.75rem;
        background: var(--card);
      }
      svg {
        margin-top: 0.15rem;
        color: var(--moderate);
      }
      h2 {
        font-size: 1.1rem;
        line-height: 1.35;
      }
      .rest {
        display: grid;
        grid-column: 2;
        gap: 0.7rem;
      }
      .code {
        color: var(--muted);
        font-size: 0.85rem;
        overflow-wrap: anywhere;
      }
      code {
        font-size: 0.95em;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
    `,
  ];

  @property({ attribute: false }) error: DermletError | null = null;
  /** What failed: some codes mean something else for a model than for a photo. */
  @property() about: 'photo' | 'model' | 'head' = 'photo';
  /** Empty: no button. */
  @property({ attribute: 'retry-label' }) retryLabel = '';

  /** A sentence more. */
  @property({ attribute: false }) note: (() => string) | null = null;

  override render() {
    if (!this.error) return nothing;
    const words = errorWords(this.error.code, this.about);
    return html`<section class="notice" role="alert">
      ${alertIcon}
      <h2>${words.title}</h2>
      <div class="rest">
        <p>${words.help}</p>
        ${this.note ? html`<p>${medical(this.note)}</p>` : nothing}
        ${
          this.retryLabel
            ? html`<div class="actions"><button type="button"
              @click=${() => emit(this, 'retry', null)}>${this.retryLabel}</button></div>`
            : nothing
        }
        <p class="code" lang="en" dir="ltr"><code>${this.error.code}</code>: ${
          // Addresses and files that it names are strangers' words.
          isolated(this.error.message, LONGEST)
        }</p>
      </div>
    </section>`;
  }
}

define('dermlet-notice', DermletNotice);
