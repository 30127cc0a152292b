/**
 * The page as one HTML file that works from a disk or a stick (`npm run build:single`): its one model and all that
 * there is to read are in the file, nothing is fetched, and no service worker is needed.
 */
import { type DermletClassifier, followPrinting } from '../element/index.js';
import { begin } from './begin.js';
import { isFramedByStranger, refuseFrame } from './framed.js';
import { languageStore, speakAsChosen } from './language.js';
import { offerLanguages } from './language-choice.js';
import { offerDrawings } from './samples.js';
import { whenIdle } from './service-worker.js';
import { offerThemes } from './theme.js';

/** A drawing's block of base64 in the document. */
async function drawn(name: string): Promise<Blob> {
  const base64 = document.querySelector(`script[data-sample="${name}"]`)!.textContent;
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);
}

/** Opens a part of the document, and all that it is in, and goes there. */
function goTo(id: string): void {
  const part = document.getElementById(id);
  for (let around = part?.closest('details'); around; around = around.parentElement?.closest('details'))
    around.open = true;
  const heading = part?.querySelector<HTMLElement>(':scope > summary') ?? part;
  heading?.scrollIntoView();
  heading?.focus();
}

/** Links in the element and out of it name parts of this document, some as if they were pages of their own. */
function follow(event: MouseEvent): void {
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
  if (!link?.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  goTo(decodeURIComponent(link.hash.slice(1)));
}

document.addEventListener('click', follow);

if (isFramedByStranger()) {
  refuseFrame();
  await speakAsChosen();
} else {
  const element = document.querySelector<DermletClassifier>('dermlet-classifier')!;
  await speakAsChosen();
  void begin(element);
  whenIdle(() => void followPrinting(element));
  offerDrawings(element, drawn);
  offerThemes(document.querySelector<HTMLElement>('#theme')!);
  offerLanguages(document.querySelector<HTMLSelectElement>('#language')!, languageStore);
}
