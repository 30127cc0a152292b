/** `<dermlet-kept-photo>`: the picture of a visit, with the frame that its answer is about, or what the frame holds. */
import { css, LitElement, nothing } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { mayName } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import { place } from '../crop/place.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import { filling, frameOf } from './compare.js';
import type { Visit } from './entries.js';
import { type SpotsCode, SpotsError } from './error.js';
import { store } from './store.js';
import { momentWords, spotsErrorWords } from './words.js';

export class DermletKeptPhoto extends LitElement {
  static override styles = [
    base,
    css`
      .box {
        position: relative;
        overflow: hidden;
        border-radius: 0.5rem;
        background: var(--track);
        direction: ltr;
      }
      img {
        display: block;
        width: 100%;
        height: 100%;
      }
      .inside img {
        position: absolute;
        max-width: none;
      }
      .region {
        position: absolute;
        border: 2px solid var(--over-light);
        outline: 1.5px solid var(--over-dark);
      }
    `,
  ];

  @property({ attribute: false }) visit: Visit | null = null;
  /** Only what the frame holds, which fills the box. */
  @property({ type: Boolean }) inside = false;
  @state() private url = '';
  @state() private error: SpotsCode | null = null;
  @query('.box') private box!: HTMLElement | null;
  @query('img') private image!: HTMLElement | null;
  @query('.region') private region!: HTMLElement | null;

  /** That whose picture is shown, or is on its way. */
  #wanted: Visit | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#drop();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  protected override willUpdate(): void {
    const { visit } = this;
    if (!this.isConnected || visit?.id === this.#wanted?.id) return;
    // Never one visit's picture under another's date.
    this.#drop();
    if (visit) void this.#load(visit);
  }

  #drop(): void {
    if (this.url) URL.revokeObjectURL(this.url);
    [this.url, this.error, this.#wanted] = ['', null, null];
  }

  async #load(visit: Visit): Promise<void> {
    this.#wanted = visit;
    try {
      const photo = await store.photo(visit);
      if (this.#wanted === visit) this.url = URL.createObjectURL(photo);
    } catch (error) {
      if (this.#wanted === visit) this.error = error instanceof SpotsError ? error.code : 'FAILED';
    }
  }

  override render() {
    const { visit, url, error } = this;
    if (!visit) return nothing;
    if (error) return html`<p>${spotsErrorWords(error)}</p>`;
    return html`<div class="box ${this.inside ? 'inside' : ''}">
      ${url ? html`<img src=${url} alt=${say('spots.photo', { date: momentWords(visit.keptAt) })} />` : nothing}
      ${url && !this.inside && mayName(visit.result) ? html`<div class="region"></div>` : nothing}</div>`;
  }

  protected override updated(): void {
    const { visit, box } = this;
    if (!visit || !box) return;
    const { source } = visit.result;
    const frame = frameOf(visit) ?? source.region;
    const { width, height } = this.inside ? frame : source;
    box.style.setProperty('aspect-ratio', `${width} / ${height}`);
    if (this.image && this.inside) place(this.image, filling(frame, source), { width: 1, height: 1 });
    if (this.region) place(this.region, source.region, source);
  }
}

define('dermlet-kept-photo', DermletKeptPhoto);
