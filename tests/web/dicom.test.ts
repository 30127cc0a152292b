/** The JPEG in DICOM files: taken out whole, with the right colours, or refused by name; broken files do no harm. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { jpegOf } from '../../web/src/classifier/dicom.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { loadEngine } from '../../web/src/classifier/node/engine.js';
import { type DicomOptions, dicom, element, PATIENT } from './dicom-file.js';
import { picture } from './support.js';

const spot = picture('spot-422.jpg');
/** Without the segments that say how its colours are stored. */
function unmarked(jpeg: Uint8Array): Uint8Array {
  const kept = [jpeg.subarray(0, 2)];
  let at = 2;
  while (jpeg[at + 1] !== 0xda) {
    const end = at + 2 + jpeg[at + 2]! * 256 + jpeg[at + 3]!;
    if (jpeg[at + 1] !== 0xe0 && jpeg[at + 1] !== 0xee) kept.push(jpeg.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...kept, jpeg.subarray(at)]);
}

function failure(file: Uint8Array<ArrayBuffer>): DermletError {
  try {
    jpegOf(file);
  } catch (error) {
    expect(error).toBeInstanceOf(DermletError);
    return error as DermletError;
  }
  throw new Error('it was read');
}

describe('the picture', () => {
  test('is the very JPEG, in one part or in several', () => {
    expect(Buffer.compare(jpegOf(dicom({ parts: [spot] })), evenly(spot))).toBe(0);
    const parts = [spot.subarray(0, 1000), spot.subarray(1000, 1002), spot.subarray(1002)];
    expect(Buffer.compare(jpegOf(dicom({ parts })), evenly(spot))).toBe(0);
    for (const kind of ['1.2.840.10008.5.1.4.1.1.77.1.4', '1.2.840.10008.5.1.4.1.1.7'])
      expect(jpegOf(dicom({ kind, parts: [spot], frames: '1' })).length).toBeGreaterThan(0);
  });

  test('gives the answer of the JPEG itself, and its colours where only the DICOM file says them', async () => {
    const engine = await loadEngine('skin-8');
    try {
      const seen = async (bytes: Uint8Array) => {
        const { images, source } = await engine.classify(bytes as Uint8Array<ArrayBuffer>, { images: true });
        return { rgba: Buffer.from(images!.preview!.rgba), format: source.format };
      };
      const rgb = picture('kinds/jpeg-rgb.jpg');
      const wanted = await seen(rgb);
      const found = await seen(dicom({ photometric: 'RGB', parts: [unmarked(rgb)] }));
      expect(found.format).toBe('jpeg');
      expect(found.rgba.equals(wanted.rgba)).toBe(true);
      // The same data taken for brightness and colour is another picture: the test can fail.
      expect((await seen(dicom({ parts: [unmarked(rgb)] }))).rgba.equals(wanted.rgba)).toBe(false);
      const plain = await seen(spot);
      for (const photometric of ['YBR_FULL_422', 'YBR_FULL'])
        expect((await seen(dicom({ photometric, parts: [unmarked(spot)] }))).rgba.equals(plain.rgba)).toBe(true);
      // A JPEG that says how its colours are stored is believed.
      expect((await seen(dicom({ photometric: 'RGB', parts: [spot] }))).rgba.equals(plain.rgba)).toBe(true);
    } finally {
      await engine.dispose();
    }
  });

  test('keeps the colour profile that the DICOM file has for it', () => {
    const profile = new Uint8Array(70_000).map((_, index) => index % 251);
    const jpeg = Buffer.from(jpegOf(dicom({ profile, parts: [spot] })));
    expect(jpeg.indexOf('ICC_PROFILE\0\x01\x02', 0, 'latin1')).toBeGreaterThan(0);
    expect(jpeg.indexOf('ICC_PROFILE\0\x02\x02', 0, 'latin1')).toBeGreaterThan(0);
    expect(jpeg.includes(Buffer.from(profile.subarray(0, 65_519)))).toBe(true);
    expect(jpeg.includes(Buffer.from(profile.subarray(65_519)))).toBe(true);
  });
});

