/**
 * `<dermlet-form>`: says what a form sends of the answers, asks whether the photos go with it, and is what the form
 * takes. Nothing is sent by it: the form is, by a person, and its receiver is named before.
 */
import { css, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import { say } from '../../messages/form.js';
import { isolated } from '../../messages/index.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { buttonOf, type Control, type FormPart } from '../in-form.js';
import { documentOf } from '../report/files.js';
import type { Done, Photo, Session } from '../session.js';
import { base } from '../styles.js';
import { receiverOf } from './receiver.js';
import { writtenAnew } from './written.js';

/** What a person agreed to: these photos, all with an answer then, to this receiver, and no others. */
interface Consent {
  readonly ids: ReadonlySet<number>;
  readonly receiver: string;
}

interface Answered {
  readonly photo: Photo;
  readonly done: Done;
}

const answeredOf = (photo: Photo): Answered[] => (photo.state.kind === 'done' ? [{ photo, done: photo.state }] : []);

/** Whether it is being looked at, or will be without anybody's doing. */
const atWork = ({ state }: Photo): boolean =>
  state.kind === 'waiting' ||
  state.kind === 'running' ||
  (state.kind === 'done' && state.again !== null && state.again.kind !== 'failed');

const isBusy = ({ load, paused, photos }: Session): boolean => load.kind !== 'failed' && !paused && photos.some(atWork);

export class DermletForm extends LitElement implements FormPart {
  static override styles = [
    base,
    css`
      section {
        display: grid;
        gap: 0.75rem;
        padding: 1.25rem;
        border: 1px solid var(--line);
        border-radius: 1.25rem;
        background: var(--card);
        overflow-wrap: anywhere;
      }
      h3 {
        font-size: 1.08rem;
      }
      label {
        display: flex;
        align-items: center;
        gap: 0.65rem;
        min-height: 2.75rem;
        font-weight: 600;
        cursor: pointer;
      }
      label span {
        min-width: 0;
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
      [role='status']:has(dermlet-text:empty) {
        display: none;
      }
    `,
  ];

  control!: Control;
  internals!: ElementInternals;

  @state() private consent: Consent | null = null;
  @state() private told: (() => string) | null = null;
  /** Null: the form must not carry an answer. */
  @state() private receiver: string | null = null;

  /** Photos written anew, by id; kept only while a person agrees. */
  readonly #written = new Map<number, File>();
  #writing: Promise<void> | null = null;
  #form: HTMLFormElement | null = null;
  #watch: MutationObserver | null = null;
  /** What the value was made of. */
  #madeOf: readonly unknown[] = [];

  get #photos(): readonly Photo[] {
    return this.control.loader?.photos ?? [];
  }

  /** Oldest first, as they were chosen. */
  get #answered(): Answered[] {
    return this.#photos.flatMap(answeredOf).reverse();
  }

  override disconnectedCallback(): void {
    this.#listenTo(null);
    super.disconnectedCallback();
  }

  follow(sender: HTMLElement | null = null): void {
    const { form } = this.internals;
    this.#listenTo(form);
    if (!form) return;
    this.receiver = this.control.framedBy || receiverOf(form, sender);
    this.#keepAgreed();
    this.#setValue();
    this.#setValidity();
    this.requestUpdate();
  }

  reset(): void {
    this.#disagree();
    this.told = null;
    this.follow();
  }

  #listenTo(form: HTMLFormElement | null): void {
    if (form === this.#form) return;
    this.#form?.removeEventListener('submit', this.#submitting, true);
    this.#watch?.disconnect();
    this.#form = form;
    if (!form) return;
    form.addEventListener('submit', this.#submitting, true);
    this.#watch = new MutationObserver(() => this.follow());
    this.#watch.observe(form, { attributeFilter: ['action', 'method'] });
  }

  /** A button may send the form elsewhere than it says itself: what was agreed to does not hold there. */
  readonly #submitting = (event: SubmitEvent): void => {
    const agreed = this.consent;
    this.follow(event.submitter);
    if (!agreed || this.consent) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  /** Forgets an agreement that is about other photos or another receiver. */
  #keepAgreed(): void {
    const { consent, receiver } = this;
    if (!consent) return;
    const wanted = this.control.submitPhoto !== '';
    if (wanted && receiver === consent.receiver && this.#answered.every(({ photo }) => consent.ids.has(photo.id))) {
      for (const id of this.#written.keys())
        if (!this.#photos.some((photo) => photo.id === id)) this.#written.delete(id);
      if (this.#photos.length === 0) this.#disagree();
      else if (this.#unwritten.length > 0) this.#write();
      return;
    }
    this.#disagree();
    this.told = () => say('form.again');
  }

  #disagree(): void {
    this.consent = null;
    this.#written.clear();
  }

  readonly #ticked = (event: Event): void => {
    this.told = null;
    const { receiver } = this;
    if ((event.target as HTMLInputElement).checked && receiver !== null)
      this.consent = { ids: new Set(this.#answered.map(({ photo }) => photo.id)), receiver };
    else this.#disagree();
    this.follow();
  };

  /** Photos with an answer that are not written yet. */
  get #unwritten(): Answered[] {
    return this.consent ? this.#answered.filter(({ photo }) => !this.#written.has(photo.id)) : [];
  }

  get written(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  #write(): void {
    this.#writing ??= this.#writeAll();
  }

  /** One after another: each may take a hundred megabytes while it is decoded. */
  async #writeAll(): Promise<void> {
    try {
      for (;;) {
        const [next] = this.#unwritten;
        const { consent } = this;
        if (!next || !consent) break;
        const blob = await writtenAnew(next.photo, next.done).catch(() => null);
        if (this.consent !== consent) continue;
        if (!blob) {
          this.#disagree();
          this.told = () => say('form.cannot');
          break;
        }
        const name = `photo-${this.#answered.findIndex(({ photo }) => photo.id === next.photo.id) + 1}.jpg`;
        this.#written.set(next.photo.id, new File([blob], name, { type: blob.type }));
      }
    } finally {
      this.#writing = null;
    }
    this.follow();
  }

  /**
   * A document for each answer under the element's name, as a field for several files has an entry for each, and the
   * photos under the name that `submit-photo` gives.
   */
  #setValue(): void {
    const { name, submitPhoto } = this.control;
    const carries = this.receiver !== null && name !== '';
    const answers = carries ? this.#answered : [];
    const parts = answers.flatMap(({ photo, done }) => [done.result, this.#written.get(photo.id)]);
    const made = [name, submitPhoto, ...parts];
    if (made.length === this.#madeOf.length && made.every((part, i) => part === this.#madeOf[i])) return;
    this.#madeOf = made;
    if (answers.length === 0) return this.internals.setFormValue(null);
    const data = new FormData();
    for (const { photo, done } of answers) {
      const file = this.#written.get(photo.id) ?? null;
      const document = { ...documentOf(done.result, new Date(done.at)), photo: file?.name ?? null };
      data.append(name, JSON.stringify(document));
      if (file) data.append(submitPhoto, file);
    }
    // An empty state: what the value holds is no part of the session that browsers keep and restore.
    this.internals.setFormValue(data, '');
  }

  #setValidity(): void {
    const { internals, control } = this;
    const session = control.loader;
    const anchor = buttonOf(control);
    if (this.receiver === null) internals.setValidity({ customError: true }, say('form.notCarried'), anchor);
    else if (session && isBusy(session)) internals.setValidity({ customError: true }, say('form.busy'), anchor);
    else if (this.#unwritten.length > 0) internals.setValidity({ customError: true }, say('form.preparing'), anchor);
    else if (control.required && this.#answered.length === 0)
      internals.setValidity({ valueMissing: true }, say('form.required'), anchor);
    else internals.setValidity({});
  }

  override render() {
    const { receiver } = this;
    const to = receiver === null ? '' : isolated(receiver);
    const asked = receiver !== null && this.control.submitPhoto !== '' && this.#answered.length > 0;
    const framed = this.control.framedBy !== '';
    const sends = framed ? say('form.frame.tells', { receiver: to }) : say('form.sends', { receiver: to });
    return html`<section aria-labelledby="title">
      <h3 id="title">${framed ? say('form.frame.title') : say('form.title')}</h3>
      <p>${receiver === null ? say('form.notCarried') : sends}
        ${receiver === null || this.consent ? nothing : say('form.noPhoto')}</p>
      ${asked ? this.#question(to) : nothing}
      <p role="status">${this.#unwritten.length > 0 ? say('form.preparing') : (this.told?.() ?? '')}</p>
    </section>`;
  }

  #question(receiver: string) {
    return html`<div>
      <label>
        <input type="checkbox" id="consent" aria-describedby="note" .checked=${this.consent !== null}
          @change=${this.#ticked} />
        <span>${say('form.consent', { receiver, count: this.#answered.length })}</span>
      </label>
      <p id="note" class="muted">${this.control.framedBy ? say('form.frame.photo') : nothing}
        ${say('form.consent.note', { receiver })}</p>
    </div>`;
  }
}

define('dermlet-form', DermletForm);
