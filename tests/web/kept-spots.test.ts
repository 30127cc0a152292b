/** Kept spots without a browser: encryption, the file and its reader, merging, comparing, the drawn body. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BODY, DRAWN, nearest } from '../../web/src/element/spots/body.js';
import { compare, filling, frameOf } from '../../web/src/element/spots/compare.js';
import {
  type Bytes,
  ITERATIONS,
  lockWith,
  open,
  random,
  seal,
  unlock,
  utf8,
} from '../../web/src/element/spots/crypto.js';
import {
  bytesOf,
  entryOf,
  type Item,
  MOST_BYTES,
  MOST_ENTRIES,
  nameOf,
  type Spot,
  spotsOf,
  type Visit,
  visitsOf,
} from '../../web/src/element/spots/entries.js';
import { type SpotsCode, SpotsError } from '../../web/src/element/spots/error.js';
import { HEADER, MOST_OF_FILE, readFile, writeFile } from '../../web/src/element/spots/file.js';
import { whenIdle } from '../../web/src/element/spots/idle.js';
import { merge } from '../../web/src/element/spots/merge.js';
import { checkRoom } from '../../web/src/element/spots/room.js';

const PASSPHRASE = 'four words of a person';
const about = () => utf8('about');

const spot = (change: Partial<Spot> = {}): Spot => ({
  kind: 'spot',
  id: '00000000-0000-4000-8000-000000000001',
  changedAt: 1000,
  name: 'Left shoulder',
  place: { side: 'back', x: 0.3, y: 0.25 },
  ...change,
});

/** The segment in which a JPEG states its size. */
const frame = (width: number, height: number, marker = 0xc0): number[] => [
  0xff,
  marker,
  0,
  11,
  8,
  height >> 8,
  height & 255,
  width >> 8,
  width & 255,
  1,
  1,
  0x11,
  0,
];
const COMMENT = [0xff, 0xfe, 0, 6, 0xff, 0xc0, 0xff, 0xda];
const SCAN = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, ...Array.from({ length: 60 }, (_, i) => i), 0xff, 0xd9];
const jpeg = (...segments: number[][]): Bytes => new Uint8Array([0xff, 0xd8, ...segments.flat(), ...SCAN]);
const photo = jpeg(COMMENT, frame(1024, 768));

type Results = Visit['result'];
const result = (change: object = {}): Results =>
  ({
    resultVersion: 2,
    model: { name: 'skin-8', version: '1.0.0', sha256: 'a'.repeat(64), title: 'Eight' },
    outcome: 'single',
    tier: 'low',
    modality: 'photo',
    ranking: [{ id: 'nv', name: 'Naevus', probability: 0.8, concern: 'low', inSet: true }],
    quality: { checks: [{ id: 'sharpness', passed: true }] },
    source: { width: 400, height: 300, region: { x: 100, y: 50, width: 200, height: 200 } },
    frame: { framing: 'spot', spots: [] },
    ...change,
  }) as Results;

const visit = (change: Partial<Visit> = {}): Visit => ({
  kind: 'visit',
  id: '00000000-0000-4000-8000-0000000000a1',
  changedAt: 2000,
  spot: spot().id,
  keptAt: 2000,
  answeredAt: 1900,
  photoBytes: photo.length,
  result: result(),
  answers: null,
  ...change,
});

const items: readonly Item[] = [
  { entry: spot(), photo: null },
  { entry: visit(), photo },
];

async function codeOf(work: Promise<unknown>): Promise<SpotsCode | 'worked'> {
  try {
    await work;
    return 'worked';
  } catch (error) {
    if (error instanceof SpotsError) return error.code;
    throw error;
  }
}

