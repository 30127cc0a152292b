/** Categories of a person's own, for a page that offers them. */
import { imported } from '../classifier/inner.js';
import { allWords } from '../messages/index.js';
import type { DermletClassifier } from './classifier-element.js';

/** Fetches what uses and trains heads; it follows the element from then on. @throws DermletError if it does not come */
export async function headsOf(element: Element): Promise<HTMLElement> {
  const { create } = await imported(() => import('./head/index.js'));
  await allWords();
  const part = create();
  part.host = element as DermletClassifier;
  return part;
}
