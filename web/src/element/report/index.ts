/** Take it to a doctor: the answer as a page, and as files for programs. */
import { DermletReport } from './report-part.js';

export { follow } from './printed.js';

export const create = (): DermletReport => new DermletReport();
