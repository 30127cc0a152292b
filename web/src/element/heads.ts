/** Categories of a person's own. */
import { imported } from '../classifier/inner.js';
import { allWords } from '../messages/index.js';
import type { DermletClassifier } from './classifier-element.js';

/** What uses and trains heads, and the words for a head's answers. @throws DermletError if it does not come */
export async function headRoom(): Promise<typeof import('./head/index.js')> {
  const room = await imported(() => import('./head/index.js'));
  await allWords();
  return room;
}

/** A part for a page that offers them; it follows the element from then on. @throws DermletError if it does not come */
export async function headsOf(element: Element): Promise<HTMLElement> {
  const part = (await headRoom()).create();
  part.host = element as DermletClassifier;
  return part;
}
