/** `<dermlet-where>`: where to go first in a country, and how soon, by what the picture and the answers ask for. */
import { css, LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { language } from '../../messages/index.js';
import { say } from '../../messages/questions.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import { base, field } from '../styles.js';
import type { Subject, ToolPart } from '../tools.js';
import { adviceOf, NO_ANSWERS } from './advice.js';
import { REGIONS, type Region, rememberedRegion, rememberRegion } from './countries.js';
import { firstWords, phoneWords, soonWords } from './words.js';

export class DermletWhere extends LitElement implements ToolPart {
  static override styles = [
    base,
    field,
    css`
      :host {
        display: block;
      }
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.6rem;
        overflow-wrap: break-word;
      }
      h3 {
        font-weight: 600;
        font-size: 1.05rem;
      }
      label {
        display: grid;
        gap: 0.3rem;
        min-width: 0;
        font-weight: 600;
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  @state() private region: Region = rememberedRegion();

  override render() {
    const { region, subject } = this;
    if (!subject) return nothing;
    const { tier } = adviceOf(subject.result.tier, subject.photo.said?.answers ?? NO_ANSWERS);
    const names = new Intl.DisplayNames([language().locale], { type: 'region' });
    const phone = phoneWords(region);
    return html`<section aria-labelledby="where">
      <h3 id="where">${say('questions.where')}</h3>
      <p>${medical(() => soonWords(tier))}</p>
      <label><span>${say('questions.country')}</span>
        <select id="country" @change=${this.#chosen}>${REGIONS.map(
          (each) =>
            html`<option value=${each} .selected=${each === region}>${
              each === 'other' ? say('questions.other') : (names.of(each) ?? each)
            }</option>`,
        )}</select></label>
      <p>${medical(() => firstWords(region))}</p>
      ${phone ? html`<p>${medical(() => phoneWords(region))}</p>` : nothing}
    </section>`;
  }

  #chosen(event: Event): void {
    this.region = (event.target as HTMLSelectElement).value as Region;
    rememberRegion(this.region);
  }
}

define('dermlet-where', DermletWhere);

export const create = (): ToolPart => new DermletWhere();
