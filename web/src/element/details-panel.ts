/** `<dermlet-details>`: what was run to get a result, for those who want to know or must report it. */
import { css, html, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';

import type { ColourSource, ModelInfo, Result, Runtime } from '../classifier/index.js';
import { define } from './emit.js';
import './request-count.js';
import { checkWords, decodedBy, megabytes, milliseconds, modalityWords } from '../messages/index.js';
import { base } from './styles.js';

const COLOURS: Record<ColourSource, string> = {
  'assumed-srgb': 'taken as sRGB; the file does not say',
  srgb: 'sRGB, as the file says',
  converted: 'converted to sRGB by what the file says',
  'unsupported-profile': 'left as they are; the file’s colour profile is of a kind that is not read',
};
const BACKENDS = { wasm: 'WebAssembly (processor)', webgpu: 'WebGPU (graphics processor)' } as const;

const MODALITY_BY: Record<Result['modalityChoice']['by'], string> = {
  caller: 'as was said',
  picture: 'as the picture looks',
  default: 'as nothing else was said',
};
const FRAMINGS: Record<Result['frame']['framing'], string> = {
  whole: 'the picture as it is',
  spot: 'around the spot that was found',
  both: 'the picture as it is, and around the spot that was found',
  chosen: 'chosen by hand',
  none: 'the picture as it is; no spot stands out',
  several: 'around one of several spots',
};

type Row = readonly [term: string, description: unknown];

export class DermletDetails extends LitElement {
  static override styles = [
    base,
    css`
      details {
        border-top: 1px solid var(--line);
        border-bottom: 1px solid var(--line);
      }
      .inside {
        display: grid;
        gap: 1.25rem;
        padding: 0.25rem 0 1.25rem;
      }
      h3 {
        margin-bottom: 0.4rem;
        font-size: 1rem;
      }
      dl {
        display: grid;
        grid-template-columns: minmax(6.5rem, auto) 1fr;
        gap: 0.3rem 1rem;
        font-size: 0.95rem;
      }
      dt {
        color: var(--muted);
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

  override render() {
    const result = this.result;
    if (!result) return nothing;
    return html`<details>
      <summary>What was run, and what left this device</summary>
      <div class="inside">
        <dermlet-request-count .chosenAt=${this.chosenAt}></dermlet-request-count>
        ${this.#group('Neural network', this.#modelRows(result))} ${this.#group('Run', runRows(result.runtime))}
        ${this.#group('Picture', [['Name', this.name], ...pictureRows(result)])}
          ${this.#group('Decision', decisionRows(result))}
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
    const { name, version, sha256, title } = result.model;
    const rows: Row[] = [
      ['Name', `${name} ${version}`],
      ['Knows', title],
      ['SHA-256', html`<code title=${sha256}>${sha256.slice(0, 16)}…</code>`],
    ];
    if (this.model) {
      const { license, cardUrl } = this.model;
      rows.push([
        'Card',
        html`<a href=${cardUrl} target="_blank" rel="noreferrer">Training data, figures and limits</a>`,
      ]);
      rows.push([
        'Licence',
        html`<a href=${license.url} target="_blank"
          rel="noreferrer license">${license.id}</a>${license.nonCommercial ? ', non-commercial use only' : nothing}`,
      ]);
    }
    return rows;
  }
}

function runRows(runtime: Runtime): Row[] {
  const { timings, fallback } = runtime;
  const rows: Row[] = [
    ['Backend', `${BACKENDS[runtime.backend]}, ${runtime.threads} ${runtime.threads === 1 ? 'thread' : 'threads'}`],
  ];
  if (fallback) rows.push(['Instead of', `${BACKENDS[fallback.from]}: ${fallback.reason}`]);
  rows.push(
    ['Reading', milliseconds(timings.prepare)],
    ['Neural network', milliseconds(timings.inference)],
    ['Deciding', milliseconds(timings.interpret)],
    [
      'In all',
      `${milliseconds(timings.total)}${timings.queue >= 1 ? `, ${milliseconds(timings.queue)} of it waiting` : ''}`,
    ],
  );
  return rows;
}

function pictureRows(result: Result): Row[] {
  const { source } = result;
  const { region } = source;
  return [
    ['File', `${source.format.toUpperCase()}, ${megabytes(source.bytes)}`],
    ['Size', `${source.width} × ${source.height} pixels upright`],
    ['Orientation', `${source.orientation} (Exif)`],
    ['Colours', COLOURS[source.colour]],
    ['Seen', `${region.width} × ${region.height} pixels from ${region.x}, ${region.y}`],
    ['Decoded by', decodedBy(source)],
    ['Taken as', `${modalityWords(result.modality).name}, ${MODALITY_BY[result.modalityChoice.by]}`],
    ['Framing', FRAMINGS[result.frame.framing]],
  ];
}

function decisionRows(result: Result): Row[] {
  const { rejection } = result;
  const rows: Row[] = [['Outcome', result.outcome]];
  if (rejection.method !== 'none') {
    const limit = rejection.threshold === null ? 'never refused' : `refused above ${rejection.threshold.toFixed(2)}`;
    rows.push(['Unlikeness', `${rejection.score.toFixed(2)} (${rejection.method}; ${limit})`]);
  }
  for (const check of result.quality.checks) {
    const { name, value } = checkWords(check);
    rows.push([name, value]);
  }
  return rows;
}

define('dermlet-details', DermletDetails);
