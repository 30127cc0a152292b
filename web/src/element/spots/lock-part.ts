/** `<dermlet-lock>`: unlocks what is kept; sets, changes and removes the passphrase. */
import { LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { say } from '../../messages/spots.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { base } from '../styles.js';
import { looks } from './looks.js';
import type { Run } from './running.js';
import { store } from './store.js';

/** A field for a passphrase. `known`: one that was chosen before. */
export const passphraseField = (name: string, label: string, known: boolean) =>
  html`<label><span>${label}</span>
    <input type="password" name=${name} required autocomplete=${known ? 'current-password' : 'new-password'}
      autocapitalize="none" spellcheck="false" /></label>`;

/** What was typed, by the field's name. */
export const typed = (form: HTMLFormElement, name: string): string => String(new FormData(form).get(name) ?? '');

export class DermletLock extends LitElement {
  static override styles = [base, looks];

  @property({ type: Boolean }) locked = false;
  @property({ type: Boolean }) set = false;
  @property({ attribute: false }) run: Run | null = null;
  @property({ type: Boolean }) busy = false;

  override render() {
    if (this.locked) return this.#unlock();
    return html`<div class="part">
      <p>${say(this.set ? 'spots.lock.set' : 'spots.lock.none')}</p>
      ${
        this.set
          ? html`<div><button type="button" data-do="lock" ?disabled=${this.busy} @click=${() => store.lock()}>${say(
              'spots.lock.now',
            )}</button></div>`
          : nothing
      }
      <p>${say('spots.lock.forgotten')}</p>
      ${this.#change()} ${this.set ? this.#remove() : nothing}
    </div>`;
  }

  #unlock() {
    return html`<form @submit=${(event: SubmitEvent) =>
      this.#do(event, async (form) => {
        await store.unlock(typed(form, 'current'));
        return null;
      })}>
      <p>${say('spots.lock.locked')}</p>
      ${passphraseField('current', say('spots.passphrase'), true)}
      <div><button class="primary" data-do="unlock" ?disabled=${this.busy}>${say('spots.lock.unlock')}</button></div>
    </form>`;
  }

  #change() {
    return html`<form data-form="set" @submit=${(event: SubmitEvent) =>
      this.#do(event, async (form) => {
        const next = typed(form, 'new');
        if (next !== typed(form, 'again')) return () => say('spots.passphrase.differ');
        await store.setPassphrase(this.set ? typed(form, 'current') : null, next);
        form.reset();
        return () => say('spots.lock.done');
      })}>
      ${this.set ? passphraseField('current', say('spots.passphrase.current'), true) : nothing}
      ${passphraseField('new', say('spots.passphrase.new'), false)}
      ${passphraseField('again', say('spots.passphrase.again'), false)}
      <div><button data-do="set" ?disabled=${this.busy}>${say(
        this.set ? 'spots.lock.change' : 'spots.lock.do',
      )}</button></div>
    </form>`;
  }

  #remove() {
    return html`<form data-form="remove" @submit=${(event: SubmitEvent) =>
      this.#do(event, async (form) => {
        await store.setPassphrase(typed(form, 'current'), null);
        return () => say('spots.lock.removed');
      })}>
      ${passphraseField('current', say('spots.passphrase.current'), true)}
      <div><button data-do="remove" ?disabled=${this.busy}>${say('spots.lock.remove')}</button></div>
    </form>`;
  }

  #do(event: SubmitEvent, work: (form: HTMLFormElement) => Promise<(() => string) | null>): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    void this.run?.(() => work(form));
  }
}

define('dermlet-lock', DermletLock);