describe('encryption', () => {
  test('the passphrase opens what it locked, however it was composed', async () => {
    const { key, lock } = await lockWith('Größe und Länge', about);
    expect(lock.iterations).toBeGreaterThanOrEqual(600_000);
    const sealed = await seal(key, 'here', utf8('words'));
    const again = await unlock('Größe und Länge'.normalize('NFD'), lock, about());
    expect(new TextDecoder().decode(await open(again, 'here', sealed))).toBe('words');
    expect(again.extractable).toBe(false);
  });

  test('another passphrase, lock or label opens nothing', async () => {
    const { key, lock } = await lockWith(PASSPHRASE, about);
    expect(await codeOf(unlock(`${PASSPHRASE}s`, lock, about()))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(unlock(PASSPHRASE, { ...lock, salt: random(16) }, about()))).toBe('WRONG_PASSPHRASE');
    const sealed = await seal(key, 'here', utf8('words'));
    expect(await codeOf(open(key, 'there', sealed))).toBe('DAMAGED');
    const { key: other } = await lockWith(PASSPHRASE, about);
    expect(await codeOf(open(other, 'here', sealed))).toBe('DAMAGED');
    expect(await codeOf(lockWith('1234567', about))).toBe('SHORT_PASSPHRASE');
  });

  test('no IV twice, and each byte of it and of the text is authenticated', async () => {
    const { key } = await lockWith(PASSPHRASE, about);
    const [one, two] = [await seal(key, 'x', utf8('same')), await seal(key, 'x', utf8('same'))];
    expect(one.iv).not.toEqual(two.iv);
    expect(one.data).not.toEqual(two.data);
    for (const part of ['iv', 'data'] as const)
      for (let at = 0; at < one[part].length; at++) {
        const changed = one[part].slice();
        changed[at]! ^= 1;
        expect(await codeOf(open(key, 'x', { ...one, [part]: changed }))).toBe('DAMAGED');
      }
  });
});

describe('entries', () => {
  test('are read as they were written', () => {
    for (const entry of [spot(), spot({ place: null }), visit()]) expect(entryOf(bytesOf(entry))).toEqual(entry);
  });

  test.each<[string, unknown]>([
    ['no JSON', undefined],
    ['null', null],
    ['another kind', { ...spot(), kind: 'other' }],
    ['no name', { ...spot(), name: '' }],
    ['an endless name', { ...spot(), name: 'x'.repeat(1000) }],
    ['an id that is none', { ...spot(), id: '../x' }],
    ['a place beside the body', { ...spot(), place: { side: 'front', x: 1.5, y: 0 } }],
    ['no date', { ...visit(), keptAt: Number.NaN }],
    ['an unknown outcome', { ...visit(), result: result({ outcome: 'x' }) }],
    ['a score over 1', { ...visit(), result: result({ ranking: [{ ...result().ranking[0], probability: 2 }] }) }],
    ['an answer that nobody asked for', { ...visit(), answers: { signs: ['x'], age: null, place: null } }],
    ['nothing ranked', { ...visit(), result: result({ ranking: [] }) }],
    [
      'a frame of no size',
      {
        ...visit(),
        result: result({ source: { width: 9, height: 9, region: { x: 0, y: 0, width: 0, height: 9 } } }),
      },
    ],
  ])('%s is refused', (_, value) => {
    expect(() => entryOf(utf8(JSON.stringify(value) ?? '{'))).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
  });

  test('what was kept before answers were is read without them', () => {
    const { answers: _, ...before } = visit();
    expect(entryOf(utf8(JSON.stringify(before)))).toEqual(visit());
    const told = visit({ answers: { signs: ['bleeds'], age: 'from50', place: 'nail' } });
    expect(entryOf(bytesOf(told))).toEqual(told);
  });

  test('bytes that are no text are refused', () => {
    expect(() => entryOf(new Uint8Array([0xff, 0xfe, 0x7b]))).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
  });

  test('names are trimmed by whole characters; lists have their order', () => {
    expect(nameOf('  Mole \n')).toBe('Mole');
    expect([...nameOf('😀'.repeat(99))]).toHaveLength(60);
    const [a, b] = [spot({ name: 'Spot 10' }), spot({ id: '00000000-0000-4000-8000-000000000002', name: 'spot 9' })];
    expect(spotsOf([a, b, visit()], 'en').map(({ name }) => name)).toEqual(['spot 9', 'Spot 10']);
    const later = visit({ id: '00000000-0000-4000-8000-0000000000a2', keptAt: 3000 });
    expect(visitsOf([later, a, visit()], a.id)).toEqual([visit(), later]);
    expect(visitsOf([later], b.id)).toEqual([]);
  });
});

