/**
 * `<dermlet-result-card>`: the answer in one sentence, and the concern tier with what to do next and how soon. What is
 * to be chosen from, if anything is, stands between the two (slot `choice`). Fires `drawn` when it first has its words,
 * in a task of its own.
 */
import { css, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';

import type { DermletError, Result, Spot, Tier } from '../classifier/index.js';
import { imported } from '../classifier/inner.js';
import {
  day,
  doctor,
  mayName,
  modalityDoubt,
  ownNext,
  ownNote,
  printable,
  purpose,
  say,
  tierWords,
  verdict,
  verdictNote,
} from '../messages/index.js';
import { mayHelp } from './crop/helps.js';
import { dayAfter } from './day.js';
import { define, emit } from './emit.js';
import { html } from './html.js';
import { tierIcons } from './icons.js';
import { OwnTaskElement } from './later.js';
import { medical } from './medical.js';
import './notice.js';
import { asDermletError, type Raised, type Said } from './session.js';
import { withIsolated } from './strangers.js';
import { base, tierColours } from './styles.js';

/** Days until a reminder, by what the answer calls for. */
const REMIND_AFTER: Readonly<Record<Tier, number>> = { high: 1, moderate: 7, unknown: 7, low: 30 };

/** The host that an https address leads to; empty for anything else. */
function hostOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url?.protocol === 'https:' ? url.host : '';
}

export class DermletResultCard extends OwnTaskElement {
  static override styles = [
    base,
    tierColours,
    css`
      .card {
        container-type: inline-size;
      }
      .verdict {
        font-family: var(--serif);
        font-size: clamp(1.4rem, 1.2rem + 0.8vw, 1.75rem);
        font-weight: 500;
        line-height: 1.28;
        text-wrap: pretty;
        overflow: clip;
        overflow-clip-margin: 0.2em;
        hyphens: auto;
        overflow-wrap: anywhere;
      }
      .purpose {
        color: var(--muted);
        font-size: 0.95rem;
      }
      .note {
        margin-top: 0.6rem;
        color: var(--muted);
      }
      .doubt {
        color: var(--ink);
        font-weight: 600;
      }
      .next {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0.35rem 0.85rem;
        overflow-wrap: break-word;
        padding: 1rem 1.15rem;
        /* Seen where colours are forced, as are all borders. */
        border: 1px solid transparent;
        border-radius: 0.9rem;
        background: var(--tier-soft);
      }
      .next svg {
        margin-top: 0.05rem;
        color: var(--tier);
      }
      .next h3 {
        color: var(--tier);
        font-size: 1.08rem;
        line-height: 1.4;
      }
      .next .what {
        grid-column: 2;
      }
      .why {
        grid-column: 2;
        font-size: 0.95rem;
      }
      /* The picture in it has that button. */
      :host([choice]) .framing {
        display: none;
      }
      .said {
        font-weight: 600;
      }
      .always {
        grid-column: 2;
        margin-top: 0.35rem;
        font-weight: 600;
      }
      [role='status']:empty {
        display: none;
      }
      .then {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
      .then > * {
        min-width: 0;
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      @container (max-width: 16rem) {
        .next {
          grid-template-columns: minmax(0, 1fr);
          padding: min(0.7rem, 5cqi) min(0.8rem, 5cqi);
        }
        .next .what,
        .why,
        .always {
          grid-column: 1;
        }
      }
    `,
  ];

  @property({ attribute: false }) result: Result | null = null;
  /** Where to look for a doctor: an https address, opened on a tap only; empty: nowhere. */
  @property({ attribute: false }) doctorSearch = '';
  /** Those found in the photo, best first. */
  @property({ attribute: false }) spots: readonly Spot[] = [];

  /** How the answer came about, where that was not a plain look at one photo. */
  @property({ attribute: false }) closer: (() => string) | null = null;

  /** What the person has said of the photo. */
  @property({ attribute: false }) said: Said | null = null;

  /** The reminder's file, once the browser has it, or why there is none. */
  @state() private reminder: string | DermletError | null = null;

