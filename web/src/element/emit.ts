/** Events between the element's parts: they stay inside the element. */
export function emit<Detail>(from: EventTarget, type: string, detail: Detail): void {
  from.dispatchEvent(new CustomEvent<Detail>(type, { detail }));
}

/** Registers a part once, though two copies of this bundle may be on one page; on a server there is no register. */
export function define(name: string, element: CustomElementConstructor): void {
  if (typeof document === 'object' && !customElements.get(name)) customElements.define(name, element);
}
