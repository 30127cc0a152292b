/** Check what this page does: what runs, what was asked of the network, and what its network does badly. */
import { DermletTrust } from './trust-part.js';

export const create = (): DermletTrust => new DermletTrust();