  /** What is to be seen of an answer before anything else: the sentence, and what to do or to choose from. */
  get answer(): DOMRect | null {
    const parts = [...this.renderRoot.querySelectorAll('.verdict, .what'), ...this.children];
    const [first, last] = [parts.at(0), parts.at(-1)].map((part) => part?.getBoundingClientRect());
    return first && last ? new DOMRect(first.x, first.y, first.width, last.bottom - first.y) : null;
  }

  /** What a person may do next, with nothing of the answer in it. */
  #then(tier: Tier) {
    const host = hostOf(this.doctorSearch);
    const when = dayAfter(REMIND_AFTER[tier]);
    return html`<p class="then">
      ${
        host
          ? html`<a class="button" href=${this.doctorSearch} target="_blank" rel="noopener noreferrer"
            ><span>${say('result.findDoctor', { host: printable(host) })}</span></a>`
          : nothing
      }
      <button type="button" @click=${() => this.#remind(when)}>${say('result.remind', { day: day(when) })}</button>
    </p>
    ${this.#reminded(when)}`;
  }

  #reminded(when: Date) {
    const { reminder } = this;
    const failed = reminder instanceof Error;
    return html`<p role="status">${reminder && !failed ? say('result.saved', { name: reminder }) : nothing}</p>
      ${
        failed
          ? html`<dermlet-notice .error=${reminder} retry-label=${say('run.retry')}
            @retry=${() => this.#remind(when)}></dermlet-notice>`
          : nothing
      }`;
  }

  async #remind(when: Date): Promise<void> {
    try {
      const { offerReminder } = await imported(() => import('./reminder.js'));
      this.reminder = offerReminder(when, say('result.reminder'));
    } catch (error) {
      this.reminder = asDermletError(error);
    }
  }

  protected override firstUpdated(): void {
    emit(this, 'drawn', null);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    // What a person has said may call for an earlier day than that of the reminder.
    if (changed.has('result') || changed.has('said')) this.reminder = null;
  }

  #why(tier: Tier) {
    return tierWords(tier).why ? html`<p class="why">${medical(() => tierWords(tier).why)}</p>` : nothing;
  }

  /** In place of the network's reasons. */
  #reasons({ because, network }: Raised) {
    return html`<p class="why said">${medical(because)}</p>
      <p class="why">${medical(network)}</p>`;
  }

  override render() {
    const result = this.result;
    if (!result) return nothing;
    const raised = this.said?.raised(result.tier) ?? null;
    const tier = raised?.tier ?? result.tier;
    return html`<section class="card" aria-labelledby="verdict">
      <div>
        <h2 id="verdict" class="verdict" part="verdict">${medical(() => verdict(withIsolated(result)))}</h2>
        ${mayName(result) ? nothing : html`<p class="note">${medical(() => verdictNote(result))}</p>`}
        ${result.head ? html`<p class="note" data-own>${medical(() => ownNote(result))}</p>` : nothing}
        ${this.closer ? html`<p class="note" data-closer>${medical(this.closer)}</p>` : nothing}
        ${modalityDoubt(result) ? html`<p class="note doubt">${medical(() => modalityDoubt(result))}</p>` : nothing}
      </div>
      <slot name="choice"></slot>
      <div class="next ${tier}" part="tier">
        ${tierIcons[tier]}
        <h3>${medical(() => raised?.title() ?? tierWords(tier).title)}</h3>
        <p class="what">${medical(() => (result.head ? ownNext() : tierWords(tier).next))}</p>
        ${raised ? this.#reasons(raised) : this.#why(tier)}
        <p class="always">${medical(doctor)}</p>
      </div>
      ${this.#then(tier)}
      ${
        mayHelp(result, this.spots)
          ? html`<p class="framing">
            <button type="button" @click=${() => emit(this, 'frame', null)}>${say('crop.begin')}</button>
          </p>`
          : nothing
      }
      <p class="purpose">${medical(purpose)}</p>
    </section>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-result-card': DermletResultCard;
  }
}

define('dermlet-result-card', DermletResultCard);
