/** In the file of a photo, and in nothing that leaves the page. */
export const PLACE = 'PLACE-47.3769N-8.5417E';

/** A photo as a phone writes it: with a GPS directory, whose map datum is a text to look for. */
export function withPlace(jpeg: Buffer): Buffer {
  const text = Buffer.from(`${PLACE}\0`);
  const tiff = Buffer.alloc(44 + text.length);
  tiff.write('II*\0', 0, 'latin1');
  tiff.writeUInt32LE(8, 4);
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    tiff.writeUInt16LE(tag, at);
    tiff.writeUInt16LE(type, at + 2);
    tiff.writeUInt32LE(count, at + 4);
    tiff.writeUInt32LE(value, at + 8);
  };
  tiff.writeUInt16LE(1, 8);
  entry(10, 0x8825, 4, 1, 26);
  tiff.writeUInt16LE(1, 26);
  entry(28, 18, 2, text.length, 44);
  text.copy(tiff, 44);
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.from([0xff, 0xe1, (body.length + 2) >> 8, (body.length + 2) & 255]);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}
