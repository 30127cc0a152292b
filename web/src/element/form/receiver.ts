/** Where a form goes. */

/** What of a form, or of the button that sends it, says so: `formaction` and `formmethod` go before the form's own. */
type Sender = HTMLElement | null;

function attributeOf(form: HTMLFormElement, sender: Sender, name: 'action' | 'method'): string {
  // Not `form.action`: a field of that name would be in its place.
  return sender?.getAttribute(`form${name}`) ?? form.getAttribute(name) ?? '';
}

/**
 * The origin that receives a form; null where it must not carry an answer: by GET it would stand in the address of a
 * page, and so in logs and histories, and what is no web address may go anywhere.
 * @param sender the button that sends it, if any
 */
export function receiverOf(form: HTMLFormElement, sender: Sender = null): string | null {
  const method = attributeOf(form, sender, 'method').trim().toLowerCase();
  // Closes a dialog: the page's own script takes what was filled in.
  if (method === 'dialog') return location.origin;
  if (method !== 'post') return null;
  const action = attributeOf(form, sender, 'action').trim();
  if (action === '') return location.origin;
  if (!URL.canParse(action, document.baseURI)) return null;
  const { protocol, origin } = new URL(action, document.baseURI);
  return /^https?:$/.test(protocol) ? origin : null;
}
