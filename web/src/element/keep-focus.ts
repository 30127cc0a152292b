/**
 * Who works by keyboard does not lose their place: what has the focus may be gone after it was pressed, or disabled
 * while its work is under way. The focus then goes to what is nearest, or comes back to what is enabled again.
 */
import type { ReactiveController } from 'lit';
import { focused } from './focused.js';

const WATCHED: MutationObserverInit = {
  attributeFilter: ['disabled', 'hidden', 'inert'],
  attributes: true,
  childList: true,
  subtree: true,
};
/** What may get the focus: no field, which would open the keyboard of a phone. */
const TARGETS = 'a[href], button, summary, [tabindex]:not(input, select, textarea)';

/** An element and what is around it, through shadow trees, up to `top`. */
function around(element: Element, top: Element): Element[] {
  const all: Element[] = [];
  for (let at: Element | null = element; at && at !== top; at = at.parentElement ?? hostOf(at)) all.push(at);
  return [...all, top];
}

function hostOf(element: Element): Element | null {
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/** The first in the element that can be focused; its parts included. */
function first(within: Element): HTMLElement | null {
  for (const root of [within.shadowRoot, within])
    for (const element of root?.querySelectorAll<HTMLElement>('*') ?? []) {
      const found = element.matches(TARGETS) && usable(element) ? element : element.shadowRoot && first(element);
      if (found) return found;
    }
  return null;
}

const usable = (element: Element): boolean =>
  element.isConnected &&
  !element.matches(':disabled') &&
  !element.closest('[inert]') &&
  element.getClientRects().length > 0;

const isLost = (now: Element | null): boolean =>
  now === null || now === document.body || now === document.documentElement;

export class KeepFocus implements ReactiveController {
  readonly #host: HTMLElement;
  /** What had the focus last, and what is around it. */
  #last: Element[] = [];
  #observer: MutationObserver | null = null;
  #looking = false;
  /** Whether it is disabled for a while: it gets the focus back. */
  #disabled = false;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  /** A change within a shadow tree is told inside it alone. */
  #listen(to: EventTarget): void {
    to.addEventListener('focusin', this.#focused);
    to.addEventListener('focusout', this.#left as EventListener);
  }

  hostConnected(): void {
    this.#observer ??= new MutationObserver(() => this.#look());
    this.#listen(this.#host);
    if (this.#host.matches(':focus-within')) this.#focused();
  }

  hostDisconnected(): void {
    this.#forget();
  }

  readonly #focused = (): void => {
    const element = focused();
    if (element && element !== this.#last[0]) this.#watch(around(element, this.#host));
  };

  /** Goes on from where a key was pressed before this was here: what had the focus may be gone or disabled by now. */
  pressedAt(path: readonly EventTarget[]): void {
    if (!isLost(focused())) return;
    const elements = path.filter((each) => each instanceof Element);
    this.#watch(elements.slice(0, elements.indexOf(this.#host) + 1));
    // It may have been enabled again as well.
    this.#disabled = true;
    this.#look();
  }

  #watch(elements: Element[]): void {
    this.#forget();
    this.#last = elements;
    // Not the page around: what it does with the element is its own affair.
    for (const { shadowRoot } of this.#last) {
      if (!shadowRoot) continue;
      this.#observer?.observe(shadowRoot, WATCHED);
      this.#listen(shadowRoot);
    }
  }

  /** To nothing: whether a person went there, or what had it is gone, is known once all is drawn. */
  readonly #left = (event: FocusEvent): void => {
    if (event.relatedTarget) this.#forget();
    else this.#look();
  };

  #forget(): void {
    this.#observer?.disconnect();
    this.#last = [];
    this.#disabled = false;
  }

  /** Once all is drawn: what comes in the place of something comes with it. */
  #look(): void {
    // Not in a frame alone: it may be over by then.
    if (this.#last[0]?.matches(':disabled')) this.#disabled = true;
    if (this.#looking) return;
    this.#looking = true;
    requestAnimationFrame(() => {
      this.#looking = false;
      this.#keep();
    });
  }

  #keep(): void {
    const [element, ...outer] = this.#last;
    const lost = isLost(focused());
    if (!element) return;
    if (!lost) this.#disabled = false;
    else if (!usable(element)) {
      if (!element.isConnected || !element.matches(':disabled')) this.#goOn(outer);
    } else if (this.#disabled) (element as HTMLElement).focus({ preventScroll: true });
    else this.#forget();
  }

  /** With the first that is left of what was around it. */
  #goOn(outer: readonly Element[]): void {
    const left = outer.filter((each) => each.isConnected);
    const target = left.reduce<HTMLElement | null>((found, each) => found ?? first(each), null);
    target?.focus({ preventScroll: true });
    if (target?.matches(':focus-visible')) target.scrollIntoView({ block: 'nearest' });
  }
}
