/** `<dermlet-request-count>`: the network requests of page and workers since a photo was chosen, and how to check. */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { requestLog } from '../classifier/index.js';
import { say } from '../messages/index.js';
import { define } from './emit.js';
import { html } from './html.js';
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
  /** Whether all that any photo needs is kept on this device. */
  @property({ type: Boolean }) kept = false;

  readonly #changed = () => this.requestUpdate();

  override connectedCallback(): void {
    super.connectedCallback();
    requestLog().addEventListener('change', this.#changed);
  }

  override disconnectedCallback(): void {
    requestLog().removeEventListener('change', this.#changed);
    super.disconnectedCallback();
  }

  override render() {
    const made = requestLog().since(this.chosenAt);
    return html`${
      made
        ? html`<p class="count">${say('requests.count')} <span
            id="requests">${made.length}</span></p>`
        : html`<p>${say('requests.unknown')}</p>`
    }
      ${
        made && made.length > 0
          ? html`<ul>
            ${made.map((address) => html`<li>${address}</li>`)}
          </ul>`
          : nothing
      }
      <p class="how">
        ${made && made.length > 0 ? say('requests.listed') : ''} ${made ? say('requests.counted') : ''}
        ${say(this.kept ? 'requests.disconnect' : 'requests.watch')}
      </p>`;
  }
}

define('dermlet-request-count', DermletRequestCount);
