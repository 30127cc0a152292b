/** Categories of a person's own: use a saved head, or train one. */
import { DermletHead } from './head-part.js';

export const create = (): DermletHead => new DermletHead();