/** Parts have an even number of bytes: a JPEG of an odd one is followed by a zero. */
const evenly = (jpeg: Uint8Array) => Buffer.concat([jpeg, Buffer.alloc(jpeg.length % 2)]);

describe('refused by name', () => {
  const cases: [string, DicomOptions, RegExp][] = [
    ['JPEG 2000', { syntax: '1.2.840.10008.1.2.4.90' }, /JPEG 2000 lossless \(1\.2\.840\.10008\.1\.2\.4\.90\)/],
    ['uncompressed', { syntax: '1.2.840.10008.1.2.1' }, /uncompressed/],
    ['deflated', { syntax: '1.2.840.10008.1.2.1.99' }, /deflated/],
    ['unheard of', { syntax: '1.2.3' }, /not known \(1\.2\.3\)/],
    ['a text in place of a syntax', { syntax: PATIENT }, /not known, not JPEG baseline/],
    ['several frames', { frames: '3' }, /several frames/],
    ['no photo', { kind: '1.2.840.10008.5.1.4.1.1.2' }, /none of the kinds that hold a photo/],
    ['encrypted', { encrypted: true }, /encrypted/],
    ['inverted', { photometric: 'MONOCHROME1' }, /MONOCHROME1/],
    ['a text in place of colours', { photometric: PATIENT }, /not said/],
  ];
  for (const [name, options, why] of cases)
    test(name, () => {
      const { code, message } = failure(dicom({ parts: [spot], ...options }));
      expect(code).toBe('UNSUPPORTED_FORMAT');
      expect(message).toMatch(why);
      expect(message).not.toContain('SECRET');
    });

  test('empty', () => {
    expect(failure(dicom({})).message).toMatch(/holds no picture/);
    expect(failure(dicom({ parts: [] })).message).toMatch(/holds no picture/);
  });

  test('colours that do not fit the picture', () => {
    expect(failure(dicom({ photometric: 'MONOCHROME2', parts: [spot] })).code).toBe('CORRUPT_IMAGE');
    const grey = picture('spot-gray.jpg');
    expect(jpegOf(dicom({ photometric: 'MONOCHROME2', parts: [grey] })).length).toBeGreaterThan(0);
  });
});

describe('broken files', () => {
  const file = dicom({ parts: [spot.subarray(0, 200)] });

  /** Anything but a refusal or a JPEG fails. */
  function harmless(bytes: Uint8Array<ArrayBuffer>): void {
    try {
      expect(jpegOf(bytes).length).toBeLessThanOrEqual(bytes.length + 100);
    } catch (error) {
      if (!(error instanceof DermletError)) throw error;
      expect(error.message).not.toContain('SECRET');
      expect(error.cause).toBeUndefined();
    }
  }

  test('cut off anywhere are refused', () => {
    for (let length = 132; length < file.length; length++) failure(file.slice(0, length));
  });

  test('with any byte changed are refused or read', () => {
    for (let at = 132; at < file.length; at++)
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const changed = file.slice();
        changed[at] = value;
        harmless(changed);
      }
  });

  test('of millions of elements, or of elements in elements, end soon', () => {
    const tiny = Buffer.concat(Array<Uint8Array>(1000).fill(element(9, 9, 'CS', '')));
    const many = dicom({ before: Array<Uint8Array>(1000).fill(tiny), parts: [spot] });
    const open = Buffer.from([
      8, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 255, 255, 255, 255, 0xfe, 0xff, 0, 0xe0, 255, 255, 255, 255,
    ]);
    const deep = dicom({ before: Array<Uint8Array>(50_000).fill(open), parts: [spot] });
    for (const hostile of [many, deep]) {
      const began = performance.now();
      expect(failure(hostile).code).toBe('CORRUPT_IMAGE');
      expect(performance.now() - began).toBeLessThan(5000);
    }
  });
});

test('the drawn files are what they are taken for', () => {
  expect(readFileSync(new URL('../pictures/kinds/jpeg-rgb.jpg', import.meta.url)).includes('Adobe')).toBe(true);
});
