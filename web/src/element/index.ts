/** `<dermlet-classifier>` for entries and pages, which call `register` themselves. */

export { imported, nextTask, startAhead, trusted } from '../classifier/inner.js';
export { cardOf, NO_PAGES, type Pages, pagesIn } from './card.js';
export { DermletClassifier } from './classifier-element.js';
export { define, emit } from './emit.js';
export { headsOf } from './heads.js';
export { html } from './html.js';
export { LaterElement } from './later.js';
export { isApple } from './picker.js';
export { followPrinting } from './printing.js';
export type {
  DermletClassifierElement,
  DermletClassifierEvents,
  DermletClassifierProperties,
  DermletErrorDetail,
  DermletFormDocument,
  DermletReadyDetail,
  DermletResultDetail,
} from './public.js';
export { register } from './register.js';
export { base, tokens } from './styles.js';
export { trustOf } from './trusted.js';
