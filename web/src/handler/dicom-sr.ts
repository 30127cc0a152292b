/**
 * A result as a DICOM structured report (PS3.3 A.35.3, PS3.16 TID 1500), in the DICOM JSON model (PS3.18 F): plain
 * data, which the command line writes as a file. It holds no pixels, is preliminary and not verified, and names no
 * person but the one that a DICOM source names.
 *
 * Comprehensive SR, as others write measurement reports: their readers know the class. It uses nothing that Enhanced SR
 * lacks.
 *
 *     126000 Imaging Measurement Report (TID 1500)
 *       language (TID 1204), the network as the observer (TID 1001, 1004), procedure, the words of the result
 *       111028 Image Library (TID 1600): the image, if the source is a DICOM file
 *       126010 Imaging Measurements
 *         125007 Measurement Group (TID 1410 with the frame as a region, else 1501)
 *           algorithm (TID 4019); where a category may be named a NUM for each (TID 300), tier and prediction set;
 *           outcome, checks of the picture
 */
import type { RankedClass, Result } from '../classifier/index.js';
import {
  advice,
  checkWords,
  doctor,
  joined,
  language,
  mayName,
  purpose,
  say,
  summary,
  tierWords,
} from '../messages/index.js';
import { CODES, codeOf, newUid, uidOfHash } from './codes.js';

/** An attribute: its value representation and its values. */
export interface DicomElement {
  vr: string;
  Value?: unknown[];
}

/** Attributes by tag, eight hexadecimal digits in capitals. */
export type DicomDataset = Record<string, DicomElement>;

/** The DICOM file that a picture came in. */
export interface DicomSource {
  /** Attributes of patient and study (PS3.3 C.7.1.1, C.7.2.1), taken over as they are, the study's UID among them. */
  readonly identity: DicomDataset;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesUid: string;
  /** As in the file, or empty. */
  readonly modality: string;
  /** The offset that the file gives its times, `+0100`, or empty. */
  readonly offset: string;
}

export interface DicomSrOptions {
  /** When the picture was classified. */
  readonly at: Date;
  /** SHA-256 of the file, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Without one the report is of a study of its own, without a patient. */
  readonly source?: DicomSource | undefined;
  /** The picture's name, if it is to be in the report: it may hold the name of a person. */
  readonly fileName?: string | undefined;
}

export const COMPREHENSIVE_SR = '1.2.840.10008.5.1.4.1.1.88.33';
const SCHEME = '99DERMLET';
/** Of the coding scheme: a random UUID, made once. */
const SCHEME_UID = '2.25.245491114448300059647042590514130767522';

const el = (vr: string, ...values: unknown[]): DicomElement => ({
  vr,
  ...(values.length > 0 ? { Value: values } : {}),
});
const sequence = (...items: DicomDataset[]): DicomElement => el('SQ', ...items);

/** Longest values, in characters (PS3.5, table 6.2-1). */
const MOST = { SH: 16, LO: 64, ST: 1024, UT: 20_000 } as const;

/**
 * A stranger's text as a value: without control characters and what separates values, no longer than allowed. A text of
 * many lines (UT, ST) keeps them, and its backslashes, which separate nothing there.
 */
