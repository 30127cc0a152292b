import { DermletClassifier } from './classifier-element.js';
import { define } from './emit.js';

/** Makes `<dermlet-classifier>` known to the document. Apart from the class, so that a page may decide when. */
export function register(): void {
  define('dermlet-classifier', DermletClassifier);
}
