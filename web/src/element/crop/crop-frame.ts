/**
 * `<dermlet-crop-frame>`: a frame to drag, resize and move by keys, over a picture that it covers, and the spots that
 * were found there. Fires `frame` (detail: the frame, in pixels of the upright picture), `apply` and `giveup`.
 */
import { css, LitElement, type PropertyValues } from 'lit';
import { property, query } from 'lit/decorators.js';
import type { Rect, Spot } from '../../classifier/index.js';
import { number, say } from '../../messages/index.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import { type Bounds, centreOf, frameAround, frameOf, holds, isSame, type Point, scaled } from './geometry.js';
import { Gesture } from './gesture.js';
import { FACTOR, framedByKey } from './keys.js';
import { place } from './place.js';

/** CSS pixels. */
const FINGER = { corner: 26, slip: 8 };
const MOUSE = { corner: 16, slip: 3 };

export class DermletCropFrame extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        position: absolute;
        inset: 0;
      }
      /* Beside the frame the page scrolls; two fingers resize the frame. */
      .stage {
        position: absolute;
        inset: 0;
        overflow: hidden;
        touch-action: pan-y;
        cursor: crosshair;
        user-select: none;
        -webkit-user-select: none;
      }
      .frame {
        position: absolute;
        border: 2px solid var(--over-light);
        box-shadow: 0 0 0 1.5px var(--over-dark), 0 0 0 200rem var(--over-shade);
        touch-action: none;
        cursor: move;
      }
      /* What a finger takes hold of around it. */
      .frame::before {
        content: '';
        position: absolute;
        inset: -1.4rem;
      }
      .frame:focus-visible {
        outline: 3px solid var(--accent);
        outline-offset: 1px;
      }
      .corner {
        position: absolute;
        width: min(1.4rem, 40%);
        height: min(1.4rem, 40%);
        border: 0 solid var(--over-light);
        filter: drop-shadow(0 0 1px var(--over-dark));
      }
      .nw {
        top: -2px;
        left: -2px;
        border-width: 4px 0 0 4px;
        cursor: nwse-resize;
      }
      .ne {
        top: -2px;
        right: -2px;
        border-width: 4px 4px 0 0;
        cursor: nesw-resize;
      }
      .sw {
        bottom: -2px;
        left: -2px;
        border-width: 0 0 4px 4px;
        cursor: nesw-resize;
      }
      .se {
        right: -2px;
        bottom: -2px;
        border-width: 0 4px 4px 0;
        cursor: nwse-resize;
      }
      .spot {
        position: absolute;
        min-width: 1.75rem;
        min-height: 1.75rem;
        padding: 0.1rem 0.3rem;
        translate: -50% -50%;
        border: 2px solid var(--over-light);
        border-radius: 1rem;
        background: var(--over-dark);
        color: var(--over-light);
        font-size: 0.95rem;
        line-height: 1;
        touch-action: none;
      }
      .spot:hover {
        border-color: var(--over-light);
        background: var(--over-dark);
        text-decoration: underline;
      }
      @media (pointer: coarse) {
        .spot {
          min-width: 2.75rem;
          min-height: 2.75rem;
          border-radius: 2rem;
        }
      }
      @media (forced-colors: active) {
        .frame {
          border-color: Highlight;
          outline: 2px solid Canvas;
        }
        .frame:focus-visible {
          outline: 3px solid CanvasText;
        }
        .corner {
          border-color: Highlight;
          filter: none;
        }
      }
    `,
  ];

  @property({ attribute: false }) frame: Rect = { x: 0, y: 0, width: 1, height: 1 };
  @property({ attribute: false }) bounds: Bounds = { width: 1, height: 1, shape: null, least: 1 };
  /** Best first. */
  @property({ attribute: false }) spots: readonly Spot[] = [];
  @query('.stage') private stage!: HTMLElement;
  @query('.frame') private box!: HTMLElement;

  #gesture: Gesture | null = null;

  override focus(options?: FocusOptions): void {
    this.box.focus(options);
  }

  override render() {
    return html`<div
      class="stage"
      @pointerdown=${this.#down}
      @pointermove=${this.#move}
      @pointerup=${this.#up}
      @pointercancel=${this.#up}
      @wheel=${{ handleEvent: this.#wheel, passive: false }}
    >
      <div
        class="frame"
        part="crop-frame"
        role="application"
        tabindex="0"
        aria-label=${say('crop.label')}
        aria-description=${say('crop.help')}
        @keydown=${this.#key}
      >
        <span class="corner nw"></span><span class="corner ne"></span><span class="corner sw"></span
        ><span class="corner se"></span>
      </div>
      ${this.spots.map(
        (spot, index) => html`<button
          type="button"
          class="spot"
          ?hidden=${holds(this.frame, centreOf(spot))}
          aria-label=${say('crop.spot', { number: number(index + 1) })}
          @click=${() => this.#choose(spot)}
        >
          ${number(index + 1)}
        </button>`,
      )}
    </div>`;
  }

  protected override updated(_changed: PropertyValues<this>): void {
    place(this.box, this.frame, this.bounds);
    const buttons = this.renderRoot.querySelectorAll<HTMLElement>('.spot');
    this.spots.forEach((spot, index) => {
      const { x, y } = centreOf(spot);
      buttons[index]?.style.setProperty('left', `${(100 * x) / this.bounds.width}%`);
      buttons[index]?.style.setProperty('top', `${(100 * y) / this.bounds.height}%`);
    });
  }

  #set(frame: Rect): void {
    if (!isSame(frame, this.frame)) emit(this, 'frame', frame);
  }

  /** Its button goes: nothing may cover what is framed. */
  #choose(spot: Spot): void {
    this.focus({ preventScroll: true });
    this.#set(frameOf(spot.frame, this.bounds));
  }

  /** In pixels of the picture; `scale` is how many of them a CSS pixel is. */
  #at({ clientX, clientY }: MouseEvent): Point & { scale: number } {
    const { left, top, width } = this.stage.getBoundingClientRect();
    const scale = this.bounds.width / width;
    return { x: (clientX - left) * scale, y: (clientY - top) * scale, scale };
  }

  readonly #down = (event: PointerEvent) => {
    if (event.pointerType === 'mouse' && event.button !== 0) return;
    if (!this.#gesture || this.#gesture.isOver) this.#gesture = new Gesture(this.frame, this.bounds);
    const { scale, ...point } = this.#at(event);
    const { corner, slip } = event.pointerType === 'mouse' ? MOUSE : FINGER;
    this.#gesture.down(event.pointerId, point, { corner: corner * scale, slip: slip * scale });
  };

  readonly #move = (event: PointerEvent) => {
    const gesture = this.#gesture;
    if (!gesture || gesture.isOver) return;
    const frame = gesture.move(event.pointerId, this.#at(event));
    // Not at once: a tap on a spot must remain its own. What is captured is no tap any more.
    if (gesture.isDrag) this.stage.setPointerCapture(event.pointerId);
    this.#set(frame);
  };

  readonly #up = (event: PointerEvent) => {
    const onSpot = event.target instanceof HTMLElement && event.target.closest('.spot') !== null;
    const frame = this.#gesture?.up(event.pointerId, event.type === 'pointerup' && !onSpot);
    if (frame) this.#set(frame);
  };

  readonly #wheel = (event: WheelEvent) => {
    if (event.deltaY === 0) return;
    event.preventDefault();
    this.#set(scaled(this.frame, event.deltaY < 0 ? FACTOR : 1 / FACTOR, this.bounds));
  };

  readonly #key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') emit(this, 'apply', null);
    else if (event.key === 'Escape') emit(this, 'giveup', null);
    else {
      const frame = framedByKey(event.key, event.shiftKey, this.frame, this.bounds);
      if (!frame) return;
      this.#set(frame);
    }
    event.preventDefault();
  };
}

/** What is framed where nothing was found: the middle of the picture. */
export const middleOf = (bounds: Bounds): Rect =>
  frameAround(
    { x: bounds.width / 2, y: bounds.height / 2 },
    { width: bounds.width / 2, height: bounds.height / 2 },
    bounds,
  );

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-crop-frame': DermletCropFrame;
  }
}

define('dermlet-crop-frame', DermletCropFrame);
