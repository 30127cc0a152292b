/** `<dermlet-photo-view>`: the photo upright, the part that the network saw framed, and the heat map over it on a slider. */
import { LitElement, css, html, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';

import type { Result } from '../classifier/index.js';
import { show } from './canvas.js';
import { define } from './emit.js';
import type { Photo } from './session.js';
import { base } from './styles.js';
import { mayName } from './words.js';

/** Per cent; strong enough to be noticed, weak enough to leave the skin visible. */
const FIRST_OPACITY = 60;

export class DermletPhotoView extends LitElement {
  static override styles = [
    base,
    css`
      figure {
        display: grid;
        gap: 0.8rem;
      }
      .frame {
        position: relative;
        display: grid;
        place-items: center;
        border: 1px solid var(--line);
        border-radius: 1rem;
        background: var(--track);
        overflow: hidden;
      }
      .picture {
        position: relative;
        display: grid;
        line-height: 0;
        overflow: hidden;
      }
      .picture canvas.photo {
        display: block;
        width: 100%;
        height: auto;
      }
      img {
        display: block;
        max-width: 100%;
        max-height: 34rem;
        opacity: 0.75;
      }
      .unshown {
        padding: 2.5rem 1rem;
        color: var(--muted);
        overflow-wrap: anywhere;
        text-align: center;
      }
      .region {
        position: absolute;
      }
      .region canvas {
        display: block;
        width: 100%;
        height: 100%;
      }
      .region::after {
        content: '';
        position: absolute;
        inset: 0;
        box-shadow: 0 0 0 1.5px rgb(255 255 255 / 85%), 0 0 0 200rem rgb(20 16 12 / 38%);
      }
      .region.whole::after {
        box-shadow: none;
      }
      label {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        font-weight: 600;
      }
      output {
        font-weight: 400;
        font-variant-numeric: tabular-nums;
      }
      input[type='range'] {
        display: block;
        width: 100%;
        height: 2.5rem;
        margin: 0;
        accent-color: var(--accent);
        cursor: pointer;
      }
      .ends {
        display: flex;
        justify-content: space-between;
        color: var(--muted);
        font-size: 0.85rem;
      }
      figcaption {
        color: var(--muted);
        font-size: 0.92rem;
      }
    `,
  ];

  @property({ attribute: false }) photo: Photo | null = null;
  @state() private opacity = FIRST_OPACITY;
  /** The photo whose file this browser cannot show. */
  @state() private unshown: number | null = null;
  @query('.picture') private picture!: HTMLElement | null;
  @query('.photo') private photoCanvas!: HTMLCanvasElement | null;
  @query('.overlay') private overlayCanvas!: HTMLCanvasElement | null;
  @query('.region') private region!: HTMLElement | null;

  get #result(): Result | null {
    return this.photo?.state.kind === 'done' ? this.photo.state.result : null;
  }

  /** The class that the heat map speaks of; none where no class may be named. */
  get #explained(): string | null {
    const result = this.#result;
    if (!result?.explanation || !result.pictures?.overlay || !mayName(result)) return null;
    return result.ranking.find((entry) => entry.id === result.explanation?.classId)?.name ?? null;
  }

  override render() {
    if (!this.photo) return nothing;
    return html`<figure>
      <div class="frame">${this.#result?.pictures?.preview ? this.#upright(this.#result) : this.#file(this.photo)}</div>
      ${this.#explained ? this.#slider(this.#explained) : nothing}
    </figure>`;
  }

  /** The file as the browser shows it, until the core's own picture is there. */
  #file(photo: Photo) {
    if (this.unshown === photo.id) return html`<p class="unshown">${photo.name}</p>`;
    return html`<img src=${photo.url} alt=${photo.name} @error=${() => (this.unshown = photo.id)} />`;
  }

  #upright(result: Result) {
    const { region, width, height } = result.source;
    const whole = region.width >= width && region.height >= height;
    return html`<div class="picture">
      <canvas class="photo" role="img" aria-label=${`${this.photo?.name ?? 'Photo'}, upright`}></canvas>
      <div class="region ${whole ? 'whole' : ''}" ?hidden=${!this.#explained}>
        <canvas class="overlay" aria-hidden="true"></canvas>
      </div>
    </div>`;
  }

  #slider(name: string) {
    return html`<div>
        <label for="opacity">Heat map <output for="opacity">${this.opacity} %</output></label>
        <input
          id="opacity"
          type="range"
          min="0"
          max="100"
          step="5"
          .value=${String(this.opacity)}
          aria-valuetext=${`${this.opacity} per cent heat map`}
          aria-describedby="shows"
          @input=${(event: Event) => (this.opacity = Number((event.target as HTMLInputElement).value))}
        />
        <div class="ends" aria-hidden="true"><span>Photo only</span><span>Full heat map</span></div>
      </div>
      <figcaption id="shows">
        The warmer a place is coloured, the more it spoke for “${name}” rather than the other categories. It shows what the score rests on, not where a
        disease is. The network saw only what lies inside the frame.
      </figcaption>`;
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const pictures = this.#result?.pictures;
    if (pictures?.preview && this.photoCanvas) {
      show(this.photoCanvas, pictures.preview);
      // Set through CSSOM: the page's policy allows no style attributes. As wide as the column, but an upright picture not taller than a screen.
      this.picture?.style.setProperty('width', `min(100%, calc(34rem * ${pictures.preview.width / pictures.preview.height}))`);
    }
    if (!this.#result || !this.#explained || !this.region || !this.overlayCanvas || !pictures?.overlay) return;
    show(this.overlayCanvas, pictures.overlay);
    const { region, width, height } = this.#result.source;
    const { style } = this.region;
    style.setProperty('left', `${(100 * region.x) / width}%`);
    style.setProperty('top', `${(100 * region.y) / height}%`);
    style.setProperty('width', `${(100 * region.width) / width}%`);
    style.setProperty('height', `${(100 * region.height) / height}%`);
    this.overlayCanvas.style.setProperty('opacity', String(this.opacity / 100));
  }
}

define('dermlet-photo-view', DermletPhotoView);
