/** `<dermlet-confirm>`: a button that asks once more before it fires `confirmed`. The focus stays at it. */
import { css, LitElement } from 'lit';
import { property, state } from 'lit/decorators.js';
import { say } from '../../messages/spots.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import { looks } from './looks.js';

export class DermletConfirm extends LitElement {
  static override styles = [
    base,
    looks,
    css`
      .asked {
        display: grid;
        gap: 0.6rem;
        padding: 0.9rem;
        border: 2px solid var(--high);
        border-radius: 0.75rem;
      }
    `,
  ];

  @property() label = '';
  @property() question = '';
  @property({ type: Boolean }) disabled = false;
  @state() private asking = false;

  override render() {
    if (!this.asking)
      return html`<button type="button" ?disabled=${this.disabled}
        @click=${() => this.#ask(true)}>${this.label}</button>`;
    return html`<div class="asked" role="group" aria-labelledby="question"
      @keydown=${(event: KeyboardEvent) => event.key === 'Escape' && this.#ask(false)}>
      <p id="question">${this.question}</p>
      <div class="ways">
        <button type="button" aria-describedby="question" @click=${() => this.#ask(false)}>${say('run.cancel')}</button>
        <button type="button" data-do="confirm" aria-describedby="question" @click=${this.#confirm}>${say(
          'spots.delete.do',
        )}</button>
      </div></div>`;
  }

  /** The first button has the focus: what was asked for, or the way back from it. */
  async #ask(asking: boolean): Promise<void> {
    this.asking = asking;
    await this.updateComplete;
    this.renderRoot.querySelector('button')?.focus();
  }

  #confirm(): void {
    this.asking = false;
    emit(this, 'confirmed', null);
  }
}

define('dermlet-confirm', DermletConfirm);
