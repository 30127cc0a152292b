/**
 * `<dermlet-keep-form>`: keeps the photo that is looked at, as a visit to a new spot or to one that is kept. Fires
 * `kept` (detail: the id of the spot).
 */
import { LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { withoutImages } from '../../classifier/index.js';
import { within } from '../../classifier/inner.js';
import { isolated } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import type { Answers } from '../questions/advice.js';
import { jpegOf, pixelsOf } from '../report/files.js';
import type { Done } from '../session.js';
import { base } from '../styles.js';
import type { Subject } from '../tools.js';
import './body-map.js';
import type { Bytes } from './crypto.js';
import {
  bytesOf,
  type Entry,
  entryOf,
  isSpot,
  isVisit,
  LONGEST_NAME,
  nameOf,
  type Place,
  type Spot,
  type Visit,
} from './entries.js';
import { SpotsError } from './error.js';
import { looks } from './looks.js';
import type { Run, Told } from './running.js';
import { store } from './store.js';

export class DermletKeepForm extends LitElement {
  static override styles = [base, looks];

  @property({ attribute: false }) subject: Subject | null = null;
  @property({ attribute: false }) spots: readonly Spot[] = [];
  @property({ attribute: false }) entries: readonly Entry[] = [];
  @property({ attribute: false }) run: Run | null = null;
  @property({ type: Boolean }) busy = false;
  /** Id of the spot; empty: a new one. */
  @state() private spot = '';
  @state() private place: Place | null = null;
  @state() private name = '';

  get #done(): Done | null {
    const state = this.subject?.photo.state;
    return state?.kind === 'done' ? state : null;
  }

  override render() {
    const done = this.#done;
    if (!done) return nothing;
    const kept = this.entries.filter(isVisit).find((visit) => isOf(visit, done));
    if (kept) return this.#before(kept);
    if (!done.shown) return html`<p>${say('spots.keep.none')}</p>`;
    const known = this.spots.some(({ id }) => id === this.spot);
    return html`<form @submit=${this.#submit} aria-labelledby="keep">
      <h4 id="keep" tabindex="-1">${say('spots.keep.title')}</h4>
      <p class="muted">${say('spots.keep.what')}</p>
      ${this.spots.length > 0 ? this.#which() : nothing}
      ${known ? nothing : this.#new()}
      <div class="ways">
        <button class="primary" data-do="keep" ?disabled=${this.busy}>${say('spots.keep.do')}</button></div>
    </form>`;
  }

  get #answers(): Answers | null {
    return this.subject?.photo.said?.answers ?? null;
  }

  #before(visit: Visit) {
    const answers = this.#answers;
    const told = answers !== null && JSON.stringify(answers) !== JSON.stringify(visit.answers);
    return html`<p data-kept>${say('spots.keep.before')}</p>
      ${
        told
          ? html`<div><button type="button" data-do="keep-answers" ?disabled=${this.busy}
            @click=${() => this.run?.(() => keepAnswers(visit.id, answers))}>${say(
              'spots.keep.answers',
            )}</button></div>`
          : nothing
      }`;
  }

  #which() {
    return html`<label><span>${say('spots.keep.which')}</span>
      <select name="spot" @change=${(event: Event) => (this.spot = (event.target as HTMLSelectElement).value)}>
        <option value="" .selected=${this.spot === ''}>${say('spots.keep.new')}</option>
        ${this.spots.map(
          ({ id, name }) => html`<option value=${id} .selected=${id === this.spot}>${isolated(name)}</option>`,
        )}
      </select></label>`;
  }

  #new() {
    return html`<label><span>${say('spots.name')}</span>
        <input name="name" autocomplete="off" maxlength=${LONGEST_NAME} .value=${this.name}
          @input=${(event: Event) => (this.name = (event.target as HTMLInputElement).value)} /></label>
      <dermlet-body-map .place=${this.place} ?folded=${this.spots.length > 0}
        @place=${(event: CustomEvent<Place | null>) => (this.place = event.detail)}></dermlet-body-map>`;
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const done = this.#done;
    if (!done || this.busy) return;
    const name = nameOf(this.name);
    const known = this.spots.some(({ id }) => id === this.spot);
    if (!known && name === '') return void this.run?.(async () => () => say('spots.nameless'));
    const spot = known ? this.spot : crypto.randomUUID();
    const described = known ? null : { name, place: this.place };
    if (!(await this.run?.(() => keep(done, this.#answers, spot, described)))) return;
    [this.name, this.place] = ['', null];
    emit(this, 'kept', spot);
  }

  /** Leads there from what is above it. */
  async focusTitle(): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('#keep')?.focus();
  }
}

const isOf = (visit: Visit, { at, result }: Done): boolean =>
  visit.answeredAt === at && visit.result.model.sha256 === result.model.sha256;

async function keepAnswers(id: string, answers: Answers): Promise<Told> {
  await store.change((entries) => {
    const visit = entries.filter(isVisit).find((entry) => entry.id === id);
    if (!visit) throw new SpotsError('GONE');
    const entry = entryOf(bytesOf({ ...visit, changedAt: Date.now(), answers: answers as Visit['answers'] }));
    return { put: [{ entry, photo: null }], remove: [] };
  });
  return () => say('spots.saved');
}

async function keep(
  done: Done,
  answers: Answers | null,
  spot: string,
  /** Null: it is kept already. */
  described: Pick<Spot, 'name' | 'place'> | null,
): Promise<Told> {
  const photo = await pictureOf(done);
  const now = Date.now();
  const id = crypto.randomUUID();
  // As it will be read again: what cannot be read is not kept.
  const visit = entryOf(
    bytesOf({
      kind: 'visit',
      id,
      changedAt: now,
      spot,
      keptAt: now,
      answeredAt: done.at,
      photoBytes: photo.length,
      result: withoutImages(done.result),
      answers,
    } as unknown as Visit),
  );
  await store.change((entries) => {
    const put = [{ entry: visit, photo }];
    if (described) {
      const entry: Spot = { kind: 'spot', id: spot, changedAt: now, ...described };
      return { put: [{ entry, photo: null }, ...put], remove: [] };
    }
    // Deleted meanwhile by another tab.
    if (!entries.some((entry) => isSpot(entry) && entry.id === spot)) throw new SpotsError('GONE');
    return { put, remove: [] };
  });
  const lasting = await lasts();
  return () => say(lasting ? 'spots.kept.lasting' : 'spots.kept.maybe');
}

/** Drawn anew by the browser from what is shown: nothing of what the file held beside its picture. */
async function pictureOf({ shown }: Done): Promise<Bytes> {
  const pixels = shown && pixelsOf(shown.preview);
  const blob = pixels && (await jpegOf(pixels));
  if (!blob) throw new SpotsError('NO_PICTURE');
  return new Uint8Array(await blob.arrayBuffer());
}

/** Milliseconds that a browser has to say whether it agrees: Firefox asks the person, who need not answer. */
const PATIENCE = 3000;

/** Whether the browser has agreed not to clear what this site stores; it is asked. */
async function lasts(): Promise<boolean> {
  try {
    return await within(navigator.storage?.persist?.() ?? Promise.resolve(false), PATIENCE, 'The browser');
  } catch {
    return false;
  }
}

define('dermlet-keep-form', DermletKeepForm);
