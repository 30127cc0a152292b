/** `<dermlet-spots-file>`: saves all that is kept as one encrypted file, and adds what such a file holds. */
import { LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { isolated, number } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import { download } from '../download.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { isoDay } from '../reminder.js';
import { base } from '../styles.js';
import { ENDING } from './file.js';
import { passphraseField, typed } from './lock-part.js';
import { looks } from './looks.js';
import type { Run, Told } from './running.js';
import { store } from './store.js';

export class DermletSpotsFile extends LitElement {
  static override styles = [base, looks];

  /** Whether there is anything to save. */
  @property({ type: Boolean }) any = false;
  @property({ attribute: false }) run: Run | null = null;
  @property({ type: Boolean }) busy = false;

  override render() {
    return html`<div class="part"><p>${say('spots.file.lead')}</p>
      ${this.any ? this.#save() : nothing}
      <form data-form="import" @submit=${this.#read}>
        <label><span>${say('spots.file.choose')}</span>
          <input type="file" name="file" required accept=${ENDING} /></label>
        ${passphraseField('file-passphrase', say('spots.file.passphrase'), true)}
        <div><button data-do="import" ?disabled=${this.busy}>${say('spots.file.read')}</button></div>
      </form></div>`;
  }

  #save() {
    return html`<form data-form="export" @submit=${this.#write}>
      ${passphraseField('new', say('spots.passphrase.new'), false)}
      ${passphraseField('again', say('spots.passphrase.again'), false)}
      <div><button data-do="export" ?disabled=${this.busy}>${say('spots.file.save')}</button></div></form>`;
  }

  #write(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    void this.run?.(async (): Promise<Told> => {
      const passphrase = typed(form, 'new');
      if (passphrase !== typed(form, 'again')) return () => say('spots.passphrase.differ');
      const { file, damaged } = await store.exported(passphrase);
      const name = `dermlet-${isoDay(new Date())}${ENDING}`;
      download(file, name);
      form.reset();
      return () => {
        const saved = say('spots.file.saved', { name: isolated(name) });
        return damaged > 0 ? `${saved} ${say('spots.file.without', { count: damaged })}` : saved;
      };
    });
  }

  #read(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const file = form.querySelector<HTMLInputElement>('[type=file]')?.files?.[0];
    if (!file) return;
    void this.run?.(async (): Promise<Told> => {
      const { added, updated, left } = await store.imported(file, typed(form, 'file-passphrase'));
      form.reset();
      return () => say('spots.file.added', { added: number(added), updated: number(updated), left: number(left) });
    });
  }
}

define('dermlet-spots-file', DermletSpotsFile);
