/**
 * `<dermlet-closer>`: the answer again, from more: from all turns and reflections of the photo, or from a second photo
 * of the same spot. Fires `again` (another look was asked for), which leaves it.
 */
import { css, LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { say } from '../../messages/closer.js';
import { isolated } from '../../messages/index.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import type { Closer, Photo } from '../session.js';
import { base, field } from '../styles.js';
import type { Subject, ToolPart } from '../tools.js';
import { closerOf, mayJoin } from './ask.js';

export { closerOf, mayJoin };

/** How many times as long the network takes for a thorough look: one for each turn and reflection. */
const VIEWS = 8;

/** Whole seconds, at least one. */
const secondsOf = (milliseconds: number): number => Math.max(1, Math.round(milliseconds / 1000));

export class DermletCloser extends LitElement implements ToolPart {
  static override styles = [
    base,
    field,
    css`
      .parts,
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        justify-items: start;
        gap: 0.6rem;
      }
      .parts {
        gap: 1.5rem;
      }
      h3 {
        font-size: 1.05rem;
      }
      label {
        display: grid;
        gap: 0.3rem;
        width: min(26rem, 100%);
        font-weight: 600;
      }
      .muted {
        color: var(--muted);
        font-size: 0.95rem;
      }
      .now {
        padding: 0.8rem 1rem;
        border: 1px solid var(--edge);
        border-radius: 0.9rem;
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  /** Id of the other photo that is chosen. */
  @state() private other: number | null = null;

  /** How the answer that is shown came about. */
  get #seen(): Closer | null {
    const state = this.subject?.photo.state;
    return state?.kind === 'done' ? state.seen.closer : null;
  }

  get #others(): Photo[] {
    const { subject } = this;
    const model = subject?.model;
    if (!subject || !model) return [];
    const { session, photo } = subject;
    return session.photos.filter(
      (other) => other.id !== photo.id && !session.hides(other.id) && mayJoin(photo, other, model),
    );
  }

  override render() {
    const { subject } = this;
    if (!subject) return nothing;
    const { state } = subject.photo;
    if (state.kind !== 'done') return nothing;
    const busy = state.again !== null && state.again.kind !== 'failed';
    return html`<div class="parts">
      ${this.#now(subject, busy)} ${this.#thorough(subject, busy)} ${this.#together(subject, busy)}
    </div>`;
  }

  #now({ photo, session }: Subject, busy: boolean) {
    const seen = this.#seen;
    if (!seen || photo.state.kind !== 'done') return nothing;
    return html`<section class="now" data-now>
      <p>${medical(() => seen.words(photo.name))}</p>
      <p class="ways">
        ${
          photo.state.earlier.length > 0
            ? html`<button type="button" data-do="undo" ?disabled=${busy} @click=${() => {
                this.#asked();
                session.undo(photo.id);
              }}>${say('crop.undo')}</button>`
            : nothing
        }
        <button type="button" data-do="plain" ?disabled=${busy} @click=${() => this.#ask(null)}>${say(
          'closer.plain',
        )}</button>
      </p>
    </section>`;
  }

  #thorough({ result }: Subject, busy: boolean) {
    const seen = this.#seen;
    if (seen?.thorough) return nothing;
    const { prepare, inference, interpret } = result.runtime.timings;
    const count = secondsOf(prepare + VIEWS * inference + interpret);
    return html`<section aria-labelledby="thorough">
      <h3 id="thorough">${say('closer.thorough.title')}</h3>
      <p>${medical(() => say('closer.thorough.what'))}</p>
      <p class="muted">${say('closer.thorough.takes', { count })}</p>
      <button type="button" data-do="thorough" ?disabled=${busy}
        @click=${() => this.#ask(closerOf(true, seen?.other ?? null))}>${say('closer.thorough.do')}</button>
    </section>`;
  }

  #together({ photo }: Subject, busy: boolean) {
    if (this.#seen?.other) return nothing;
    const others = this.#others;
    const chosen = others.find(({ id }) => id === this.other) ?? others[0];
    return html`<section aria-labelledby="together">
      <h3 id="together">${say('closer.together.title')}</h3>
      <p>${medical(() => say('closer.together.what'))}</p>
      ${
        chosen
          ? html`<label><span>${say('closer.together.which', { name: isolated(photo.name) })}</span>
              <select @change=${(event: Event) => (this.other = Number((event.target as HTMLSelectElement).value))}>
                ${others.map(
                  ({ id, name }) => html`<option value=${id} .selected=${id === chosen.id}>${isolated(name)}</option>`,
                )}
              </select></label>
            <button type="button" data-do="together" ?disabled=${busy}
              @click=${() => this.#ask(closerOf(this.#seen?.thorough ?? false, chosen))}>${say(
                'closer.together.do',
              )}</button>`
          : nothing
      }
      <p class="muted">${say(chosen ? 'closer.together.listed' : 'closer.together.none')}</p>
    </section>`;
  }

  #ask(closer: Closer | null): void {
    const { subject } = this;
    if (!subject) return;
    this.#asked();
    subject.session.lookCloser(subject.photo.id, closer);
  }

  #asked(): void {
    this.dispatchEvent(new Event('again', { bubbles: true, composed: true }));
  }
}

define('dermlet-closer', DermletCloser);

export const create = (): DermletCloser => new DermletCloser();
