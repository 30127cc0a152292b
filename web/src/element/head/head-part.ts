/**
 * `<dermlet-head>`: categories of a person's own. Uses the file of a head in the element beside it, or trains one on
 * labelled photos; a trained one is gone with the page unless it is saved.
 */
import { css, LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { Classifier, DermletError, type Head, type HeadWarning } from '../../classifier/index.js';
import { countWarnings, headInfo } from '../../classifier/inner.js';
import { say } from '../../messages/head.js';
import { exactPercent, isolated, language, list, number } from '../../messages/index.js';
import type { DermletClassifier } from '../classifier-element.js';
import { download } from '../download.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import '../notice.js';
import { asDermletError, type Session } from '../session.js';
import { base, field } from '../styles.js';
import {
  countsOf,
  type Fault,
  type Given,
  HeadError,
  nameOf,
  photosOfFolder,
  photosOfList,
  readPhotos,
} from './labelled.js';
import { type Progress, type Trained, trainOn } from './training.js';

interface Ready extends Trained {
  readonly file: Blob;
}

/** Under way: until the network has come there is no progress. */
interface Run {
  readonly stop: AbortController;
  readonly progress: Progress | null;
}

const EVENTS = ['dermlet-ready', 'dermlet-result', 'dermlet-error'] as const;

function faultWords(fault: Fault): string {
  switch (fault.code) {
    case 'TOO_FEW_PHOTOS':
      return say('head.error.TOO_FEW_PHOTOS', { name: isolated(fault.name) });
    case 'SAME_CATEGORY':
      return say('head.error.SAME_CATEGORY', { one: isolated(fault.one), other: isolated(fault.other) });
    case 'TWO_CATEGORIES':
      return say('head.error.TWO_CATEGORIES', {
        file: isolated(fault.file),
        one: isolated(fault.one),
        other: isolated(fault.other),
      });
    case 'OTHER_NETWORK':
      return say('head.error.OTHER_NETWORK', { name: isolated(fault.name), version: fault.version });
    default:
      return say(`head.error.${fault.code}`);
  }
}

/** @throws HeadError */
async function readHead(file: Blob): Promise<Head> {
  try {
    return await Classifier.readHead(file);
  } catch (cause) {
    if (cause instanceof DermletError && cause.code === 'MODEL_TOO_NEW')
      throw new HeadError({ code: 'TOO_NEW' }, { cause });
    if (cause instanceof DermletError && cause.code !== 'MODEL_CORRUPT') throw cause;
    throw new HeadError({ code: cause instanceof DermletError ? 'NOT_A_HEAD' : 'UNREADABLE' }, { cause });
  }
}

export class DermletHead extends LitElement {
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
        padding-bottom: 1rem;
      }
      section {
        gap: 0.7rem;
      }
      h3,
      h4 {
        margin: 0;
        font-size: 1rem;
        overflow-wrap: anywhere;
      }
      .muted {
        color: var(--muted);
        font-size: 0.95rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.6rem;
      }
      .field {
        display: grid;
        gap: 0.3rem;
        font-weight: 600;
      }
      button,
      .ways > * {
        min-width: 0;
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      progress {
        width: 100%;
        accent-color: var(--accent);
      }
      table {
        border-collapse: collapse;
        font-size: 0.95rem;
      }
      th,
      td {
        padding: 0.3rem 0.4rem;
        border-bottom: 1px solid var(--line);
        text-align: start;
        font-weight: 400;
        overflow-wrap: anywhere;
      }
      thead th {
        color: var(--muted);
      }
      td,
      th + th {
        text-align: end;
        font-variant-numeric: tabular-nums;
      }
      .fault {
        padding: 0.8rem 1rem;
        border: 1px solid var(--moderate);
        border-radius: 0.75rem;
        background: var(--card);
      }
      code {
        color: var(--muted);
        font-size: 0.85rem;
      }
    `,
  ];

  /** Whose answers come in the categories. */
  @property({ attribute: false }) host: DermletClassifier | null = null;

  /** That which is in use, by its file. */
  @state() private used: { file: Blob; head: Head } | null = null;
  @state() private given: Given | null = null;
  @state() private named = '';
  @state() private crop: 'auto' | 'whole' = 'auto';
  @state() private run: Run | null = null;
  @state() private ready: Ready | null = null;
  @state() private fault: { about: 'use' | 'train'; fault: Fault | DermletError } | null = null;
  @state() private status: (() => string) | null = null;

  /** That whose `change` is heard: photos get labels. */
  #heard: Session | null = null;
  readonly #changed = () => this.requestUpdate();

  override connectedCallback(): void {
    super.connectedCallback();
    for (const type of EVENTS) this.host?.addEventListener(type, this.#changed);
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    for (const type of EVENTS) this.host?.removeEventListener(type, this.#changed);
    this.#hear(null);
    this.run?.stop.abort();
    super.disconnectedCallback();
  }

  #hear(session: Session | null): void {
    if (session === this.#heard) return;
    this.#heard?.removeEventListener('change', this.#changed);
    session?.addEventListener('change', this.#changed);
    this.#heard = session;
  }

  protected override willUpdate(): void {
    if (this.isConnected) this.#hear(this.host?.loader ?? null);
    // Another model was chosen, or the page set another head.
    if (this.used && this.host?.head !== this.used.file) this.used = null;
  }

  override render() {
    const { tag, direction } = language();
    return html`<div class="parts" lang=${tag} dir=${direction}>
      <p>${say('head.lead')}</p>
      ${this.#use()} ${this.#train()}
      <p class="visually-hidden" role="status">${this.status ? this.status() : ''}</p>
    </div>`;
  }

  #use() {
    const { used } = this;
    return html`<section aria-labelledby="use">
      <h3 id="use">${say('head.use')}</h3>
      ${used ? this.#worth(used.head) : nothing}
      <div class="ways">
        <button type="button" data-do="open" @click=${() => this.#input('file').click()}>${say('head.open')}</button>
        <input hidden id="file" type="file" accept=".head" @change=${() => void this.#opened()} />
        ${
          this.host?.head
            ? html`<button type="button" data-do="back" @click=${() => this.#back()}>${say('head.back')}</button>`
            : nothing
        }
      </div>
      ${this.#faultOf('use')}
    </section>`;
  }

  #worth({ manifest }: Head) {
    const names = list(
      manifest.classes.map(({ name }) => isolated(name)),
      'and',
    );
    return html`<p data-used>${say('head.used', { title: isolated(manifest.title), names })}</p>`;
  }

  /** What a head is worth, with what to beware of. */
  #said(head: Head) {
    const { title, pictures, accuracy, interval, leaveOneOut, warnings } = headInfo(head.manifest);
    const values = {
      title: isolated(title),
      pictures: number(pictures),
      accuracy: exactPercent(accuracy),
      least: exactPercent(interval[0]),
      most: exactPercent(interval[1]),
    };
    const { balancedAccuracy, setCoverage, setSize } = head.manifest.heldOut;
    return html`<p>${medical(() => say(leaveOneOut ? 'head.said.alone' : 'head.said.folds', values))}</p>
      <p>${medical(() =>
        say('head.sets', {
          balanced: exactPercent(balancedAccuracy),
          coverage: exactPercent(setCoverage),
          size: number(setSize, 1),
        }),
      )}</p>
      <p>${medical(() => say('head.said.notCalibrated'))}</p>
      ${this.#warned(warnings)}`;
  }

  #warned(warnings: readonly HeadWarning[]) {
    return warnings.map(
      (warning) => html`<p data-warning=${warning}>${medical(() => say(`head.said.${warning}`))}</p>`,
    );
  }

  #train() {
    const { given, run, ready } = this;
    const labelled = readPhotos(this.host?.loader?.photos ?? []).length;
    return html`<section aria-labelledby="train">
      <h3 id="train">${say('head.train')}</h3>
      <p class="muted">${say('head.train.text')}</p>
      <div class="ways">
        <button type="button" data-do="folder" ?disabled=${run !== null} @click=${() => this.#input('folder').click()}>
          ${say('head.folder')}</button
        ><input hidden id="folder" type="file" webkitdirectory @change=${() => this.#chosen()} />
        ${
          labelled > 0
            ? html`<button type="button" data-do="list" ?disabled=${run !== null} @click=${() => this.#taken()}>${say(
                'head.list',
                { count: number(labelled) },
              )}</button>`
            : nothing
        }
      </div>
      ${given && !ready ? this.#asked(given) : nothing} ${run ? this.#under(run) : nothing}
      ${this.#faultOf('train')} ${ready ? this.#done(ready) : nothing}
    </section>`;
  }

  #asked({ photos }: Given) {
    const counts = [...countsOf(photos)];
    const off = this.run !== null;
    return html`<table>
        <thead><tr><th scope="col">${say('head.category')}</th><th scope="col">${say('head.photos')}</th></tr></thead>
        <tbody>${counts.map(
          ([label, count]) => html`<tr><th scope="row">${isolated(label)}</th><td>${number(count)}</td></tr>`,
        )}</tbody>
      </table>
      ${this.#warned(countWarnings(counts.map(([, count]) => count)))}
      <label class="field"><span>${say('head.name')}</span>
        <input type="text" maxlength="80" autocomplete="off" ?disabled=${off} .value=${this.named}
          @input=${(event: Event) => (this.named = (event.target as HTMLInputElement).value)} /></label>
      <label class="field"><span>${say('head.crop')}</span>
        <select ?disabled=${off} @change=${(event: Event) =>
          (this.crop = (event.target as HTMLSelectElement).value === 'whole' ? 'whole' : 'auto')}>
          ${(['auto', 'whole'] as const).map(
            (crop) => html`<option value=${crop} ?selected=${crop === this.crop}>${say(`head.crop.${crop}`)}</option>`,
          )}
        </select></label>
      ${
        off
          ? nothing
          : html`<div class="ways"><button type="button" class="primary" data-do="start"
              @click=${() => void this.#start()}>${say('head.start')}</button></div>`
      }`;
  }

  #under({ progress, stop }: Run) {
    const words =
      progress === null
        ? say('head.coming')
        : progress.kind === 'looking'
          ? say('head.looking', { done: number(progress.done + 1), total: number(progress.total) })
          : say('head.fitting', { share: exactPercent(progress.share) });
    const share =
      progress === null ? undefined : progress.kind === 'looking' ? progress.done / progress.total : progress.share;
    return html`<p data-progress>${words}</p>
      ${
        share === undefined
          ? nothing
          : html`<progress max="1" .value=${share}
        aria-label=${say('head.train')}></progress>`
      }
      <div class="ways"><button type="button" data-do="stop"
        @click=${() => stop.abort()}>${say('head.stop')}</button></div>`;
  }

  #done(ready: Ready) {
    const { head, failed, leftOut, repeated } = ready;
    const { title, classes, pictures, heldOut } = head.manifest;
    return html`<h4 id="done" tabindex="-1">${say('head.done', { title: isolated(title) })}</h4>
      ${this.#said(head)}
      <table>
        <thead><tr><th scope="col">${say('head.category')}</th><th scope="col">${say('head.photos')}</th><th
          scope="col">${say('head.right')}</th></tr></thead>
        <tbody>${classes.map(
          ({ name }, at) =>
            html`<tr><th scope="row">${isolated(name)}</th><td>${number(pictures[at]!)}</td><td>${number(
              heldOut.confusion[at * classes.length + at]!,
            )}</td></tr>`,
        )}</tbody>
      </table>
      ${repeated > 0 ? html`<p class="muted">${say('head.repeated', { count: repeated })}</p>` : nothing}
      ${leftOut > 0 ? html`<p class="muted">${say('head.leftOut', { count: leftOut })}</p>` : nothing}
      ${this.#failed(failed)}
      <div class="ways">
        <button type="button" class="primary" data-do="save"
          @click=${() => this.#save(ready)}>${say('head.save')}</button>
        <button type="button" data-do="use" ?disabled=${this.host?.head === ready.file}
          @click=${() => this.#useOf('train', ready.file, head)}>${say('head.useIt')}</button>
      </div>
      <p class="muted">${say('head.keep')}</p>`;
  }

  #failed(failed: Trained['failed']) {
    if (failed.length === 0) return nothing;
    return html`<p>${say('head.failed')}</p>
      <ul>${failed.slice(0, 20).map(
        ({ name, code }) => html`<li>${isolated(name)}
          <code lang="en">${code}</code></li>`,
      )}
        ${failed.length > 20 ? html`<li>…</li>` : nothing}</ul>`;
  }

  #faultOf(about: 'use' | 'train') {
    if (this.fault?.about !== about) return nothing;
    const { fault } = this.fault;
    if (fault instanceof DermletError) return html`<dermlet-notice .error=${fault} about="model"></dermlet-notice>`;
    return html`<div class="fault" role="alert"><p>${faultWords(fault)}</p><code lang="en">${fault.code}</code></div>`;
  }

  #input(id: 'file' | 'folder'): HTMLInputElement {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${id}`)!;
  }

  /** What was chosen in a field, which can be chosen again. */
  #take(id: 'file' | 'folder'): File[] {
    const input = this.#input(id);
    const files = [...(input.files ?? [])];
    input.value = '';
    return files;
  }

  #fail(about: 'use' | 'train', error: unknown): void {
    this.fault = { about, fault: error instanceof HeadError ? error.fault : asDermletError(error) };
  }

  async #opened(): Promise<void> {
    const [file] = this.#take('file');
    if (!file) return;
    this.fault = null;
    try {
      // What was opened stays as it is now, whatever becomes of the file.
      const head = await readHead(file);
      this.#useOf('use', new Blob([await Classifier.headFile(head)]), head);
    } catch (error) {
      this.#fail('use', error);
    }
  }

  #useOf(about: 'use' | 'train', file: Blob, head: Head): void {
    const { host } = this;
    if (!host) return;
    const { load } = host.loader ?? {};
    const { name, version, sha256 } = head.manifest.base;
    if (load?.kind === 'ready' && load.model.sha256 !== sha256)
      return this.#fail(about, new HeadError({ code: 'OTHER_NETWORK', name, version }));
    this.fault = null;
    host.head = file;
    this.used = { file, head };
    const names = head.manifest.classes.map((entry) => isolated(entry.name));
    this.status = () => say('head.used', { title: isolated(head.manifest.title), names: list(names, 'and') });
  }

  #back(): void {
    if (this.host) this.host.head = null;
    this.used = null;
    this.fault = null;
    this.status = () => say('head.backDone');
    // Its button is gone.
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('[data-do=open]')?.focus());
  }

  #chosen(): void {
    const files = this.#take('folder');
    if (files.length > 0) this.#give(() => photosOfFolder(files));
  }

  #taken(): void {
    this.#give(() => photosOfList(this.host?.loader?.photos ?? []));
  }

  #give(read: () => Given): void {
    this.fault = null;
    this.ready = null;
    this.given = null;
    this.status = null;
    try {
      this.given = read();
      this.named = this.given.title;
    } catch (error) {
      this.#fail('train', error);
    }
  }

  async #start(): Promise<void> {
    const { given } = this;
    const session = this.host?.loader;
    if (!given || !session || this.run) return;
    const stop = new AbortController();
    this.run = { stop, progress: null };
    this.fault = null;
    this.status = () => say('head.coming');
    void this.#focusOn('[data-do=stop]');
    let classifier: Classifier | null = null;
    let then = '[data-do=start]';
    try {
      classifier = await session.another(stop.signal);
      const trained = await trainOn(classifier, given.photos, {
        title: nameOf(this.named) || say('head.unnamed'),
        crop: this.crop,
        signal: stop.signal,
        progress: (progress) => {
          if (!stop.signal.aborted) this.run = { stop, progress };
        },
      });
      this.ready = { ...trained, file: new Blob([await Classifier.headFile(trained.head)]) };
      const { title } = trained.head.manifest;
      this.status = () => say('head.done', { title: isolated(title) });
      then = '#done';
    } catch (error) {
      this.status = stop.signal.aborted ? () => say('head.stopped') : null;
      if (!stop.signal.aborted) this.#fail('train', error);
    } finally {
      classifier?.dispose();
      this.run = null;
      void this.#focusOn(then);
    }
  }

  /** Where what had the focus goes away. A person who is elsewhere is left there. */
  async #focusOn(selector: string): Promise<void> {
    const here = this.shadowRoot?.activeElement != null;
    await this.updateComplete;
    if (here) this.renderRoot.querySelector<HTMLElement>(selector)?.focus();
  }

  #save({ file, fileName }: Ready): void {
    download(file, fileName);
  }
}

define('dermlet-head', DermletHead);
