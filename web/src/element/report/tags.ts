/**
 * Structure of a PDF page (ISO 32000-1, 14.7): a tree of what its texts and pictures are, in the order in which they
 * are read, and the marks in the page's content that belong to it. pdf-lib knows nothing of either.
 */
import {
  type PDFDict,
  type PDFDocument,
  PDFHexString,
  PDFName,
  PDFOperator,
  PDFOperatorNames,
  type PDFPage,
  type PDFRef,
  PDFString,
} from '@cantoo/pdf-lib';

/** A standard structure type. */
export type Tag = 'Document' | 'Sect' | 'H1' | 'H2' | 'P' | 'Figure' | 'L' | 'LI' | 'Lbl' | 'LBody';

interface About {
  /** BCP 47, where it may be another than that of what is around it. */
  readonly language?: string;
  /** In place of a picture. */
  readonly alt?: string;
  /** Where a figure is, in points from the top left. */
  readonly box?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

export interface Tagged {
  readonly tag: Tag;
  readonly about: About;
  readonly inside: Tagged[];
}

export const element = (tag: Tag, about: About = {}): Tagged => ({ tag, about, inside: [] });

/** A new element, the last in `around`. */
export function under(around: Tagged, tag: Tag, about: About = {}): Tagged {
  const made = element(tag, about);
  around.inside.push(made);
  return made;
}

/**
 * Draws a page's things, each marked with what it is part of; what is part of nothing is marked as an artifact, which
 * screen readers pass over.
 * @param top the element around all others
 */
export function writeTags<Thing extends { readonly of: Tagged | null }>(
  pdf: PDFDocument,
  page: PDFPage,
  top: Tagged,
  things: readonly Thing[],
  draw: (thing: Thing) => void,
): void {
  const { context, catalog } = pdf;
  const refs = new Map<Tagged, PDFRef>();
  const refOf = (one: Tagged): PDFRef => {
    const ref = refs.get(one) ?? context.nextRef();
    refs.set(one, ref);
    return ref;
  };
  const marks = new Map<Tagged, number[]>();
  /** The element of each mark. */
  const marked: PDFRef[] = [];
  const begin = (of: Tagged | null) => {
    if (!of) {
      page.pushOperators(PDFOperator.of(PDFOperatorNames.BeginMarkedContent, [PDFName.of('Artifact')]));
      return;
    }
    const mark = marked.push(refOf(of)) - 1;
    marks.set(of, [...(marks.get(of) ?? []), mark]);
    const properties = `<</MCID ${mark}>>`;
    page.pushOperators(PDFOperator.of(PDFOperatorNames.BeginMarkedContentSequence, [PDFName.of(of.tag), properties]));
  };
  const end = () => page.pushOperators(PDFOperator.of(PDFOperatorNames.EndMarkedContent));
  things.forEach((thing, at) => {
    if (at === 0 || things[at - 1]!.of !== thing.of) begin(thing.of);
    draw(thing);
    if (things[at + 1]?.of !== thing.of || at === things.length - 1) end();
  });

  const height = page.getHeight();
  const write = (one: Tagged, around: PDFRef, spoken: string): PDFRef => {
    const ref = refOf(one);
    const { language = spoken, alt, box } = one.about;
    context.assign(
      ref,
      context.obj({
        Type: 'StructElem',
        S: one.tag,
        P: around,
        Pg: page.ref,
        K: [...(marks.get(one) ?? []), ...one.inside.map((inner) => write(inner, ref, language))],
        ...(language !== spoken ? { Lang: PDFString.of(language) } : {}),
        ...(alt ? { Alt: PDFHexString.fromText(alt) } : {}),
        ...(box
          ? {
              A: {
                O: 'Layout',
                Placement: 'Block',
                BBox: [box.x, height - box.y - box.height, box.x + box.width, height - box.y],
              },
            }
          : {}),
      }) as PDFDict,
    );
    return ref;
  };
  const root = context.nextRef();
  context.assign(
    root,
    context.obj({
      Type: 'StructTreeRoot',
      K: write(top, root, ''),
      ParentTree: { Nums: [0, marked] },
      ParentTreeNextKey: 1,
    }),
  );
  page.node.set(PDFName.of('StructParents'), context.obj(0));
  page.node.set(PDFName.of('Tabs'), PDFName.of('S'));
  catalog.set(PDFName.of('StructTreeRoot'), root);
  catalog.set(PDFName.of('MarkInfo'), context.obj({ Marked: true }));
}
