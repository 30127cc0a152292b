/** What the element uses beside the public API: no promise to embedders. */
import { imported } from './scripts.js';

export { trusted } from './bootstrap.js';
export { startAhead } from './browser-worker.js';
export { countWarnings, headInfo } from './head.js';
export { LIMITS } from './limits.js';
export { nextTask } from './task.js';
export { within } from './within.js';
export { imported };

/** What labelled pictures become examples of; fetched with what trains. */
export const examples = () => imported(() => import('./examples.js'));
