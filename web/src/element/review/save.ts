/** All photos of a session as files for programs. */
import { say } from '../../messages/review.js';
import { download } from '../download.js';
import { html } from '../html.js';
import type { Photo } from '../session.js';
import { csvOf, jsonOf } from './exported.js';
import { listed } from './order.js';
import type { Readings } from './readings.js';

const save = (text: string, type: string, name: string): void => download(new Blob([text], { type }), name);

const inOrder = (photos: readonly Photo[]): readonly Photo[] =>
  listed(photos, { sort: 'added', kind: null, category: null, text: '' });

/** @param off while answers are hidden: a file would show them */
export const saveButtons = (photos: readonly Photo[], readings: Readings, off: boolean) =>
  html`<div class="export">
    <button type="button" ?disabled=${off}
      @click=${() => save(csvOf(inOrder(photos), readings), 'text/csv', 'dermlet.csv')}>${say('review.csv')}</button>
    <button type="button" ?disabled=${off}
      @click=${() => save(jsonOf(inOrder(photos), readings), 'application/json', 'dermlet.json')}>${say(
        'review.json',
      )}</button>
    <p class="muted">${say('review.exportNote')}</p>
  </div>`;
