/**
 * The JPEG in a DICOM file of a photo (PS3.3 A.32.4 and A.32.11, PS3.5 A.4). Fetched when such a file is first given.
 * Of the file's elements only those that say how the picture is stored are looked at; what it says of a person is
 * neither kept nor named in any error.
 */
import dicomParser, { type DataSet } from 'dicom-parser';
import { DermletError } from './errors.js';

/** Bytes before the pixels that the parser is given: 131,072 elements of the least size in each MiB. */
const MOST_HEADER = 2 << 20;
/** Bytes of a JPEG's segment that hold an ICC profile, after what names it. */
const MOST_PROFILE = 65_519;

/** UIDs (PS3.6 A) of what photos are stored as. */
const PHOTOS: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.1.1.77.1.4', // VL photographic
  '1.2.840.10008.5.1.4.1.1.77.1.7', // dermoscopic photography
  '1.2.840.10008.5.1.4.1.1.7', // secondary capture
]);
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const SYNTAXES: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2': 'uncompressed (implicit VR, little endian)',
  '1.2.840.10008.1.2.1': 'uncompressed (explicit VR, little endian)',
  '1.2.840.10008.1.2.1.99': 'deflated',
  '1.2.840.10008.1.2.2': 'uncompressed (big endian)',
  '1.2.840.10008.1.2.4.51': 'JPEG extended',
  '1.2.840.10008.1.2.4.57': 'JPEG lossless',
  '1.2.840.10008.1.2.4.70': 'JPEG lossless (first-order)',
  '1.2.840.10008.1.2.4.80': 'JPEG-LS lossless',
  '1.2.840.10008.1.2.4.81': 'JPEG-LS',
  '1.2.840.10008.1.2.4.90': 'JPEG 2000 lossless',
  '1.2.840.10008.1.2.4.91': 'JPEG 2000',
  '1.2.840.10008.1.2.4.201': 'HTJ2K lossless',
  '1.2.840.10008.1.2.4.202': 'HTJ2K lossless (RPCL)',
  '1.2.840.10008.1.2.4.203': 'HTJ2K',
  '1.2.840.10008.1.2.5': 'RLE lossless',
};

const TAG = {
  syntax: 'x00020010',
  kind: 'x00080016',
  encrypted: 'x04000500',
  photometric: 'x00280004',
  frames: 'x00280008',
  profile: 'x00282000',
  pixels: 'x7fe00010',
} as const;

const refused = (why: string): DermletError =>
  new DermletError(
    'UNSUPPORTED_FORMAT',
    `the file is a DICOM file, and ${why}; export the picture from its viewer as JPEG or PNG`,
  );

const broken = (why: string): DermletError =>
  new DermletError('CORRUPT_IMAGE', `the file is a DICOM file, and ${why}; export the picture from its viewer again`);

/** What a file states, if it is of the characters that UIDs and keywords have: never a person's. */
function stated(data: DataSet, tag: string): string {
  const text =
    parsed(() => data.string(tag))
      ?.replace(/\0+$/, '')
      .trim() ?? '';
  return /^[A-Z0-9._ ]{0,64}$/.test(text) ? text : '';
}

/** The parser's own messages may quote the file: they are not passed on. */
function parsed<Value>(work: () => Value): Value {
  try {
    return work();
  } catch {
    throw broken('its elements are cut off, broken, or too many before the picture');
  }
}

/**
 * The JPEG, as stored but for what a DICOM file says of its colours beside it: that is written into it, where the JPEG
 * itself says nothing.
 * @param bytes begin with 128 bytes of anything and `DICM`
 * @throws DermletError UNSUPPORTED_FORMAT (not JPEG baseline, several frames, no photo, encrypted, inverted),
 * CORRUPT_IMAGE
 */
