/**
 * `<dermlet-result-card>`: the answer in one sentence, the concern tier with what to do next, and the scores of all
 * categories.
 */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';

import type { Result } from '../classifier/index.js';
import { define } from './emit.js';
import { html } from './html.js';
import { tierIcons } from './icons.js';
import './ranking.js';
import {
  advice,
  betterPicture,
  doctor,
  mayName,
  modalityDoubt,
  purpose,
  say,
  tierWords,
  verdict,
  verdictNote,
} from '../messages/index.js';
import { medical } from './medical.js';
import { withIsolated } from './strangers.js';
import { base } from './styles.js';

export class DermletResultCard extends LitElement {
  static override styles = [
    base,
    css`
      .card {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
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
      .always {
        grid-column: 2;
        margin-top: 0.35rem;
        font-weight: 600;
      }
      @container (max-width: 16rem) {
        .next {
          grid-template-columns: minmax(0, 1fr);
          padding: 0.7rem 0.8rem;
        }
        .next .what,
        .always {
          grid-column: 1;
        }
      }
      .high {
        --tier: var(--high);
        --tier-soft: var(--high-soft);
      }
      .moderate {
        --tier: var(--moderate);
        --tier-soft: var(--moderate-soft);
      }
      .low {
        --tier: var(--low);
        --tier-soft: var(--low-soft);
      }
      .unknown {
        --tier: var(--unknown);
        --tier-soft: var(--unknown-soft);
      }
      .part > h3 {
        margin-bottom: 0.75rem;
        font-size: 1.08rem;
      }
      .tips {
        display: grid;
        gap: 0.4rem;
        padding-inline-start: 1.2rem;
        list-style: disc;
      }
      .warn {
        margin-bottom: 0.9rem;
        color: var(--muted);
      }
    `,
  ];

  @property({ attribute: false }) result: Result | null = null;

  override render() {
    const result = this.result;
    if (!result) return nothing;
    return html`<section class="card" aria-labelledby="verdict">
      <div>
        <h2 id="verdict" class="verdict">${medical(() => verdict(withIsolated(result)))}</h2>
        <p class="note">${medical(() => verdictNote(result))}</p>
        ${modalityDoubt(result) ? html`<p class="note doubt">${medical(() => modalityDoubt(result))}</p>` : nothing}
      </div>
      <div class="next ${result.tier}">
        ${tierIcons[result.tier]}
        <h3>${medical(() => tierWords(result.tier).title)}</h3>
        <p class="what">${medical(() => tierWords(result.tier).next)}</p>
        <p class="always">${medical(doctor)}</p>
      </div>
      <p class="purpose">${medical(purpose)}</p>
      ${this.#scores(result)}
    </section>`;
  }

  #scores(result: Result) {
    if (mayName(result)) {
      return html`<div class="part">
        <h3>${say('result.scores')}</h3>
        <dermlet-ranking .ranking=${result.ranking}></dermlet-ranking>
      </div>`;
    }
    // The picture is fine; the person has to choose a spot in it.
    if (result.outcome === 'several-spots') return nothing;
    // Advice for the failed checks; without any, general advice.
    const failed = result.outcome === 'poor-quality' ? advice(result.quality.checks) : [];
    const tips = failed.length > 0 ? failed : betterPicture();
    const better = html`<div class="part">
      <h3>${say('result.better')}</h3>
      <ul class="tips">
        ${tips.map((tip) => html`<li>${tip}</li>`)}
      </ul>
    </div>`;
    if (result.outcome === 'poor-quality') return better;
    return html`${better}
      <details class="part">
        <summary>${say('result.raw')}</summary>
        <p class="warn">${medical(() => say('result.rawWarning'))}</p>
        <dermlet-ranking .ranking=${result.ranking}></dermlet-ranking>
      </details>`;
  }
}

define('dermlet-result-card', DermletResultCard);
