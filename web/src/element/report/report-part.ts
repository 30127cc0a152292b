/** `<dermlet-report>`: the page for a doctor, to be saved, printed or handed over, and files for programs. */
import { css, LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { Result } from '../../classifier/index.js';
import { imported } from '../../classifier/inner.js';
import { toFhir } from '../../handler/index.js';
import { language } from '../../messages/index.js';
import { say } from '../../messages/report.js';
import { download } from '../download.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import { base } from '../styles.js';
import type { Subject } from '../tools.js';
import { base64Of, canShare, documentOf, fileName, paperOf, photoFile, pixelsOf, share } from './files.js';
import './paper.js';
import type { Pixels } from './pdf.js';
import { printNow } from './printed.js';
import { momentOf, reportOf } from './report.js';

export class DermletReport extends LitElement {
  static override styles = [
    base,
    css`
      .all,
      .files {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1rem;
      }
      h3 {
        font-size: 1.08rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
      .ways > * {
        min-width: 0;
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      label {
        display: flex;
        align-items: center;
        gap: 0.65rem;
        min-height: 2.75rem;
        cursor: pointer;
      }
      input {
        flex: none;
        width: 1.35rem;
        height: 1.35rem;
        accent-color: var(--accent);
      }
      .muted {
        color: var(--muted);
        font-size: 0.95rem;
      }
      [role='status']:empty {
        display: none;
      }
      dermlet-paper {
        padding: 1rem;
        border: 1px solid var(--line);
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  @state() private withPhoto = false;
  @state() private told: (() => string) | null = null;
  /** Why no PDF can be made of this: letters that the standard fonts lack, or a photo that the browser falsifies. */
  @state() private noPdf: 'letters' | 'pixels' | null = null;

  /** Of what it was last seen whether a PDF can be made: the answer, its picture and the language. */
  #seen: { result: Result; shown: unknown; tag: string } | null = null;

  get #preview() {
    const state = this.subject?.photo.state;
    return state?.kind === 'done' ? (state.shown?.preview ?? null) : null;
  }

  get #pixels(): Pixels | null {
    return this.#preview && pixelsOf(this.#preview);
  }

  protected override willUpdate(): void {
    const { subject } = this;
    const seen = this.#seen;
    if (!subject) return;
    // The element makes a new subject of the same at each of its draws.
    const shown = this.#preview;
    const { tag } = language();
    if (seen?.result === subject.result && seen.shown === shown && seen.tag === tag) return;
    this.#seen = { result: subject.result, shown, tag };
    void this.#look(subject.result);
  }

  async #look(result: Result): Promise<void> {
    try {
      const { fits } = await imported(() => import('./pdf.js'));
      if (this.subject?.result !== result) return;
      const fit = await fits(reportOf(this.subject));
      if (this.subject?.result === result) this.noPdf = this.#pixels ? (fit ? null : 'letters') : 'pixels';
    } catch (error) {
      console.info('Dermlet could not load what makes a PDF:', error);
    }
  }

  /** Says how it went, whatever happens. */
  async #do(work: (subject: Subject) => Promise<(() => string) | null>): Promise<void> {
    if (!this.subject) return;
    try {
      this.told = await work(this.subject);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.told = () => say('report.failed', { reason });
    }
  }

  #save(make: (subject: Subject) => Promise<File>): Promise<void> {
    return this.#do(async (subject) => {
      const file = await make(subject);
      download(file, file.name);
      return () => say('result.saved', { name: file.name });
    });
  }

  #share(make: (subject: Subject) => Promise<File>): Promise<void> {
    return this.#do(async (subject) => ((await share(await make(subject))) ? () => say('report.shared') : null));
  }

  async #pdf(subject: Subject): Promise<File> {
    const pixels = this.#pixels;
    if (!pixels) throw new Error('no picture');
    const { pdfOf } = await imported(() => import('./pdf.js'));
    const bytes = await pdfOf(reportOf(subject), pixels, paperOf(navigator.language));
    return new File([new Uint8Array(bytes)], fileName(momentOf(subject), 'pdf'), { type: 'application/pdf' });
  }

  async #photo(subject: Subject): Promise<File> {
    const pixels = this.#pixels;
    const blob = pixels && (await photoFile(pixels, reportOf(subject)));
    if (!blob) throw new Error('no picture');
    return new File([blob], fileName(momentOf(subject), 'jpg'), { type: blob.type });
  }

  async #json(subject: Subject): Promise<File> {
    const at = momentOf(subject);
    const text = `${JSON.stringify(documentOf(subject.result, at), null, 2)}\n`;
    return new File([text], fileName(at, 'json'), { type: 'application/json' });
  }

  async #fhir(subject: Subject): Promise<File> {
    const at = momentOf(subject);
    const photo = this.withPhoto ? await this.#photo(subject) : null;
    const bundle = toFhir(subject.result, {
      at,
      ...(photo ? { photo: { contentType: photo.type, base64: await base64Of(photo) } } : {}),
    });
    return new File([`${JSON.stringify(bundle, null, 2)}\n`], fileName(at, 'fhir.json'), {
      type: 'application/fhir+json',
    });
  }

  override render() {
    const { subject, noPdf } = this;
    if (!subject) return nothing;
    const asPdf = noPdf === null;
    const isRaised = Boolean(subject.photo.said?.raised(subject.result.tier));
    return html`<section class="all" aria-labelledby="title">
      <div><h3 id="title">${say('tools.report')}</h3><p>${say('report.lead')}</p></div>
      <div class="ways">
        ${
          asPdf
            ? html`<button type="button" class="primary" data-do="pdf"
              @click=${() => this.#save((now) => this.#pdf(now))}>${say('report.pdf')}</button>`
            : nothing
        }
        <button type="button" data-do="print" @click=${() => printNow(subject)}>${say('report.print')}</button>
        ${
          asPdf && canShare('application/pdf', 'pdf')
            ? html`<button type="button" data-do="share-pdf"
              @click=${() => this.#share((now) => this.#pdf(now))}>${say('report.sharePdf')}</button>`
            : nothing
        }
        ${
          canShare('image/jpeg', 'jpg')
            ? html`<button type="button" data-do="share-photo"
              @click=${() => this.#share((now) => this.#photo(now))}>${say('report.sharePhoto')}</button>`
            : nothing
        }
      </div>
      ${noPdf ? html`<p>${say(noPdf === 'letters' ? 'report.printOnly' : 'report.noPixels')}</p>` : nothing}
      <p role="status">${this.told?.() ?? nothing}</p>
      <p class="muted">${say('report.left')} ${isRaised ? say('report.answers') : nothing}</p>
      <details><summary>${say('report.software')}</summary><div class="files">
        <label><input type="checkbox" .checked=${this.withPhoto}
          @change=${(event: Event) => (this.withPhoto = (event.target as HTMLInputElement).checked)} />
          <span>${say('report.withPhoto')}</span></label>
        <div class="ways">
          <button type="button" data-do="fhir" @click=${() => this.#save((now) => this.#fhir(now))}>${say(
            'report.fhir',
          )}</button>
          <button type="button" data-do="json" @click=${() => this.#save((now) => this.#json(now))}>${say(
            'report.json',
          )}</button>
        </div>
        <p class="muted">${medical(() => say('report.unverified'))}</p>
      </div></details>
      <details><summary>${say('report.preview')}</summary>
        <dermlet-paper role="group" aria-label=${say('report.page')} .report=${reportOf(subject)}
          .preview=${this.#preview}></dermlet-paper></details>
    </section>`;
  }
}

define('dermlet-report', DermletReport);
