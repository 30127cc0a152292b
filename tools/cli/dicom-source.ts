/**
 * What a report takes over from the DICOM file of its picture: patient, study, and which image it is (PS3.3 C.7.1.1,
 * C.7.2.1). Texts are decoded by the file's character set. A patient's or study's identity is taken as it is or not at
 * all: one that was cut or guessed would be another's.
 */
import dicomParser, { type DataSet, type Element } from 'dicom-parser';
import { DermletError } from '../../web/src/classifier/node/index.js';
import type { DicomDataset, DicomSource } from '../../web/src/handler/index.js';

/** Bytes that are looked at, as when the picture is taken out of such a file. */
const MOST_HEADER = 2 << 20;
const PIXELS = 'x7fe00010';

/** What is a picture by its first bytes is read as one, whatever stands behind them. */
const PICTURES = /^(\xff\xd8|\x89PNG|BM|GIF8|RIFF|....ftyp)/s;

const isDicom = (bytes: Uint8Array): boolean => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 132)).toString('latin1');
  return text.slice(128) === 'DICM' && !PICTURES.test(text);
};

/** Attributes by tag. Those of an identity give no report if they break their rules, the others are left out. */
const TAKEN: readonly (readonly [tag: string, vr: string, kind: 'identity' | 'other'])[] = [
  ['00100010', 'PN', 'identity'], // Patient's Name
  ['00100020', 'LO', 'identity'], // Patient ID
  ['00100021', 'LO', 'identity'], // Issuer of Patient ID
  ['00100030', 'DA', 'other'], // Patient's Birth Date
  ['00100040', 'CS', 'other'], // Patient's Sex
  ['00080050', 'SH', 'identity'], // Accession Number
  ['00200010', 'SH', 'other'], // Study ID
  ['00080020', 'DA', 'other'], // Study Date
  ['00080030', 'TM', 'other'], // Study Time
  ['00080090', 'PN', 'other'], // Referring Physician's Name
  ['00081030', 'LO', 'other'], // Study Description
];

