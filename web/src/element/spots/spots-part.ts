/**
 * `<dermlet-spots>`: keeps the photo that is looked at, if there is one, and shows what is kept. Fires `closed` where
 * it can be closed.
 */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { isolated, language, megabytes } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import type { Subject, ToolPart } from '../tools.js';
import './confirm.js';
import { type Entry, type Spot, spotsOf, visitsOf } from './entries.js';
import { type SpotsCode, SpotsError } from './error.js';
import './file-part.js';
import type { DermletKeepForm } from './keep-form.js';
import './keep-form.js';
import type { DermletKeptSpot } from './kept-spot.js';
import './kept-spot.js';
import './lock-part.js';
import { looks } from './looks.js';
import type { Run, Told } from './running.js';
import { type Contents, store } from './store.js';
import { dayWords, placeWords, spotsErrorWords } from './words.js';

/** Spots with which the list fills the screen of a phone. */
const LONG = 5;

const codeOf = (error: unknown): SpotsCode => (error instanceof SpotsError ? error.code : 'FAILED');

export class DermletSpots extends LitElement implements ToolPart {
  static override styles = [
    base,
    looks,
    css`
      .all {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
      }
      .list {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.6rem;
      }
      ul.list {
        grid-template-columns: repeat(auto-fill, minmax(min(16rem, 100%), 1fr));
      }
      .list button {
        display: grid;
        justify-items: start;
        justify-content: start;
        gap: 0.1rem;
        width: 100%;
        height: 100%;
        text-align: start;
      }
      .list .muted {
        font-weight: 400;
      }
      [role='status']:empty {
        display: none;
      }
      .error {
        padding: 0.8rem 1rem;
        border-inline-start: 4px solid var(--high);
        background: var(--high-soft);
        color: var(--high);
      }
      details > :not(summary) {
        padding-block: 0.5rem 1rem;
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  /** Whether it has a button that closes it. */
  @property({ type: Boolean }) closable = false;
  @state() private contents: Contents | null = null;
  @state() private error: SpotsCode | null = null;
  @state() private told: Told | null = null;
  @state() private busy = false;
  /** Id of the spot that is looked at. */
  @state() private looked: string | null = null;
  @state() private room: { usage: number; quota: number } | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    store.addEventListener('change', this.#refresh);
    void this.#refresh();
  }

  override disconnectedCallback(): void {
    store.removeEventListener('change', this.#refresh);
    super.disconnectedCallback();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('subject');
    // What was said is of another photo.
    if (before && before.photo.id !== this.subject?.photo.id) [this.told, this.error] = [null, null];
  }

  /** Counts the readings: the last one begun is shown, never one from before it was locked. */
  #readings = 0;
  /** Whether the error that is shown is of a reading, and goes with the next that works. */
  #unread = false;

  readonly #refresh = async (): Promise<void> => {
    this.#readings += 1;
    const reading = this.#readings;
    try {
      const contents = await store.read();
      if (reading !== this.#readings) return;
      // What was said is of what was open.
      if (this.contents?.entries && !contents.entries) this.told = null;
      this.contents = contents;
      if (this.#unread) [this.error, this.#unread] = [null, false];
      const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
      this.room = quota > 0 ? { usage, quota } : null;
    } catch (error) {
      if (reading !== this.#readings) return;
      [this.error, this.#unread] = [codeOf(error), true];
    }
  };

  readonly #run: Run = async (work) => {
    if (this.busy) return false;
    [this.busy, this.error, this.told, this.#unread] = [true, null, null, false];
    try {
      this.told = await work();
      return true;
    } catch (error) {
      this.error = codeOf(error);
      console.info('Dermlet could not do what was asked of its kept spots:', error);
      return false;
    } finally {
      this.busy = false;
      await this.#refresh();
    }
  };

  override render() {
    const { contents } = this;
    return html`<section class="all" aria-labelledby="title" aria-busy=${this.busy ? 'true' : 'false'}>
      ${
        this.closable
          ? html`<div>
            <button type="button" @click=${() => emit(this, 'closed', null)}>${say('kept.close')}</button></div>`
          : nothing
      }
      <div><h3 id="title">${say('spots.title')}</h3><p class="muted">${say('spots.lead')}</p></div>
      <p role="status">${this.busy ? say('spots.working') : (this.told?.() ?? nothing)}</p>
      ${this.error ? html`<p class="error" role="alert">${spotsErrorWords(this.error)}</p>` : nothing}
      ${contents ? this.#contents(contents) : nothing}
    </section>`;
  }

  #contents({ entries, hasLock, bytes, damaged }: Contents) {
    if (!entries)
      return html`<dermlet-lock locked ?busy=${this.busy} .run=${this.#run}></dermlet-lock>
        <p class="muted">${say('spots.lock.forgotten')}</p>${this.#deleteAll()}`;
    const spots = spotsOf(entries, language().locale);
    const looked = spots.find(({ id }) => id === this.looked);
    if (looked)
      return html`<dermlet-kept-spot .spot=${looked} .visits=${visitsOf(entries, looked.id)} .run=${this.#run}
        ?busy=${this.busy} @back=${this.#back}></dermlet-kept-spot>`;
    const list = this.#list(spots, entries);
    const { subject } = this;
    return html`
      ${damaged > 0 ? this.#damaged(damaged) : nothing}
      ${subject && spots.length >= LONG ? this.#toForm() : nothing}
      ${spots.length > 0 ? list : nothing}
      ${
        subject
          ? html`<dermlet-keep-form .subject=${subject} .spots=${spots} .entries=${entries} .run=${this.#run}
            ?busy=${this.busy} @kept=${this.#kept}></dermlet-keep-form>`
          : nothing
      }
      ${spots.length > 0 ? nothing : list}
      <details data-part="lock"><summary>${say('spots.lock')}</summary>
        <dermlet-lock ?set=${hasLock} ?busy=${this.busy} .run=${this.#run}></dermlet-lock></details>
      <details data-part="file"><summary>${say('spots.file')}</summary>
        <dermlet-spots-file ?any=${entries.length > 0} ?busy=${this.busy} .run=${this.#run}></dermlet-spots-file>
      </details>
      ${entries.length + damaged > 0 ? html`<p class="muted">${this.#used(bytes)}</p>${this.#deleteAll()}` : nothing}`;
  }

  #damaged(count: number) {
    return html`<div class="error"><p>${say('spots.damaged', { count })}</p>
      <dermlet-confirm data-delete="damaged" .label=${say('spots.delete.damaged')} ?disabled=${this.busy}
        .question=${say('spots.delete.damaged.ask')}
        @confirmed=${() =>
          this.#run(async () => {
            await store.deleteDamaged(say('spots.recovered'));
            return () => say('spots.deleted');
          })}></dermlet-confirm></div>`;
  }

  #list(spots: readonly Spot[], entries: readonly Entry[]) {
    return html`<section class="list" aria-labelledby="list"><h4 id="list">${say('spots.list')}</h4>
      ${
        spots.length === 0
          ? html`<p>${say('spots.empty')}</p>`
          : html`<ul class="list">${spots.map((spot) => this.#item(spot, entries))}</ul>`
      }</section>`;
  }

  /** Past a list that fills a phone. */
  #toForm() {
    return html`<div><button type="button" data-do="to-form"
      @click=${() => this.renderRoot.querySelector<DermletKeepForm>('dermlet-keep-form')?.focusTitle()}>${say(
        'spots.keep.title',
      )}</button></div>`;
  }

  #item(spot: Spot, entries: readonly Entry[]) {
    const visits = visitsOf(entries, spot.id);
    const photos = say('spots.photos', { count: visits.length });
    const last = visits.at(-1);
    return html`<li><button type="button" data-spot=${spot.id} @click=${() => this.#look(spot.id)}>
      <span>${isolated(spot.name)}</span>
      ${spot.place ? html`<span class="muted">${placeWords(spot.place)}</span>` : nothing}
      <span class="muted">${last ? say('spots.item', { photos, day: dayWords(last.keptAt) }) : photos}</span>
    </button></li>`;
  }

  #deleteAll() {
    return html`<dermlet-confirm data-delete="all" .label=${say('spots.delete.all')} ?disabled=${this.busy}
      .question=${say('spots.delete.all.ask')}
      @confirmed=${() =>
        this.#run(async () => {
          await store.deleteAll();
          this.looked = null;
          return () => say('spots.deleted');
        })}></dermlet-confirm>`;
  }

  #used(bytes: number): string {
    const size = megabytes(bytes);
    const { room } = this;
    if (!room) return say('spots.usedHere', { size });
    return say('spots.used', { size, usage: megabytes(room.usage), quota: megabytes(room.quota) });
  }

  async #look(id: string): Promise<void> {
    this.looked = id;
    [this.told, this.error] = [null, null];
    await this.updateComplete;
    await this.renderRoot.querySelector<DermletKeptSpot>('dermlet-kept-spot')?.focusName();
  }

  /** What was pressed is gone. */
  readonly #kept = async ({ detail }: CustomEvent<string>): Promise<void> => {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(`[data-spot="${detail}"]`)?.focus();
  };

  readonly #back = async (): Promise<void> => {
    const { looked } = this;
    this.looked = null;
    await this.updateComplete;
    const button = this.renderRoot.querySelector<HTMLElement>(`[data-spot="${looked}"]`);
    (button ?? this.renderRoot.querySelector<HTMLElement>('[data-spot], summary'))?.focus();
  };
}

define('dermlet-spots', DermletSpots);
