/**
 * The stable entry `dermlet.js`: registers `<dermlet-classifier>` and gives the classifier to those who bring a front
 * end of their own.
 *
 *     <script type="module" src="dermlet.js"></script>
 *     <dermlet-classifier></dermlet-classifier>
 */
/// <reference path="./element/react.d.ts" preserve="true" />
import { type DermletClassifierElement, DermletClassifier as Implementation, register } from './element/index.js';

export * from './classifier/index.js';
export type {
  DermletClassifierEvents,
  DermletClassifierProperties,
  DermletErrorDetail,
  DermletFormDocument,
  DermletReadyDetail,
  DermletResultDetail,
} from './element/index.js';

/** The element's class; its type holds what others may use. */
export const DermletClassifier: new () => DermletClassifierElement = Implementation;
export type DermletClassifier = DermletClassifierElement;

register();
