/**
 * `<dermlet-crop-bar>`: under the picture while its frame is chosen: where the frame is, and what can be done with it.
 * Fires `frame` (detail: the frame), `apply`, `whole` and `giveup`.
 */
import { css, LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import type { Rect } from '../../classifier/index.js';
import { exactPercent, number, say } from '../../messages/index.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import { type Bounds, centreOf, isSame, scaled } from './geometry.js';
import { FACTOR } from './keys.js';

/** Milliseconds after the last change until it is told: not each step of a drag. */
const TOLD_AFTER = 400;

export class DermletCropBar extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: 0.7rem;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
      }
      .buttons button {
        padding-inline: 0.8rem;
      }
      .where,
      .how {
        color: var(--muted);
        font-size: 0.92rem;
      }
    `,
  ];

  @property({ attribute: false }) frame: Rect = { x: 0, y: 0, width: 1, height: 1 };
  @property({ attribute: false }) bounds: Bounds = { width: 1, height: 1, shape: null, least: 1 };

  /** The frame that is told. */
  @property({ attribute: false }) private told: Rect | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    clearTimeout(this.#timer);
    super.disconnectedCallback();
  }

  protected override willUpdate(): void {
    if (this.told && isSame(this.told, this.frame)) return;
    clearTimeout(this.#timer);
    if (!this.told) this.told = this.frame;
    else this.#timer = setTimeout(() => (this.told = this.frame), TOLD_AFTER);
  }

  override render() {
    return html`<div class="buttons">
        <button type="button" class="primary" @click=${() => emit(this, 'apply', null)}>${say('crop.apply')}</button>
        <button type="button" @click=${() => emit(this, 'giveup', null)}>${say('crop.giveUp')}</button>
        <button type="button" @click=${() => this.#scale(FACTOR)}>${say('crop.larger')}</button>
        <button type="button" @click=${() => this.#scale(1 / FACTOR)}>${say('crop.smaller')}</button>
        <button type="button" @click=${() => emit(this, 'whole', null)}>${say('photo.whole')}</button>
      </div>
      <p class="where" role="status">${this.#where(this.told ?? this.frame)}</p>
      <p class="how">${say('crop.help')}</p>`;
  }

  #scale(factor: number): void {
    emit(this, 'frame', scaled(this.frame, factor, this.bounds));
  }

  #where(frame: Rect): string {
    const { x, y } = centreOf(frame);
    return say('crop.where', {
      width: number(frame.width),
      height: number(frame.height),
      across: exactPercent(x / this.bounds.width),
      down: exactPercent(y / this.bounds.height),
    });
  }
}

define('dermlet-crop-bar', DermletCropBar);
