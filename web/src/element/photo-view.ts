/**
 * `<dermlet-photo-view>`: the upright photo with the region that the network saw, the spots to choose from, the frame
 * to choose another region, and the heat map with an opacity slider. Fires `crop` (detail: the crop to classify; null:
 * locate the spot) and `undo` (go back to the result from before).
 */
import { css, nothing, type PropertyValues } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import type { Crop, ModelInfo, RankedClass, Rect, Result, Spot } from '../classifier/index.js';
import {
  categoryName,
  exactPercent,
  framingWords,
  isolated,
  mayName,
  number,
  printable,
  say,
} from '../messages/index.js';
import { draw } from './canvas.js';
import './crop/crop-bar.js';
import { middleOf } from './crop/crop-frame.js';
import { type Bounds, frameOf } from './crop/geometry.js';
import { place } from './crop/place.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import { nextFrame, OwnTaskElement, ownFrame } from './later.js';
import { medical } from './medical.js';
import { showsRegion } from './region.js';
import type { Photo, Shown } from './session.js';
import { base } from './styles.js';

/** Per cent, once asked for: noticeable, with the skin still visible. */
const INITIAL_OPACITY = 60;
/** Share of the picture's height where a number has no room above its frame. */
const NEAR_TOP = 0.2;
/** Pixels: the shorter side of a frame where no check has a limit for it. */
const LEAST = 32;

/** From its middle on: there it stays however much larger than the rectangle it is drawn. */
const middled = ({ x, y, width, height }: Rect): Rect => ({ x: x + width / 2, y: y + height / 2, width, height });

