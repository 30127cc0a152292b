/** `<dermlet-kept-spot>`: one spot: its name and place, its photos with their answers, and two of them compared. */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { doctor, isolated } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { medical } from '../medical.js';
import { base } from '../styles.js';
import './body-map.js';
import './comparison.js';
import './confirm.js';
import { isSpot, LONGEST_NAME, nameOf, type Place, type Spot, type Visit, visitsOf } from './entries.js';
import { SpotsError } from './error.js';
import './kept-photo.js';
import { looks } from './looks.js';
import type { Run } from './running.js';
import { store } from './store.js';
import './visit-words.js';
import { placeWords } from './words.js';

export class DermletKeptSpot extends LitElement {
  static override styles = [
    base,
    looks,
    css`
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.75rem;
        padding-top: 1rem;
        border-top: 1px solid var(--line);
      }
      ul {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1rem;
      }
      dermlet-kept-photo {
        max-width: 20rem;
      }
    `,
  ];

  @property({ attribute: false }) spot: Spot | null = null;
  @property({ attribute: false }) visits: readonly Visit[] = [];
  @property({ attribute: false }) run: Run | null = null;
  @property({ type: Boolean }) busy = false;
  @state() private name = '';
  @state() private place: Place | null = null;

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('spot');
    if (!this.spot || !changed.has('spot')) return;
    if (before?.id === this.spot.id && before.changedAt === this.spot.changedAt) return;
    this.name = this.spot.name;
    this.place = this.spot.place;
  }

  override render() {
    const { spot, visits } = this;
    if (!spot) return nothing;
    return html`<section class="part" aria-labelledby="name">
      <div>
        <button type="button" class="link" @click=${() => emit(this, 'back', null)}>${say('spots.back')}</button></div>
      <h4 id="name" tabindex="-1">${isolated(spot.name)}</h4>
      ${spot.place ? html`<p>${placeWords(spot.place)}</p>` : nothing}
      <p>${medical(doctor)}</p>
      ${visits.length > 1 ? html`<dermlet-comparison .visits=${visits}></dermlet-comparison>` : nothing}
      <ul>${[...visits].reverse().map((visit) => this.#visit(visit))}</ul>
      <details><summary>${say('spots.edit')}</summary>${this.#form(spot)}</details>
      <dermlet-confirm data-delete="spot" .label=${say('spots.delete.spot')} ?disabled=${this.busy}
        .question=${say('spots.delete.spot.ask', { name: isolated(spot.name) })}
        @confirmed=${() => this.#deleteSpot(spot)}></dermlet-confirm>
    </section>`;
  }

  /** After it was opened: the focus goes on from its name. */
  async focusName(): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('#name')?.focus();
  }

  #visit(visit: Visit) {
    return html`<li><dermlet-kept-photo .visit=${visit}></dermlet-kept-photo>
      <dermlet-visit-words .visit=${visit}></dermlet-visit-words>
      <dermlet-confirm data-delete="visit" .label=${say('spots.delete.visit')} ?disabled=${this.busy}
        .question=${say('spots.delete.visit.ask')}
        @confirmed=${() => this.#delete([visit.id])}></dermlet-confirm></li>`;
  }

  #form(spot: Spot) {
    return html`<form @submit=${(event: Event) => this.#save(event, spot)}>
      <label><span>${say('spots.name')}</span>
        <input name="name" autocomplete="off" maxlength=${LONGEST_NAME} .value=${this.name}
          @input=${(event: Event) => (this.name = (event.target as HTMLInputElement).value)} /></label>
      <dermlet-body-map .place=${this.place}
        @place=${(event: CustomEvent<Place | null>) => (this.place = event.detail)}></dermlet-body-map>
      <div><button data-do="save" ?disabled=${this.busy}>${say('spots.save')}</button></div></form>`;
  }

  #save(event: Event, { id }: Spot): void {
    event.preventDefault();
    const [name, place] = [nameOf(this.name), this.place];
    void this.run?.(async () => {
      if (name === '') return () => say('spots.nameless');
      await store.change((entries) => {
        const now = entries.find((entry): entry is Spot => isSpot(entry) && entry.id === id);
        if (!now) throw new SpotsError('GONE');
        // Later than what it changes, whatever the clock says.
        const changedAt = Math.max(Date.now(), now.changedAt + 1);
        return { put: [{ entry: { ...now, name, place, changedAt }, photo: null }], remove: [] };
      });
      return () => say('spots.saved');
    });
  }

  #delete(ids: readonly string[]): void {
    void this.run?.(async () => {
      await store.change(() => ({ put: [], remove: ids }));
      return () => say('spots.deleted');
    });
  }

  #deleteSpot({ id }: Spot): void {
    void this.run?.(async () => {
      // With photos that another tab has kept of it meanwhile.
      await store.change((entries) => ({ put: [], remove: [id, ...visitsOf(entries, id).map((visit) => visit.id)] }));
      emit(this, 'back', null);
      return () => say('spots.deleted');
    });
  }
}

define('dermlet-kept-spot', DermletKeptSpot);
