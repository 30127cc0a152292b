/** `<dermlet-details>`: how a result was made, for the curious and for bug reports. */
import { css, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import type { ModelInfo, Result, Runtime } from '../classifier/index.js';
import { cardOf, NO_PAGES, type Pages } from './card.js';
import { define } from './emit.js';
import { html } from './html.js';
import { LaterElement } from './later.js';
import './request-count.js';
import {
  checkWords,
  decodedBy,
  isolated,
  megabytes,
  milliseconds,
  modalityWords,
  modelTitle,
  number,
  say,
} from '../messages/index.js';
import { base } from './styles.js';

type Row = readonly [term: string, description: unknown];

export class DermletDetails extends LaterElement {
  static override styles = [
    base,
    css`
      details {
        border-top: 1px solid var(--line);
        border-bottom: 1px solid var(--line);
      }
      .inside {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
        padding: 0.25rem 0 1.25rem;
      }
      h3 {
        margin-bottom: 0.4rem;
        font-size: 1rem;
      }
      dl {
        display: grid;
        grid-template-columns: fit-content(45%) minmax(0, 1fr);
        gap: 0.3rem 1rem;
        font-size: 0.95rem;
      }
      dt {
        min-width: 0;
        color: var(--muted);
        overflow-wrap: anywhere;
      }
      dd {
        font-variant-numeric: tabular-nums;
        overflow-wrap: anywhere;
      }
      code {
        font-size: 0.92em;
      }
    `,
  ];

  @property({ attribute: false }) result: Result | null = null;
  @property({ attribute: false }) model: ModelInfo | null = null;
  /** The file's name. */
  @property({ attribute: false }) name = '';
  @property({ attribute: false }) chosenAt = 0;
  @property({ attribute: false }) pages: Pages = NO_PAGES;
  /** Whether all that any photo needs is kept on this device. */
  @property({ type: Boolean }) kept = false;

  override render() {
    const result = this.result;
    if (!result) return nothing;
    return html`<details>
      <summary>${say('details.title')}</summary>
      <div class="inside">
        <dermlet-request-count .chosenAt=${this.chosenAt} ?kept=${this.kept}></dermlet-request-count>
        ${this.#group(say('details.network'), this.#modelRows(result))}
        ${this.#group(say('details.run'), runRows(result.runtime))}
        ${this.#group(say('details.picture'), [[say('details.name'), isolated(this.name)], ...pictureRows(result)])}
          ${this.#group(say('details.decision'), decisionRows(result))}
      </div>
    </details>`;
  }

  #group(title: string, rows: readonly Row[]) {
    return html`<div>
      <h3>${title}</h3>
      <dl>${rows.map(([term, description]) => html`<dt>${term}</dt><dd>${description}</dd>`)}</dl>
    </div>`;
  }

  #modelRows(result: Result): Row[] {
    const { name, version, sha256 } = result.model;
    const rows: Row[] = [
      [say('details.name'), `${name} ${version}`],
      [say('details.knows'), result.head ? isolated(result.head.title) : modelTitle(result.model)],
      [say('details.sha256'), html`<code title=${sha256}>${sha256.slice(0, 16)}…</code>`],
    ];
    if (this.model) {
      const { license } = this.model;
      const { href, words } = cardOf(this.model, this.pages);
      rows.push([say('details.card'), html`<a href=${href} target="_blank" rel="noreferrer">${words}</a>`]);
      rows.push([
        say('details.licence'),
        html`<a href=${license.url} target="_blank"
          rel="noreferrer license">${isolated(license.id)}</a>${
            license.nonCommercial ? say('details.nonCommercial') : nothing
          }`,
      ]);
    }
    return rows;
  }
}

const backend = (id: Runtime['backend']) => say(`details.backends.${id}`);

function runRows({ backend: id, threads, fallback, timings }: Runtime): Row[] {
  const total = milliseconds(timings.total);
  return [
    [say('details.backend'), say('details.backendThreads', { backend: backend(id), threads })],
    ...(fallback
      ? [
          [
            say('details.insteadOf'),
            say('details.fallback', { backend: backend(fallback.from), reason: fallback.reason }),
          ] as const,
        ]
      : []),
    [say('details.reading'), milliseconds(timings.prepare)],
    [say('details.inference'), milliseconds(timings.inference)],
    [say('details.deciding'), milliseconds(timings.interpret)],
    [
      say('details.total'),
      timings.queue >= 1 ? say('details.totalWaiting', { total, queue: milliseconds(timings.queue) }) : total,
    ],
  ];
}

function pictureRows({ source, modality, modalityChoice, frame }: Result): Row[] {
  const size = ({ width, height }: { width: number; height: number }) => ({
    width: number(width),
    height: number(height),
  });
  const { region } = source;
  const format = source.format.toUpperCase();
  return [
    [say('details.file'), say('details.fileSize', { format, size: megabytes(source.bytes) })],
    [say('details.size'), say('details.pixels', size(source))],
    [say('details.orientation'), say('details.exif', { orientation: number(source.orientation) })],
    [say('details.colours'), say(`details.colour.${source.colour}`)],
    [say('details.seen'), say('details.region', { ...size(region), x: number(region.x), y: number(region.y) })],
    [say('details.decodedBy'), decodedBy(source)],
    [
      say('details.takenAs'),
      say('details.modality', {
        name: modalityWords(modality).name,
        by: say(`details.modalityBy.${modalityChoice.by}`),
      }),
    ],
    [say('details.framing'), say(`details.framings.${frame.framing}`)],
  ];
}

function decisionRows({ outcome, rejection, quality }: Result): Row[] {
  const rows: Row[] = [[say('details.outcome'), say(`details.outcomes.${outcome}`)]];
  if (rejection.method !== 'none') {
    const scored = { score: number(rejection.score, 2), method: say(`details.methods.${rejection.method}`) };
    const words =
      rejection.threshold === null
        ? say('details.neverRefused', scored)
        : say('details.rejection', { ...scored, threshold: number(rejection.threshold, 2) });
    rows.push([say('details.unlikeness'), words]);
  }
  for (const check of quality.checks) {
    const { name, value } = checkWords(check);
    rows.push([name, value]);
  }
  return rows;
}

define('dermlet-details', DermletDetails);
