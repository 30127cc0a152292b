/** `<dermlet-paper>`: the report as one page, as it is printed and as it is previewed. Paper is white in any theme. */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import type { Picture } from '../../classifier/index.js';
import type { Sentence } from '../../messages/index.js';
import { draw } from '../canvas.js';
import { place } from '../crop/place.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import type { Report } from './report.js';

/** Millimetres that A4 and Letter both have within the margins of the printed page. */
const HEIGHT = 250;
const PIXELS_A_MM = 96 / 25.4;
/** Pixels of its text: the greatest that fits one page is taken. */
const LARGEST = 13;
const SMALLEST = 5;

export class DermletPaper extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        color-scheme: light;
        background: #ffffff;
        color: #23201c;
        font: 13px / 1.4 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
        overflow-wrap: anywhere;
        container-type: inline-size;
        -webkit-print-color-adjust: exact;
        print-color-adjust: exact;
      }
      article,
      .head,
      .answer,
      .sections,
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.4em;
        align-content: start;
      }
      article {
        gap: 0.9em;
      }
      h3,
      h4 {
        margin: 0;
        line-height: 1.25;
      }
      h3 {
        font-size: 1.5em;
      }
      h4 {
        font-size: 1.05em;
      }
      .muted {
        color: #544e45;
      }
      .verdict {
        font-size: 1.25em;
        font-weight: 600;
        line-height: 1.3;
      }
      .head {
        gap: 1em;
      }
      .photo {
        position: relative;
        display: grid;
        overflow: hidden;
        line-height: 0;
      }
      canvas {
        width: 100%;
        height: auto;
        max-height: 15em;
        object-fit: contain;
        object-position: start;
      }
      .region {
        position: absolute;
        outline: 2px solid #ffffff;
        outline-offset: -2px;
        border: 4px solid #23201c;
      }
      .tier {
        display: grid;
        gap: 0.25em;
        padding: 0.7em 0.9em;
        border: 1px solid var(--text);
        border-radius: 0.5em;
        background: var(--ground);
      }
      .tier h4 {
        color: var(--text);
      }
      .high {
        --text: #8f2a1b;
        --ground: #fae8e2;
      }
      .moderate {
        --text: #6f4500;
        --ground: #fbf0d8;
      }
      .low {
        --text: #324c75;
        --ground: #e8eef7;
      }
      .unknown {
        --text: #534d45;
        --ground: #eee8dd;
      }
      .row {
        display: flex;
        justify-content: space-between;
        gap: 1em;
      }
      .row > :last-child {
        flex: none;
      }
      .in {
        font-weight: 600;
      }
      .track {
        height: 0.4em;
        background: #e6dfd3;
        forced-color-adjust: none;
      }
      .bar {
        min-width: 2px;
        height: 100%;
        background: #8ba3b1;
      }
      .in .bar {
        background: #1c4a68;
      }
      dl {
        font-size: 0.88em;
      }
      dl div {
        display: block;
      }
      dt,
      dd {
        display: inline;
      }
      dt {
        color: #544e45;
      }
      dt::after {
        content: ': ';
      }
      .small {
        font-size: 0.9em;
      }
      @container (min-width: 30rem) {
        .head {
          grid-template-columns: 15em minmax(0, 1fr);
        }
        .sections {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
          gap: 0.6em 1.5em;
        }
        .quality {
          grid-row: span 2;
        }
      }
    `,
  ];

  @property({ attribute: false }) report: Report | null = null;
  @property({ attribute: false }) preview: Picture | ImageBitmap | null = null;

  /** Draws now, with the greatest text with which it fits one page. */
  fit(): void {
    this.performUpdate();
    for (let size = LARGEST; size >= SMALLEST; size -= 0.5) {
      this.style.setProperty('font-size', `${size}px`);
      if (this.getBoundingClientRect().height <= HEIGHT * PIXELS_A_MM) return;
    }
  }

  #medical({ text, tag, direction }: Sentence) {
    return tag === this.report?.language.tag ? text : html`<span lang=${tag} dir=${direction}>${text}</span>`;
  }

  override render() {
    const { report } = this;
    if (!report) return nothing;
    const { language, tier, picture, scores, limits } = report;
    return html`<article lang=${language.tag} dir=${language.direction}>
      <div><h3>${report.title}</h3><p class="muted">${report.when}</p></div>
      <div class="head">
        <div>
          ${
            this.preview
              ? html`<div class="photo">
                <canvas role="img" aria-label=${picture.alt}></canvas>
                ${picture.region ? html`<div class="region"></div>` : nothing}
              </div>`
              : nothing
          }
          <p class="muted small">${picture.caption}</p>
        </div>
        <div class="answer">
          <p class="verdict">${this.#medical(report.verdict)}</p>
          ${report.notes.map((note) => html`<p class="muted">${this.#medical(note)}</p>`)}
          <div class="tier ${tier.id}">
            <h4>${this.#medical(tier.title)}</h4>
            <p>${this.#medical(tier.next)}</p>
            ${tier.why ? html`<p class="small">${this.#medical(tier.why)}</p>` : nothing}
            <p class="in">${this.#medical(report.doctor)}</p>
          </div>
        </div>
      </div>
      ${scores ? this.#scores(scores) : nothing}
      <div class="sections">${report.sections.map(
        ({ id, title, rows }) => html`<section class=${id}><h4>${title}</h4>
          <dl>${rows.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl></section>`,
      )}</div>
      <section><h4>${limits.title}</h4>
        ${limits.sentences.map((one) => html`<p class="small">${this.#medical(one)}</p>`)}</section>
      <p class="muted small">${this.#medical(report.made)}</p>
    </article>`;
  }

  #scores({ title, entries, rest }: NonNullable<Report['scores']>) {
    return html`<section><h4>${title}</h4>
      ${entries.map(
        ({ name, score, mark }) => html`<div class=${mark ? 'in' : ''}>
          <p class="row">
            <span>${name} ${mark ? html`<span class="small">– ${this.#medical(mark)}</span>` : nothing}</span>
            <span>${score}</span></p>
          <div class="track"><div class="bar"></div></div>
        </div>`,
      )}
      ${rest ? html`<p class="muted small">${this.#medical(rest)}</p>` : nothing}</section>`;
  }

  /** Sizes are set through CSSOM, as the page's policy forbids style attributes. */
  protected override updated(): void {
    const { report, preview } = this;
    if (!report) return;
    const bars = this.renderRoot.querySelectorAll<HTMLElement>('.bar');
    report.scores?.entries.forEach(({ share }, index) => bars[index]?.style.setProperty('width', `${100 * share}%`));
    const canvas = this.renderRoot.querySelector('canvas');
    if (!canvas || !preview) return;
    draw(canvas, preview);
    // No higher than 15 lines, so that the frame lies where the photo does.
    const { width, height } = preview;
    canvas.parentElement!.style.setProperty('max-width', `${(15 * width) / height}em`);
    const region = this.renderRoot.querySelector<HTMLElement>('.region');
    if (region && report.picture.region) place(region, report.picture.region, report.picture);
  }
}

define('dermlet-paper', DermletPaper);
