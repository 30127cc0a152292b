/** `<dermlet-ranking>`: all categories by score, with names, percentages and bars. */
import { css, html, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';

import type { RankedClass } from '../classifier/index.js';
import { percent, say } from '../messages/index.js';
import { define } from './emit.js';
import { medical } from './medical.js';
import { base } from './styles.js';

export class DermletRanking extends LitElement {
  static override styles = [
    base,
    css`
      ol {
        display: grid;
        gap: 0.85rem;
      }
      .line {
        display: flex;
        align-items: baseline;
        justify-content: space-between;
        gap: 1rem;
      }
      .name {
        color: var(--muted);
      }
      .in .name {
        color: var(--ink);
        font-weight: 600;
      }
      .score {
        flex: none;
        font-variant-numeric: tabular-nums;
      }
      .in .score {
        font-weight: 600;
      }
      .track {
        height: 0.5rem;
        margin-top: 0.3rem;
        border-radius: 1rem;
        background: var(--track);
        overflow: hidden;
      }
      .bar {
        width: 0;
        min-width: 2px;
        height: 100%;
        border-radius: 1rem;
        background: var(--bar-rest);
      }
      .in .bar {
        background: var(--bar);
      }
      .marked {
        margin-inline-start: 0.5rem;
        padding: 0.05rem 0.45rem;
        border: 1px solid var(--edge);
        border-radius: 1rem;
        font-size: 0.75rem;
        font-weight: 600;
        white-space: nowrap;
      }
      .plain {
        margin-top: 0.3rem;
        color: var(--muted);
        font-size: 0.92rem;
      }
    `,
  ];

  @property({ attribute: false }) ranking: readonly RankedClass[] = [];

  override render() {
    return html`<ol>
      ${this.ranking.map(
        (entry) => html`<li class=${entry.inSet ? 'in' : ''}>
          <div class="line">
            <span><span class="name">${entry.name}</span>${
              entry.inSet ? html` <span class="marked">${medical(() => say('ranking.possible'))}</span>` : nothing
            }</span>
            <span class="score">${percent(entry.probability)}</span>
          </div>
          <div class="track" aria-hidden="true"><div class="bar"></div></div>
          ${entry.inSet && entry.plain ? html`<p class="plain">${entry.plain}</p>` : nothing}
        </li>`,
      )}
    </ol>`;
  }

  protected override updated(): void {
    const bars = this.renderRoot.querySelectorAll<HTMLElement>('.bar');
    this.ranking.forEach((entry, index) => bars[index]?.style.setProperty('width', `${100 * entry.probability}%`));
  }
}

define('dermlet-ranking', DermletRanking);
