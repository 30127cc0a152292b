/** `<dermlet-questions>`: what a picture does not show. Answers raise the advice above, and never lower it. */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import type { Tier } from '../../classifier/index.js';
import { tierWords } from '../../messages/index.js';
import { say } from '../../messages/questions.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import type { Said } from '../session.js';
import { base, field } from '../styles.js';
import type { Subject, ToolPart } from '../tools.js';
import { AGES, type Age, type Answers, adviceOf, NO_ANSWERS, PLACES, type Place, SIGNS, type Sign } from './advice.js';
import { raisedBy, reasonsOf } from './raised.js';
import './where.js';
import { ageWords, askWords, placeWords } from './words.js';

const ABOUT_THE_PERSON: ReadonlySet<Sign> = new Set(['earlier', 'immune']);
const NOTICED = SIGNS.filter((sign) => !ABOUT_THE_PERSON.has(sign));
const OF_THE_PERSON = SIGNS.filter((sign) => ABOUT_THE_PERSON.has(sign));

const isEmpty = ({ signs, age, place }: Answers): boolean => signs.length === 0 && age === null && place === null;

const saidOf = (answers: Answers): Said | null =>
  isEmpty(answers) ? null : { answers, raised: (tier) => raisedBy(answers, tier) };

export class DermletQuestions extends LitElement implements ToolPart {
  static override styles = [
    base,
    field,
    css`
      .parts,
      fieldset {
        overflow-wrap: break-word;
      }
      .parts {
        display: flex;
        flex-direction: column;
        gap: 1.25rem;
      }
      .parts > * {
        min-width: 0;
      }
      fieldset {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        align-content: start;
        gap: 0.35rem;
      }
      legend {
        padding: 0;
        margin-bottom: 0.35rem;
        font-weight: 600;
        font-size: 1.05rem;
      }
      .tick {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        align-items: center;
        gap: 0.7rem;
        min-height: 2.75rem;
        padding-block: 0.3rem;
        cursor: pointer;
      }
      input {
        width: 1.4rem;
        height: 1.4rem;
        margin: 0;
        accent-color: var(--accent);
      }
      .choices {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem 1.25rem;
      }
      .choices label {
        display: grid;
        gap: 0.3rem;
        min-width: 0;
        flex: 1 1 12rem;
        font-weight: 600;
      }
      .effect {
        padding: 0.8rem 1rem;
        border: 1px solid var(--edge);
        border-radius: 0.9rem;
        background: var(--card);
        font-weight: 600;
      }
      /* Who ticks one box and stops there reads what it changes. */
      @media (min-height: 36rem) {
        [role='status'] {
          position: sticky;
          z-index: 1;
          bottom: 0.5rem;
        }
        .effect {
          box-shadow: var(--shade);
        }
        /* What has the focus is not behind it. */
        input,
        select {
          scroll-margin-bottom: 11rem;
        }
      }
      .muted {
        color: var(--muted);
        font-size: 0.95rem;
      }
      dermlet-where {
        padding-top: 1rem;
        border-top: 1px solid var(--line);
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;

  get #answers(): Answers {
    return this.subject?.photo.said?.answers ?? NO_ANSWERS;
  }

  override render() {
    const { subject } = this;
    if (!subject) return nothing;
    const answers = this.#answers;
    return html`<div class="parts">
      <div>
        <p>${medical(() => say('questions.intro'))}</p>
        <p class="muted">${say('questions.stays')}</p>
      </div>
      <fieldset>
        <legend>${say('questions.noticed')}</legend>
        ${NOTICED.map((sign) => this.#tick(sign, answers))}
      </fieldset>
      <div class="choices">
        ${this.#choice(say('questions.place'), PLACES, answers.place, placeWords, (place) => this.#set({ place }))}
      </div>
      <fieldset>
        <legend>${say('questions.you')}</legend>
        ${OF_THE_PERSON.map((sign) => this.#tick(sign, answers))}
        <div class="choices">
          ${this.#choice(say('questions.age'), AGES, answers.age, ageWords, (age) => this.#set({ age }))}
        </div>
      </fieldset>
      <div role="status">${isEmpty(answers) ? nothing : this.#effect(subject.result.tier, answers)}</div>
      ${
        isEmpty(answers)
          ? nothing
          : html`<p><button type="button" @click=${this.#clear}>${say('questions.clear')}</button></p>`
      }
      <dermlet-where .subject=${subject}></dermlet-where>
    </div>`;
  }

  #tick(sign: Sign, { signs }: Answers) {
    return html`<label class="tick"><input type="checkbox" name=${sign} .checked=${signs.includes(sign)}
      @change=${(event: Event) => this.#ticked(sign, (event.target as HTMLInputElement).checked)} />
      <span>${medical(() => askWords(sign))}</span></label>`;
  }

  #choice<Value extends Age | Place>(
    name: string,
    values: readonly Value[],
    value: Value | null,
    words: (value: Value) => string,
    set: (value: Value | null) => void,
  ) {
    return html`<label><span>${name}</span>
      <select @change=${(event: Event) => {
        const { selectedIndex } = event.target as HTMLSelectElement;
        set(values[selectedIndex - 1] ?? null);
      }}>
        <option .selected=${value === null}>${say('questions.unanswered')}</option>
        ${values.map((each) => html`<option .selected=${each === value}>${words(each)}</option>`)}
      </select></label>`;
  }

  #effect(tier: Tier, answers: Answers) {
    const { raised, tier: advised, because } = adviceOf(tier, answers);
    const words = () => {
      if (raised) return say('questions.effect.raised', { next: tierWords(advised).next });
      if (because.length > 0) return say('questions.effect.same', { answers: reasonsOf(because) });
      return say('questions.effect.none');
    };
    return html`<p class="effect">${medical(words)}</p>`;
  }

  #ticked(sign: Sign, on: boolean): void {
    const { signs } = this.#answers;
    this.#set({ signs: SIGNS.filter((each) => (each === sign ? on : signs.includes(each))) });
  }

  #set(change: Partial<Answers>): void {
    const { subject } = this;
    subject?.session.setSaid(subject.photo.id, saidOf({ ...this.#answers, ...change }));
  }

  /** The button goes: the focus stays among the questions. */
  async #clear(): Promise<void> {
    this.#set(NO_ANSWERS);
    this.renderRoot.querySelector('input')?.focus();
  }
}

define('dermlet-questions', DermletQuestions);

export const create = (): ToolPart => new DermletQuestions();
