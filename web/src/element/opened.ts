/** Shows a person that what they asked for has been opened: below a column of buttons it may come out of view. */
import type { LitElement } from 'lit';

/** Pixels that show that it is there, and how it begins. */
const BEGINNING = 160;

/** Where it cannot be seen, the button that was pressed goes to the top of the screen. */
export async function show(button: Element | null, part: LitElement): Promise<void> {
  await part.updateComplete;
  const pressed = button?.getBoundingClientRect();
  const { top, height } = part.getBoundingClientRect();
  // The person may have closed it or gone elsewhere meanwhile.
  if (!pressed || !part.isConnected || pressed.bottom < 0 || pressed.top > innerHeight) return;
  if (top + Math.min(height, BEGINNING) <= innerHeight) return;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  button?.scrollIntoView({ block: 'start', behavior: still ? 'instant' : 'smooth' });
}
