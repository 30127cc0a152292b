/**
 * `<dermlet-model-choice>`: choose the neural network, where the site has several. Fires `model` (detail: its name)
 * when a person chooses; `choose-model.ts` acts on it.
 */
import { css, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';

import type { ModelSummary } from '../classifier/index.js';
import { base, cardOf, define, emit, html, LaterElement, NO_PAGES, type Pages, tokens } from '../element/index.js';
import { modelTitle, modelWords, say } from '../messages/index.js';

export class DermletModelChoice extends LaterElement {
  static override styles = [
    tokens,
    base,
    css`
      :host {
        color: var(--ink);
        font-family: var(--sans);
        font-size: 1.0625rem;
        line-height: 1.5;
      }
      legend {
        padding: 0;
        font-weight: 600;
      }
      .advice {
        margin: 0.15rem 0 0.6rem;
        color: var(--muted);
        font-size: 0.92rem;
      }
      .choices {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr));
        gap: 0.6rem;
      }
      .choice {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        align-content: start;
        overflow-wrap: anywhere;
        gap: 0.15rem;
        padding: 0.65rem 0.85rem;
        border: 1px solid var(--line);
        border-radius: 0.75rem;
        background: var(--card);
      }
      .choice:has(:checked) {
        border-color: var(--accent);
        background: var(--accent-soft);
      }
      .choice:has(input:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      label {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        align-items: start;
        gap: 0.1rem 0.65rem;
        cursor: pointer;
      }
      input {
        width: 1.1rem;
        height: 1.1rem;
        margin: 0.2rem 0 0;
        accent-color: var(--accent);
      }
      /* The whole choice is outlined in its place. */
      input:focus-visible {
        outline: none;
      }
      .facts {
        grid-column: 2;
        font-size: 0.9rem;
        line-height: 1.4;
      }
      .choice > a {
        justify-self: start;
        margin-inline-start: 1.75rem;
        padding: 0.15rem 0;
        font-size: 0.9rem;
      }
    `,
  ];

  @property({ attribute: false }) models: readonly ModelSummary[] = [];
  /** The name of the model in use. */
  @property({ attribute: false }) value = '';
  @property({ attribute: false }) pages: Pages = NO_PAGES;

  /** Hidden when there is nothing to choose. */
  protected override willUpdate(): void {
    this.hidden = this.models.length < 2;
  }

  override render() {
    if (this.models.length < 2) return nothing;
    return html`<fieldset aria-describedby="advice">
      <legend>${say('model.question')}</legend>
      <p class="advice" id="advice">${say('model.advice')}</p>
      <div class="choices">${this.models.map((model) => this.#choice(model))}</div>
    </fieldset>`;
  }

  #choice(model: ModelSummary) {
    const id = `model-${model.name}`;
    const { href, words } = cardOf(model, this.pages);
    return html`<div class="choice">
      <label>
        <input
          type="radio"
          name="model"
          value=${model.name}
          aria-labelledby=${id}
          aria-describedby="${id}-facts"
          .checked=${live(model.name === this.value)}
          @change=${() => emit(this, 'model', model.name)}
        />
        <span id=${id}>${modelTitle(model)}</span>
        <span class="facts" id="${id}-facts">${say('model.facts', { ...modelWords(model) })}</span>
      </label>
      <a href=${href} target="_blank" rel="noreferrer">${words}<span
        class="visually-hidden"> ${say('model.cardOf', { name: model.name })}</span></a>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-model-choice': DermletModelChoice;
  }
}

define('dermlet-model-choice', DermletModelChoice);
