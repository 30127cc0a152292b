/** Forms as clients send them, and bodies that are none. */
import { describe, expect, test } from 'vitest';
import { partsOf } from '../../web/src/handler/multipart.js';
import { picture } from './support.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const HEAD = 'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n';

function read(body: string, type = 'multipart/form-data; boundary=x') {
  return partsOf(bytes(body), type)?.map(({ name, isFile, bytes: own }) => [
    name,
    isFile,
    Buffer.from(own).toString('latin1'),
  ]);
}

describe('forms', () => {
  test('what fetch sends is read back byte for byte', async () => {
    const form = new FormData();
    form.set('note', 'a\r\nb');
    form.set('file', new File([picture('spot.jpg')], 'a "quoted"; name=evil.jpg'));
    form.append('file', new File([], 'empty.jpg'));
    const sent = new Response(form);
    const parts = partsOf(new Uint8Array(await sent.arrayBuffer()), sent.headers.get('content-type')!)!;
    expect(parts.map(({ name, isFile }) => [name, isFile])).toEqual([
      ['note', false],
      ['file', true],
      ['file', true],
    ]);
    expect(Buffer.from(parts[1]!.bytes).equals(picture('spot.jpg'))).toBe(true);
    expect(parts[2]!.bytes).toHaveLength(0);
  });

  test.each([
    ['plain', `--x\r\n${HEAD}A\r\n--x--\r\n`, undefined],
    ['text before and after', `for nobody\r\n--x\r\n${HEAD}A\r\n--x--\r\nfor nobody`, undefined],
    ['blanks after the boundary', `--x \t\r\n${HEAD}A\r\n--x--`, undefined],
    [
      'a quoted boundary, and other parameters',
      `--a b\r\n${HEAD}A\r\n--a b--`,
      'multipart/form-data; charset=utf-8; boundary="a b"; a=b',
    ],
    [
      'headers in any order and case',
      `--x\r\nContent-Type: a/b\r\ncontent-DISPOSITION: form-data; FILENAME=a; name=file\r\n\r\nA\r\n--x--`,
      undefined,
    ],
    [
      'an encoded name alone',
      `--x\r\nContent-Disposition: form-data; name="file"; filename*=utf-8''a\r\n\r\nA\r\n--x--`,
      undefined,
    ],
  ])('%s', (_name, body, type) => expect(read(body, type)).toEqual([['file', true, 'A']]));

  test('what looks like a boundary and is none stays content', () =>
    expect(read(`--x\r\n${HEAD}A--x\n--x\r\r\n-x\r\n--y\r\n--x--`)).toEqual([
      ['file', true, 'A--x\n--x\r\r\n-x\r\n--y'],
    ]));

  test('an empty form, and an empty file', () => {
    expect(read('--x--')).toEqual([]);
    expect(read(`--x\r\n${HEAD}\r\n--x--`)).toEqual([['file', true, '']]);
    expect(read(`--x\r\n${HEAD.slice(0, -2)}\r\n--x--`)).toEqual([['file', true, '']]);
  });
});

describe('what is none', () => {
  test.each([
    ['nothing', ''],
    ['no boundary', 'text'],
    ['cut off in a part', `--x\r\n${HEAD}A`],
    ['cut off in the headers', '--x\r\nContent-Dis'],
    ['cut off after a part', `--x\r\n${HEAD}A\r\n--x`],
    ['no end', `--x\r\n${HEAD}A\r\n--x\r\n`],
    ['a part without a name', '--x\r\nContent-Disposition: form-data; filename="name=file"\r\n\r\nA\r\n--x--'],
    ['headers without end', `--x\r\nX: ${'a'.repeat(9000)}\r\n${HEAD}A\r\n--x--`],
    ['too many parts', `${`--x\r\n${HEAD}A\r\n`.repeat(101)}--x--`],
  ])('%s', (_name, body) => expect(read(body)).toBeUndefined());

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
    'multipart/form-data; boundary="x\r\n"',
  ])('a type without a boundary: %j', (type) => expect(read(`--x\r\n${HEAD}A\r\n--x--`, type)).toBeUndefined());

  test('time is linear in the length: 8 MB of what nearly is a boundary', () => {
    const body = `--x\r\n${HEAD}${'\r\n--'.repeat(2_000_000)}\r\n--x--`;
    const began = performance.now();
    expect(partsOf(bytes(body), 'multipart/form-data; boundary=x')).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
