/**
 * Lit's `html`, for pages that a browser translates. Translators put each text node into an element of their own, or
 * exchange it and drop the comments around it; what Lit then changes is a node that nobody sees, and the old words
 * stay. So each text that stands between tags has an element of its own, whose content is replaced as a whole when the
 * text changes, and nothing is looked for beside it. A line that is at times without words is `''` then, not `nothing`:
 * its element stays. Names between the marks of `isolated` are set in `<bdi>`; in other languages than English, which
 * most names are in, as text of a language that is not known.
 */
// biome-ignore lint/style/noRestrictedImports: here it becomes the element's own
import { html as litHtml, type TemplateResult } from 'lit';
import { Directive, directive, type PartInfo, PartType } from 'lit/directive.js';
import { language } from '../messages/index.js';

const ELEMENT = 'dermlet-text';
const ISOLATED = /\u2068([^\u2069]*)\u2069/u;

class Replaced extends Directive {
  #element: HTMLElement | undefined;
  #text: string | undefined;
  #language: string | undefined;

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.CHILD) throw new Error('replaced text stands between tags');
  }

  render(text: string): unknown {
    return text;
  }

  override update(_part: unknown, [text]: [string]): Node {
    this.#element ??= document.createElement(ELEMENT);
    const { tag } = language();
    if (text !== this.#text || tag !== this.#language) {
      this.#text = text;
      this.#language = tag;
      this.#element.replaceChildren(
        ...text.split(ISOLATED).map((piece, index) => (index % 2 ? bdi(piece, tag) : piece)),
      );
    }
    return this.#element;
  }
}

function bdi(text: string, tag: string): HTMLElement {
  const element = document.createElement('bdi');
  if (tag !== 'en') element.lang = '';
  element.textContent = text;
  return element;
}

const replaced = directive(Replaced);

/** For each expression of a template: whether it stands between tags, rather than in one. */
const places = new WeakMap<TemplateStringsArray, readonly boolean[]>();

function placesOf(strings: TemplateStringsArray): readonly boolean[] {
  let between = true;
  return strings.slice(0, -1).map((markup) => {
    const last = Math.max(markup.lastIndexOf('<'), markup.lastIndexOf('>'));
    if (last >= 0) between = markup[last] === '>';
    return between;
  });
}

/** As Lit's, except that text between tags is replaced when it changes. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult<1> {
  const known = places.get(strings) ?? placesOf(strings);
  places.set(strings, known);
  return litHtml(
    strings,
    ...values.map((value, index) =>
      known[index] && (typeof value === 'string' || typeof value === 'number') ? replaced(String(value)) : value,
    ),
  );
}