describe('the file', async () => {
  const file = await writeFile(items, PASSPHRASE);
  const bytes: Bytes = new Uint8Array(await file.arrayBuffer());
  const read = (of: Bytes, passphrase = PASSPHRASE) => readFile(new Blob([of]), passphrase);

  /** With a header that is whole, but says something else. */
  async function forged(at: number, value: number): Promise<Bytes> {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(at, value, true);
    copy.set(new Uint8Array(await crypto.subtle.digest('SHA-256', copy.slice(0, 96))), 96);
    return copy;
  }

  test('holds what was written, and nothing of it in plain', async () => {
    expect(await read(bytes)).toEqual(items);
    const text = Buffer.from(bytes).toString('latin1');
    for (const secret of ['shoulder', 'skin-8', 'Naevus', spot().id, 'spot"']) expect(text).not.toContain(secret);
    expect(Buffer.from(bytes).includes(Buffer.from(photo.slice(0, 16)))).toBe(false);
  });

  test('empty, it is a file too', async () => {
    expect(await readFile(await writeFile([], PASSPHRASE), PASSPHRASE)).toEqual([]);
  });

  test('another passphrase is told from damage', async () => {
    expect(await codeOf(read(bytes, 'another passphrase'))).toBe('WRONG_PASSPHRASE');
    expect(await codeOf(writeFile(items, 'short'))).toBe('SHORT_PASSPHRASE');
  });

  test('cut anywhere, it is refused before any key is derived', async () => {
    for (let length = 0; length < bytes.length; length++) {
      const code = await codeOf(read(bytes.slice(0, length), 'another passphrase'));
      expect(code, `${length}`).toBe(length < 8 ? 'NOT_OURS' : 'DAMAGED');
    }
    expect(await codeOf(read(new Uint8Array([...bytes, 0])))).toBe('DAMAGED');
  });

  test('each bit of the header that is flipped is found', async () => {
    for (let at = 0; at < HEADER; at++)
      for (const bit of [1, 128]) {
        const changed = bytes.slice();
        changed[at]! ^= bit;
        expect(await codeOf(read(changed)), `byte ${at}`).toBe(at < 8 ? 'NOT_OURS' : 'DAMAGED');
      }
  });

  test('bytes of the body that are flipped are found', async () => {
    const step = Math.ceil((bytes.length - HEADER) / 20);
    for (let at = HEADER; at < bytes.length; at += step) {
      const changed = bytes.slice();
      changed[at]! ^= 4;
      expect(await codeOf(read(changed)), `byte ${at}`).toBe('DAMAGED');
    }
  }, 60_000);

  test('entries that change places are found', async () => {
    const first = HEADER + 4 + new DataView(bytes.buffer).getUint32(HEADER, true);
    const swapped = new Uint8Array([...bytes.slice(0, HEADER), ...bytes.slice(first), ...bytes.slice(HEADER, first)]);
    expect(await codeOf(read(swapped))).toBe('DAMAGED');
  });

  test('a header that was made up is held to its limits', async () => {
    expect(await codeOf(read(await forged(8, 2)))).toBe('NEWER_FILE');
    for (const iterations of [0, 1, ITERATIONS - 1, 10_000_001, 0xffffffff])
      expect(await codeOf(read(await forged(12, iterations)))).toBe('DAMAGED');
    for (const count of [0, 1, 3, MOST_ENTRIES + 1, 0xffffffff])
      expect(await codeOf(read(await forged(16, count)))).toBe('DAMAGED');
    // Within the limits, but not what the key was wrapped with.
    expect(await codeOf(read(await forged(12, ITERATIONS + 1)))).toBe('WRONG_PASSPHRASE');
  });

  test('random bytes and lengths give an error with a code', async () => {
    let seed = 1;
    const next = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff);
    for (let round = 0; round < 300; round++) {
      const made: Bytes = new Uint8Array(next() % 400).map(() => next() >> 16);
      made.set(bytes.slice(0, Math.min(made.length, [0, 8, 12, 96][round % 4]!)));
      expect(await codeOf(read(made))).toMatch(/^(NOT_OURS|DAMAGED)$/);
    }
  });

  test('a huge file is refused by its size alone, an unreadable one by its reader', async () => {
    const huge = { size: MOST_OF_FILE + 1, slice: () => expect.unreachable() } as unknown as Blob;
    expect(await codeOf(readFile(huge, PASSPHRASE))).toBe('FILE_TOO_LARGE');
    const gone = {
      size: 500,
      slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) }),
    } as unknown as Blob;
    expect(await codeOf(readFile(gone, PASSPHRASE))).toBe('UNREADABLE_FILE');
    expect(MOST_OF_FILE).toBeGreaterThan(MOST_BYTES);
  });

  test.each<[string, readonly Item[]]>([
    ['a visit without its spot', [{ entry: visit(), photo }]],
    ['an id twice', [...items, items[0]!]],
    ['a picture that is no JPEG', [items[0]!, { entry: visit(), photo: new Uint8Array(photo.length) }]],
    ['a picture of another length', [items[0]!, { entry: visit({ photoBytes: 3 }), photo }]],
    ['a picture of a spot', [{ entry: spot(), photo }]],
    ...Object.entries({
      'that states 60000 x 60000': jpeg(COMMENT, frame(60000, 60000)),
      'one pixel too wide': jpeg(frame(1025, 1)),
      'one pixel too high': jpeg(frame(1, 1025, 0xc2)),
      'whose height comes later': jpeg(frame(10, 0)),
      'that states two sizes': jpeg(frame(10, 10), frame(60000, 60000)),
      'that states its size within its comment': jpeg(COMMENT),
      'of a kind that no browser writes': jpeg(frame(10, 10, 0xc3)),
      'that begins twice': jpeg([0xff, 0xd8], frame(10, 10)),
      'whose segments end nowhere': jpeg([0xff, 0xe0, 0xff, 0xff], frame(10, 10)),
    }).map(([name, one]): [string, readonly Item[]] => [
      `a picture ${name}`,
      [items[0]!, { entry: visit({ photoBytes: one.length }), photo: one }],
    ]),
    ['a visit without a picture', [items[0]!, { entry: visit(), photo: null }]],
  ])('%s is refused', async (_, made) => {
    expect(await codeOf(readFile(await writeFile(made, PASSPHRASE), PASSPHRASE))).toBe('DAMAGED');
  });
});

