/** The page for a doctor: what is on it, and the PDF as a reader sees it. */
import { inflateSync } from 'node:zlib';
import { type PDFArray, PDFBool, PDFDict, PDFDocument, PDFName, type PDFNumber, PDFRawStream } from '@cantoo/pdf-lib';
import { extractText, getDocumentProxy } from 'unpdf';
import { describe, expect, test } from 'vitest';
import type { RankedClass, Result } from '../../web/src/classifier/result.js';
import { closerOf } from '../../web/src/element/closer/ask.js';
import { documentOf, fileName, paperOf } from '../../web/src/element/report/files.js';
import { fits, PAPERS, type Pixels, pdfOf } from '../../web/src/element/report/pdf.js';
import { momentOf, reportOf } from '../../web/src/element/report/report.js';
import type { Photo } from '../../web/src/element/session.js';
import { result } from './support.js';

const at = Date.UTC(2026, 10, 28, 21, 5, 9);
const FRAME = { x: 2, y: 2, width: 4, height: 4 };

function subject(of: Result): { photo: Photo; result: Result } {
  const look = { modality: null, crop: null, closer: null };
  return {
    result: of,
    photo: {
      ...look,
      id: 1,
      name: 'Aunt Emma, left arm.jpg',
      file: new Blob(),
      url: '',
      accepted: true,
      spots: [],
      chosenAt: 0,
      said: null,
      reading: null,
      state: { kind: 'done', result: of, at, seen: look, shown: null, again: null, earlier: [] },
    },
  };
}

function scored(change: Partial<Result> = {}, names: readonly string[] = ['Melanoma', 'Mole', 'Wart']): Result {
  const made = result(
    names.map((_, i): [string, number, RankedClass['concern'], boolean] => [`${i}`, 1 / (i + 2), 'high', i < 2]),
    'several',
    'high',
  );
  const ranking = made.ranking.map((entry, i) => ({ ...entry, name: names[i]! }));
  return { ...made, ranking, source: { ...made.source, region: FRAME }, ...change };
}

/** Red, so that it is recognised. */
const pixels: Pixels = {
  width: 40,
  height: 30,
  rgba: Uint8ClampedArray.from({ length: 4 * 40 * 30 }, (_, i) => [200, 30, 20, 255][i % 4]!),
};

async function read(bytes: Uint8Array) {
  const pdf = await getDocumentProxy(bytes.slice());
  const { text, totalPages } = await extractText(pdf, { mergePages: true });
  const objects = (await PDFDocument.load(bytes)).context.enumerateIndirectObjects().map(([, object]) => object);
  const streams = objects.filter((object) => object instanceof PDFRawStream);
  const images = streams.filter(({ dict }) => dict.get(PDFName.of('Subtype')) === PDFName.of('Image'));
  return { text: text.replace(/\s+/g, ' '), totalPages, images };
}

/**
 * What a screen reader is told: the elements as pdf.js finds them, with the text between the marks of the content as
 * the file has it (pdf.js makes blanks of its own where lines end).
 */
async function tagsOf(bytes: Uint8Array) {
  type Node = { role: string; alt?: string; id?: string; type?: string; lang?: string; children?: Node[] };
  const page = await (await getDocumentProxy(bytes.slice())).getPage(1);
  const pdf = await PDFDocument.load(bytes);
  const content = pdf.getPage(0).node.Contents() as PDFArray;
  const streams = content.asArray().map((ref) => pdf.context.lookup(ref) as PDFRawStream);
  const drawn = streams.map(({ contents }) => inflateSync(contents).toString('latin1')).join('\n');
  const texts = new Map<number, string>();
  let [within, artifacts, outside] = [-1, 0, ''];
  for (const [, mark, text, operator] of drawn.matchAll(/<<\/MCID (\d+)>> BDC|<([0-9A-Fa-f]*)> Tj|\b(BMC|EMC)\b/g)) {
    // Windows-1252, of which the test's texts have one character that ISO 8859-1 lacks.
    const words = text && Buffer.from(text, 'hex').toString('latin1').replaceAll('\x96', '–');
    if (words && within >= 0) texts.set(within, (texts.get(within) ?? '') + words);
    else if (words) outside += words;
    else if (operator === 'EMC') within = -1;
    else if (mark) within = Number(mark);
    else artifacts += 1;
  }
  const [outline, languages]: [string[], string[]] = [[], []];
  const walk = ({ role, alt, lang, children = [] }: Node): void => {
    const marks = children.flatMap(({ type, id }) => (type === 'content' ? [Number(/\d+$/.exec(id!)![0])] : []));
    const line = `${role} ${alt ?? marks.map((mark) => texts.get(mark)).join('')}`.replaceAll('\u00a0', ' ');
    if (marks.length > 0) outline.push(line);
    if (lang) languages.push(`${line}: ${lang}`);
    for (const child of children) if (child.type !== 'content') walk(child);
  };
  walk((await page.getStructTree()) as Node);
  return { outline, languages, artifacts, outside };
}

const textsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(textsIn);

describe('what is on the page', () => {
  test('the answer, what to do, the scores, the network and the time', () => {
    const report = reportOf(subject(scored()));
    expect(report.verdict.text).toContain('Melanoma');
    expect(report.tier.next.text).toContain('appointment');
    expect(report.scores?.entries.map(({ mark }) => mark !== null)).toEqual([true, true, false]);
    expect(report.when).toMatch(/28 November 2026|29 November 2026/);
    expect(report.picture.region).toEqual(FRAME);
    expect(textsIn(report)).toContain('0'.repeat(64));
    expect(textsIn(report).join(' ')).toContain('not a medical device');
    expect(momentOf(subject(scored())).getTime()).toBe(at);
  });

  test('nothing of the file: neither its name nor its size in bytes', () => {
    const alone = subject(scored());
    expect(textsIn(reportOf(alone)).join(' ')).not.toMatch(/Emma|left arm/);
    // Nor of the one that it was scored with.
    const other = { name: 'Uncle Ben.jpg', file: new Blob(), modality: null, crop: null };
    const state = { ...alone.photo.state, seen: { modality: null, crop: null, closer: closerOf(true, other) } };
    const both = textsIn(reportOf({ ...alone, photo: { ...alone.photo, state } as Photo })).join(' ');
    expect(both).toContain('One answer from two photos of one spot.');
    expect(both).not.toMatch(/Emma|left arm|Ben/);
  });

  test.each(['poor-quality', 'not-recognised', 'no-spot'] as const)('%s: no category is named', (outcome) => {
    const report = reportOf(subject(scored({ outcome, tier: 'unknown' })));
    expect(report.scores).toBeNull();
    expect(textsIn(report).join(' ')).not.toContain('Melanoma');
    expect(report.picture.region).toBeNull();
  });

  test('of a long list it says what it leaves out, and whether that is possible too', () => {
    const names = Array.from({ length: 30 }, (_, i) => `Name ${i}`);
    const long = scored({}, names);
    expect(reportOf(subject(long)).scores?.rest?.text).toBe('18 more categories with lower scores');
    const ranking = long.ranking.map((entry) => ({ ...entry, inSet: true }));
    expect(reportOf(subject({ ...long, ranking })).scores?.rest?.text).toContain('marked as possible too');
  });
});

