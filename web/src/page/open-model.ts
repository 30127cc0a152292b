/** `<dermlet-open-model>`, in the settings: opens a model from this device. Fires `opened` (detail: its files). */
import { css, LitElement, nothing } from 'lit';
import { state } from 'lit/decorators.js';
import type { ModelFiles, ModelInfo } from '../classifier/index.js';
import { base, define, emit, html, tokens } from '../element/index.js';
import { isolated } from '../messages/index.js';
import { say } from '../messages/open.js';
import { type Fault, filesOfFolder, filesOfZip, NoModel } from './model-files.js';

export class DermletOpenModel extends LitElement {
  static override styles = [
    tokens,
    base,
    css`
      :host {
        display: block;
        margin-block: 1rem;
        color: var(--ink);
        font-family: var(--sans);
      }
      h3 {
        margin: 0;
        font-size: 1rem;
      }
      p {
        margin: 0.15rem 0 0.6rem;
        color: var(--muted);
        font-size: 0.92rem;
      }
      p[role] {
        margin-top: 0.6rem;
        color: var(--ink);
      }
      .ways {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
    `,
  ];

  /** The opened model that is in use. */
  @state() used: ModelInfo | null = null;
  @state() private fault: Fault | null = null;
  @state() private busy = false;

  override render() {
    return html`<h3>${say('open.title')}</h3>
      <p>${say('open.text')}</p>
      <div class="ways">${this.#way('folder')}${this.#way('zip')}</div>
      <p role="status">${this.#state()}</p>`;
  }

  #way(way: 'folder' | 'zip') {
    return html`<button type="button" class="secondary" ?disabled=${this.busy} @click=${() => this.#input(way).click()}>
        ${say(`open.${way}`)}</button
      ><input
        hidden
        id=${way}
        type="file"
        ?webkitdirectory=${way === 'folder'}
        accept=${way === 'zip' ? '.zip,application/zip' : nothing}
        @change=${() => void this.#open(way)}
      />`;
  }

  #state() {
    if (this.busy) return say('open.busy');
    if (this.fault) return say(`open.${this.fault}`);
    return this.used ? say('open.used', { title: isolated(this.used.title), version: this.used.version }) : '';
  }

  #input(way: string): HTMLInputElement {
    return this.renderRoot.querySelector<HTMLInputElement>(`#${way}`)!;
  }

  async #open(way: 'folder' | 'zip'): Promise<void> {
    const input = this.#input(way);
    const chosen = [...(input.files ?? [])];
    input.value = ''; // the same one can be chosen again
    if (chosen.length === 0) return;
    this.busy = true;
    this.fault = null;
    try {
      const files = way === 'folder' ? filesOfFolder(chosen) : await filesOfZip(chosen[0]!);
      emit<ModelFiles>(this, 'opened', files);
    } catch (error) {
      if (!(error instanceof NoModel)) throw error;
      this.fault = error.fault;
    } finally {
      this.busy = false;
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-open-model': DermletOpenModel;
  }
}

define('dermlet-open-model', DermletOpenModel);
