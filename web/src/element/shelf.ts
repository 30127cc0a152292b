/**
 * `<dermlet-shelf>`: thumbnails of the photos, newest first, once each has its result: before, the browser would decode
 * the whole file for each. Fires `select` and `remove` (detail: the photo's id).
 */
import { css, LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { nextTask } from '../classifier/inner.js';
import { isolated, say, tierWords, verdict } from '../messages/index.js';
import { drawThumbnail } from './canvas.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import { closeIcon, tierIcons } from './icons.js';
import { ownFrame } from './later.js';
import { medical } from './medical.js';
import { partSeen } from './region.js';
import { type Done, type Photo, type PhotoState, tierOf } from './session.js';
import { withIsolated } from './strangers.js';
import { base, tierColours } from './styles.js';

/** Pixels; enough for displays of double density. */
const THUMBNAIL = 160;

type Undone = Exclude<PhotoState['kind'], 'done'> | 'stopped';

/** Photos that it shows at most: more are a list with filters, which is fetched then. */
export const SHELF_HOLDS = 8;

export class DermletShelf extends LitElement {
  static override styles = [
    base,
    tierColours,
    css`
      ul {
        display: flex;
        gap: 0.9rem;
        /* With room for what stands out: rings of focus, and the buttons that remove. */
        padding: 0.6rem;
        /* Never past the page's edge, which does not grow with the text. */
        margin: -0.6rem max(-0.6rem, -12px);
        overflow-x: auto;
      }
      li {
        position: relative;
        flex: none;
      }
      .thumb {
        display: grid;
        grid-template: 4.25rem minmax(0, 1fr) / minmax(0, 1fr);
        gap: 0;
        width: 4.75rem;
        height: 100%;
        min-height: 6.25rem;
        padding: 0;
        border: 1px solid var(--edge);
        border-radius: 0.7rem;
        background: var(--track);
        overflow: hidden;
      }
      .thumb[aria-current='true'] {
        box-shadow: 0 0 0 2px var(--paper), 0 0 0 4.5px var(--accent);
      }
      @media (forced-colors: active) {
        .thumb[aria-current='true'] {
          border: 4px solid Highlight;
        }
      }
      /* All of the picture: a spot may be at its rim. */
      canvas {
        width: 100%;
        height: 4.25rem;
        object-fit: contain;
      }
      .mark {
        grid-row: 2;
        align-self: end;
        width: 100%;
        /* Two lines: nothing moves when a tier takes the place of one word. */
        min-height: 2rem;
        padding: 0.1rem 0.2rem;
        background: var(--card);
        color: var(--ink);
        font-size: 0.72rem;
        font-weight: 600;
        text-align: center;
      }
      .tier {
        display: block;
        color: var(--tier);
        background: var(--tier-soft);
        line-height: 1.15;
        overflow-wrap: anywhere;
      }
      .tier svg {
        width: 0.85rem;
        height: 0.85rem;
        margin-inline-end: 0.2em;
        vertical-align: -0.12em;
      }
      .remove {
        position: absolute;
        /* At the corner, as little over the picture as can be. */
        top: -0.55rem;
        inset-inline-end: -0.55rem;
        width: 1.6rem;
        height: 1.6rem;
        min-height: 0;
        padding: 0;
        border-radius: 50%;
      }
    `,
  ];

  @property({ attribute: false }) photos: readonly Photo[] = [];
  @property({ attribute: false }) selectedId: number | null = null;

  /** Whether the model could not be loaded: nothing is under way for a photo that waits. */
  @property({ type: Boolean }) stopped = false;

  /** Moves the focus to a photo. */
  focusOn(id: number): void {
    this.renderRoot.querySelector<HTMLElement>(`[data-id="${id}"]`)?.focus();
  }

  #stateOf(kind: Exclude<PhotoState['kind'], 'done'>): Undone {
    return this.stopped && (kind === 'waiting' || kind === 'running') ? 'stopped' : kind;
  }

  #words(state: PhotoState): string {
    return state.kind === 'done'
      ? verdict(withIsolated(state.result))
      : say(`shelf.state.${this.#stateOf(state.kind)}`);
  }

  #tier({ said }: Photo, { result }: Done) {
    const tier = tierOf(result, said);
    return html`<span class="mark tier ${tier}">${tierIcons[tier]}${medical(() => tierWords(tier).short)}</span>`;
  }

  override render() {
    return html`<ul aria-label=${say('shelf.title')}>
      ${repeat(
        this.photos,
        (photo) => photo.id,
        (photo) => this.#item(photo),
      )}
    </ul>`;
  }

  #item(photo: Photo) {
    const { name, state } = photo;
    const drawn = state.kind === 'done';
    return html`<li>
      <button
        type="button"
        class="thumb"
        data-id=${photo.id}
        aria-current=${photo.id === this.selectedId ? 'true' : 'false'}
        @click=${() => emit(this, 'select', photo.id)}
        @keydown=${(event: KeyboardEvent) => event.key === 'Delete' && emit(this, 'remove', photo.id)}
      >
        <canvas ?hidden=${!drawn} aria-hidden="true"></canvas>
        <span class="visually-hidden">${medical(() =>
          say('shelf.item', { name: isolated(name), state: this.#words(state) }),
        )}</span>
        ${
          state.kind === 'done'
            ? this.#tier(photo, state)
            : html`<span class="mark" aria-hidden="true">${say(`shelf.mark.${this.#stateOf(state.kind)}`)}</span>`
        }
      </button>
      <button type="button" class="remove" @click=${() => emit(this, 'remove', photo.id)}>
        ${closeIcon}<span class="visually-hidden">${say('shelf.remove', { name: isolated(name) })}</span>
      </button>
    </li>`;
  }

  /** In a task of its own: what is around it changes with it, and goes first. */
  protected override scheduleUpdate(): Promise<unknown> {
    const before = this.hasUpdated ? nextTask().then(nextTask) : nextTask();
    return before.then(() => super.scheduleUpdate());
  }

  protected override updated(): void {
    void this.#draw();
  }

  /** In a frame of its own: the answer is seen first. */
  async #draw(): Promise<void> {
    await ownFrame();
    for (const photo of this.photos) {
      if (photo.state.kind !== 'done' || !photo.state.shown) continue;
      const { result, shown } = photo.state;
      const canvas = this.renderRoot.querySelector<HTMLCanvasElement>(`[data-id="${photo.id}"] canvas`);
      if (canvas) drawThumbnail(canvas, shown.preview, THUMBNAIL, partSeen(result));
    }
  }
}

define('dermlet-shelf', DermletShelf);
