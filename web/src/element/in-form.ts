/**
 * The element as a control of a form. What is sent of the answers, and the words about it, are a room of their own
 * (`form`), fetched once the element is in a form and has a name or is required. Until it has come the element is not
 * valid: no form goes without what it is to carry.
 */
import type { LitElement, ReactiveController } from 'lit';
import type { DermletError } from '../classifier/index.js';
import { imported } from '../classifier/inner.js';
import { allWords, errorWords, say } from '../messages/index.js';
import { asDermletError, type Session } from './session.js';

/** What the room knows of the element. */
export interface Control extends LitElement {
  readonly name: string;
  readonly required: boolean;
  readonly submitPhoto: string;
  /** In a frame: the origin of the page around, which receives each answer at once. Empty: the form's receiver does. */
  readonly framedBy: string;
  readonly loader: Session | null;
}

/** Shows what is sent, and sets it. */
export interface FormPart extends LitElement {
  /** Follows the photos, the answers and the form. */
  follow(): void;
  /** Until the photos that a person agreed to are in the form's value, or cannot be. */
  readonly written: Promise<void>;
  /** Takes back what a person agreed to. */
  reset(): void;
}

export class InForm implements ReactiveController {
  /** Null where there is nothing to send, and until it was fetched. */
  part: FormPart | null = null;
  /** Undefined in browsers from before 2023: there a form goes without. */
  readonly internals: ElementInternals | undefined;
  #coming: Promise<void> | null = null;
  #error: DermletError | null = null;

  constructor(readonly element: Control) {
    this.internals = element.attachInternals?.();
    element.addController(this);
  }

  /** Waits for what is on its way into the form's value: the room itself, and photos that are being written anew. */
  async settled(): Promise<void> {
    await this.element.updateComplete;
    await this.#coming;
    await this.element.updateComplete;
    await this.part?.written;
  }

  hostUpdated(): void {
    const { element, internals, part } = this;
    if (!internals) return;
    if (!internals.form || !(element.name || element.required)) {
      this.part = null;
      internals.setFormValue(null);
      internals.setValidity({});
    } else if (part) {
      part.follow();
    } else {
      const message = this.#error ? errorWords(this.#error.code).title : say('tools.coming');
      internals.setValidity({ customError: true }, message, buttonOf(element));
      this.#coming ??= this.#fetch(internals);
    }
  }

  /** What failed is tried again when something changes: a photo is chosen, a connection comes back. */
  async #fetch(internals: ElementInternals): Promise<void> {
    try {
      const { create } = await imported(() => import('./form/index.js'));
      await allWords();
      this.part = create(this.element, internals);
      this.#error = null;
      this.element.requestUpdate();
    } catch (error) {
      this.#error = asDermletError(error);
    }
    this.#coming = null;
  }
}

/** Where a browser says why a form cannot be sent. */
export function buttonOf(element: Control): HTMLElement | undefined {
  const picker = element.shadowRoot?.querySelector('dermlet-picker');
  return picker?.shadowRoot?.querySelector<HTMLElement>('#choose-button') ?? undefined;
}
