/**
 * `<dermlet-modality>`: how the picture was taken. Fires `modality` (detail: the modality's id; null: recognise it
 * from the picture).
 */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import type { ModalityChoice, ModelInfo } from '../classifier/index.js';
import { type ModalityWords, modalityWords, recognisedWords, say } from '../messages/index.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import { base } from './styles.js';

export class DermletModality extends LitElement {
  static override styles = [
    base,
    css`
      legend {
        padding: 0;
        margin-bottom: 0.5rem;
        font-weight: 600;
      }
      .choices {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr));
        gap: 0.6rem;
      }
      label {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        overflow-wrap: break-word;
        align-content: start;
        align-items: start;
        gap: 0.1rem 0.65rem;
        padding: 0.65rem 0.85rem;
        border: 1px solid var(--line);
        border-radius: 0.75rem;
        background: var(--card);
        cursor: pointer;
      }
      label:has(:checked) {
        border-color: var(--accent);
        background: var(--accent-soft);
      }
      label:has(:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      input {
        width: 1.1rem;
        height: 1.1rem;
        margin: 0.2rem 0 0;
        outline: none;
        accent-color: var(--accent);
      }
      .note {
        margin-top: 0.6rem;
        font-size: 0.92rem;
        font-weight: 600;
      }
      .hint {
        grid-column: 2;
        color: var(--muted);
        font-size: 0.9rem;
        line-height: 1.35;
      }
    `,
  ];

  @property({ attribute: false }) model: ModelInfo | null = null;
  /** Null: recognised from the picture if the model can do that, else the model's default. */
  @property({ attribute: false }) value: string | null = null;
  /** The modality used for the selected photo, once it has been classified. */
  @property({ attribute: false }) choice: ModalityChoice | null = null;
  /** What becomes of a choice, where the answer is out of view. */
  @property({ attribute: false }) note: (() => string) | null = null;

  override render() {
    const model = this.model;
    if (!model || model.modalities.length < 2) return nothing;
    const byPicture = model.recognisesModality;
    const chosen = this.value ?? (byPicture ? null : model.defaultModality);
    const ids = [...model.modalities].sort(
      (a, b) => Number(b === model.defaultModality) - Number(a === model.defaultModality),
    );
    return html`<fieldset>
      <legend>${say('modality.question')}</legend>
      <div class="choices">
        ${byPicture ? this.#option(null, chosen, recognisedWords(this.choice)) : nothing}
          ${ids.map((id) => this.#option(id, chosen, modalityWords(id)))}
      </div>
      ${this.note ? html`<p class="note">${this.note()}</p>` : nothing}
    </fieldset>`;
  }

  #option(id: string | null, chosen: string | null, words: ModalityWords) {
    return html`<label>
      <input type="radio" name="modality" value=${id ?? 'auto'} .checked=${live(id === chosen)}
        @change=${() => emit(this, 'modality', id)} />
      <span>${words.name}</span>
      ${words.hint ? html`<span class="hint">${words.hint}</span>` : nothing}
    </label>`;
  }
}

define('dermlet-modality', DermletModality);
