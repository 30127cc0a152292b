/**
 * `<dermlet-load-progress>`: one bar for all that is downloaded, with the time left, and a way to retry when it stalls.
 * Fires `retry`.
 */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { isComing, loadWords, say, timeLeftWords } from '../messages/index.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import type { LoadState } from './session.js';
import { base } from './styles.js';
import { TimeLeft } from './time-left.js';

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

  /** Of one load: a new one begins anew. */
  #time = new TimeLeft();
  #left: number | null = null;

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('load') || this.load.kind !== 'loading') return;
    const { progress, stalled } = this.load;
    if (!progress) this.#time = new TimeLeft();
    if (progress?.all && !stalled)
      this.#left = this.#time.update(performance.now(), progress.all.loaded, progress.all.total);
    if (stalled || !isComing(progress)) this.#left = null;
  }

  override render() {
    if (this.load.kind !== 'loading') return nothing;
    const { progress, stalled } = this.load;
    const words = loadWords(progress);
    const left = this.#left === null ? null : timeLeftWords(this.#left);
    const { loaded, total } = progress?.all ?? { loaded: 0, total: 0 };
    // Full while what has come is got ready; of nothing that comes there is no share.
    const bar =
      total > 0
        ? html`<progress aria-label=${say('announce.loading')} aria-valuetext=${[words, left ?? []].flat().join(', ')}
            max=${total} .value=${loaded}></progress>`
        : html`<progress aria-label=${words}></progress>`;
    return html`<div class="loading">
      <div class="what">
        <span>${words}</span>
        <span>${left ?? ''}</span>
      </div>
      ${bar}
      ${isComing(progress) ? html`<p class="once">${say('load.once')}</p>` : nothing}
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
