/** The room for many photos. */
import { DermletReview } from './review.js';

export const create = (): DermletReview => new DermletReview();
