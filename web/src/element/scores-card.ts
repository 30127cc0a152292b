/** `<dermlet-scores-card>`: the scores of all categories or, where none may be named, how to take a better picture. */
import { css, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import type { Result } from '../classifier/index.js';
import { advice, betterPicture, mayName, say, verdictNote } from '../messages/index.js';
import { define } from './emit.js';
import { html } from './html.js';
import { LaterElement } from './later.js';
import { medical } from './medical.js';
import './ranking.js';
import { base } from './styles.js';

/** Whether there is anything to show: where a spot is to be chosen there is not, as the picture is fine. */
export const hasScores = ({ outcome }: Result): boolean => outcome !== 'several-spots';

export class DermletScoresCard extends LaterElement {
  static override styles = [
    base,
    css`
      h3 {
        margin-bottom: 0.75rem;
        font-size: 1.08rem;
      }
      .tips {
        display: grid;
        gap: 0.4rem;
        padding-inline-start: 1.2rem;
        list-style: disc;
      }
      .note,
      .warn {
        color: var(--muted);
      }
      .note {
        margin-top: 1rem;
        font-size: 0.92rem;
      }
      .warn {
        margin-bottom: 0.9rem;
      }
    `,
  ];

  @property({ attribute: false }) result: Result | null = null;
  /** As `<dermlet-ranking>` takes it. */
  @property({ attribute: false }) categoryPages = '';

  override render() {
    const result = this.result;
    if (!result || !hasScores(result)) return nothing;
    if (mayName(result)) {
      return html`<div class="card"><div>
        <h3>${say('result.scores')}</h3>
        <dermlet-ranking
          .ranking=${result.ranking}
          .categoryPages=${result.head ? '' : this.categoryPages}></dermlet-ranking>
        <p class="note">${medical(() => verdictNote(result))}</p>
      </div></div>`;
    }
    return html`<div class="card">${this.#better(result)}
      ${result.outcome === 'poor-quality' ? nothing : this.#raw(result)}</div>`;
  }

  /** Advice for the failed checks; without any, general advice. */
  #better(result: Result) {
    const failed = result.outcome === 'poor-quality' ? advice(result.quality.checks) : [];
    const tips = failed.length > 0 ? failed : betterPicture();
    return html`<div>
      <h3>${say('result.better')}</h3>
      <ul class="tips">
        ${tips.map((tip) => html`<li>${tip}</li>`)}
      </ul>
    </div>`;
  }

  #raw(result: Result) {
    return html`<details>
      <summary>${say('result.raw')}</summary>
      <p class="warn">${medical(() => say('result.rawWarning'))}</p>
      <dermlet-ranking .ranking=${result.ranking}></dermlet-ranking>
    </details>`;
  }
}

define('dermlet-scores-card', DermletScoresCard);
