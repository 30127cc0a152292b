/** One of several, with its name above. */
import { live } from 'lit/directives/live.js';
import { html } from '../html.js';

export const choice = (
  label: string,
  value: string,
  entries: readonly (readonly [string, string])[],
  set: (to: string) => void,
  off = false,
) =>
  html`<label class="field"><span>${label}</span>
    <select .value=${live(value)} ?disabled=${off}
      @change=${(event: Event) => set((event.target as HTMLSelectElement).value)}>
      ${entries.map(([id, words]) => html`<option value=${id} ?selected=${id === value}>${words}</option>`)}
    </select></label>`;
