/** `<dermlet-request-count>`: the page's network requests since a photo was chosen. */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { say } from '../messages/index.js';
import { define } from './emit.js';
import { html } from './html.js';
import { requestCounter } from './request-counter.js';
import { base } from './styles.js';

export class DermletRequestCount extends LitElement {
  static override styles = [
    base,
    css`
      .count {
        font-variant-numeric: tabular-nums;
        font-weight: 600;
      }
      .how {
        margin-top: 0.3rem;
        color: var(--muted);
        font-size: 0.92rem;
      }
      ul {
        margin-top: 0.3rem;
        font-size: 0.85rem;
        overflow-wrap: anywhere;
      }
    `,
  ];

  /** When the photo was chosen, by `performance.now()`. */
  @property({ attribute: false }) chosenAt = 0;

  #stop: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = requestCounter().onChange(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    this.#stop?.();
    super.disconnectedCallback();
  }

  override render() {
    const made = requestCounter().since(this.chosenAt);
    return html`<p class="count">${say('requests.count')} <span
      id="requests">${made.length}</span></p>
      ${
        made.length > 0
          ? html`<ul>
            ${made.map((address) => html`<li>${address}</li>`)}
          </ul>`
          : nothing
      }
      <p class="how">
        ${made.length > 0 ? say('requests.listed') : nothing} ${say('requests.check')}
      </p>`;
  }
}

define('dermlet-request-count', DermletRequestCount);
