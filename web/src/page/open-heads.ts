/** `<dermlet-open-heads>`, in the settings: categories of a person's own, fetched when they are asked for. */
import { css, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { base, define, headsOf, html, tokens } from '../element/index.js';
import { say } from '../messages/open.js';

export class DermletOpenHeads extends LitElement {
  static override styles = [
    tokens,
    base,
    css`
      :host {
        color: var(--ink);
        font-family: var(--sans);
      }
      summary {
        font-size: 1rem;
      }
    `,
  ];

  /** The element whose answers come in them. */
  of: HTMLElement | null = null;
  @state() private room: HTMLElement | null = null;
  @state() private failed = false;
  #asked = false;

  override render() {
    return html`<details @toggle=${() => void this.#open()}>
      <summary>${say('open.heads')}</summary>
      ${this.failed ? html`<p role="alert">${say('open.heads.failed')}</p>` : nothing} ${this.room ?? nothing}
    </details>`;
  }

  async #open(): Promise<void> {
    if (this.#asked || !this.of) return;
    this.#asked = true;
    try {
      this.room = await headsOf(this.of);
    } catch (error) {
      console.info('Dermlet could not load what trains heads:', error);
      // Browsers keep a script's failure until the page is loaded again.
      this.failed = true;
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-open-heads': DermletOpenHeads;
  }
}

define('dermlet-open-heads', DermletOpenHeads);