/** What a value may be (PS3.5, table 6.2-1); one that may have more than one value has one here. */
const RULES: Readonly<Record<string, RegExp>> = {
  PN: /^[^\p{Cc}\\=]{0,64}(=[^\p{Cc}\\=]{0,64}){0,2}$/u,
  LO: /^[^\p{Cc}\\]{0,64}$/u,
  SH: /^[^\p{Cc}\\]{0,16}$/u,
  DA: /^\d{8}$/,
  TM: /^([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?$/,
  CS: /^[MFO]$/,
  UI: /^(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/,
};

/** Encodings by their defined terms (PS3.3 C.12.1.1.2); those with code extensions have none of them by itself. */
const ENCODINGS: Readonly<Record<string, string>> = {
  'IR 13': 'shift_jis',
  'IR 100': 'windows-1252',
  'IR 101': 'iso-8859-2',
  'IR 109': 'iso-8859-3',
  'IR 110': 'iso-8859-4',
  'IR 126': 'iso-8859-7',
  'IR 127': 'iso-8859-6',
  'IR 138': 'iso-8859-8',
  'IR 144': 'iso-8859-5',
  'IR 148': 'windows-1254',
  'IR 166': 'windows-874',
  'IR 192': 'utf-8',
  'IR 203': 'iso-8859-15',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

const refused = (why: string): DermletError =>
  new DermletError('UNSUPPORTED_FORMAT', `no DICOM SR was written: the file is a DICOM file, and ${why}`);
const broken = (why: string): DermletError =>
  new DermletError('CORRUPT_IMAGE', `no DICOM SR was written: the file is a DICOM file, and ${why}`);

/** Text of a file by its Specific Character Set; null if it is not of that set, or the set is not known. */
function decoderOf(data: DataSet): (bytes: Uint8Array) => string | null {
  const terms = (plain(data, '00080005') ?? '').split('\\').map((term) => term.trim().replace(/^ISO(_| 2022 )/, ''));
  const extended = terms.length > 1;
  const name = terms.some((term) => term === 'IR 87' || term === 'IR 159')
    ? 'iso-2022-jp'
    : terms.includes('IR 149')
      ? 'euc-kr'
      : terms.includes('IR 58')
        ? 'gb18030'
        : ENCODINGS[terms[0]!];
  return (bytes) => {
    const ascii = bytes.every((byte) => byte < 0x80 && byte !== 0x1b);
    if (ascii) return Buffer.from(bytes).toString('latin1');
    if (name === undefined) return null;
    // Korean and Chinese sets are named once, by an escape, and then have the upper half of the bytes.
    const text = Buffer.from(bytes).toString('latin1');
    const unnamed = extended ? ['\x1b$)A', '\x1b$)C'].reduce((rest, name) => rest.replaceAll(name, ''), text) : text;
    if (name !== 'iso-2022-jp' && unnamed.includes('\x1b')) return null;
    try {
      return new TextDecoder(name, { fatal: true }).decode(Buffer.from(unnamed, 'latin1'));
    } catch {
      return null;
    }
  };
}

const elementOf = (data: DataSet, tag: string): Element | undefined => data.elements[`x${tag.toLowerCase()}`];

function bytesOf(data: DataSet, tag: string): Uint8Array | undefined {
  const element = elementOf(data, tag);
  return element && data.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
}

/** Of characters that every set has. */
const plain = (data: DataSet, tag: string): string | undefined => {
  const bytes = bytesOf(data, tag);
  return bytes && trimmed(Buffer.from(bytes).toString('latin1'));
};

const trimmed = (text: string): string => text.replace(/^ +|[ \0]+$/g, '');

function uidOf(data: DataSet, tag: string, name: string): string {
  const uid = plain(data, tag) ?? '';
  if (!RULES.UI!.test(uid)) throw broken(`its ${name} is missing or broken`);
  return uid;
}

/** A name in its up to three writings (PS3.18 F.2.2). */
function personName(text: string): Record<string, string> {
  const groups = text.split('=');
  return Object.fromEntries(
    ['Alphabetic', 'Ideographic', 'Phonetic'].flatMap((key, index) => (groups[index] ? [[key, groups[index]]] : [])),
  );
}

function identityOf(data: DataSet): DicomDataset {
  const decode = decoderOf(data);
  const identity: DicomDataset = {};
  for (const [tag, vr, kind] of TAKEN) {
    const bytes = bytesOf(data, tag);
    if (!bytes) continue;
    const decoded = decode(bytes);
    const text = decoded === null ? null : trimmed(decoded);
    if (text === '') continue;
    if (text !== null && RULES[vr]!.test(text)) identity[tag] = { vr, Value: [vr === 'PN' ? personName(text) : text] };
    // The tag says what it is; the value may be a person's name.
    else if (kind === 'identity')
      throw text === null
        ? refused(`its attribute (${tag}) is in a character set that is not read`)
        : broken(`its attribute (${tag}) is broken`);
  }
  return identity;
}

/**
 * @param bytes of a file of any kind
 * @returns undefined if it is no DICOM file
 * @throws DermletError CORRUPT_IMAGE, UNSUPPORTED_FORMAT where no report can be filed with its image
 */
export function dicomSourceOf(bytes: Uint8Array): DicomSource | undefined {
  if (!isDicom(bytes)) return undefined;
  let data: DataSet;
  try {
    data = dicomParser.parseDicom(bytes.subarray(0, MOST_HEADER), { untilTag: PIXELS });
  } catch {
    // The parser's own messages may quote the file.
    throw broken('its elements are cut off or broken');
  }
  const study = uidOf(data, '0020000D', 'Study Instance UID');
  const offset = plain(data, '00080201') ?? '';
  return {
    identity: { ...identityOf(data), '0020000D': { vr: 'UI', Value: [study] } },
    sopClassUid: uidOf(data, '00080016', 'SOP Class UID'),
    sopInstanceUid: uidOf(data, '00080018', 'SOP Instance UID'),
    seriesUid: uidOf(data, '0020000E', 'Series Instance UID'),
    modality: plain(data, '00080060') ?? '',
    offset: /^(?!-0000)[+-](0\d|1[0-4])[0-5]\d$/.test(offset) ? offset : '',
  };
}
