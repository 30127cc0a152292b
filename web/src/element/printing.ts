/** What a browser prints of a page whose main thing is the element: the answer on one page, while there is one. */
import { imported } from '../classifier/inner.js';
import type { DermletClassifier } from './classifier-element.js';

/** Fetches the printed page, which stands in for the page from then on when an answer is shown. */
export async function followPrinting(element: Element): Promise<void> {
  try {
    const { follow } = await imported(() => import('./report/index.js'));
    follow(() => (element as DermletClassifier).subject);
  } catch (error) {
    console.info('Dermlet could not load its printed page:', error);
  }
}
