/**
 * Parts that are drawn in a task and a frame of their own: an answer has many, and laying out all of them at once takes
 * a slow phone a tenth of a second, in which no tap is heard.
 */
import { LitElement } from 'lit';
import { nextTask } from '../classifier/inner.js';

/** Milliseconds; pages that are not looked at have no frames. */
const PATIENCE = 100;

/** Resolves with the next frame. */
export const nextFrame = (): Promise<void> =>
  new Promise((resolve) => {
    const late = setTimeout(resolve, document.hidden ? 0 : PATIENCE);
    requestAnimationFrame(() => {
      clearTimeout(late);
      resolve();
    });
  });

let last: Promise<void> = Promise.resolve();

/** Resolves in a task of its own, once what was drawn before is to be seen: one caller a frame, in order. */
export function ownFrame(): Promise<void> {
  last = last.then(nextFrame).then(nextTask);
  return last;
}

/** Its first drawing has a task of its own; from then on it is drawn with what is around it. */
export class OwnTaskElement extends LitElement {
  protected override scheduleUpdate(): void | Promise<unknown> {
    if (this.hasUpdated) return super.scheduleUpdate();
    return nextTask().then(() => super.scheduleUpdate());
  }
}

/** Its first drawing has a task and a frame of its own; from then on it is drawn with what is around it. */
export class LaterElement extends LitElement {
  protected override scheduleUpdate(): void | Promise<unknown> {
    if (this.hasUpdated) return super.scheduleUpdate();
    return ownFrame().then(() => super.scheduleUpdate());
  }
}
