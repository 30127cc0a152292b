/**
 * `<dermlet-photo-view>`: the upright photo with the region that the network saw, the spots to choose from, and the
 * heat map with an opacity slider. Fires `crop` (detail: the crop to classify; null: locate the spot).
 */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import type { Crop, Rect, Result, Spot } from '../classifier/index.js';
import { exactPercent, framingWords, isolated, mayName, number, printable, say } from '../messages/index.js';
import { draw } from './canvas.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import { medical } from './medical.js';
import type { Photo, Shown } from './session.js';
import { base } from './styles.js';

/** Per cent, once asked for: noticeable, with the skin still visible. */
const INITIAL_OPACITY = 60;

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
      .undisplayable {
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
      /* At least as large as a finger, however small the spot. */
      .spot {
        position: absolute;
        display: grid;
        place-items: start;
        min-width: 2.75rem;
        min-height: 2.75rem;
        padding: 0;
        border: 2px solid #fff;
        border-radius: 0.4rem;
        background: none;
        box-shadow: 0 0 0 1.5px rgb(20 16 12 / 75%), inset 0 0 0 1.5px rgb(20 16 12 / 75%);
        line-height: 1;
      }
      .spot:hover {
        border-color: #fff;
        background: rgb(255 255 255 / 20%);
      }
      .spot span {
        min-width: 1.5rem;
        padding: 0.3rem;
        border-radius: 0 0 0.4rem;
        background: rgb(20 16 12 / 85%);
        color: #fff;
      }
      .framing {
        color: var(--muted);
        font-size: 0.92rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
      }
      label {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        font-weight: 600;
      }
      label.asked {
        justify-content: start;
        align-items: center;
        gap: 0.65rem;
        min-height: 2.75rem;
        cursor: pointer;
      }
      .asked input {
        flex: none;
        width: 1.35rem;
        height: 1.35rem;
        accent-color: var(--accent);
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
  @state() private opacity = INITIAL_OPACITY;
  /** Of any photo: off until asked for. */
  @state() private heatMap = false;
  /** Id of the photo whose file this browser cannot display. */
  @state() private undisplayable: number | null = null;
  @query('.picture') private picture!: HTMLElement | null;
  @query('.photo') private photoCanvas!: HTMLCanvasElement | null;
  @query('.overlay') private overlayCanvas!: HTMLCanvasElement | null;
  @query('.region') private region!: HTMLElement | null;

  get #result(): Result | null {
    return this.photo?.state.kind === 'done' ? this.photo.state.result : null;
  }

  get #shown(): Shown | null {
    return this.photo?.state.kind === 'done' ? this.photo.state.shown : null;
  }

  /** Name of the class that the heat map explains; null when no class may be named. */
  get #explained(): string | null {
    const result = this.#result;
    if (!result?.explanation || !this.#shown?.overlay || !mayName(result)) return null;
    return result.ranking.find((entry) => entry.id === result.explanation?.classId)?.name ?? null;
  }

  override render() {
    if (!this.photo) return nothing;
    return html`<figure>
      <div class="frame">${
        this.#result && this.#shown ? this.#upright(this.photo, this.#result) : this.#file(this.photo)
      }</div>
      ${this.#result && this.#shown ? this.#framing(this.#result) : nothing}
        ${this.#explained ? this.#heatMap(this.#explained) : nothing}
    </figure>`;
  }

  /** The file as the browser displays it, from when the core has read it until its preview is there. */
  #file(photo: Photo) {
    if (!photo.accepted || this.undisplayable === photo.id)
      return html`<p class="undisplayable">${isolated(photo.name)}</p>`;
    return html`<img src=${photo.url} alt=${printable(photo.name)} @error=${() => (this.undisplayable = photo.id)} />`;
  }

  #upright(photo: Photo, result: Result) {
    const { region, width, height } = result.source;
    const whole = region.width >= width && region.height >= height;
    return html`<div class="picture">
      <canvas class="photo" role="img" aria-label=${say('photo.upright', { name: printable(photo.name) })}></canvas>
      <div class="region ${whole ? 'whole' : ''}" ?hidden=${!mayName(result)}>
        <canvas class="overlay" aria-hidden="true" ?hidden=${!this.heatMap || !this.#explained}></canvas>
      </div>
      ${this.#spots(result).map(
        (spot, index) => html`<button
          type="button"
          class="spot"
          data-spot=${index}
          aria-label=${say('photo.spot', { number: number(index + 1) })}
          @click=${() => emit<Crop | null>(this, 'crop', spot.frame)}
        >
          <span aria-hidden="true">${number(index + 1)}</span>
        </button>`,
      )}
    </div>`;
  }

  /** Spots to choose from: all of them if none was used, else the others. */
  #spots(result: Result): readonly Spot[] {
    const { framing, spots } = result.frame;
    return framing === 'several' ? spots : framing === 'spot' || framing === 'both' ? spots.slice(1) : [];
  }

  #relocate() {
    return html`<button type="button" class="link" @click=${() => emit<Crop | null>(this, 'crop', null)}>
      ${say('photo.again')}
    </button>`;
  }

  /** What the network saw, and buttons to choose something else. */
  #framing(result: Result) {
    const { framing } = result.frame;
    const words = framingWords(result.frame);
    if (framing === 'whole') return nothing;
    return html`<div class="framing">
      ${words ? html`<p>${words}</p>` : nothing}
      <p class="ways">
        <button type="button" class="link" @click=${() => emit<Crop | null>(this, 'crop', 'whole')}>
          ${say('photo.whole')}
        </button>
        ${framing === 'chosen' ? this.#relocate() : nothing}
      </p>
    </div>`;
  }

  #heatMap(name: string) {
    return html`<label class="asked">
        <input type="checkbox" .checked=${live(this.heatMap)}
          @change=${(event: Event) => (this.heatMap = (event.target as HTMLInputElement).checked)} />
        <span>${say('photo.showHeatMap')}</span>
      </label>
      ${this.heatMap ? this.#slider(name) : nothing}`;
  }

  #slider(name: string) {
    return html`<div>
        <label for="opacity">${say('photo.heatMap')}
          <output for="opacity">${exactPercent(this.opacity / 100)}</output></label>
        <input
          id="opacity"
          type="range"
          min="0"
          max="100"
          step="5"
          .value=${String(this.opacity)}
          aria-valuetext=${say('photo.heatMapValue', { value: number(this.opacity) })}
          aria-describedby="shows"
          @input=${(event: Event) => (this.opacity = Number((event.target as HTMLInputElement).value))}
        />
        <div class="ends" aria-hidden="true"><span>${say('photo.only')}</span><span>${say('photo.full')}</span></div>
      </div>
      <figcaption id="shows">
        ${medical(() => say('photo.shows', { name: isolated(name) }))}
      </figcaption>`;
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const shown = this.#shown;
    if (shown && this.photoCanvas) {
      draw(this.photoCanvas, shown.preview);
      // Set through CSSOM, as the page's policy forbids style attributes. As wide as the column, but not taller than a
      // screen.
      this.picture?.style.setProperty(
        'width',
        `min(100%, calc(34rem * ${shown.preview.width / shown.preview.height}))`,
      );
    }
    const result = this.#result;
    if (!result || !shown) return;
    const { region, width, height } = result.source;
    /** Positions an overlay on a region of the upright picture. */
    const position = ({ style }: HTMLElement, part: Rect) => {
      style.setProperty('left', `${(100 * part.x) / width}%`);
      style.setProperty('top', `${(100 * part.y) / height}%`);
      style.setProperty('width', `${(100 * part.width) / width}%`);
      style.setProperty('height', `${(100 * part.height) / height}%`);
    };
    const spots = this.#spots(result);
    for (const button of this.renderRoot.querySelectorAll<HTMLElement>('.spot'))
      position(button, spots[Number(button.dataset.spot)]!);
    if (this.region) position(this.region, region);
    if (!this.#explained || !this.overlayCanvas || !shown.overlay) return;
    draw(this.overlayCanvas, shown.overlay);
    this.overlayCanvas.style.setProperty('opacity', String(this.opacity / 100));
  }
}

define('dermlet-photo-view', DermletPhotoView);
