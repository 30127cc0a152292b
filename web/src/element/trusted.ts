/** What can be checked of the page, for a page that shows it apart from an answer. */
import { imported } from '../classifier/inner.js';
import { allWords } from '../messages/index.js';
import { pagesIn } from './card.js';
import type { DermletClassifier } from './classifier-element.js';

/** Fetches what shows it; it follows the element from then on. @throws DermletError if it does not come */
export async function trustOf(element: Element): Promise<HTMLElement> {
  const { create } = await imported(() => import('./trust/index.js'));
  await allWords();
  const part = create();
  const classifier = element as DermletClassifier;
  part.pages = pagesIn(classifier.categoryPages, classifier.cardPages);
  const follow = () => (part.session = classifier.loader);
  follow();
  // Another model has another session.
  for (const type of ['dermlet-ready', 'dermlet-result', 'dermlet-error']) element.addEventListener(type, follow);
  return part;
}
