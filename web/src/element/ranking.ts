/** `<dermlet-ranking>`: all categories by score, with names, percentages and bars. */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { RankedClass } from '../classifier/index.js';
import { categoryMeaning, categoryName, percent, say } from '../messages/index.js';
import { define } from './emit.js';
import { html } from './html.js';
import { medical } from './medical.js';
import { base } from './styles.js';

/** Characters of a category's description. */
const LONGEST = 300;

export class DermletRanking extends LitElement {
  static override styles = [
    base,
    css`
      ol {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.85rem;
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 1rem;
      }
      .what {
        /* Where large text leaves a name less than this, its score stands below it. */
        flex: 1 1 min(100%, 9rem);
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
        margin-inline-start: auto;
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
      @media (forced-colors: active) {
        .track {
          border: 1px solid CanvasText;
          height: 0.7rem;
        }
        .bar {
          forced-color-adjust: none;
          background: CanvasText;
        }
        .in .bar {
          background: Highlight;
        }
      }
      .marked {
        display: inline-block;
        margin-inline-start: 0.5rem;
        padding: 0.05rem 0.45rem;
        border: 1px solid var(--edge);
        border-radius: 1rem;
        font-size: 0.75rem;
        font-weight: 600;
        overflow-wrap: break-word;
      }
      .name,
      .plain {
        /* Marks heaped on a letter stay in their line. */
        overflow: clip;
        overflow-clip-margin: 0.2em;
        overflow-wrap: anywhere;
      }
      .whose {
        margin-top: 0.85rem;
        color: var(--muted);
        font-size: 0.85rem;
      }
      .plain {
        margin-top: 0.3rem;
        color: var(--muted);
        font-size: 0.92rem;
      }
    `,
  ];

  @property({ attribute: false }) ranking: readonly RankedClass[] = [];
  /** Folder with a page about each category, named by its id; empty: there are none. */
  @property({ attribute: false }) categoryPages = '';

  override render() {
    return html`<ol>
      ${repeat(
        this.ranking,
        // A translator leaves nothing to add or take within a line: one that changes its parts is made anew.
        (entry) => `${entry.id} ${entry.inSet}`,
        (entry) => html`<li class=${entry.inSet ? 'in' : ''}>
          <div class="line">
            <span class="what"><span class="name">${categoryName(entry)}</span>${
              entry.inSet ? html` <span class="marked">${medical(() => say('ranking.possible'))}</span>` : nothing
            }</span>
            <span class="score">${percent(entry.probability)}</span>
          </div>
          <div class="track" aria-hidden="true"><div class="bar"></div></div>
          ${entry.inSet && entry.plain ? html`<p class="plain">${categoryMeaning(entry, LONGEST)}</p>` : nothing}
          ${entry.inSet && this.categoryPages ? this.#page(entry) : nothing}
        </li>`,
      )}
    </ol>
    <p class="whose">${medical(() => say('ranking.whose'))}</p>`;
  }

  /** In a window of its own: the answer stays. */
  #page(entry: RankedClass) {
    const address = `${this.categoryPages.replace(/\/?$/, '/')}${encodeURIComponent(entry.id)}.html`;
    return html`<p class="plain">
      <a href=${address} target="_blank" rel="noopener noreferrer" hreflang="en"
        ><span>${say('ranking.page')}</span><span class="visually-hidden">: ${categoryName(entry)}</span></a>
    </p>`;
  }

  protected override updated(): void {
    const bars = this.renderRoot.querySelectorAll<HTMLElement>('.bar');
    this.ranking.forEach((entry, index) => bars[index]?.style.setProperty('width', `${100 * entry.probability}%`));
  }
}

define('dermlet-ranking', DermletRanking);
