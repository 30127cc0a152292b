/**
 * `<dermlet-reading>`: what a reader says of the photo that is looked at, beside what the network says. Fires `keep`
 * (detail: a category's id, or the reader's own words), `next` (another photo without a reading is wanted) and `answer`
 * (the network's is to be seen).
 */
import { LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import type { ModelInfo } from '../../classifier/index.js';
import {
  categoryName,
  exactPercent,
  isolated,
  mayName,
  number,
  plainName,
  printable,
  verdict,
} from '../../messages/index.js';
import { say } from '../../messages/review.js';
import { draw } from '../canvas.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import type { Photo } from '../session.js';
import { withIsolated } from '../strangers.js';
import { base, field } from '../styles.js';
import { agreementOf, type Pair } from './agreement.js';
import { choice } from './choice.js';

import { look } from './look.js';
import type { Reading, Readings } from './readings.js';

type Classes = ModelInfo['classes'];

/** What there is to see of a photo. */
export const pictureOf = (photo: Photo | undefined) =>
  photo?.state.kind === 'done' ? photo.state.shown?.preview : undefined;

/** A category's name, or the reader's own words. */
export function labelWords(label: string, classes: Classes): string {
  const known = classes.find(({ id }) => id === label);
  if (known) return categoryName(known);
  return label === '' ? '' : isolated(label);
}

/** How often the network says what the readers have said before they saw its answer. */
export function agreementWords(photos: readonly Photo[], readings: Readings) {
  const pairs = photos.flatMap(({ id, state }): Pair[] => {
    const reading = readings.get(id);
    if (!reading?.first || state.kind !== 'done' || !mayName(state.result)) return [];
    return [{ reader: reading.label, network: state.result.ranking[0]?.id ?? '' }];
  });
  const { count, agreed, share, kappa } = agreementOf(pairs);
  if (share === null) return nothing;
  return html`<div class="agreement">
    <p>${say('review.agreement', { agreed: number(agreed), count, share: exactPercent(share) })}</p>
    <p>${
      kappa === null
        ? say('review.agreement.noKappa')
        : say('review.agreement.kappa', { kappa: number(kappa, 2), count })
    }</p>
    <p class="muted">${say('review.agreement.scope')}</p>
  </div>`;
}

export class DermletReading extends LitElement {
  static override styles = [base, field, look];

  /** One with an answer. */
  @property({ attribute: false }) photo: Photo | null = null;
  @property({ attribute: false }) classes: Classes = [];
  /** What was kept of this photo. */
  @property({ attribute: false }) reading: Reading | null = null;
  /** Whether the network's answer is not to be shown yet. */
  @property({ type: Boolean }) hides = false;
  /** Whether readers answer first: the picture then stands here. */
  @property({ type: Boolean }) blind = false;

  @state() private own = '';
  @state() private category = '';

  #of: number | null = null;

  /** Leads the focus to the categories. */
  choose(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector('select')?.focus());
  }

  protected override willUpdate(): void {
    if (this.photo?.id !== this.#of) this.#clear();
    this.#of = this.photo?.id ?? null;
  }

  #clear(): void {
    this.own = '';
    this.category = '';
  }

  #keep(label: string): void {
    if (label === '') return;
    this.#clear();
    emit(this, 'keep', label);
  }

  override render() {
    const { photo, reading, hides } = this;
    if (photo?.state.kind !== 'done') return nothing;
    const { result } = photo.state;
    return html`<form class="reading" aria-labelledby="reading" @submit=${(event: Event) => {
      event.preventDefault();
      this.#keep(this.own.trim() || this.category);
    }}>
      <h3 id="reading">${say('review.reading', { name: isolated(photo.name) })}</h3>
      ${this.blind ? html`<canvas aria-hidden="true" width="1" height="1"></canvas>` : nothing}
      <div class="answers">
        ${choice(
          say('review.reading.category'),
          this.category,
          [
            ['', say('review.reading.choose')],
            ...this.classes.map((one) => [one.id, printable(plainName(one))] as const),
          ],
          (to) => (this.category = to),
        )}
        <label class="field"><span>${say('review.reading.own')}</span>
          <input type="text" maxlength="100" .value=${live(this.own)} autocomplete="off"
            @input=${(event: Event) => (this.own = (event.target as HTMLInputElement).value)} /></label>
        <button type="submit" ?disabled=${this.own.trim() === '' && this.category === ''}>${say('review.reading.keep')}
        </button>
        ${
          !hides && mayName(result)
            ? html`<button type="button" @click=${() => this.#keep(result.ranking[0]?.id ?? '')}>${say(
                'review.reading.agree',
              )}</button>
              <button type="button" @click=${() => this.#disagree()}>${say('review.reading.disagree')}</button>`
            : nothing
        }
        <button type="button" class="link" @click=${() => emit(this, 'next', null)}>${say(
          'review.reading.next',
        )}</button>
        ${
          hides
            ? nothing
            : html`<button type="button" class="link" @click=${() => emit(this, 'answer', null)}>${say(
                'review.reading.answer',
              )}</button>`
        }
      </div>
      <p role="status">${
        reading
          ? medical(() =>
              say('review.reading.both', {
                reader: labelWords(reading.label, this.classes),
                network: verdict(withIsolated(result)),
              }),
            )
          : nothing
      }</p>
    </form>`;
  }

  #disagree(): void {
    this.#clear();
    this.choose();
  }

  protected override updated(): void {
    const canvas = this.renderRoot.querySelector('canvas');
    const picture = pictureOf(this.photo ?? undefined);
    if (canvas && picture) draw(canvas, picture);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-reading': DermletReading;
  }
}

define('dermlet-reading', DermletReading);
