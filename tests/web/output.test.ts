/** Writes that are whole or an error, to what takes a little at a time and then nothing more. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { fileSink, OutputError, ReaderGone, writeAll } from '../../tools/cli/output.js';
import { CLI, picturePath, root } from './support.js';

/** What is written to: every third call takes nothing for now, the others seven bytes while there is room. */
const taker = vi.hoisted(() => {
  const systemError = (code: string, message: string) =>
    Object.assign(new Error(`${code}: ${message}, write`), { code });
  return {
    taken: Buffer.alloc(0),
    room: Infinity,
    atTheEnd: systemError('ENOSPC', 'no space left on device'),
    later: systemError('EAGAIN', 'resource temporarily unavailable'),
    gone: systemError('EPIPE', 'broken pipe'),
    calls: 0,
  };
});
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  writeSync: (_fd: number, bytes: Buffer, offset: number): number => {
    if (++taker.calls % 3 === 0) throw taker.later;
    const room = Math.min(7, taker.room - taker.taken.length, bytes.length - offset);
    if (room === 0) throw taker.atTheEnd;
    taker.taken = Buffer.concat([taker.taken, bytes.subarray(offset, offset + room)]);
    return room;
  },
}));

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'dermlet-output-'))));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => Object.assign(taker, { taken: Buffer.alloc(0), room: Infinity, calls: 0 }));

// Characters of two and three bytes, which seven bytes cut apart.
const TEXT = 'äöü → 12345\n'.repeat(20);
const BYTES = Buffer.from(TEXT);

describe('a write that takes seven bytes at a time', () => {
  test('is gone on with until all is there, once and in order', () => {
    writeAll(1, TEXT, 'stdout');
    expect(taker.taken.toString()).toBe(TEXT);
  });

  test('of a file of answers, too', () => {
    const sink = fileSink(join(folder, 'answers'), false);
    sink.write(TEXT);
    sink.write('the end');
    sink.close();
    expect(taker.taken.toString()).toBe(`${TEXT}the end`);
  });

  test.each([0, 7, 100, BYTES.length - 1])('and has room for %i bytes fails, and says of what and why', (room) => {
    taker.room = room;
    const write = () => writeAll(1, TEXT, 'stdout');
    expect(write).toThrow(OutputError);
    expect(taker.taken.equals(BYTES.subarray(0, room))).toBe(true);
    expect(write).toThrow(/^stdout could not be written to the end: .*no space left on device/);
  });

  test('and whose reader goes away ends without an error of its own', () => {
    taker.room = 100;
    const { atTheEnd } = taker;
    taker.atTheEnd = taker.gone;
    try {
      expect(() => writeAll(1, TEXT, 'stdout')).toThrow(ReaderGone);
    } finally {
      taker.atTheEnd = atTheEnd;
    }
  });
});

// Of the system itself: the write that reaches the limit is cut short, and the next one fails.
test.skipIf(process.platform === 'win32')(
  'a file that may not grow: what is in it is the beginning, and it is said',
  () => {
    const path = join(folder, 'cut.json');
    const command = [process.execPath, ...CLI, 'classify', picturePath('spot.jpg'), '--json', '--output', path];
    // The limit is for every file that is written: tsx must not cut those of its cache.
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TSX_DISABLE_CACHE: '1' };
    const said = execFileSync('sh', ['-c', 'ulimit -f 2; "$@" 2>&1; echo "status $?"', 'sh', ...command], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    expect(said).toMatch(/cut\.json could not be written to the end: .*file too large.*\nstatus 1\n$/);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(`{\n  "file": "${picturePath('spot.jpg')}"`);
    expect(() => JSON.parse(text) as unknown).toThrow();
  },
  120_000,
);
