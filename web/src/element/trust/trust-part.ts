/**
 * `<dermlet-trust>`: what can be checked of the page. Under an answer it has a subject, elsewhere the session alone.
 */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { type Inspection, type ModelInfo, requestLog } from '../../classifier/index.js';
import { isolated, language, onLanguage, type Sentence } from '../../messages/index.js';
import { say } from '../../messages/trust.js';
import { cardOf, NO_PAGES, type Pages } from '../card.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { asDermletError, type Session } from '../session.js';
import { base, field } from '../styles.js';
import type { Subject, ToolPart } from '../tools.js';
import { addressWords, type Facts, type Part, partsOf, type Row, textOf } from './facts.js';
import { MEASURED } from './measured.js';

/** The text is on the clipboard, or has to be taken from a field, as it was when it was asked for. */
type Copied = 'copied' | { text: string } | null;

export class DermletTrust extends LitElement implements ToolPart {
  static override styles = [
    base,
    field,
    css`
      .parts,
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        overflow-wrap: break-word;
      }
      .parts {
        gap: 1.5rem;
      }
      section {
        gap: 0.6rem;
      }
      h3 {
        font-size: 1.08rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.6rem 1rem;
      }
      dl {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
      }
      dt {
        color: var(--muted);
        font-size: 0.95rem;
      }
      dd {
        margin-bottom: 0.55rem;
        font-variant-numeric: tabular-nums;
        overflow-wrap: anywhere;
      }
      [data-part='files'] dd {
        font-family: ui-monospace, monospace;
        font-size: 0.85rem;
      }
      .mark {
        font-family: var(--sans);
        font-size: 0.92rem;
        white-space: nowrap;
      }
      .good::before {
        content: '✓ ' / '';
      }
      .sentences {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.6rem;
      }
      [data-part='weak'] .sentences {
        padding-inline-start: 1.2rem;
        list-style: disc;
      }
      details ul {
        font-size: 0.85rem;
        overflow-wrap: anywhere;
      }
      textarea {
        min-height: 14rem;
      }
      .field {
        display: grid;
        gap: 0.3rem;
        font-weight: 600;
      }
      .links li {
        padding-block: 0.25rem;
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  /** Where there is no answer, and so no subject. */
  @property({ attribute: false }) session: Session | null = null;
  /** The same. */
  @property({ attribute: false }) pages: Pages = NO_PAGES;

  @state() private inspection: Inspection | null = null;
  @state() private failure: string | null = null;
  @state() private served = false;
  @state() private testing = false;
  @state() private copied: Copied = null;

  /** That whose `change` is heard. */
  #heard: Session | null = null;
  /** What the worker was asked about: another model, or more that is kept, is asked about anew. */
  #asked: { model: ModelInfo; kept: boolean } | null = null;
  #forget: () => void = () => undefined;
  readonly #changed = () => this.requestUpdate();

  override connectedCallback(): void {
    super.connectedCallback();
    requestLog().addEventListener('change', this.#changed);
    this.#forget = onLanguage(this.#changed);
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    requestLog().removeEventListener('change', this.#changed);
    this.#forget();
    this.#hear(null);
    super.disconnectedCallback();
  }

  get #session(): Session | null {
    return this.subject?.session ?? this.session;
  }

  #hear(session: Session | null): void {
    if (session === this.#heard) return;
    this.#heard?.removeEventListener('change', this.#changed);
    session?.addEventListener('change', this.#changed);
    this.#heard = session;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (this.isConnected) this.#hear(this.#session);
    const load = this.#session?.load;
    if (load?.kind !== 'ready') {
      this.#asked = null;
      this.inspection = null;
      this.failure = null;
    } else if (this.#asked?.model !== load.model || this.#asked.kept !== load.kept) {
      if (this.#asked?.model !== load.model) this.inspection = this.copied = null;
      this.#asked = { model: load.model, kept: load.kept };
      void this.#ask(false);
    }
    // What is on the clipboard is old by then. A field stays: somebody may be taking the text from it.
    if (this.copied === 'copied' && changed.size > 0 && !changed.has('copied')) this.copied = null;
  }

  async #ask(test: boolean): Promise<void> {
    const asked = this.#asked;
    const session = this.#session;
    if (!session || !asked) return;
    if (test) this.testing = true;
    try {
      this.served = await isServed();
      const inspection = await session.inspect(test);
      if (this.#asked !== asked) return;
      this.inspection = inspection;
      this.failure = null;
    } catch (error) {
      if (this.#asked === asked) this.failure = asDermletError(error).message;
    } finally {
      if (test) this.testing = false;
    }
  }

  #facts(): Facts {
    const session = this.#session;
    const photo = this.subject?.photo ?? session?.selected ?? null;
    const { load } = session ?? {};
    const model = load?.kind === 'ready' ? load.model : null;
    const log = requestLog();
    return {
      at: new Date(),
      model,
      inspection: this.inspection,
      failure: this.failure,
      serviceWorker: this.served,
      requests: { load: log.since(0), ...(photo ? { photo: log.since(photo.chosenAt) } : {}) },
      kept: load?.kind === 'ready' && load.kept,
      measured: model ? MEASURED[model.sha256] : undefined,
    };
  }

  async #copy(): Promise<void> {
    const text = textOf(this.#facts());
    try {
      await navigator.clipboard.writeText(text);
      this.copied = 'copied';
    } catch {
      // Denied by the browser or the page around, or not there.
      this.copied = { text };
      await this.updateComplete;
      this.renderRoot.querySelector('textarea')?.select();
    }
  }

  override render() {
    const facts = this.#facts();
    const { tag, direction } = language();
    return html`<div class="parts" lang=${tag} dir=${direction}>
      <p>${say('trust.lead')}</p>
      <div class="ways">
        <button type="button" data-do="copy" @click=${() => this.#copy()}>${say('trust.copy')}</button>
        <p role="status">${this.#copiedWords()}</p>
      </div>
      ${
        typeof this.copied === 'object' && this.copied
          ? html`<label class="field"><span>${say('trust.text')}</span>
            <textarea readonly .value=${this.copied.text}></textarea></label>`
          : nothing
      }
      ${
        this.failure === null
          ? nothing
          : html`<div class="ways"><button type="button" data-do="ask" @click=${() => this.#ask(false)}>${say(
              'run.retry',
            )}</button></div>`
      }
      ${partsOf(facts).map((part) => this.#part(part))} ${this.#papers(facts.model)}
    </div>`;
  }

  #copiedWords(): string {
    if (this.copied === null) return '';
    return say(this.copied === 'copied' ? 'trust.copied' : 'trust.notCopied');
  }

  #part({ id, title, lead, sentences, rows, folded }: Part) {
    return html`<section data-part=${id} aria-labelledby=${id}>
      <h3 id=${id}>${title}</h3>
      ${lead ? html`<p>${marked(lead)}</p>` : nothing}
      ${rows.length > 0 ? html`<dl>${rows.map((row) => rowOf(row))}</dl>` : nothing}
      ${
        sentences.length > 0
          ? html`<ul class="sentences">${sentences.map((one) => html`<li>${marked(one)}</li>`)}</ul>`
          : nothing
      }
      ${
        folded
          ? html`<details><summary>${folded.title}</summary>
            <ul>${folded.entries.map((entry) => html`<li>${addressWords(entry)}</li>`)}</ul></details>`
          : nothing
      }
      ${id === 'test' ? this.#again() : nothing}
    </section>`;
  }

  #again() {
    return html`<div class="ways">
      <button type="button" data-do="test" aria-disabled=${this.testing ? 'true' : 'false'}
        @click=${() => !this.testing && this.#ask(true)}>${say('trust.test.again')}</button>
      <p role="status">${this.testing ? say('trust.test.running') : ''}</p>
    </div>`;
  }

  #papers(model: ModelInfo | null) {
    const pages = this.subject?.pages ?? this.pages;
    const { folder } = pages;
    if (!model && !folder) return nothing;
    const link = (href: string, words: string) =>
      html`<li><a href=${href} target="_blank" rel="noreferrer">${words}</a></li>`;
    const card = model && cardOf(model, pages);
    return html`<section data-part="papers" aria-labelledby="papers">
      <h3 id="papers">${say('trust.papers')}</h3>
      <ul class="links">
        ${card ? link(card.href, card.words) : nothing}
        ${model ? link(model.license.url, say('trust.papers.model', { id: isolated(model.license.id) })) : nothing}
        ${
          folder
            ? link(new URL('../licenses/index.html', new URL(folder, document.baseURI)).href, say('trust.papers.all'))
            : nothing
        }
      </ul>
    </section>`;
  }
}

const rowOf = ({ term, value, mark }: Row) =>
  html`<dt>${term}</dt><dd>${value}${
    mark ? html` <span class="mark ${mark.good ? 'good' : ''}">${mark.words}</span>` : nothing
  }</dd>`;

/** English where it has no translation, and marked so. */
const marked = ({ tag, direction, text }: Sentence) =>
  tag === language().tag ? text : html`<span lang=${tag} dir=${direction}>${text}</span>`;

/** Whether a service worker keeps this page's files. Asking throws in a sandbox without an origin of its own. */
async function isServed(): Promise<boolean> {
  try {
    return Boolean((await navigator.serviceWorker?.getRegistration())?.active);
  } catch {
    return false;
  }
}

define('dermlet-trust', DermletTrust);
