/**
 * `<dermlet-removed>`: says what was removed, with a way back. Fires `restore` and `forget`, which leave it: the list
 * that it stands in is not the one that removes.
 */
import { css, LitElement, nothing } from 'lit';
import { property } from 'lit/decorators.js';
import { isolated } from '../../messages/index.js';
import { say } from '../../messages/removed.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { closeIcon } from '../icons.js';
import type { Removed } from '../session.js';
import { base } from '../styles.js';

/** Told once it is removed. Without a name: a removed photo's stays only while it can be put back. */
export const goneWords = (count: number): string => say('removed.some', { count });

const removedWords = ({ photos }: Removed): string =>
  photos.length === 1 ? say('removed.one', { name: isolated(photos[0]!.name) }) : goneWords(photos.length);

/** Told once it is back. */
export const backWords = (): string => say('removed.back');

export class DermletRemoved extends LitElement {
  static override styles = [
    base,
    css`
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.4rem 0.8rem;
        padding: 0.4rem 0.8rem;
        border: 1px solid var(--edge);
        border-radius: 0.75rem;
        background: var(--card);
      }
      p {
        flex: 1 1 8rem;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      .close {
        min-width: 2.75rem;
        padding: 0;
      }
    `,
  ];

  @property({ attribute: false }) removed: Removed | null = null;

  override render() {
    if (!this.removed) return nothing;
    return html`<div class="line">
      <p>${removedWords(this.removed)}</p>
      <button type="button" @click=${() => this.#fire('restore')}>${say('removed.undo')}</button>
      <button type="button" class="close" @click=${() => this.#fire('forget')}>
        ${closeIcon}<span class="visually-hidden">${say('removed.close')}</span>
      </button>
    </div>`;
  }

  #fire(type: 'restore' | 'forget'): void {
    this.dispatchEvent(new Event(type, { bubbles: true, composed: true }));
  }
}

define('dermlet-removed', DermletRemoved);
