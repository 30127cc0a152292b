/**
 * `<dermlet-similar>`: the cases of an archive that the network finds most like the photo. The archive is a file that
 * a person opens from this device; it is read in the worker, and nothing of it is fetched or kept.
 */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { DermletError, OpenAtlas, Result, SimilarCase } from '../../classifier/index.js';
import { isolated, number } from '../../messages/index.js';
import { say } from '../../messages/similar.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { Latest } from '../latest.js';
import { medical } from '../medical.js';
import type { Session } from '../session.js';
import { base } from '../styles.js';
import type { Subject, ToolPart } from '../tools.js';
import { alike, faultWords, fileWords, isKnown, labelsOf, mayCompare, NEAREST } from './cases.js';
import { canCheck, isRead, picturesOf } from './pictures.js';

/** An atlas stays open while its network is in use, whether it is looked at or not. */
const opened = new WeakMap<Session, OpenAtlas>();
/** The archive's folder, for as long. */
const folders = new WeakMap<OpenAtlas, readonly File[]>();

/** What was found for an answer, or why nothing was. */
interface Found {
  /** Of the photo as the atlas is asked for it. */
  readonly result: Result;
  readonly cases: readonly SimilarCase[];
}

export class DermletSimilar extends LitElement implements ToolPart {
  static override styles = [
    base,
    css`
      .parts,
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.6rem;
        overflow-wrap: anywhere;
      }
      .parts {
        gap: 1.25rem;
      }
      h3 {
        font-size: 1.05rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.6rem;
      }
      .muted {
        color: var(--muted);
        font-size: 0.95rem;
      }
      code {
        font-family: ui-monospace, monospace;
        font-size: 0.9rem;
      }
      .fault {
        padding: 0.8rem 1rem;
        border: 1px solid var(--moderate);
        border-radius: 0.9rem;
      }
      .cases {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.6rem;
      }
      .cases li {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem 1rem;
        padding-top: 0.6rem;
        border-top: 1px solid var(--line);
      }
      .cases img {
        width: 6rem;
        height: 6rem;
        border: 1px solid var(--edge);
        border-radius: 0.7rem;
        object-fit: cover;
      }
      .what {
        flex: 1 1 10rem;
        min-width: 0;
      }
      .label {
        font-weight: 600;
      }
      .counts {
        padding-inline-start: 1.2rem;
        list-style: disc;
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  @state() private atlas: OpenAtlas | null = null;
  @state() private found: Found | null = null;
  /** Why the atlas could not be opened, or asked. */
  @state() private fault: DermletError | null = null;
  @state() private busy: 'opening' | 'comparing' | null = null;
  /** By the case's sha256; null: no folder was opened. */
  @state() private pictures: ReadonlyMap<string, string> | null = null;

  /** The look under way; a later one ends it. */
  readonly #looking = new Latest();
  /** What was asked last. */
  #asked: { atlas: OpenAtlas; result: Result } | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    this.#leave();
    super.disconnectedCallback();
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { subject } = this;
    if (!this.isConnected || !subject?.model) return;
    const atlas = opened.get(subject.session) ?? null;
    if (atlas !== this.atlas) {
      this.#leave();
      this.atlas = atlas;
    }
    if (!atlas || this.busy === 'opening') return;
    if (this.#asked?.atlas === atlas && this.#asked.result === subject.result) return;
    void this.#compare(subject, atlas);
  }

  /** Nothing that is under way counts any more. */
  #leave(): void {
    this.#looking.stop();
    this.#asked = null;
    this.#forgetFound();
    this.busy = null;
    this.fault = null;
  }

  #forgetFound(): void {
    this.found = null;
    this.#show(null);
  }

  #show(pictures: ReadonlyMap<string, File> | null): void {
    for (const url of this.pictures?.values() ?? []) URL.revokeObjectURL(url);
    this.pictures = pictures && new Map([...pictures].map(([key, file]) => [key, URL.createObjectURL(file)]));
  }

  async #run(busy: 'opening' | 'comparing', work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.busy = busy;
    this.fault = null;
    await this.#looking.run(work, (error) => {
      this.fault = error;
      this.busy = null;
    });
  }

  async #open(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = ''; // the same one can be chosen again
    const session = this.subject?.session;
    const classifier = session?.classifier;
    if (!file || !classifier) return;
    await this.#run('opening', async (signal) => {
      const atlas = await classifier.openAtlas(file, { signal });
      if (signal.aborted) return atlas.close();
      this.#close();
      opened.set(session, atlas);
    });
    this.requestUpdate();
  }

  /** The atlas that is open, and all that was found in it. */
  #close(): void {
    const session = this.subject?.session;
    const atlas = session && opened.get(session);
    if (!atlas) return;
    atlas.close();
    opened.delete(session);
    this.requestUpdate();
  }

  async #compare({ session, photo, result }: Subject, atlas: OpenAtlas): Promise<void> {
    this.#asked = { atlas, result };
    this.#forgetFound();
    await this.#run('comparing', async (signal) => {
      // Looked at as the cases were, unless the person has framed a part of the photo.
      const crop = photo.crop ?? (atlas.manifest.crop === 'whole' ? 'whole' : 'auto');
      const options = { modality: result.modality, crop, embedding: true, signal };
      const own = await session.classifier?.classify(photo.file, options);
      if (!own || signal.aborted) return;
      const cases = mayCompare(own) ? await atlas.nearest(own, NEAREST, { signal }) : [];
      if (signal.aborted) return;
      this.found = { result: own, cases };
      await this.#findPictures(atlas, signal);
    });
  }

  async #findPictures(atlas: OpenAtlas, signal: AbortSignal): Promise<void> {
    const files = folders.get(atlas);
    const cases = this.found?.cases;
    const classifier = this.subject?.session.classifier;
    if (!files || !cases || !classifier) return;
    const pictures = await picturesOf(cases, files);
    for (const [key, file] of pictures)
      if (signal.aborted || !(await isRead(file, classifier, signal))) pictures.delete(key);
    if (!signal.aborted && this.found?.cases === cases) this.#show(pictures);
  }

  async #openFolder(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = '';
    if (!this.atlas || files.length === 0) return;
    folders.set(this.atlas, files);
    await this.#findPictures(this.atlas, this.#looking.signal);
  }

  override render() {
    if (!this.subject) return nothing;
    const { atlas, fault } = this;
    return html`<div class="parts">
      <section>
        <p>${say('similar.lead')}</p>
        ${
          atlas
            ? this.#about(atlas)
            : html`<p class="muted">${say('similar.made')}
          <code dir="ltr" lang="en">dermlet atlas --images DIR --out FILE</code></p>`
        }
        <div class="ways">
          <button type="button" data-do="open" ?disabled=${this.busy === 'opening'}
            @click=${() => this.#input('atlas').click()}>${say(atlas ? 'similar.another' : 'similar.open')}</button>
          ${
            atlas
              ? html`<button type="button" data-do="close" @click=${() => this.#close()}>${say(
                  'similar.close',
                )}</button>`
              : nothing
          }
          <input hidden id="atlas" type="file" @change=${(event: Event) => void this.#open(event)} />
        </div>
      </section>
      <p role="status" class="muted">${this.#status()}</p>
      ${fault ? this.#faultPart(fault) : nothing}
      ${atlas && this.found ? this.#foundPart(atlas, this.found) : nothing}
    </div>`;
  }

  #input(id: string): HTMLInputElement {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${id}`)!;
  }

  #about({ manifest: { title, cases, base: made } }: OpenAtlas) {
    const model = isolated(`${made.name} ${made.version}`);
    return html`<p data-atlas>${say('similar.opened', { title: isolated(title), count: cases, model })}</p>`;
  }

  #status(): string {
    if (this.busy) return say(`similar.${this.busy}`);
    const count = this.found?.cases.length ?? 0;
    return this.found && count > 0 ? say('similar.found', { count }) : '';
  }

  #faultPart(fault: DermletError) {
    const { atlas, subject } = this;
    return html`<div class="fault" role="alert">
      <p>${faultWords(fault)}</p>
      <p class="muted" lang="en" dir="ltr"><code>${fault.code}</code>: ${isolated(fault.message, 400)}</p>
      ${
        atlas && subject
          ? html`<p><button type="button" data-do="again" @click=${() => void this.#compare(subject, atlas)}>${say(
              'run.retry',
            )}</button></p>`
          : nothing
      }
    </div>`;
  }

