/**
 * Drawings to try the page with, so that nobody must use a photo of their own: files of `samples/`, which are fetched
 * when they are asked for, or parts of a page that is one file. While one of them is looked at the page says so.
 */
import type { DermletClassifier } from '../element/index.js';
import { say } from '../messages/index.js';

const FOLDER = 'samples/';

async function fetched(name: string): Promise<Blob> {
  const response = await fetch(new URL(`${FOLDER}${name}.png`, document.baseURI));
  if (!response.ok) throw new Error(`${response.url}: the server answered ${response.status}`);
  return response.blob();
}

const drawing = (picture: Blob, number: number): File =>
  new File([picture], `${say('sample.name', { number: String(number) })}.png`, { type: 'image/png' });

/** The button in the element gives it the first drawing, the one in the note another. `read` gives one by its name. */
export function offerDrawings(element: DermletClassifier, read = fetched): void {
  const button = document.querySelector<HTMLButtonElement>('#sample')!;
  const note = document.querySelector<HTMLElement>('#drawn')!;
  const failed = document.querySelector<HTMLElement>('#not-drawn')!;
  const names = button.dataset.drawings!.split(' ');
  const drawings = new WeakSet<Blob>();
  let given = 0;

  const give = async () => {
    const at = given % names.length;
    try {
      const file = drawing(await read(names[at]!), at + 1);
      drawings.add(file);
      element.add([file]);
      given += 1;
      failed.hidden = true;
    } catch (error) {
      console.info('Dermlet could not fetch a drawing:', error);
      failed.hidden = false;
    }
  };
  button.addEventListener('click', give);
  note.querySelector('button')!.addEventListener('click', give);
  // Over a person's own photo the note would call that a drawing.
  element.addController({
    hostUpdated() {
      const looked = element.loader?.selected;
      note.hidden = !(looked && drawings.has(looked.file));
    },
  });
}
