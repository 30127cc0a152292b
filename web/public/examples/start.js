// Starts the intake form with the element, unless a page of another origin shows it in a frame: whoever made that page
// could put words around and over an answer. Only a header of the host forbids that (`frame-ancestors`), and not every
// host can send one; Dermlet's own page looks in the same way (web/src/page/framed.ts).
const { ancestorOrigins } = /** @type {{ ancestorOrigins?: DOMStringList }} */ (location);
const directly = URL.canParse(document.referrer) ? new URL(document.referrer).origin : 'null';
// Where the browser tells no more than the page directly around, what is around that is unknown.
const around = ancestorOrigins ? [...ancestorOrigins] : parent === top ? [directly] : [directly, 'null'];

if (window !== top && around.some((origin) => origin !== location.origin)) {
  const link = Object.assign(document.createElement('a'), {
    href: location.href,
    target: '_blank',
    rel: 'noopener',
    textContent: 'Open it in a window of its own.',
  });
  document
    .querySelector('main')
    ?.replaceChildren('This page takes no photo here: a page of another site shows it. ', link);
} else {
  await import(new URL('../dermlet.js', import.meta.url).href);
  await import('./intake.js');
}

export {};
