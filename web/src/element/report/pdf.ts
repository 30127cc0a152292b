/**
 * The page as a PDF, one page always. It is set in the fonts that every PDF reader has, which hold Western European
 * letters: `fits` says whether a report can be set in them. Others are printed by the browser, which has their fonts
 * and joins their letters. The photo's pixels are written as they are, so nothing of its file can come along. It is
 * tagged (ISO 32000-1, 14.7 and 14.8): `tags.ts` says to screen readers what each text is.
 */
import {
  concatTransformationMatrix,
  drawObject,
  PDFDocument,
  type PDFFont,
  popGraphicsState,
  pushGraphicsState,
  rgb,
  StandardFonts,
} from '@cantoo/pdf-lib';
import type { Tier } from '../../classifier/index.js';
import type { Sentence } from '../../messages/index.js';
import type { Report } from './report.js';
import { element, type Tagged, under, writeTags } from './tags.js';

/** Pixels of the upright photo, RGBA. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray;
}

/** Points. */
export const PAPERS = { a4: [595.28, 841.89], letter: [612, 792] } as const;
export type Paper = keyof typeof PAPERS;

const MARGIN = 40;
const GAP = 16;
const SIZES = [1, 0.93, 0.86, 0.79, 0.72, 0.65, 0.58, 0.5, 0.42, 0.34];

type Colour = readonly [number, number, number];
const colour = (hex: string): Colour =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as never;
const INK = colour('#23201c');
const MUTED = colour('#544e45');
const BAR = colour('#1c4a68');
const BAR_REST = colour('#8ba3b1');
const TRACK = colour('#e6dfd3');
const WHITE = colour('#ffffff');
const TIERS: Readonly<Record<Tier, readonly [text: Colour, ground: Colour]>> = {
  high: [colour('#8f2a1b'), colour('#fae8e2')],
  moderate: [colour('#6f4500'), colour('#fbf0d8')],
  low: [colour('#324c75'), colour('#e8eef7')],
  unknown: [colour('#534d45'), colour('#eee8dd')],
};

/** Without marks of isolation, and with the blanks and hyphens that the fonts have. */
const plain = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/[\u2066-\u2069\u200e\u200f]/g, '')
    .replace(/[\u202f\u2009\u2007]/g, '\u00a0')
    .replace(/[\u2010\u2011\u2212]/g, '-');

interface Fonts {
  readonly regular: PDFFont;
  readonly bold: PDFFont;
}

/** With what it is part of; null: it says nothing. */
type Drawn = { readonly of: Tagged | null } & (
  | { kind: 'text'; x: number; y: number; text: string; font: PDFFont; size: number; ink: Colour }
  | { kind: 'box'; x: number; y: number; width: number; height: number; fill?: Colour; line?: Colour; thick?: number }
  | { kind: 'photo'; x: number; y: number; width: number; height: number }
);

/**
 * Lines of at most `width`; words that are longer are broken anywhere. A line that goes on with another word ends in a
 * blank: who reads the text aloud knows words by that alone.
 */
