/** What a page may say to its frame, and whom `embed.json` may name. */
import { describe, expect, test } from 'vitest';
import { originsIn, read } from '../../web/src/page/embed-messages.js';

const hello = (configuration: unknown) => ({ dermlet: 1, type: 'hello', configuration });

test('what is wholly of the protocol is taken', () => {
  const all = { model: 'skin-8', modality: 'photo', language: 'de-AT', theme: 'dark', photo: true, required: false };
  for (const message of [
    hello({}),
    hello(all),
    { dermlet: 1, type: 'configure', configuration: { theme: '', modality: '', model: '' } },
    { dermlet: 1, type: 'collect', id: 7 },
    { dermlet: 1, type: 'reset' },
  ])
    expect(read(message)).toBe(message);
});

test('messages of others are not answered', () => {
  for (const message of [null, undefined, 'hello', 7, [], {}, { type: 'hello' }, new Map()])
    expect(read(message)).toBeNull();
});

test('other versions are refused as such', () => {
  for (const dermlet of [0, 2, '1', null, 1.5, [1]]) expect(read({ dermlet, type: 'hello' })).toBe('VERSION');
});

test.each([
  [{ dermlet: 1 }],
  [{ dermlet: 1, type: 'upload' }],
  [{ dermlet: 1, type: ['hello'] }],
  [{ dermlet: 1, type: 'hello' }],
  [{ dermlet: 1, type: 'collect' }],
  [{ dermlet: 1, type: 'collect', id: '1' }],
  [{ dermlet: 1, type: 'collect', id: 1, photo: true }],
  [{ dermlet: 1, type: 'reset', x: 1 }],
  [{ dermlet: 1, type: 'reset', configuration: {} }],
  [{ dermlet: 1, type: 'toString' }],
  [JSON.parse('{"dermlet":1,"type":"reset","__proto__":{}}')],
  [{ ...hello({}), origin: 'https://portal.example' }],
  [{ dermlet: 1, type: 'configure', configuration: {}, theme: 'dark' }],
  [hello(null)],
  [hello([])],
  [hello({ model: 'https://elsewhere.example/models/own/' })],
  [hello({ model: '../models/own/' })],
  [hello({ model: 'x'.repeat(65) })],
  [hello({ modality: 'photo; <b>' })],
  [hello({ language: 'javascript:alert(1)' })],
  [hello({ language: '' })],
  [hello({ theme: 'sepia' })],
  [hello({ photo: 'yes' })],
  [hello({ required: 1 })],
  [hello({ categoryPages: 'https://elsewhere.example/' })],
  [hello({ toString: 'x' })],
])('%j is malformed', (message) => expect(read(message)).toBe('MALFORMED'));

describe('embed.json', () => {
  const named = (origins: unknown) => () => originsIn(JSON.stringify({ embedVersion: 1, origins }));

  test('names origins, https or of this device', () => {
    const origins = [
      'https://portal.example',
      'https://portal.example:8443',
      'http://localhost:8080',
      'http://[::1]:1',
    ];
    expect(named(origins)()).toEqual(origins);
    expect(named([])()).toEqual([]);
  });

  test.each([
    '*',
    'https://*.portal.example',
    'https://portal.example/',
    'https://portal.example/page',
    'https://PORTAL.example',
    'https://user@portal.example',
    'http://portal.example',
    'null',
    'file://',
    '',
    7,
    null,
  ])('%j names nobody, nor what stands beside it', (origin) =>
    expect(named(['https://portal.example', origin])).toThrow('is no origin'),
  );

  test.each(['', '[]', '{}', 'null', '{"embedVersion":2,"origins":[]}', '{"embedVersion":1,"origins":"*"}'])(
    '%s is refused',
    (text) => expect(() => originsIn(text)).toThrow(),
  );
});
