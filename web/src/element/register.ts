import { imported } from '../classifier/inner.js';
import { loadWordsBy } from '../messages/index.js';
import { DermletClassifier } from './classifier-element.js';
import { define } from './emit.js';

loadWordsBy(imported);

/** Registers `<dermlet-classifier>`. Separate from the class, so that a page can decide when. */
export function register(): void {
  define('dermlet-classifier', DermletClassifier);
}
