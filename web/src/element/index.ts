/**
 * The stable entry `dermlet.js`: registers `<dermlet-classifier>` and gives the classifier to those who bring a front
 * end of their own.
 *
 *     <script type="module" src="dermlet.js"></script>
 *     <dermlet-classifier></dermlet-classifier>
 *
 * Nothing of this site may import it: its code would move into a shared file, and with it the address that it stands
 * at.
 */
import { register } from './register.js';

export * from '../classifier/index.js';
export type { DermletErrorDetail, DermletReadyDetail, DermletResultDetail } from './classifier-element.js';
export { DermletClassifier } from './classifier-element.js';

register();
