/** What the element uses beside the public API: no promise to embedders. */
export { imported } from './causes.js';
export { within } from './within.js';
