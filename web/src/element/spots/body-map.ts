/**
 * `<dermlet-body-map>`: where a spot is on the body, from a list or by a tap on a drawing of both sides. Fires `place`
 * (detail: the place or null).
 */
import { css, LitElement, nothing, svg } from 'lit';
import { property } from 'lit/decorators.js';
import { say } from '../../messages/spots.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import { BODY, DRAWN, nearest } from './body.js';
import type { Place } from './entries.js';
import { looks } from './looks.js';
import { bodyWords, sideWords } from './words.js';

/** The right half of the outline, from the top of the head down; the other half is its mirror image. */
const HALF =
  'M50 3C57 3 60 9 60 16C60 23 57 27 55 29L55 34C58 37 66 37 70 40C75 43 76 50 77 58L82 84L86 106' +
  'C89 111 89 117 87 119C84 121 81 119 80 114L78 106L71 82L67 62L66 84C67 92 68 98 68 104L66 140L63 170L62 192' +
  'C65 197 68 200 67 203L56 203C55 199 55 196 55 192L54 168L54 140L51 108L50 108';

export class DermletBodyMap extends LitElement {
  static override styles = [
    base,
    looks,
    css`
      :host,
      .drawing {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.6rem;
      }
      .sides {
        display: flex;
        gap: 1rem;
      }
      .sides > div {
        display: grid;
        min-width: 0;
        justify-items: center;
        color: var(--muted);
        font-size: 0.92rem;
      }
      svg {
        width: 7rem;
        max-width: 100%;
        height: auto;
        cursor: crosshair;
        direction: ltr;
      }
      path {
        fill: var(--track);
        stroke: var(--edge);
        stroke-width: 1.2;
        stroke-linejoin: round;
      }
      circle {
        fill: var(--accent);
        stroke: var(--card);
        stroke-width: 1.5;
      }
      @media (forced-colors: active) {
        path {
          fill: Canvas;
          stroke: CanvasText;
        }
        circle {
          fill: Highlight;
          stroke: Canvas;
        }
      }
    `,
  ];

  @property({ attribute: false }) place: Place | null = null;
  /** Whether the drawing is shown only when it is asked for: the list says the same in less room. */
  @property({ type: Boolean }) folded = false;

  override render() {
    const drawing = html`${this.#drawing()}<p class="muted">${say('spots.map')}</p>`;
    return html`${this.#list()}${
      this.folded
        ? html`<details><summary>${say('spots.map.open')}</summary><div class="drawing">${drawing}</div></details>`
        : drawing
    }`;
  }

  #drawing() {
    return html`<div class="sides" aria-hidden="true">${(['front', 'back'] as const).map(
      (side) => html`<div>
          <svg viewBox="0 0 ${DRAWN.width} ${DRAWN.height}" data-side=${side}
            @click=${(event: MouseEvent) => this.#tap(side, event)}>
            <path d=${HALF}></path><path d=${HALF} transform="translate(100 0) scale(-1 1)"></path>
            ${this.#mark(side)}
          </svg><span>${sideWords(side)}</span></div>`,
    )}</div>`;
  }

  #list() {
    const chosen = this.place && nearest(this.place);
    const options = (side: Place['side']) =>
      BODY.map((each, index) => ({ each, index }))
        .filter(({ each }) => each.place.side === side)
        .map(
          ({ each, index }) => html`<option value=${index} .selected=${each === chosen}>${bodyWords(each)}</option>`,
        );
    return html`<label><span>${say('spots.place')}</span>
      <select name="place" @change=${(event: Event) => {
        const { value } = event.target as HTMLSelectElement;
        this.#set(value === '' ? null : (BODY[Number(value)]?.place ?? null));
      }}>
        <option value="" .selected=${chosen === null}>${say('spots.place.none')}</option>
        ${(['front', 'back'] as const).map(
          (side) => html`<optgroup label=${sideWords(side)}>${options(side)}</optgroup>`,
        )}
      </select></label>`;
  }

  #mark(side: Place['side']) {
    const { place } = this;
    if (place?.side !== side) return nothing;
    return svg`<circle cx=${place.x * DRAWN.width} cy=${place.y * DRAWN.height} r="4.5"></circle>`;
  }

  #tap(side: Place['side'], event: MouseEvent): void {
    const { left, top, width, height } = (event.currentTarget as Element).getBoundingClientRect();
    const inside = (value: number) => Math.min(1, Math.max(0, value));
    this.#set({ side, x: inside((event.clientX - left) / width), y: inside((event.clientY - top) / height) });
  }

  #set(place: Place | null): void {
    this.place = place;
    emit(this, 'place', place);
  }
}

define('dermlet-body-map', DermletBodyMap);