describe('merging', () => {
  test('adds what is new, takes what is newer, leaves the rest', () => {
    const merged = merge([spot({ name: 'Mine', changedAt: 5000 })], items);
    expect(merged).toMatchObject({ added: 1, updated: 0, left: 1 });
    expect(merged.put.map(({ entry }) => entry.kind)).toEqual(['visit']);
    expect(merge([spot({ changedAt: 999 }), visit()], items)).toMatchObject({ added: 0, updated: 1, left: 1 });
    expect(merge([spot(), visit()], items)).toMatchObject({ put: [], added: 0, updated: 0, left: 2 });
    expect(merge([], items)).toMatchObject({ added: 2, updated: 0, left: 0 });
  });

  test('never moves a visit to another spot, nor makes a spot of one', () => {
    const elsewhere = visit({ spot: '00000000-0000-4000-8000-000000000009' });
    expect(() => merge([elsewhere], items)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
    const other = visit({ id: spot().id });
    expect(() => merge([other], items)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
  });
});

describe('comparing', () => {
  const later = (change: object = {}, of: Partial<Visit> = {}) =>
    visit({ id: '00000000-0000-4000-8000-0000000000a2', keptAt: 9000, result: result(change), ...of });

  test('two visits to one spot, the earlier first whichever is given first', () => {
    const found = compare(later(), visit());
    expect([found.earlier.keptAt, found.later.keptAt]).toEqual([2000, 9000]);
    expect(found).toMatchObject({ apart: null, same: true, aligned: true, poor: false });
  });

  test('never different spots, nor one visit with itself', () => {
    const elsewhere = later({}, { spot: '00000000-0000-4000-8000-000000000009' });
    expect(() => compare(visit(), elsewhere)).toThrow(RangeError);
    expect(() => compare(visit(), visit())).toThrow(RangeError);
  });

  test('another category first is another answer', () => {
    const ranking = [{ ...result().ranking[0], id: 'mel', name: 'Melanoma' }];
    expect(compare(visit(), later({ ranking }))).toMatchObject({ apart: null, same: false });
  });

  test.each<[string, object, string]>([
    ['another version', { model: { ...result().model, version: '1.0.1' } }, 'model'],
    ['another file of the same version', { model: { ...result().model, sha256: 'b'.repeat(64) } }, 'model'],
    ['another kind of picture', { modality: 'dermoscopy' }, 'modality'],
    ['no category', { outcome: 'not-recognised' }, 'unnamed'],
  ])('%s: the answers do not compare', (_, change, apart) => {
    expect(compare(visit(), later(change))).toMatchObject({ apart, same: null });
  });

  test.each<[string, object]>([
    ['a whole picture', { frame: { framing: 'whole', spots: [] } }],
    [
      'a frame of another shape',
      {
        source: { width: 400, height: 300, region: { x: 0, y: 0, width: 400, height: 300 } },
      },
    ],
  ])('%s: the photos are not laid over each other', (_, change) => {
    expect(compare(visit(), later(change)).aligned).toBe(false);
  });

  test('a spot that was looked at with the whole picture is laid over by its own frame', () => {
    const frame = { x: 80, y: 40, width: 220, height: 220 };
    const whole = { width: 400, height: 300, region: { x: 50, y: 0, width: 300, height: 300 } };
    const both = { source: whole, frame: { framing: 'both', spots: [{ x: 1, frame }, {}] } };
    expect(frameOf(later(both))).toEqual(frame);
    expect(compare(visit(), later(both)).aligned).toBe(true);
    // Of another maker's file: what is no frame is none.
    expect(frameOf(later({ ...both, frame: { framing: 'both', spots: [{ frame: { x: 1 } }] } }))).toBeNull();
    expect(frameOf(later({ ...both, frame: { framing: 'whole', spots: [] } }))).toBeNull();
  });

  test('a failed check of quality is told', () => {
    const quality = { checks: [{ id: 'sharpness', passed: false }] };
    expect(compare(visit(), later({ quality })).poor).toBe(true);
  });

  test('the part fills the box', () => {
    const laid = filling({ x: 100, y: 50, width: 200, height: 200 }, { width: 400, height: 300 });
    expect(laid).toEqual({ x: -0.5, y: -0.25, width: 2, height: 1.5 });
  });
});

describe('the drawn body', () => {
  test('each part is the nearest to its own place, and left is the person’s own', () => {
    for (const each of BODY) expect(nearest(each.place)).toBe(each);
    const hand = (side: 'front' | 'back') =>
      BODY.find(({ part, hand: of, place }) => part === 'hand' && of === 'left' && place.side === side)!.place.x;
    expect(hand('front')).toBeGreaterThan(0.5);
    expect(hand('back')).toBeLessThan(0.5);
  });

  test('places lie on the drawing', () => {
    for (const { place } of BODY) {
      expect(place.x * DRAWN.width).toBeGreaterThan(10);
      expect(place.x * DRAWN.width).toBeLessThan(90);
      expect(place.y).toBeLessThan(1);
    }
  });
});

describe('room', () => {
  const id = (at: number) => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;
  const ids = (count: number, size: number) => new Map(Array.from({ length: count }, (_none, at) => [id(at), size]));
  const names = (from: number, count: number): Item[] =>
    Array.from({ length: count }, (_none, at) => ({ entry: spot({ id: id(from + at) }), photo: null }));
  const none = new Map<string, number>();

  test('names alone do not pass the number that one file holds', () => {
    expect(() => checkRoom(ids(MOST_ENTRIES - 1, 10), names(MOST_ENTRIES, 1), none, [])).not.toThrow();
    expect(() => checkRoom(ids(MOST_ENTRIES, 10), names(MOST_ENTRIES, 1), none, [])).toThrow('TOO_MUCH');
    expect(() => checkRoom(none, names(0, MOST_ENTRIES + 1), none, [])).toThrow('TOO_MUCH');
  });

  test('what takes the place of an entry is not counted twice', () => {
    expect(() => checkRoom(ids(MOST_ENTRIES, 10), names(0, MOST_ENTRIES), none, [])).not.toThrow();
    const large = new Map([[id(1), MOST_BYTES - 100]]);
    const put = [{ entry: visit({ id: id(1) }), photo }];
    expect(() => checkRoom(large, put, new Map([[id(1), MOST_BYTES - 50]]), [])).not.toThrow();
    expect(() => checkRoom(large, put, new Map([[id(1), MOST_BYTES + 1]]), [])).toThrow('TOO_MUCH');
  });

  test('what is too much already may still be renamed and deleted', () => {
    const full = ids(MOST_ENTRIES + 5, MOST_BYTES);
    expect(() => checkRoom(full, names(0, 1), new Map([[id(0), MOST_BYTES + 9]]), [])).not.toThrow();
    expect(() => checkRoom(full, [], none, [id(0)])).not.toThrow();
  });
});

describe('a page that is not used', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1e12 }));
  afterEach(() => void vi.useRealTimers());
  const MINUTE = 60_000;
  function waiting() {
    const heard = { input: new EventTarget(), seen: new EventTarget() };
    const idle = vi.fn();
    const stop = whenIdle(10 * MINUTE, idle, heard);
    const does = (type: string) => heard.input.dispatchEvent(new Event(type));
    return { idle, stop, does, isSeen: () => heard.seen.dispatchEvent(new Event('visibilitychange')) };
  }

  test('is idle once, after the last input', () => {
    const { idle, does } = waiting();
    vi.advanceTimersByTime(9 * MINUTE);
    does('keydown');
    vi.advanceTimersByTime(9 * MINUTE);
    does('pointermove');
    vi.advanceTimersByTime(10 * MINUTE - 1);
    expect(idle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(idle).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(60 * MINUTE);
    does('keydown');
    expect(idle).toHaveBeenCalledOnce();
  });

  test('whose timers slept is idle when it is seen again, or used', () => {
    for (const wake of ['seen', 'used']) {
      const { idle, does, isSeen } = waiting();
      vi.setSystemTime(Date.now() + 11 * MINUTE); // no timer fires
      expect(idle).not.toHaveBeenCalled();
      if (wake === 'seen') isSeen();
      else does('pointerdown');
      expect(idle).toHaveBeenCalledOnce();
    }
  });

  test('that is seen again in time is not, and a clock that is set back makes it wait no longer', () => {
    const { idle, isSeen } = waiting();
    vi.setSystemTime(Date.now() + 9 * MINUTE);
    isSeen();
    expect(idle).not.toHaveBeenCalled();
    vi.setSystemTime(Date.now() - 600 * MINUTE);
    isSeen();
    vi.advanceTimersByTime(10 * MINUTE);
    expect(idle).toHaveBeenCalledOnce();
  });

  test('is not told once it was stopped', () => {
    const { idle, stop, isSeen } = waiting();
    stop();
    vi.advanceTimersByTime(60 * MINUTE);
    isSeen();
    expect(idle).not.toHaveBeenCalled();
  });
});
