/** In the page itself: what a person does from the first photo to a kept one, step by step, by what can be pressed. */

/**
 * All that a selector finds, in every shadow tree; `host > selector` finds in those of such hosts alone.
 * @param {string} selector
 * @param {ParentNode} root
 * @returns {any[]}
 */
function all(selector, root = document) {
  const [host = '', inside] = selector.split(' > ');
  if (inside) return all(host, root).flatMap(({ shadowRoot }) => all(inside, shadowRoot));
  return everywhere(selector, root);
}

/**
 * @param {string} selector
 * @param {ParentNode} root
 * @returns {any[]}
 */
function everywhere(selector, root) {
  const inside = [...root.querySelectorAll('*')].flatMap(({ shadowRoot }) =>
    shadowRoot ? everywhere(selector, shadowRoot) : [],
  );
  return [...root.querySelectorAll(selector), ...inside];
}

/** @param {Element} element */
const seen = (element) => element.getClientRects().length > 0;
/** @param {Element} element */
const textOf = (element) => element?.textContent.replace(/[\s\u2068\u2069]+/g, ' ').trim() ?? '';
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

/**
 * What `find` gives once it gives something.
 * @template Found
 * @param {string} what
 * @param {() => Found | Promise<Found>} find
 * @param {number} limit  milliseconds
 * @returns {Promise<any>}
 */
async function until(what, find, limit = 60_000) {
  for (const end = performance.now() + limit; performance.now() < end; await pause()) {
    const found = await find();
    if (found) return found;
  }
  throw new Error(`${what} did not come; the page says: ${textOf(document.body).slice(0, 300)}`);
}

/**
 * @param {string} selector
 * @param {string} [text]
 */
const visible = (selector, text) =>
  until(`${selector} ${text ?? ''}`, () =>
    all(selector).find((element) => seen(element) && (text === undefined || textOf(element) === text)),
  );
/**
 * @param {string} selector
 * @param {string} [text]
 */
const press = async (selector, text) => (await visible(selector, text)).click();

/**
 * @param {HTMLInputElement | HTMLSelectElement} element
 * @param {string} value
 */
function set(element, value) {
  element.value = value;
  for (const type of ['input', 'change']) element.dispatchEvent(new Event(type, { bubbles: true, composed: true }));
}

/** @type {any[]} */
const results = [];
addEventListener('dermlet-result', (event) => results.push(/** @type {CustomEvent} */ (event).detail), true);
/** @param {number} count */
const untilResults = (count) => until(`result ${count}`, () => results.length >= count && results.at(-1), 120_000);

/** @returns {any} */
const classifier = () => document.querySelector('dermlet-classifier');

/**
 * What is saved is caught: a browser without a head has nobody to ask where to.
 * @type {Blob[]}
 */
const saved = [];
const addressOf = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  if (blob instanceof Blob) saved.push(blob);
  return addressOf.call(URL, blob);
};

Object.assign(window, {
  driven: {
    /**
     * @param {string} name
     * @param {string} base64
     */
    async photo(name, base64) {
      await customElements.whenDefined('dermlet-classifier');
      const before = results.length;
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      classifier().add([new File([bytes], name, { type: 'image/jpeg' })]);
      const { result } = await untilResults(before + 1);
      return {
        outcome: result.outcome,
        first: result.ranking[0].id,
        tier: result.tier,
        verdict: textOf(await visible('#verdict')),
        advice: textOf(await visible('dermlet-result-card > .what')),
      };
    },

    async heatMap() {
      const box = await until('the heat map', () => all('dermlet-photo-view > input[type=checkbox]').find(seen));
      box.click();
      const { width } = await visible('canvas.overlay');
      return width;
    },

    async questions() {
      await press('button', 'Answer a few questions');
      const bleeds = await until('the question', () => all('label').find((label) => /bleeds/.test(textOf(label))));
      bleeds.click();
      return textOf(
        await until('the advice', () =>
          all('dermlet-result-card > h3').find((one) => /ask for more/.test(textOf(one))),
        ),
      );
    },

    async frame() {
      const before = results.length;
      await press('dermlet-photo-view > .begin');
      const frame = await visible('[role=application]');
      for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown'])
        frame.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true }));
      await press('button', 'Look at what is framed');
      const { result } = await untilResults(before + 1);
      return { framing: result.frame.framing, crop: result.frame.crop };
    },

    async report() {
      await press('button', 'Take it to a doctor');
      await press('button', 'Save as PDF');
      const pdf = await until('the PDF', () => saved.find(({ type }) => type === 'application/pdf'));
      return { start: await pdf.slice(0, 5).text(), bytes: pdf.size };
    },

    /** @param {string} name */
    async keep(name) {
      await press('button', 'Keep and compare');
      set(await visible('input[name=name]'), name);
      await press('button', 'Keep it');
      return textOf(
        await until('the word that it is kept', () =>
          all('[role=status]').find((one) => /Kept, and read back/.test(textOf(one))),
        ),
      );
    },

    /** After a reload: what is still there. */
    async kept() {
      await press('button', 'Spots kept on this device');
      const image = await until('the kept photo', async () => {
        for (const one of all('button').filter((button) => /Shoulder/.test(textOf(button)) && seen(button)))
          one.click();
        return all('dermlet-kept-photo > img').find((img) => img.complete && img.naturalWidth > 0);
      });
      return image.naturalWidth;
    },

    async list() {
      await press('button', 'All photos');
      await press('button', 'Table');
      const table = await visible('table');
      return Number(table.getAttribute('aria-rowcount'));
    },

    /** Arabic, and back to the language of the browser. */
    async arabic() {
      (await until('the settings', () => document.querySelector('#settings'))).open = true;
      const choice = await visible('#language');
      await until('the languages', () => [...choice.options].some(({ value }) => value === 'ar'));
      const direction = (/** @type {string} */ wanted) => until(wanted, () => document.documentElement.dir === wanted);
      set(choice, 'ar');
      await direction('rtl');
      const arabic = (/** @type {Element} */ one) => /[\u0600-\u06ff]/.test(textOf(one));
      const words = textOf(await until('Arabic words', () => all('#verdict').find(arabic)));
      set(choice, '');
      await direction('ltr');
      return words;
    },
  },
});
