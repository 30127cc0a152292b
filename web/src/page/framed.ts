/**
 * Whether a page of a stranger shows this one in a frame, where it could put words around and over it. Only a
 * header of the host forbids that (`frame-ancestors`); without one the page itself does not start there.
 */
const ALLOWED = 'meta[name=dermlet-frames]';

function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : 'null';
}

/** Origins of the pages around this one, as far as the browser tells; `null`: unknown. */
function ancestors(): string[] {
  const { ancestorOrigins } = location as { ancestorOrigins?: DOMStringList };
  if (ancestorOrigins) return [...ancestorOrigins];
  // The referrer is the page directly around this one; what is around that is not told.
  return parent === top ? [originOf(document.referrer)] : [originOf(document.referrer), 'null'];
}

const namedHere = (): string[] => document.querySelector<HTMLMetaElement>(ALLOWED)?.content.split(/\s+/) ?? [];

/**
 * Own pages are none, nor those of these origins.
 * @param named by default those in `<meta name="dermlet-frames" content="https://portal.example">`
 */
export function isFramedByStranger(named: readonly string[] = namedHere()): boolean {
  if (window === top) return false;
  return ancestors().some((origin) => origin !== location.origin && !named.includes(origin));
}

/** In place of all else: a sentence, and a link to the page in a window of its own. */
export function refuseFrame(): void {
  for (const part of document.querySelectorAll<HTMLElement>('main > :not(#framed), header .lead, header .stays'))
    part.hidden = true;
  document.querySelector<HTMLElement>('#framed')!.hidden = false;
}