function bounded(vr: keyof typeof MOST, text: string): string {
  const lines = vr === 'UT' || vr === 'ST';
  const plain = (lines ? text : text.replace(/[\n\t]/g, ' ').replaceAll('\\', '/'))
    .replace(/(?![\n\t])[\p{Cc}\p{Cs}]/gu, ' ')
    .replace(/[\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
  if (plain.length <= MOST[vr]) return plain;
  let kept = '';
  for (const character of plain) {
    if (kept.length + character.length >= MOST[vr]) break;
    kept += character;
  }
  return `${kept}…`;
}

/** @param value at most 16 characters, or it is written as a long one */
function code(value: string, scheme: string, meaning: string): DicomDataset {
  const short = value.length <= MOST.SH;
  return {
    [short ? '00080100' : '00080119']: el(short ? 'SH' : 'UC', value),
    '00080102': el('SH', scheme),
    '00080104': el('LO', bounded('LO', meaning) || value.slice(0, MOST.LO)),
  };
}
const dcm = (value: string, meaning: string) => code(value, 'DCM', meaning);
const own = (id: keyof typeof CODES) => code(id, SCHEME, CODES[id]);
const ofNetwork = (kind: string, id: string, name: string) =>
  code(`${kind}-${codeOf(id).replaceAll('\\', '/')}`, SCHEME, name);

/** Modalities of photos (CID 29). */
const MODALITIES: Readonly<Record<string, string>> = {
  XC: 'External-camera Photography',
  DMS: 'Dermoscopy',
  OT: 'Other',
};

type Relation =
  | 'CONTAINS'
  | 'HAS CONCEPT MOD'
  | 'HAS OBS CONTEXT'
  | 'HAS ACQ CONTEXT'
  | 'HAS PROPERTIES'
  | 'SELECTED FROM';

/** A content item (PS3.3 C.17.3). */
const item = (
  relation: Relation | null,
  type: string,
  name: DicomDataset | null,
  value: DicomDataset,
  children: readonly DicomDataset[] = [],
): DicomDataset => ({
  ...(relation ? { '0040A010': el('CS', relation) } : {}),
  '0040A040': el('CS', type),
  ...(name ? { '0040A043': sequence(name) } : {}),
  ...value,
  ...(children.length > 0 ? { '0040A730': sequence(...children) } : {}),
});

const text = (relation: Relation, name: DicomDataset, value: string): DicomDataset[] => {
  const said = bounded('UT', value);
  return said ? [item(relation, 'TEXT', name, { '0040A160': el('UT', said) })] : [];
};
const coded = (relation: Relation, name: DicomDataset, value: DicomDataset, children: readonly DicomDataset[] = []) =>
  item(relation, 'CODE', name, { '0040A168': sequence(value) }, children);
const uidRef = (relation: Relation, name: DicomDataset, uid: string) =>
  item(relation, 'UIDREF', name, { '0040A124': el('UI', uid) });
const container = (
  relation: Relation | null,
  name: DicomDataset,
  children: readonly DicomDataset[],
  template?: string,
): DicomDataset =>
  item(
    relation,
    'CONTAINER',
    name,
    {
      '0040A050': el('CS', 'SEPARATE'),
      ...(template ? { '0040A504': sequence({ '00080105': el('CS', 'DCMR'), '0040DB00': el('CS', template) }) } : {}),
    },
    children,
  );

const reference = ({ sopClassUid, sopInstanceUid }: DicomSource): DicomDataset => ({
  '00081150': el('UI', sopClassUid),
  '00081155': el('UI', sopInstanceUid),
});

const image = (
  relation: Relation,
  name: DicomDataset | null,
  source: DicomSource,
  children: readonly DicomDataset[] = [],
) => item(relation, 'IMAGE', name, { '00081199': sequence(reference(source)) }, children);

/** A category's score: exact as a double, and as decimal text, which holds 16 characters. */
const score = ({ id, name, probability }: RankedClass, method: DicomDataset): DicomDataset =>
  item(
    'CONTAINS',
    'NUM',
    ofNetwork('score', id, `Score: ${name}`),
    {
      '0040A300': sequence({
        '0040A30A': el('DS', probability),
        '0040A161': el('FD', probability),
        '004008EA': sequence(code('1', 'UCUM', 'no units')),
      }),
    },
    [coded('HAS CONCEPT MOD', code('370129005', 'SCT', 'Measurement Method'), method)],
  );

/**
 * What the network saw, as a region of the stored image. Only where the picture was not turned: DICOM knows nothing of
 * a JPEG's own orientation, so that the region would lie elsewhere.
 */
function regionOf({ source: { region, orientation } }: Result, source: DicomSource): DicomDataset | null {
  if (orientation !== 1) return null;
  const { x, y, width, height } = region;
  const [right, bottom] = [x + width, y + height];
  return item(
    'CONTAINS',
    'SCOORD',
    dcm('111030', 'Image Region'),
    { '00700022': el('FL', x, y, right, y, right, bottom, x, bottom, x, y), '00700023': el('CS', 'POLYLINE') },
    [image('SELECTED FROM', null, source)],
  );
}

function checksOf({ quality }: Result): DicomDataset[] {
  return quality.checks.map((check) => {
    const { name, value } = checkWords(check);
    const id = ofNetwork('quality', check.id, name);
    const words = text('HAS PROPERTIES', dcm('121106', 'Comment'), value);
    return coded('CONTAINS', id, own(check.passed ? 'passed' : 'not-passed'), words);
  });
}

/** The scores; nothing where no category may be named. */
function scoresOf(result: Result): DicomDataset[] {
  if (!mayName(result)) return [];
  // Nobody has compared the shares of somebody's own head with what came true.
  const method = own(result.head ? 'not-calibrated' : 'calibrated');
  return result.ranking.map((entry) => score(entry, method));
}

/** What is said of them, and of the picture. */
function evaluationsOf(result: Result): DicomDataset[] {
  const { outcome, modality, tier, head, ranking } = result;
  const possible = mayName(result) ? ranking.filter(({ inSet }) => inSet) : [];
  return [
    coded('CONTAINS', own('outcome'), own(`outcome-${outcome}`)),
    coded('CONTAINS', own('modality'), ofNetwork('modality', modality, modality)),
    // A head of somebody's own gives none.
    ...(mayName(result) && !head
      ? [coded('CONTAINS', own('tier'), ofNetwork('tier', tier, tierWords(tier).title))]
      : []),
    ...possible.map(({ id, name }) => coded('CONTAINS', own('in-prediction-set'), ofNetwork('category', id, name))),
    ...checksOf(result),
  ];
}

/** In the order of its template. */
function groupOf(result: Result, { source }: DicomSrOptions): DicomDataset {
  const { model, testTimeAugmentation, head } = result;
  const region = source ? regionOf(result, source) : null;
  const parameter = (value: string) => text('HAS CONCEPT MOD', dcm('111002', 'Algorithm Parameters'), value);
  return container(
    'CONTAINS',
    dcm('125007', 'Measurement Group'),
    [
      ...text('HAS OBS CONTEXT', dcm('112039', 'Tracking Identifier'), 'Picture'),
      uidRef('HAS OBS CONTEXT', dcm('112040', 'Tracking Unique Identifier'), newUid()),
      ...(region ? [region] : source ? [image('CONTAINS', dcm('121112', 'Source of Measurement'), source)] : []),
      ...text('HAS CONCEPT MOD', dcm('111001', 'Algorithm Name'), model.title || model.name),
      ...text('HAS CONCEPT MOD', dcm('111003', 'Algorithm Version'), model.version),
      ...parameter(`name=${model.name}`),
      ...parameter(`sha256=${model.sha256}`),
      ...parameter(`test-time-augmentation=${testTimeAugmentation}`),
      ...(head ? parameter(`head=${head.title}, trained on ${head.pictures} pictures`) : []),
      ...scoresOf(result),
      ...evaluationsOf(result),
    ],
    region ? '1410' : '1501',
  );
}

/** The image that the scores are of, with what kind of image it is. */
function libraryOf(source: DicomSource): DicomDataset {
  const { modality } = source;
  const meaning = MODALITIES[modality];
  const kind = meaning ? [coded('HAS ACQ CONTEXT', dcm('121139', 'Modality'), dcm(modality, meaning))] : [];
  const entry = image('CONTAINS', code('260753009', 'SCT', 'Source'), source, kind);
  const group = container('CONTAINS', dcm('126200', 'Image Library Group'), [entry]);
  return container('CONTAINS', dcm('111028', 'Image Library'), [group]);
}

/** The result in words, those around it, and what is known of the picture. */
function wordsOf(result: Result, { sha256, fileName }: DicomSrOptions): DicomDataset[] {
  const { outcome, tier, head, quality, source, frame } = result;
  const { width, height, region } = source;
  const todo =
    outcome === 'poor-quality' ? advice(quality.checks) : mayName(result) && !head ? [tierWords(tier).next] : [];
  const rows: [keyof typeof CODES, string][] = [
    ['about', purpose()],
    ['summary', summary(result)],
    ['next', joined([...todo, doctor()])],
    ['size', say('details.pixels', { width: String(width), height: String(height) })],
    [
      'frame',
      `${say('details.region', {
        width: String(region.width),
        height: String(region.height),
        x: String(region.x),
        y: String(region.y),
      })} (${say(`details.framings.${frame.framing}`)})`,
    ],
    ['sha256', sha256],
    ['file-name', fileName ?? ''],
  ];
  return rows.flatMap(([id, value]) => text('CONTAINS', own(id), value));
}

function treeOf(result: Result, options: DicomSrOptions): DicomDataset {
  const { model } = result;
  const { source } = options;
  const { tag } = language();
  const name = new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag;
  return container(
    null,
    dcm('126000', 'Imaging Measurement Report'),
    [
      coded('HAS CONCEPT MOD', dcm('121049', 'Language of Content Item and Descendants'), code(tag, 'RFC5646', name)),
      coded('HAS OBS CONTEXT', dcm('121005', 'Observer Type'), dcm('121007', 'Device')),
      uidRef('HAS OBS CONTEXT', dcm('121012', 'Device Observer UID'), uidOfHash(model.sha256)),
      ...text('HAS OBS CONTEXT', dcm('121013', 'Device Observer Name'), model.name),
      ...text('HAS OBS CONTEXT', dcm('121015', 'Device Observer Model Name'), model.title),
      coded('HAS CONCEPT MOD', dcm('121058', 'Procedure reported'), own('photo-of-skin-scored')),
      // Not of the template, which may be extended: what a reader must see first.
      ...wordsOf(result, options),
      ...(source ? [libraryOf(source)] : []),
      container('CONTAINS', dcm('126010', 'Imaging Measurements'), [groupOf(result, options)]),
    ],
    '1500',
  );
}

/** A clock's date, time and offset; in the offset that is given, else in that of this machine. */
function moment(at: Date, offset: string): { date: string; time: string; offset: string } {
  const [, sign, hours = '', minutes = ''] = /^([+-])(\d\d)(\d\d)$/.exec(offset) ?? [];
  const ahead = sign ? (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1) : -at.getTimezoneOffset();
  const [digits, fraction = '000'] = new Date(at.getTime() + ahead * 60_000).toISOString().slice(0, 23).split('.');
  const plain = digits!.replace(/[-:T]/g, '');
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return {
    date: plain.slice(0, 8),
    time: `${plain.slice(8)}.${fraction}`,
    offset: `${ahead < 0 ? '-' : '+'}${two(Math.abs(ahead) / 60)}${two(Math.abs(ahead) % 60)}`,
  };
}

/** Attributes of patient and study that must be there, and are empty for a photo. */
const NOBODY = {
  '00080020': 'DA',
  '00080030': 'TM',
  '00080050': 'SH',
  '00080090': 'PN',
  '00100010': 'PN',
  '00100020': 'LO',
  '00100030': 'DA',
  '00100040': 'CS',
  '00200010': 'SH',
};

/**
 * @param result of one picture, as `classify` returns it
 * @returns the report; its SOP Instance UID, new for each call, is the attribute 00080018
 */
export function toDicomSr(result: Result, options: DicomSrOptions): DicomDataset {
  const { at, source } = options;
  const now = moment(at, source?.offset ?? '');
  const { model } = result;
  const study = source?.identity['0020000D'];
  return {
    ...Object.fromEntries(Object.entries(NOBODY).map(([tag, vr]) => [tag, el(vr)])),
    '0020000D': el('UI', newUid()),
    ...source?.identity,
    '00080005': el('CS', 'ISO_IR 192'),
    '00080016': el('UI', COMPREHENSIVE_SR),
    '00080018': el('UI', newUid()),
    '00080012': el('DA', now.date),
    '00080013': el('TM', now.time),
    '00080023': el('DA', now.date),
    '00080033': el('TM', now.time),
    '00080060': el('CS', 'SR'),
    // Whoever gives a network a medical purpose becomes its manufacturer: this project is none.
    '00080070': el('LO'),
    '00081090': el('LO', bounded('LO', model.name)),
    '00181002': el('UI', uidOfHash(model.sha256)),
    '00181020': el('LO', bounded('LO', model.version)),
    '00080110': sequence({
      '00080102': el('SH', SCHEME),
      '0008010C': el('UI', SCHEME_UID),
      '00080115': el('ST', "Dermlet's own codes and those of networks; not verified against any terminology"),
    }),
    // It would hold for the study's date and time too: what the source does not say of those is not said here.
    ...(source && !source.offset ? {} : { '00080201': el('SH', now.offset) }),
    '00081111': sequence(),
    '0020000E': el('UI', newUid()),
    '00200011': el('IS', 1),
    '00200013': el('IS', 1),
    '0040A032': el('DT', `${now.date}${now.time}${now.offset}`),
    '0040A372': sequence(),
    ...(source && study
      ? {
          '0040A375': sequence({
            '00081115': sequence({
              '00081199': sequence(reference(source)),
              '0020000E': el('UI', source.seriesUid),
            }),
            '0020000D': study,
          }),
        }
      : {}),
    '0040A491': el('CS', 'PARTIAL'),
    '0040A492': el('LO', 'Scores of a neural network; no person has read the picture'),
    '0040A493': el('CS', 'UNVERIFIED'),
    '0040A496': el('CS', 'PRELIMINARY'),
    ...treeOf(result, options),
  };
}
