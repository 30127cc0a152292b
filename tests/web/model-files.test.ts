/** A model opened as a folder or a zip: which files are taken, and the limits that a stranger's file runs into. */
import { BlobReader, BlobWriter, ZipWriter } from '@zip.js/zip.js';
import { afterEach, expect, test, vi } from 'vitest';
import { type Fault, filesOfFolder, filesOfZip, NoModel } from '../../web/src/page/model-files.js';

const MEGABYTE = new Blob([new Uint8Array(1e6)]);
/** A file of so many megabytes, none of which are read. */
const file = (path: string, megabytes = 0): File => new File(Array(megabytes).fill(MEGABYTE), path);

/** What an entry of a zip's directory begins with, and what ends the directory. */
const [ENTRY, END] = [0x02014b50, 0x06054b50];

/** In the order given, each deflated. */
async function zipOf(files: Record<string, Blob>): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new BlobWriter('application/zip'));
  for (const [path, content] of Object.entries(files)) await writer.add(path, new BlobReader(content));
  return new Uint8Array(await (await writer.close()).arrayBuffer());
}

/** Has the directory of a zip say another size, in bytes, of its file at this place. */
function stating(zip: Uint8Array<ArrayBuffer>, place: number, bytes: number): Blob {
  const view = new DataView(zip.buffer);
  const end = zip.length - 22;
  expect(view.getUint32(end, true)).toBe(END);
  let at = view.getUint32(end + 16, true);
  const lengthAt = (field: number) => view.getUint16(at + field, true);
  for (let i = 0; i < place; i++) at += 46 + lengthAt(28) + lengthAt(30) + lengthAt(32);
  expect(view.getUint32(at, true)).toBe(ENTRY);
  view.setUint32(at + 24, bytes, true);
  return new Blob([zip]);
}

async function faultOf(opening: () => unknown): Promise<Fault | undefined> {
  try {
    await opening();
    return undefined;
  } catch (error) {
    if (error instanceof NoModel) return error.fault;
    throw error;
  }
}

const words = (text: string): Blob => new Blob([text]);

afterEach(() => void vi.restoreAllMocks());

test('a zip gives what lies beside its manifest, byte for byte, whatever else it holds', async () => {
  const zip = await zipOf({
    'my model/manifest.json': words('{}'),
    'my model/a.onnx': words('a'.repeat(100_000)),
    'my model/deeper/b.onnx': words('b'),
    'elsewhere.txt': words('c'),
  });
  const files = await filesOfZip(new Blob([zip]));
  expect([...files.keys()]).toEqual(['manifest.json', 'a.onnx']);
  expect(await files.get('a.onnx')!.text()).toBe('a'.repeat(100_000));
});

test('a folder or zip with two manifests, or none, is no model', async () => {
  const two = { 'a/manifest.json': words('{}'), 'b/manifest.json': words('{}') };
  const none = { 'my-manifest.json': words('{}') };
  for (const [files, fault] of [
    [two, 'manifests'],
    [none, 'noManifest'],
  ] as const) {
    expect(await faultOf(async () => filesOfZip(new Blob([await zipOf(files)])))).toBe(fault);
    expect(await faultOf(() => filesOfFolder(Object.keys(files).map((path) => file(path))))).toBe(fault);
  }
});

test('a folder of more than 300 MB is too large; what lies deeper in it does not count', async () => {
  const manifest = file('own/manifest.json');
  expect(filesOfFolder([manifest, file('own/a.onnx', 300), file('own/more/b.onnx', 301)]).size).toBe(2);
  expect(await faultOf(() => filesOfFolder([manifest, file('own/a.onnx', 150), file('own/b.onnx', 151)]))).toBe(
    'large',
  );
});

test('a zip that states more than 300 MB is refused before anything is unpacked', async () => {
  const zip = await zipOf({ 'manifest.json': words('{}'), 'a.onnx': words('a') });
  expect(await faultOf(() => filesOfZip(stating(zip, 1, 300e6 - 1)))).toBe('large'); // with the manifest's 2 bytes
  // Not too large, and still no zip: as many bytes do not come.
  expect(await faultOf(() => filesOfZip(stating(zip, 1, 300e6 - 2)))).toBe('noZip');
});

test('a zip of more than 2,000 entries is too large', async () => {
  // No more than a directory, of empty files.
  const zip = (count: number): Blob => {
    const entry = Buffer.alloc(47);
    entry.writeUInt32LE(ENTRY, 0);
    entry.writeUInt16LE(1, 28);
    entry.write('x', 46);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(END, 0);
    for (const at of [8, 10]) end.writeUInt16LE(count, at);
    end.writeUInt32LE(count * entry.length, 12);
    return new Blob([...Array<Uint8Array<ArrayBuffer>>(count).fill(new Uint8Array(entry)), new Uint8Array(end)]);
  };
  expect(await faultOf(() => filesOfZip(zip(2000)))).toBe('noManifest');
  expect(await faultOf(() => filesOfZip(zip(2001)))).toBe('large');
});

test('a zip that unpacks to more than it says is ended as soon as more comes', async () => {
  const zip = await zipOf({ 'manifest.json': words('{}'), 'a.onnx': new Blob(Array(4).fill(MEGABYTE)) });
  let unpacked = 0;
  const { enqueue } = TransformStreamDefaultController.prototype;
  vi.spyOn(TransformStreamDefaultController.prototype, 'enqueue').mockImplementation(function (
    this: TransformStreamDefaultController,
    chunk: Uint8Array,
  ) {
    unpacked += chunk.length;
    enqueue.call(this, chunk);
  });
  expect(await faultOf(() => filesOfZip(stating(zip, 1, 1000)))).toBe('noZip');
  expect(unpacked).toBeGreaterThan(0);
  expect(unpacked).toBeLessThan(1e6);
});
