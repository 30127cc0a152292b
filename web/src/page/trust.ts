/** What can be checked of the page, fetched when a person opens it. */
import { trustOf } from '../element/index.js';

export function offerTrust(element: Element, place: HTMLDetailsElement): void {
  const show = async () => {
    try {
      place.append(await trustOf(element));
    } catch (error) {
      console.info('Dermlet could not load what can be checked of the page:', error);
      // Browsers keep a script's failure until the page is loaded again.
      place.querySelector<HTMLElement>('[role=alert]')!.hidden = false;
    }
  };
  let asked = false;
  place.addEventListener('toggle', () => {
    if (!place.open || asked) return;
    asked = true;
    void show();
  });
  for (const link of document.querySelectorAll(`a[href="#${place.id}"]`))
    link.addEventListener('click', () => (place.open = true));
}
