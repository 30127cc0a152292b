/**
 * Makes `<dermlet-classifier>` known to the document. Each entry calls it, since only an entry knows where it was
 * served from.
 */
import { DermletClassifier } from './classifier-element.js';
import { define } from './emit.js';

/** @param assetBase Folder of the engine's files, ending in '/'. */
export function register(assetBase: URL): void {
  DermletClassifier.assetBase = assetBase;
  define('dermlet-classifier', DermletClassifier);
}
