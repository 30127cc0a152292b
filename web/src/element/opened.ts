/** Shows a person that what they asked for has been opened: below a column of buttons it may come out of view. */
import type { LitElement } from 'lit';
import { bringToTop } from './scroll.js';

/** Pixels that show that it is there, and how it begins. */
const BEGINNING = 160;

/** Where it cannot be seen, the button of `tools` that was pressed goes to the top of the screen. */
export async function show(tools: LitElement, part: LitElement): Promise<void> {
  await tools.updateComplete;
  await part.updateComplete;
  const button = tools.renderRoot.querySelector('[data-tool][aria-expanded=true]');
  const pressed = button?.getBoundingClientRect();
  const { top, height } = part.getBoundingClientRect();
  // The person may have closed it or gone elsewhere meanwhile.
  if (!pressed || !part.isConnected || pressed.bottom < 0 || pressed.top > innerHeight) return;
  if (top + Math.min(height, BEGINNING) <= innerHeight) return;
  if (button) bringToTop(button);
}