export function jpegOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const head = bytes.subarray(0, MOST_HEADER);
  const syntax = stated(
    parsed(() => dicomParser.readPart10Header(head)),
    TAG.syntax,
  );
  if (syntax !== JPEG_BASELINE) {
    const name = SYNTAXES[syntax] ?? 'coded in a way that is not known';
    throw refused(`its picture is ${name}${syntax ? ` (${syntax})` : ''}, not JPEG baseline`);
  }
  const data = parsed(() => dicomParser.parseDicom(head, { untilTag: TAG.pixels }));
  if (data.elements[TAG.encrypted]) throw refused('parts of it are encrypted');
  if (!PHOTOS.has(stated(data, TAG.kind))) throw refused('it is none of the kinds that hold a photo');
  const frames = stated(data, TAG.frames);
  if (frames !== '' && frames !== '1') throw refused('it has several frames');
  const pixels = data.elements[TAG.pixels];
  if (!pixels) throw refused('it holds no picture');
  const photometric = stated(data, TAG.photometric);
  if (!/^(RGB|MONOCHROME2|YBR_FULL(_422)?)$/.test(photometric))
    throw refused(`its colours are ${photometric || 'not said'}, which is not read`);
  const jpeg = fragments(bytes, pixels.dataOffset);
  const element = data.elements[TAG.profile];
  const profile = element && head.slice(element.dataOffset, element.dataOffset + element.length);
  return coloured(jpeg, photometric, profile);
}

/** The items after the table of offsets, as one; each is within the file. */
function fragments(bytes: Uint8Array<ArrayBuffer>, begin: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let at = begin;
  for (let index = 0; ; index++) {
    if (at + 8 > bytes.length) throw broken('its picture is cut off');
    const tag = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (tag === 0xe0ddfffe) break; // sequence delimitation item
    if (tag !== 0xe000fffe || length > bytes.length - at) throw broken('its picture is cut off or broken');
    if (index > 0) parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size < 4) throw refused('it holds no picture');
  const jpeg = new Uint8Array(size);
  let end = 0;
  for (const part of parts) {
    jpeg.set(part, end);
    end += part.length;
  }
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw broken('its picture is no JPEG');
  return jpeg;
}

/** Which colours the segments before the picture's first pixels speak of. */
function marks(jpeg: Uint8Array): { transform: boolean; profile: boolean; colours: number } {
  const found = { transform: false, profile: false, colours: 0 };
  const begins = (at: number, name: string) => [...name].every((each, i) => jpeg[at + i] === each.charCodeAt(0));
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff; ) {
    const marker = jpeg[at + 1]!;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0xda) break;
    if ((marker === 0xe0 && begins(at + 4, 'JFIF')) || (marker === 0xee && begins(at + 4, 'Adobe')))
      found.transform = true;
    if (marker === 0xe2 && begins(at + 4, 'ICC_PROFILE')) found.profile = true;
    // A frame's header, but for the tables that have numbers among them.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) found.colours = jpeg[at + 9] ?? 0;
    at += 2 + ((jpeg[at + 2]! << 8) | jpeg[at + 3]!);
  }
  return found;
}

const segment = (marker: number, name: string, content: Uint8Array): Uint8Array<ArrayBuffer> => {
  const length = 2 + name.length + content.length;
  return new Uint8Array([
    0xff,
    marker,
    length >> 8,
    length & 0xff,
    ...[...name].map((each) => each.charCodeAt(0)),
    ...content,
  ]);
};

/** Says in the JPEG what the DICOM file says beside it; what the JPEG says of itself goes first. */
function coloured(
  jpeg: Uint8Array<ArrayBuffer>,
  photometric: string,
  profile: Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  const { transform, profile: own, colours } = marks(jpeg);
  if ((colours === 1) !== (photometric === 'MONOCHROME2'))
    throw broken('what it says of its colours does not fit its picture');
  const added: Uint8Array<ArrayBuffer>[] = [];
  // Version 100, no flags, and whether red, green and blue are stored as such (0) or as brightness and colour (1).
  if (!transform && colours === 3)
    added.push(segment(0xee, 'Adobe', new Uint8Array([0, 100, 0, 0, 0, 0, photometric === 'RGB' ? 0 : 1])));
  if (profile && profile.length > 0 && !own) {
    const count = Math.ceil(profile.length / MOST_PROFILE);
    for (let index = 0; index < count; index++) {
      const content = profile.subarray(index * MOST_PROFILE, (index + 1) * MOST_PROFILE);
      added.push(segment(0xe2, 'ICC_PROFILE\0', new Uint8Array([index + 1, count, ...content])));
    }
  }
  if (added.length === 0) return jpeg;
  const whole = new Uint8Array(added.reduce((sum, { length }) => sum + length, jpeg.length));
  whole.set(jpeg.subarray(0, 2));
  let at = 2;
  for (const part of added) {
    whole.set(part, at);
    at += part.length;
  }
  whole.set(jpeg.subarray(2), at);
  return whole;
}