describe('the PDF', () => {
  test.each(['a4', 'letter'] as const)('%s: one page with everything, and the photo', async (paper) => {
    const report = reportOf(subject(scored()));
    const bytes = await pdfOf(report, pixels, paper);
    const { text, totalPages, images } = await read(bytes);
    expect(totalPages).toBe(1);
    for (const part of textsIn({ ...report, language: null, picture: null })) {
      const words = part.replace(/[\u2068\u2069]/g, '').replace(/\s+/g, ' ');
      if (words.length > 9 && words.length !== 64) expect(text).toContain(words);
    }
    expect(text.replaceAll(' ', '')).toContain('0'.repeat(64));
    expect(images).toHaveLength(1);
    const { dict, contents } = images[0]!;
    const sizes = ['Width', 'Height'].map((key) => (dict.get(PDFName.of(key)) as PDFNumber).asNumber());
    expect(sizes).toEqual([40, 30]);
    expect([...inflateSync(contents)]).toEqual(Array.from({ length: 3 * 40 * 30 }, (_, i) => [200, 30, 20][i % 3]));
    const [page] = (await PDFDocument.load(bytes)).getPages();
    expect([page!.getWidth(), page!.getHeight()]).toEqual([...PAPERS[paper]]);
  });

  test('one page, however long the names and the set are', async () => {
    const names = Array.from({ length: 400 }, (_, i) => `${i} ${'a very long name of a category '.repeat(9)}`);
    const long = scored({}, names);
    const ranking = long.ranking.map((entry) => ({ ...entry, inSet: true }));
    const report = reportOf(subject({ ...long, ranking }));
    const bytes = await pdfOf(report, { ...pixels, width: 10, height: 120 }, 'letter');
    const { text, totalPages } = await read(bytes);
    expect(totalPages).toBe(1);
    // The last line is on it: nothing has run over the edge.
    expect(text).toContain('Nobody has checked or signed it.');
    const pdf = await getDocumentProxy(bytes.slice());
    const { items } = await (await pdf.getPage(1)).getTextContent();
    for (const item of items as { transform: number[]; width: number }[]) {
      expect(item.transform[5]).toBeGreaterThan(20);
      expect(item.transform[4]! + item.width).toBeLessThan(612 - 20);
    }
  });

  test('says of itself what is true, and nothing of the file', async () => {
    const made = new Date(Date.UTC(2026, 10, 29, 8));
    const bytes = await pdfOf(reportOf(subject(scored())), pixels, 'a4', made);
    const read = await PDFDocument.load(bytes, { updateMetadata: false });
    expect(read.getTitle()).toBe('A photo of skin, scored by a neural network');
    expect(read.getCreationDate()).toEqual(made);
    expect([read.getCreator(), read.getProducer(), read.getAuthor()]).toEqual(['Dermlet', 'pdf-lib', undefined]);
    expect(new TextDecoder('latin1').decode(bytes)).not.toMatch(/Emma|Exif/);
  });

  test('is tagged: headings, paragraphs, lists and a figure with words, in the order of reading', async () => {
    const base = reportOf(subject(scored()));
    // One sentence without a translation: English on a German page.
    const report = { ...base, language: { ...base.language, tag: 'de' }, doctor: { ...base.doctor, tag: 'en' } };
    const bytes = await pdfOf(report, pixels, 'a4');
    const { outline, languages, artifacts, outside } = await tagsOf(bytes);
    const sections = report.sections.flatMap(({ title, rows }) => [
      `H2 ${title}`,
      ...rows.map(([term, value]) => `LBody ${term}: ${value}`),
    ]);
    const { tier, scores, limits } = report;
    const expected = [
      `H1 ${report.title}`,
      `P ${report.when}`,
      `Figure ${report.picture.alt}`,
      `P ${report.picture.caption}`,
      `P ${report.verdict.text}`,
      ...report.notes.map(({ text }) => `P ${text}`),
      `H2 ${tier.title.text}`,
      `P ${tier.next.text}`,
      `P ${tier.why!.text}`,
      `P ${report.doctor.text}`,
      `H2 ${scores!.title}`,
      ...scores!.entries.flatMap(({ name, score, mark }) => [
        `Lbl ${mark ? `${name} – ${mark.text}` : name}`,
        `LBody ${score}`,
      ]),
      ...sections,
      `H2 ${limits.title}`,
      ...limits.sentences.map(({ text }) => `P ${text}`),
      `P ${report.made.text}`,
    ].map((line) => line.replace(/[\u2066-\u2069]/g, '').replace(/[\u00a0\u202f]/g, ' '));
    expect(outline).toEqual(expected);
    expect(languages).toContain(`P ${report.doctor.text}: en`);
    expect(outside, 'text that no element has').toBe('');
    // The bars and the ground of the box.
    expect(artifacts).toBeGreaterThan(3);
    const { catalog } = await PDFDocument.load(bytes);
    const viewer = catalog.lookup(PDFName.of('ViewerPreferences'), PDFDict);
    expect(viewer.get(PDFName.of('DisplayDocTitle'))).toBe(PDFBool.True);
    expect(catalog.lookup(PDFName.of('MarkInfo'), PDFDict).get(PDFName.of('Marked'))).toBe(PDFBool.True);
    expect(String(catalog.get(PDFName.of('Lang')))).toContain('de');
  });

  test('Western European letters are set as they are; others are left to printing', async () => {
    const names = ['Sommersprosse, größer', 'Nævus — éphélide', '¿Peca o lunar? Señal'];
    const report = reportOf(subject(scored({}, names)));
    expect(await fits(report)).toBe(true);
    const { text } = await read(await pdfOf(report, pixels, 'a4'));
    for (const name of names) expect(text).toContain(name);
    for (const name of ['شامة', 'ほくろ', 'родинка']) {
      const other = reportOf(subject(scored({}, [name, 'b', 'c'])));
      expect(await fits(other), name).toBe(false);
      await expect(pdfOf(other, pixels, 'a4')).rejects.toThrow();
    }
  });
});

describe('files', () => {
  test('are named by the day alone', () => {
    expect(fileName(new Date(2026, 10, 8), 'pdf')).toBe('dermlet-2026-11-08.pdf');
  });

  test('the JSON has a version, the time and the result without pixels', () => {
    const picture = { width: 1, height: 1, rgba: new Uint8ClampedArray(4) };
    const made = documentOf({ ...scored(), images: { view: picture, preview: picture } }, new Date(at));
    expect(JSON.parse(JSON.stringify(made))).toEqual({
      documentVersion: 1,
      classifiedAt: '2026-11-28T21:05:09.000Z',
      result: JSON.parse(JSON.stringify(scored())),
    });
  });

  test.each([
    ['en-US', 'letter'],
    ['es-MX', 'letter'],
    ['en-GB', 'a4'],
    ['de', 'a4'],
    ['ar', 'a4'],
    ['not a locale', 'a4'],
  ])('%s: %s', (locale, paper) => {
    expect(paperOf(locale)).toBe(paper);
  });
});
