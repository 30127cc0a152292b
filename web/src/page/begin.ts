/** Registers the element; until it has been drawn, the page holds the room for it that it has held before. */
import { type DermletClassifier, register } from '../element/index.js';

export async function begin(element: DermletClassifier): Promise<void> {
  element.dataset.room = '';
  register();
  await element.updateComplete;
  delete element.dataset.room;
}
