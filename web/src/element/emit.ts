import type { LitElement, ReactiveController } from 'lit';
import { onLanguage } from '../messages/index.js';

/** Events between the element's parts: they stay inside the element. */
export function emit<Detail>(from: EventTarget, type: string, detail: Detail): void {
  from.dispatchEvent(new CustomEvent<Detail>(type, { detail }));
}

/** Renders a part anew when another language is set. */
class FollowsLanguage implements ReactiveController {
  #stop: (() => void) | undefined;

  constructor(readonly part: LitElement) {}

  hostConnected(): void {
    this.#stop = onLanguage(() => this.part.requestUpdate());
    // The language may have changed while the part was elsewhere.
    this.part.requestUpdate();
  }

  hostDisconnected(): void {
    this.#stop?.();
  }
}

/** Registers a part once, though two copies of this bundle may be on one page; on a server there is no register. */
export function define(name: string, part: typeof LitElement): void {
  if (typeof document !== 'object' || customElements.get(name)) return;
  part.addInitializer((instance) => instance.addController(new FollowsLanguage(instance as LitElement)));
  customElements.define(name, part);
}