function lines(text: string, font: PDFFont, size: number, width: number): string[] {
  const room = (line: string) => font.widthOfTextAtSize(line, size) <= width;
  const out: string[] = [];
  let line = '';
  for (const word of plain(text).split(/[ \n]+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (room(longer)) {
      line = longer;
      continue;
    }
    if (line !== '') out.push(`${line} `);
    line = '';
    for (const letter of word) {
      if (line !== '' && !room(line + letter)) {
        out.push(line);
        line = '';
      }
      line += letter;
    }
  }
  return line === '' ? out : [...out, line];
}

/** From the top of the page down; `y` is what the next thing is below. */
class Column {
  constructor(
    readonly drawn: Drawn[],
    readonly x: number,
    readonly width: number,
    public y: number,
    readonly scale: number,
    /** What its texts are parts of. */
    readonly of: Tagged,
  ) {}

  text(
    tag: 'H1' | 'H2' | 'P' | 'Lbl' | 'LBody',
    text: string | Sentence,
    font: PDFFont,
    points: number,
    ink = INK,
    leading = 1.32,
  ): void {
    const size = points * this.scale;
    const of = under(this.of, tag, typeof text === 'string' ? {} : { language: text.tag });
    for (const line of lines(typeof text === 'string' ? text : text.text, font, size, this.width)) {
      this.drawn.push({ of, kind: 'text', x: this.x, y: this.y + size, text: line, font, size, ink });
      this.y += size * leading;
    }
  }

  space(points: number): void {
    this.y += points * this.scale;
  }

  /** The same, from here on, for parts of something else. */
  with(of: Tagged): Column {
    return new Column(this.drawn, this.x, this.width, this.y, this.scale, of);
  }
}

function photo(page: Column, { picture }: Report, { regular }: Fonts): void {
  const side = page.width;
  const scale = Math.min(side / picture.width, side / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const { drawn, x, y } = page;
  const of = under(page.of, 'Figure', { alt: plain(picture.alt), box: { x, y, width, height } });
  drawn.push({ of, kind: 'photo', x, y, width, height });
  const { region } = picture;
  if (region) {
    const frame = {
      of,
      kind: 'box',
      x: x + region.x * scale,
      y: y + region.y * scale,
      width: region.width * scale,
      height: region.height * scale,
    } as const;
    drawn.push({ ...frame, line: INK, thick: 2.4 }, { ...frame, line: WHITE, thick: 1.2 });
  }
  page.y += height + 4;
  if (picture.caption) page.text('P', picture.caption, regular, 8, MUTED);
}

function answer(page: Column, report: Report, { regular, bold }: Fonts): void {
  page.text('P', report.verdict, bold, 13, INK, 1.25);
  for (const note of report.notes) page.text('P', note, regular, 9, MUTED);
  page.space(8);
  const { tier } = report;
  const [ink, fill] = TIERS[tier.id];
  const inside = new Column([], page.x + 9, page.width - 18, page.y + 8, page.scale, under(page.of, 'Sect'));
  inside.text('H2', tier.title, bold, 11, ink);
  inside.text('P', tier.next, regular, 10);
  if (tier.why) inside.text('P', tier.why, regular, 9);
  inside.space(3);
  inside.text('P', report.doctor, bold, 9.5);
  const { x, y, width } = page;
  page.drawn.push({ of: null, kind: 'box', x, y, width, height: inside.y + 6 - y, fill, line: ink, thick: 0.7 });
  page.drawn.push(...inside.drawn);
  page.y = inside.y + 6;
}

function scores(whole: Column, report: Report, { regular, bold }: Fonts): void {
  if (!report.scores) return;
  const { title, entries, rest } = report.scores;
  const page = whole.with(under(whole.of, 'Sect'));
  page.text('H2', title, bold, 11);
  page.space(3);
  const list = under(page.of, 'L');
  for (const { name, score, share, mark } of entries) {
    const size = 9 * page.scale;
    const font = mark ? bold : regular;
    const width = font.widthOfTextAtSize(plain(score), size);
    const item = under(list, 'LI');
    const row = new Column(page.drawn, page.x, page.width - width - 12, page.y, page.scale, item);
    row.text('Lbl', mark ? `${name} – ${mark.text}` : name, font, 9, mark ? INK : MUTED, 1.2);
    const right = new Column(page.drawn, page.x + page.width - width, width + 1, page.y, page.scale, item);
    right.text('LBody', score, font, 9);
    const height = 4 * page.scale;
    const bar = { of: null, kind: 'box', x: page.x, y: row.y + 1, height } as const;
    page.drawn.push({ ...bar, width: page.width, fill: TRACK });
    page.drawn.push({ ...bar, width: Math.max(1.5, share * page.width), fill: mark ? BAR : BAR_REST });
    page.y = row.y + height;
    page.space(4);
  }
  if (rest) page.text('P', rest, regular, 8.5, MUTED);
  whole.y = page.y;
}

function sections(page: Column, report: Report, { regular, bold }: Fonts): void {
  const width = (page.width - GAP) / 2;
  const [quality, ...others] = report.sections;
  let bottom = page.y;
  for (const [x, parts] of [
    [page.x, quality ? [quality] : []],
    [page.x + width + GAP, others],
  ] as const) {
    let { y } = page;
    for (const { title, rows } of parts) {
      const column = new Column(page.drawn, x, width, y, page.scale, under(page.of, 'Sect'));
      column.text('H2', title, bold, 10);
      column.space(1);
      const list = under(column.of, 'L');
      for (const [term, value] of rows) {
        const row = column.with(under(list, 'LI'));
        row.text('LBody', `${term}: ${value}`, regular, 8, INK, 1.28);
        column.y = row.y;
      }
      column.space(7);
      ({ y } = column);
    }
    bottom = Math.max(bottom, y);
  }
  page.y = bottom;
}

interface Layout {
  readonly drawn: readonly Drawn[];
  readonly document: Tagged;
  /** That it takes. */
  readonly height: number;
}

/** Everything on a page `width` wide, at `scale`. */
function layout(report: Report, fonts: Fonts, width: number, scale: number): Layout {
  const inner = width - 2 * MARGIN;
  const document = element('Document', { language: report.language.tag });
  const page = new Column([], MARGIN, inner, MARGIN, scale, document);
  page.text('H1', report.title, fonts.bold, 16);
  page.text('P', report.when, fonts.regular, 9.5, MUTED);
  page.space(8);
  const side = 190 * Math.max(0.6, scale);
  const left = new Column(page.drawn, MARGIN, side, page.y, scale, document);
  const right = new Column(page.drawn, MARGIN + side + GAP, inner - side - GAP, page.y, scale, document);
  photo(left, report, fonts);
  answer(right, report, fonts);
  page.y = Math.max(left.y, right.y);
  page.space(10);
  scores(page, report, fonts);
  page.space(8);
  sections(page, report, fonts);
  page.space(2);
  const last = page.with(under(document, 'Sect'));
  last.text('H2', report.limits.title, fonts.bold, 10);
  for (const sentence of report.limits.sentences) last.text('P', sentence, fonts.regular, 8.5);
  last.space(5);
  last.text('P', report.made, fonts.regular, 8, MUTED);
  return { drawn: page.drawn, document, height: last.y + MARGIN };
}

/** Opaque: photos have no transparency once the core has read them. */
function rgbOf({ rgba, width, height }: Pixels): Uint8Array {
  const out = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < out.length; from += 4, to += 3) out.set(rgba.subarray(from, from + 3), to);
  return out;
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

async function fontsOf(document: PDFDocument): Promise<Fonts> {
  return {
    regular: await document.embedFont(StandardFonts.Helvetica),
    bold: await document.embedFont(StandardFonts.HelveticaBold),
  };
}

/** Whether the standard fonts have every letter of the report. */
export async function fits(report: Report): Promise<boolean> {
  return haveLetters(await fontsOf(await PDFDocument.create()), report);
}

/** Both fonts have the same letters. */
function haveLetters({ regular }: Fonts, report: Report): boolean {
  const known = new Set(regular.getCharacterSet());
  return textsIn(report).every((text) => [...plain(text)].every((letter) => known.has(letter.codePointAt(0)!)));
}

/**
 * The file's bytes.
 * @param made now: what the file says of when it was made
 * @throws if the report does not fit the standard fonts
 */
export async function pdfOf(report: Report, pixels: Pixels, paper: Paper, made = new Date()): Promise<Uint8Array> {
  const document = await PDFDocument.create({ updateMetadata: false });
  const [width, height] = PAPERS[paper];
  document.setTitle(plain(report.title), { showInWindowTitleBar: true });
  document.setCreator('Dermlet');
  document.setProducer('pdf-lib');
  document.setCreationDate(made);
  document.setModificationDate(made);
  document.setLanguage(report.language.tag);
  const fonts = await fontsOf(document);
  // Else the library would leave letters out.
  if (!haveLetters(fonts, report)) throw new Error('the standard fonts of PDF lack letters of this report');
  const page = document.addPage([width, height]);
  const image = document.context.flateStream(rgbOf(pixels), {
    Type: 'XObject',
    Subtype: 'Image',
    Width: pixels.width,
    Height: pixels.height,
    ColorSpace: 'DeviceRGB',
    BitsPerComponent: 8,
  });
  const name = page.node.newXObject('Photo', document.context.register(image));
  const tried = SIZES.map((scale) => () => layout(report, fonts, width, scale));
  const set = tried.reduce((best, next) => (best.height <= height ? best : next()), tried[0]!());
  writeTags(document, page, set.document, set.drawn, (one) => {
    if (one.kind === 'text') {
      const { x, y, text, font, size, ink } = one;
      page.drawText(text, { x, y: height - y, font, size, color: rgb(...ink) });
    } else if (one.kind === 'box') {
      const { x, y, width, fill, line, thick = 0 } = one;
      page.drawRectangle({
        x,
        y: height - y - one.height,
        width,
        height: one.height,
        ...(fill ? { color: rgb(...fill) } : {}),
        ...(line ? { borderColor: rgb(...line), borderWidth: thick } : {}),
      });
    } else {
      const matrix = concatTransformationMatrix(one.width, 0, 0, one.height, one.x, height - one.y - one.height);
      page.pushOperators(pushGraphicsState(), matrix, drawObject(name), popGraphicsState());
    }
  });
  return document.save();
}
