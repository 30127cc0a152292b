// An intake form with a consent step, in the two ways in which Dermlet can be part of one: as an element of the form
// (intake.html) and as a frame beside it (frame.html). No server: it shows what would be sent.

/** @typedef {import('../../src/embed/index.js').DermletFrame} DermletFrame */

const form = /** @type {HTMLFormElement} */ (document.querySelector('#intake'));
const agreed = /** @type {HTMLInputElement} */ (document.querySelector('#agreed'));
const photo = /** @type {HTMLFieldSetElement} */ (document.querySelector('#photo'));
const problem = /** @type {HTMLElement} */ (document.querySelector('#problem'));
const sent = /** @type {HTMLElement} */ (document.querySelector('#sent'));
const place = document.querySelector('#frame');

/** @type {DermletFrame | null} */
let frame = null;

/** Shown once the person agrees; gone, with all that is in it, when she no longer does. */
async function showFrame() {
  if (!place || frame) return;
  /** @type {typeof import('../../src/embed/index.js')} */
  // @ts-expect-error: the build puts it there
  const { createFrame } = await import('../embed.js');
  if (!agreed.checked || frame) return;
  frame = createFrame(place, {
    src: '../embed.html',
    title: 'Photo and answer',
    photo: true,
    required: true,
    theme: document.documentElement.dataset.theme === 'dark' ? 'dark' : '',
  });
  frame.ready.catch((error) => {
    problem.textContent = `The frame did not answer: ${error.message}`;
  });
}

function follow() {
  photo.disabled = !agreed.checked;
  /** @type {HTMLElement} */ (document.querySelector('#first')).hidden = agreed.checked;
  sent.hidden = true;
  if (agreed.checked) void showFrame();
  else {
    frame?.destroy();
    frame = null;
    // What was chosen before is forgotten: the element is emptied with the form it is in, here without the rest.
    const element = /** @type {{ formResetCallback?(): void } | null} */ (
      /** @type {unknown} */ (document.querySelector('dermlet-classifier'))
    );
    element?.formResetCallback?.();
  }
}

/**
 * What the form holds, and what the frame hands over.
 * @returns {Promise<[name: string, value: FormDataEntryValue][]>}
 */
async function filledIn() {
  const fields = [...new FormData(form)];
  if (!frame) return fields;
  const { documents, photos } = await frame.collect();
  return [
    ...fields,
    ...documents.map((document) => /** @type {[string, string]} */ (['skin', JSON.stringify(document)])),
    ...photos.map((file) => /** @type {[string, File]} */ (['photo', file])),
  ];
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} properties
 */
const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** @param {[name: string, value: FormDataEntryValue][]} fields */
function show(fields) {
  const list = /** @type {HTMLElement} */ (document.querySelector('#fields'));
  for (const image of list.querySelectorAll('img')) URL.revokeObjectURL(image.src);
  list.replaceChildren(
    ...fields.flatMap(([name, value]) => {
      const held = made('dd', {});
      if (value instanceof File) {
        const size = `${value.name}, ${value.type}, ${Math.ceil(value.size / 1000)} kB`;
        held.append(made('p', { textContent: size }));
        held.append(made('img', { src: URL.createObjectURL(value), alt: 'The photo, written anew' }));
      } else held.append(made('pre', { textContent: pretty(value) || '(empty)', tabIndex: 0 }));
      return [made('dt', { textContent: name }), held];
    }),
  );
  /** @type {HTMLElement} */ (document.querySelector('#where')).textContent =
    `A POST request (multipart/form-data) to ${location.origin}, of ${fields.length} fields. Nothing was sent.`;
  sent.hidden = false;
  /** @type {HTMLElement} */ (document.querySelector('#sent-title')).focus();
}

agreed.addEventListener('change', follow);
form.addEventListener('reset', () => setTimeout(follow));
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  problem.textContent = '';
  try {
    show(await filledIn());
  } catch (error) {
    sent.hidden = true;
    problem.textContent = error instanceof Error ? error.message : String(error);
  }
});
follow();

export {};
