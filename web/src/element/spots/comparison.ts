/** `<dermlet-comparison>`: two photos of one spot, beside each other and one over the other, and what may be said. */
import { css, LitElement, nothing } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { categoryName, exactPercent } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import { base } from '../styles.js';
import { type Comparison, compare } from './compare.js';
import type { Visit } from './entries.js';
import './kept-photo.js';
import { looks } from './looks.js';
import './visit-words.js';
import { momentWords, resultOf } from './words.js';

export class DermletComparison extends LitElement {
  static override styles = [
    base,
    looks,
    css`
      .two {
        display: grid;
        /* One below the other where the text is large. */
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 8.5rem), 1fr));
        gap: 0.75rem;
      }
      .two > * {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        align-content: start;
        gap: 0.4rem;
      }
      .over {
        position: relative;
        max-width: 24rem;
      }
      .over :last-child {
        position: absolute;
        inset: 0;
      }
      input[type='range'] {
        margin: 0;
        padding: 0;
        max-width: 24rem;
        accent-color: var(--accent);
      }
    `,
  ];

  /** Of one spot, by when they were kept. */
  @property({ attribute: false }) visits: readonly Visit[] = [];
  @state() private first = '';
  @state() private second = '';
  /** Per cent of the later photo that are shown. */
  @state() private share = 50;
  @query('.later') private later!: HTMLElement | null;

  get #pair(): readonly [Visit, Visit] | null {
    const { visits } = this;
    const oldest = visits[0];
    const newest = visits.at(-1);
    if (!oldest || !newest || oldest === newest) return null;
    const one = visits.find(({ id }) => id === this.first) ?? oldest;
    const wanted = visits.find(({ id }) => id === this.second) ?? newest;
    return [one, wanted === one ? (visits.find((visit) => visit !== one) ?? newest) : wanted];
  }

  override render() {
    const pair = this.#pair;
    if (!pair) return nothing;
    const [one, other] = pair;
    const found = compare(one, other);
    return html`<section class="part" aria-labelledby="compare">
      <h4 id="compare">${say('spots.compare')}</h4>
      <div class="ways">
        ${this.#choice(say('spots.compare.one'), one, other, (id) => (this.first = id))}
        ${this.#choice(say('spots.compare.other'), other, one, (id) => (this.second = id))}
      </div>
      ${found.aligned ? this.#over(found) : nothing}
      <p class="muted">${medical(() => say(found.aligned ? 'spots.compare.aligned' : 'spots.compare.unaligned'))}</p>
      <div class="two">${[found.earlier, found.later].map(
        (visit) => html`<div>
          <dermlet-kept-photo .visit=${visit} ?inside=${found.aligned}></dermlet-kept-photo>
          <dermlet-visit-words .visit=${visit}></dermlet-visit-words></div>`,
      )}</div>
      <div class="said" role="status">
        <p>${medical(() => answersWords(found))}</p>
        ${found.poor ? html`<p>${medical(() => say('spots.compare.poor'))}</p>` : nothing}
        <p>${medical(() => say('spots.compare.limits'))}</p>
      </div>
    </section>`;
  }

  /** When it was kept, told apart from the others of the same minute. */
  #kept(visit: Visit): string {
    const words = momentWords(visit.keptAt);
    const alike = this.visits.some((other) => other !== visit && momentWords(other.keptAt) === words);
    return alike ? momentWords(visit.keptAt, 'seconds') : words;
  }

  #choice(label: string, chosen: Visit, taken: Visit, set: (id: string) => void) {
    return html`<label><span>${label}</span>
      <select @change=${(event: Event) => set((event.target as HTMLSelectElement).value)}>${this.visits
        .filter((visit) => visit !== taken)
        .map(
          (visit) => html`<option value=${visit.id} .selected=${visit === chosen}>${this.#kept(visit)}</option>`,
        )}</select></label>`;
  }

  #over({ earlier, later }: Comparison) {
    return html`<div class="over">
        <dermlet-kept-photo .visit=${earlier} inside></dermlet-kept-photo>
        <dermlet-kept-photo class="later" .visit=${later} inside></dermlet-kept-photo>
      </div>
      <label><span>${say('spots.compare.slider')}</span>
        <input type="range" min="0" max="100" .value=${String(this.share)}
          aria-valuetext=${exactPercent(this.share / 100)}
          @input=${(event: Event) => (this.share = Number((event.target as HTMLInputElement).value))} /></label>`;
  }

  /** From the side at which the slider begins: the right in languages that are written from there. */
  protected override updated(): void {
    const { later } = this;
    if (!later) return;
    const rest = `${100 - this.share}%`;
    const fromTheRight = getComputedStyle(this).direction === 'rtl';
    later.style.setProperty('clip-path', fromTheRight ? `inset(0 0 0 ${rest})` : `inset(0 ${rest} 0 0)`);
  }
}

function answersWords({ apart, same, earlier, later }: Comparison): string {
  if (apart) return say(`spots.compare.${apart}`);
  const name = (visit: Visit): string => categoryName(resultOf(visit).ranking[0]!);
  if (same) return say('spots.compare.same', { name: name(later) });
  return say('spots.compare.different', { earlier: name(earlier), later: name(later) });
}

define('dermlet-comparison', DermletComparison);
