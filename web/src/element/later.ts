/** Parts that are drawn in a task of their own: an answer has many, and taps and keys are heard between them. */
import { LitElement } from 'lit';
import { nextTask } from '../classifier/inner.js';

/** Its first drawing has a task of its own; from then on it is drawn with what is around it. */
export class LaterElement extends LitElement {
  protected override scheduleUpdate(): void | Promise<unknown> {
    if (this.hasUpdated) return super.scheduleUpdate();
    return nextTask().then(() => super.scheduleUpdate());
  }
}
