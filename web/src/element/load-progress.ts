/** `<dermlet-load-progress>`: download progress, and a way to retry when it stalls. Fires `retry`. */
import { css, LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { loadWords, say } from '../messages/index.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import type { LoadState } from './session.js';
import { base } from './styles.js';

export class DermletLoadProgress extends LitElement {
  static override styles = [
    base,
    css`
      .loading {
        display: grid;
        gap: 0.5rem;
        padding: 0.9rem 1.1rem;
        border: 1px solid var(--line);
        border-radius: 0.75rem;
        background: var(--card);
      }
      .what {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0.25rem 1rem;
        font-variant-numeric: tabular-nums;
      }
      .once {
        color: var(--muted);
        font-size: 0.9rem;
      }
      progress {
        display: block;
        width: 100%;
        height: 0.55rem;
        border: 0;
        border-radius: 1rem;
        background: var(--track);
        appearance: none;
        overflow: hidden;
      }
      progress::-webkit-progress-bar {
        background: var(--track);
      }
      progress::-webkit-progress-value {
        border-radius: 1rem;
        background: var(--bar);
        transition: inline-size 0.2s;
      }
      progress::-moz-progress-bar {
        border-radius: 1rem;
        background: var(--bar);
      }
      progress:indeterminate,
      progress:indeterminate::-webkit-progress-bar {
        background: repeating-linear-gradient(115deg, var(--track) 0 0.8rem, var(--bar-rest) 0.8rem 1.6rem);
      }
      progress:indeterminate::-moz-progress-bar {
        background: none;
      }
      .slow {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.25rem 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) load: LoadState = { kind: 'idle' };
  @state() private online = typeof navigator === 'undefined' || navigator.onLine;

  readonly #listenOnline = () => (this.online = navigator.onLine);

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('online', this.#listenOnline);
    addEventListener('offline', this.#listenOnline);
  }

  override disconnectedCallback(): void {
    removeEventListener('online', this.#listenOnline);
    removeEventListener('offline', this.#listenOnline);
    super.disconnectedCallback();
  }

  override render() {
    if (this.load.kind !== 'loading') return nothing;
    const { progress, stalled } = this.load;
    const downloading =
      progress !== null && progress.phase !== 'self-test' && !progress.cached && progress.loaded < progress.total;
    const words = loadWords(progress);
    const bar = downloading
      ? html`<progress aria-label=${words} max=${progress.total} .value=${progress.loaded}></progress>`
      : html`<progress aria-label=${words}></progress>`;
    return html`<div class="loading">
      <div class="what">
        <span>${words}</span>
        ${downloading ? html`<span class="once">${say('load.once')}</span>` : nothing}
      </div>
      ${bar}
      ${
        stalled
          ? html`<p class="slow">
            <span>${say(this.online ? 'load.slow' : 'load.offline')}</span>
            <button type="button" class="link" @click=${() => emit(this, 'retry', null)}>
              ${say('load.startAgain')}
            </button>
          </p>`
          : nothing
      }
    </div>`;
  }
}

define('dermlet-load-progress', DermletLoadProgress);
