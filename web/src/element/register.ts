import { DermletClassifier } from './classifier-element.js';
import { define } from './emit.js';

/** Registers `<dermlet-classifier>`. Separate from the class, so that a page can decide when. */
export function register(): void {
  define('dermlet-classifier', DermletClassifier);
}
