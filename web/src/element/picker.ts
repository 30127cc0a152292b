/**
 * `<dermlet-picker>`: choose files or take a photo. Fires `files` (detail `File[]`), and `camera` to show its live
 * picture. The outer element handles drops
 * and pastes. What is put into it stands beside the buttons of the large field.
 */
import { css, nothing } from 'lit';
import { property, query } from 'lit/decorators.js';

import { FORMAT_FILES } from '../classifier/index.js';
import { say } from '../messages/index.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import { cameraIcon, lensFigure, plusIcon } from './icons.js';
import { OwnTaskElement } from './later.js';
import { base } from './styles.js';

const { heic, ...others } = FORMAT_FILES;
const accepting = (kinds: readonly (typeof heic)[]) =>
  kinds.flatMap(({ types, extensions }) => [...types, ...extensions]).join();
const { userAgent = '', maxTouchPoints = 0 } = globalThis.navigator ?? {};
/** An iPad that asks for sites as they are on a desktop calls itself a Mac, which has no touch screen. */
export const isApple = /iPhone|iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
/**
 * iPhones and iPads hand over a JPEG where HEIC is not asked for: that is decoded alike everywhere, and without
 * libheif.
 */
const PICTURES = accepting(isApple ? Object.values(others) : [...Object.values(others), heic]);
/** A DICOM file holds a JPEG. */
const ACCEPT = `${PICTURES},application/dicom,.dcm`;

export class DermletPicker extends OwnTaskElement {
  static override styles = [
    base,
    css`
      .open {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        justify-items: center;
        gap: 1.1rem;
        padding: 1rem;
        border: 1.5px dashed var(--edge);
        border-radius: 1.25rem;
        background: var(--card);
        text-align: center;
      }
      :host([dragging]) .open {
        border-style: solid;
        border-color: var(--accent);
        background: var(--accent-soft);
      }
      .lens {
        display: none;
        width: 14rem;
        height: 14rem;
        color: var(--accent);
      }
      .words {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        justify-items: center;
        gap: 0.75rem;
        width: 100%;
        overflow-wrap: break-word;
      }
      h2 {
        font-family: var(--serif);
        font-size: 1.25rem;
        font-weight: 500;
        line-height: 1.25;
      }
      .hint {
        max-width: 34rem;
        color: var(--muted);
      }
      .small {
        font-size: 0.9rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
      @container (max-width: 45.99rem) {
        .ways {
          width: 100%;
        }
        .ways button,
        ::slotted(*) {
          flex: 1 1 auto;
        }
        .ways button {
          min-width: 0;
          max-width: 100%;
          padding-inline: 0.75rem;
          overflow-wrap: anywhere;
        }
      }
      /* Not on a phone on its side: the buttons are on its first screen. */
      @media (min-height: 30rem) {
        @container (min-width: 46rem) {
          .open {
            grid-template-columns: 14rem minmax(0, 1fr);
            align-items: center;
            gap: 3rem;
            padding: 2.75rem 3.25rem;
            text-align: start;
          }
          .lens {
            display: block;
          }
          .words {
            justify-items: start;
            justify-self: start;
          }
          h2 {
            font-size: 1.9rem;
          }
        }
      }
      input {
        display: none;
      }
    `,
  ];

  /** Show a row of buttons instead of the large field. */
  @property({ type: Boolean, reflect: true }) compact = false;
  @property({ type: Boolean, reflect: true }) dragging = false;
  /** Whether a form can carry the photo, if the person agrees. */
  @property({ type: Boolean }) sends = false;
  @query('#choose-button') private chooseButton!: HTMLButtonElement | null;

  /** Whether this is a phone or tablet, where `capture` opens the camera. */
  readonly #touch = typeof matchMedia === 'function' && matchMedia('(pointer: coarse)').matches;

  /** Whether the page can show the camera's picture; an insecure one cannot: the device's own app takes the photo. */
  readonly #live = typeof globalThis.navigator?.mediaDevices?.getUserMedia === 'function';

  /** Opens the chooser of files; only in answer to a person's tap. */
  choose(): void {
    this.#open('choose')();
  }

  override focus(options?: FocusOptions): void {
    this.chooseButton?.focus(options);
  }

  get #heading(): string {
    return say(this.#touch ? 'picker.takeOrChoose' : 'picker.drop');
  }

  override render() {
    return this.compact ? this.#row() : this.#field();
  }

  #field() {
    return html`<div class="open">
      <div class="lens">${lensFigure}</div>
      <div class="words">
        <h2>${this.dragging ? say('picker.letGo') : this.#heading}</h2>
        <div class="ways">${this.#ways(say('picker.choose'))}<slot></slot></div>
        <p class="hint">
          ${this.#touch ? nothing : say('picker.paste')} ${this.sends ? say('picker.staysUnless') : say('picker.stays')}
        </p>
        <p class="hint small">${say('picker.formats')}</p>
      </div>
    </div>`;
  }

  #row() {
    return html`<div class="ways">${this.#ways(say('picker.add'))}</div>`;
  }

  #ways(label: string) {
    const start = this.#live ? () => emit(this, 'camera', null) : this.#open('take');
    const take =
      this.#touch || this.#live
        ? html`<button type="button" @click=${start}>${cameraIcon} ${say('picker.take')}</button>`
        : nothing;
    const capture = this.#touch
      ? html`<input id="take" type="file" accept=${ACCEPT} capture="environment" tabindex="-1"
          aria-label=${say('picker.take')} @change=${this.#picked} />`
      : nothing;
    return html`<button type="button" id="choose-button" class="primary" @click=${this.#open('choose')}>${plusIcon}
      ${label}</button>
      <input id="choose" type="file" accept=${ACCEPT} multiple tabindex="-1" aria-label=${say('picker.choose')}
        @change=${this.#picked} />${take}${capture}`;
  }

  #open(id: string) {
    return () => this.renderRoot.querySelector<HTMLInputElement>(`#${id}`)?.click();
  }

  #picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    // Cleared so that the same file can be chosen again.
    input.value = '';
    if (files.length > 0) emit(this, 'files', files);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-picker': DermletPicker;
  }
}

define('dermlet-picker', DermletPicker);
