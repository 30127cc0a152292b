/** Writes small DICOM files (PS3.10, explicit VR, little endian) around a JPEG, for tests. */

/** A name that no message may ever hold. */
export const PATIENT = 'PATIENT^SECRET';

export interface DicomOptions {
  syntax?: string;
  kind?: string;
  photometric?: string;
  frames?: string;
  encrypted?: boolean;
  profile?: Uint8Array;
  /** Parts of the picture; undefined: there is none. */
  parts?: readonly Uint8Array[] | undefined;
  /** More elements before those of group 0028, as they are. */
  before?: readonly Uint8Array[];
  /** More elements, each where its tag belongs. */
  more?: readonly Uint8Array[];
  /** The patient's name, encoded as it is to be in the file. */
  patient?: string | Uint8Array;
}

const LONG = new Set(['OB', 'OW', 'SQ', 'UN', 'UT']);

/** One element with a value of even length. */
export function element(group: number, number: number, vr: string, value: string | Uint8Array): Uint8Array {
  const plain = typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value);
  const even =
    plain.length % 2 === 0 ? plain : Buffer.concat([plain, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')]);
  const head = Buffer.alloc(LONG.has(vr) ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (LONG.has(vr)) head.writeUInt32LE(even.length, 8);
  else head.writeUInt16LE(even.length, 6);
  return Buffer.concat([head, even]);
}

function item(bytes: Uint8Array): Uint8Array {
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length + (bytes.length % 2), 4);
  return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
}

/** By their tags. */
function inOrder(elements: readonly Uint8Array[]): Uint8Array[] {
  const tag = (bytes: Uint8Array) => Buffer.from(bytes).readUInt16LE(0) * 0x10000 + Buffer.from(bytes).readUInt16LE(2);
  return [...elements].sort((a, b) => tag(a) - tag(b));
}

const END = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);

export function dicom(options: DicomOptions): Uint8Array<ArrayBuffer> {
  const {
    syntax = '1.2.840.10008.1.2.4.50',
    kind = '1.2.840.10008.5.1.4.1.1.77.1.7',
    photometric = 'YBR_FULL_422',
    frames,
    encrypted,
    profile,
    parts,
    before = [],
    more = [],
    patient = PATIENT,
  } = options;
  const meta = [
    element(2, 1, 'OB', new Uint8Array([0, 1])),
    element(2, 2, 'UI', kind),
    element(2, 3, 'UI', '1.2.3.4'),
    element(2, 0x10, 'UI', syntax),
  ];
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.reduce((sum, { length: bytes }) => sum + bytes, 0));
  const pixels = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  return new Uint8Array(
    Buffer.concat([
      Buffer.alloc(128),
      Buffer.from('DICM'),
      element(2, 0, 'UL', length),
      ...meta,
      ...inOrder([element(8, 0x16, 'UI', kind), element(0x10, 0x10, 'PN', patient), ...more]),
      ...before,
      element(0x28, 4, 'CS', photometric),
      ...(frames === undefined ? [] : [element(0x28, 8, 'IS', frames)]),
      ...(profile ? [element(0x28, 0x2000, 'OB', profile)] : []),
      ...(encrypted ? [element(0x400, 0x500, 'SQ', new Uint8Array(0))] : []),
      ...(parts ? [pixels, item(new Uint8Array(0)), ...parts.map(item), END] : []),
    ]),
  );
}

/** UIDs of the image that `identified` makes. */
export const IMAGE = {
  kind: '1.2.840.10008.5.1.4.1.1.77.1.7',
  instance: '1.2.826.0.1.3680043.8.498.1',
  series: '1.2.826.0.1.3680043.8.498.2',
  study: '1.2.826.0.1.3680043.8.498.3',
} as const;

/** Elements of patient, study and image as a clinic's file has them; what is given takes the place of one. */
export function identified(other: Readonly<Record<string, Uint8Array | null>> = {}): Uint8Array[] {
  const all: Record<string, Uint8Array | null> = {
    charset: element(8, 5, 'CS', 'ISO_IR 100'),
    instance: element(8, 0x18, 'UI', IMAGE.instance),
    studyDate: element(8, 0x20, 'DA', '20261103'),
    studyTime: element(8, 0x30, 'TM', '101500'),
    accession: element(8, 0x50, 'SH', 'ACC-17'),
    modality: element(8, 0x60, 'CS', 'DMS'),
    physician: element(8, 0x90, 'PN', 'Referrer^Ruth'),
    description: element(8, 0x1030, 'LO', 'Skin'),
    id: element(0x10, 0x20, 'LO', 'ID-1'),
    issuer: element(0x10, 0x21, 'LO', 'CLINIC'),
    born: element(0x10, 0x30, 'DA', '19600102'),
    sex: element(0x10, 0x40, 'CS', 'F'),
    study: element(0x20, 0xd, 'UI', IMAGE.study),
    series: element(0x20, 0xe, 'UI', IMAGE.series),
    studyId: element(0x20, 0x10, 'SH', 'S-1'),
    ...other,
  };
  return Object.values(all).filter((each) => each !== null);
}
