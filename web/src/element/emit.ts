import type { LitElement, ReactiveController } from 'lit';
import { onLanguage } from '../messages/index.js';

/** Fires an event between parts of the element; it does not leave the shadow tree. */
export function emit<Detail>(from: EventTarget, type: string, detail: Detail): void {
  from.dispatchEvent(new CustomEvent<Detail>(type, { detail }));
}

/** Re-renders a part when the language changes. */
class FollowsLanguage implements ReactiveController {
  #stop: (() => void) | undefined;

  constructor(readonly part: LitElement) {}

  hostConnected(): void {
    this.#stop = onLanguage(() => this.part.requestUpdate());
    // The language may have changed while the part was disconnected.
    this.part.requestUpdate();
  }

  hostDisconnected(): void {
    this.#stop?.();
  }
}

/** Registers a part once, even if the bundle is loaded twice; does nothing on a server. */
export function define(name: string, part: typeof LitElement): void {
  if (typeof document !== 'object' || customElements.get(name)) return;
  part.addInitializer((instance) => instance.addController(new FollowsLanguage(instance as LitElement)));
  customElements.define(name, part);
}