  #foundPart(atlas: OpenAtlas, { result, cases }: Found) {
    if (cases.length === 0) return html`<p data-unusable>${medical(() => say('similar.unusable'))}</p>`;
    const { usual } = atlas;
    const strange = usual && alike(cases[0]!.similarity, usual) === 'hardly';
    return html`<section data-found aria-labelledby="nearest">
        <h3 id="nearest">${say('similar.nearest')}</h3>
        <p data-note>${medical(() => say('similar.note'))}</p>
        ${isKnown(result) ? nothing : html`<p>${medical(() => say('similar.unsure'))}</p>`}
        ${strange ? html`<p data-strange>${medical(() => say('similar.strange'))}</p>` : nothing}
        ${usual ? nothing : html`<p>${say('similar.few')}</p>`}
        <ol class="cases">${cases.map((one) => this.#case(one, atlas))}</ol>
        <p class="muted">${say('similar.scale')}</p>
      </section>
      <section data-labels aria-labelledby="labels">
        <h3 id="labels">${say('similar.labels')}</h3>
        <ul class="counts">
          ${labelsOf(cases).map(
            ({ label, count }) => html`<li>${say('similar.label', { label: isolated(label), count })}</li>`,
          )}
        </ul>
      </section>
      ${this.#picturesPart(atlas)}`;
  }

  #case(one: SimilarCase, { usual }: OpenAtlas) {
    const { label, similarity, sha256 } = one;
    const value = number(similarity, 2);
    const url = this.pictures?.get(sha256);
    return html`<li>
      ${url ? html`<img src=${url} alt="" @error=${hide} />` : nothing}
      <div class="what">
        <p class="label">${isolated(label)}</p>
        <p>${say(`similar.alike.${usual ? alike(similarity, usual) : 'plain'}`, { value })}</p>
        <p class="muted">${fileWords(one)}</p>
      </div>
    </li>`;
  }

  #picturesPart(atlas: OpenAtlas) {
    if (atlas.manifest.names === undefined) return html`<p class="muted">${say('similar.pictures.unnamed')}</p>`;
    if (!canCheck()) return nothing;
    return html`<section>
      <p class="muted">${say('similar.pictures.what')}</p>
      <div class="ways">
        <button type="button" data-do="folder" @click=${() => this.#input('folder').click()}>${say(
          'similar.pictures.open',
        )}</button>
        <input hidden id="folder" type="file" webkitdirectory
          @change=${(event: Event) => void this.#openFolder(event)} />
      </div>
      <p role="status">${this.#picturesWords()}</p>
    </section>`;
  }

  #picturesWords(): string {
    const count = this.pictures?.size;
    if (count === undefined) return '';
    return count === 0 ? say('similar.pictures.none') : say('similar.pictures.found', { count });
  }
}

/** A format that this browser does not show. */
function hide(event: Event): void {
  (event.target as HTMLElement).hidden = true;
}

define('dermlet-similar', DermletSimilar);

export const create = (): DermletSimilar => new DermletSimilar();
