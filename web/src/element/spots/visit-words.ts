/** `<dermlet-visit-words>`: when a photo was kept, the answer to it, its scores and the network that gave them. */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import type { Tier } from '../../classifier/index.js';
import { mayName, tierWords, verdict } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import { raisedBy } from '../questions/raised.js';
import { withIsolated } from '../strangers.js';
import { base } from '../styles.js';
import type { Visit } from './entries.js';
import { looks } from './looks.js';
import { answersWords, momentWords, networkWords, resultOf, scoresOf } from './words.js';

export class DermletVisitWords extends LitElement {
  static override styles = [
    base,
    looks,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        overflow-wrap: anywhere;
        gap: 0.35rem;
        align-content: start;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
      }
      li > :last-child {
        margin-inline-start: auto;
      }
      ul {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.35rem;
      }
    `,
  ];

  @property({ attribute: false }) visit: Visit | null = null;

  override render() {
    const { visit } = this;
    if (!visit) return nothing;
    const result = resultOf(visit);
    return html`<h4>${say('spots.visit', { date: momentWords(visit.keptAt) })}</h4>
      <p>${medical(() => verdict(withIsolated(result)))}</p>
      ${
        mayName(result)
          ? html`<ul>${scoresOf(visit).map(
              ({ name, score }) => html`<li><span>${name}</span><span>${score}</span></li>`,
            )}</ul>`
          : nothing
      }
      <p>${medical(() => say('spots.tier', { title: tierWords(result.tier).title }))}</p>
      ${visit.answers ? this.#answers(visit.answers, result.tier) : nothing}
      <p class="muted">${networkWords(visit)}</p>`;
  }

  /** What the person had answered, and what it asked for where that was more than the tier. */
  #answers(answers: NonNullable<Visit['answers']>, tier: Tier) {
    const raised = raisedBy(answers, tier);
    return html`<p data-answers>${say('spots.answers', { answers: answersWords(answers) })}</p>
      ${raised ? html`<p>${medical(() => raised.title())}</p>` : nothing}`;
  }
}

define('dermlet-visit-words', DermletVisitWords);
