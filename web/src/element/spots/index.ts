/** Keep and compare: spots of skin over time, on this device only, if a person asks for it. */
import { DermletSpots } from './spots-part.js';

export type { DermletSpots };

export const create = (): DermletSpots => new DermletSpots();