export class DermletPhotoView extends OwnTaskElement {
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
        box-shadow: 0 0 0 1.5px var(--over-light), 0 0 0 200rem var(--over-shade);
      }
      .region.whole::after {
        box-shadow: none;
      }
      @media (forced-colors: active) {
        .region:not(.whole)::after {
          outline: 3px solid Highlight;
          border: 1px solid Canvas;
        }
      }
      /* Around the middle of its frame, at least as large as a finger, however small the spot. */
      .spot {
        position: absolute;
        translate: -50% -50%;
        display: grid;
        place-items: start;
        min-width: 2.75rem;
        min-height: 2.75rem;
        padding: 0;
        border: 2px solid var(--over-light);
        border-radius: 0.4rem;
        background: none;
        box-shadow: 0 0 0 1.5px var(--over-dark), inset 0 0 0 1.5px var(--over-dark);
        line-height: 1;
      }
      .spot:hover {
        border-color: var(--over-light);
        background: rgb(255 255 255 / 20%);
      }
      /* Beside its frame: a number in it would lie over the spot. */
      .spot span {
        position: absolute;
        bottom: calc(100% + 3px);
        min-width: 1.5rem;
        padding: 0.3rem;
        border-radius: 0.4rem;
        background: var(--over-dark);
        color: var(--over-light);
      }
      .spot.near-top span {
        top: calc(100% + 3px);
        bottom: auto;
      }
      .framing {
        color: var(--muted);
        font-size: 0.92rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 0.75rem;
        margin-top: 0.5rem;
      }
      label {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 1rem;
        font-weight: 600;
      }
      label.asked {
        flex-wrap: nowrap;
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
  @property({ attribute: false }) model: ModelInfo | null = null;
  /** While a person frames the spot: the frame, and the result that it is laid over. */
  @state() private framing: { frame: Rect; result: Result } | null = null;
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

  /** The class that the heat map explains; null when no class may be named. */
  get #explained(): RankedClass | null {
    const result = this.#result;
    if (!result?.explanation || !this.#shown?.overlay || !mayName(result)) return null;
    return result.ranking.find((entry) => entry.id === result.explanation?.classId) ?? null;
  }

  /** Where frames may be on this photo. */
  #bounds({ source, quality }: Result): Bounds {
    const { width, height } = source;
    const least = quality.checks.find(({ id }) => id === 'too_small')?.limit ?? LEAST;
    return { width, height, shape: this.model?.cropShape ?? null, least };
  }

  /** Lets the person frame the spot: begins with the frame that was looked at or, without one, the best spot found. */
  async beginFraming(): Promise<void> {
    const [result, photo] = [this.#result, this.photo];
    if (!result || !this.#shown || !photo || !this.model) return;
    const bounds = this.#bounds(result);
    const { framing } = result.frame;
    const region = framing === 'chosen' || framing === 'spot' ? result.source.region : photo.spots[0]?.frame;
    this.framing = { frame: region ? frameOf(region, bounds) : middleOf(bounds), result };
    await this.updateComplete;
    const frame = this.renderRoot.querySelector('dermlet-crop-frame');
    await frame?.updateComplete;
    frame?.focus({ preventScroll: true });
    this.scrollIntoView({ block: 'nearest' });
  }

  /** The focus goes back to where it came from, as what has it goes away. */
  async #endFraming(crop?: Crop): Promise<void> {
    this.framing = null;
    if (crop) emit<Crop | null>(this, 'crop', crop);
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('.begin')?.focus({ preventScroll: true });
  }

  /** What was drawn last. */
  #drawn: { id: number | undefined; result: Result | null } | null = null;

  /** A new answer to the photo that is in view is read first: its picture is drawn in a frame after that. */
  protected override scheduleUpdate(): void | Promise<unknown> {
    const drawn = this.#drawn;
    if (!this.hasUpdated || (drawn && (drawn.id !== this.photo?.id || drawn.result === this.#result)))
      return super.scheduleUpdate();
    return nextFrame()
      .then(ownFrame)
      .then(() => super.scheduleUpdate());
  }

  protected override willUpdate(): void {
    this.#drawn = { id: this.photo?.id, result: this.#result };
    // The photo is another one, or its result is.
    if (this.framing && this.framing.result !== this.#result) this.framing = null;
  }

  override render() {
    if (!this.photo) return nothing;
    const result = this.#shown ? this.#result : null;
    const framing = this.framing;
    return html`<figure>
      <div class="frame" part="photo">${result ? this.#upright(this.photo, result) : this.#file(this.photo)}</div>
      ${result && framing ? this.#bar(result, framing.frame) : nothing}
      ${result && !framing ? this.#framed(this.photo, result) : nothing}
        ${this.#explained && !framing ? this.#heatMap(this.#explained) : nothing}
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
    const framing = this.framing;
    const hidden = framing !== null || !showsRegion(result);
    return html`<div class="picture">
      <canvas class="photo" role="img" aria-label=${say('photo.upright', { name: printable(photo.name) })}></canvas>
      <div class="region ${whole ? 'whole' : ''}" part="region" ?hidden=${hidden}>
        <canvas class="overlay" aria-hidden="true" ?hidden=${!this.heatMap || !this.#explained}></canvas>
      </div>
      ${framing ? this.#frame(photo, result, framing.frame) : nothing}
      ${(framing ? [] : this.#spots(result)).map(
        (spot, index) => html`<button
          type="button"
          class="spot ${spot.y < NEAR_TOP * result.source.height ? 'near-top' : ''}"
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

  #frame(photo: Photo, result: Result, frame: Rect) {
    return html`<dermlet-crop-frame exportparts="crop-frame"
      .frame=${frame}
      .bounds=${this.#bounds(result)}
      .spots=${photo.spots}
      @frame=${(event: CustomEvent<Rect>) => (this.framing = { frame: event.detail, result })}
      @apply=${() => this.#endFraming(this.framing?.frame)}
      @giveup=${() => this.#endFraming()}
    ></dermlet-crop-frame>`;
  }

  #bar(result: Result, frame: Rect) {
    return html`<dermlet-crop-bar
      .frame=${frame}
      .bounds=${this.#bounds(result)}
      @frame=${(event: CustomEvent<Rect>) => (this.framing = { frame: event.detail, result })}
      @apply=${() => this.#endFraming(frame)}
      @whole=${() => this.#endFraming('whole')}
      @giveup=${() => this.#endFraming()}
      @keydown=${(event: KeyboardEvent) => event.key === 'Escape' && void this.#endFraming()}
    ></dermlet-crop-bar>`;
  }

  #relocate() {
    return html`<button type="button" class="link" @click=${() => emit<Crop | null>(this, 'crop', null)}>
      ${say('photo.again')}
    </button>`;
  }

  /** What the network saw, and buttons to choose something else. */
  #framed({ state }: Photo, result: Result) {
    const { framing } = result.frame;
    const words = framingWords(result.frame);
    return html`<div class="framing">
      ${words ? html`<p>${words}</p>` : nothing}
      <p class="ways">
        <button type="button" class="begin" ?disabled=${!this.model} @click=${() => this.beginFraming()}>
          ${say('crop.begin')}
        </button>
        ${
          state.kind === 'done' && state.earlier.length > 0
            ? html`<button type="button" @click=${() => emit(this, 'undo', null)}>${say('crop.undo')}</button>`
            : nothing
        }
        ${
          framing === 'whole'
            ? nothing
            : html`<button type="button" class="link" @click=${() => emit<Crop | null>(this, 'crop', 'whole')}>
                ${say('photo.whole')}
              </button>`
        }
        ${framing === 'chosen' ? this.#relocate() : nothing}
      </p>
    </div>`;
  }

  #heatMap(explained: RankedClass) {
    return html`<label class="asked">
        <input type="checkbox" .checked=${live(this.heatMap)}
          @change=${(event: Event) => (this.heatMap = (event.target as HTMLInputElement).checked)} />
        <span>${say('photo.showHeatMap')}</span>
      </label>
      ${this.heatMap ? this.#slider(explained) : nothing}`;
  }

  #slider(explained: RankedClass) {
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
        ${medical(() => say('photo.shows', { name: categoryName(explained) }))}
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
        `min(100%, calc(var(--tallest, 34rem) * ${shown.preview.width / shown.preview.height}))`,
      );
    }
    const result = this.#result;
    if (!result || !shown) return;
    const { region } = result.source;
    const spots = this.#spots(result);
    for (const button of this.renderRoot.querySelectorAll<HTMLElement>('.spot'))
      place(button, middled(spots[Number(button.dataset.spot)]!), result.source);
    if (this.region) place(this.region, region, result.source);
    if (!this.#explained || !this.overlayCanvas || !shown.overlay) return;
    draw(this.overlayCanvas, shown.overlay);
    this.overlayCanvas.style.setProperty('opacity', String(this.opacity / 100));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-photo-view': DermletPhotoView;
  }
}

define('dermlet-photo-view', DermletPhotoView);
