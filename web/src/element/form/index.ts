/** The element in a form: what is sent of the answers, and, where a person agrees, of the photos. */
import type { Control } from '../in-form.js';
import { DermletForm } from './form-part.js';

export const create = (control: Control, internals: ElementInternals): DermletForm =>
  Object.assign(new DermletForm(), { control, internals });
