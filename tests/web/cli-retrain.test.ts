/** `retrain` and `atlas` from outside: folders in, files out, and `classify` with those files. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readHead } from '../../web/src/classifier/head-file.js';
import { picturePath, root } from './support.js';

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', `${root}tools/cli/main.ts`, ...args],
    { cwd: root, env: { ...process.env, NO_COLOR: '1' }, encoding: 'utf8' },
  );
  return { code: status, out: stdout, err: stderr };
}

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

/** A file of its own: bytes after a picture's end change its hash and nothing else. */
function put(name: string, kind: string, file: string, more = ''): void {
  mkdirSync(at('own', kind), { recursive: true });
  copyFileSync(picturePath(name), at('own', kind, file));
  appendFileSync(at('own', kind, file), more);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-retrain-'));
  for (const [index, name] of ['spot.jpg', 'spot-422.jpg', 'spot-444.jpg'].entries())
    put(name, 'Red spots', `${index}.jpg`);
  for (const [index, name] of ['spot-progressive.jpg', 'spot-restart.jpg', 'spot-large.jpg'].entries())
    put(name, 'nv', `${index}.jpg`, String(index));
  put('spot-large.jpg', 'nv', 'again.jpg', '2'); // the same bytes as 2.jpg
  writeFileSync(at('own', 'nv', 'broken.jpg'), 'not a picture');
});
afterAll(() => rmSync(folder, { recursive: true }));

test('retrain writes a head that classify uses, and says what it is worth', () => {
  const out = at('own.head');
  const trained = run('retrain', '--images', at('own'), '--out', out, '--crop', 'whole', '--title', 'Clinic A');
  expect(trained.err).toMatch(/1 file left out: the same file is there already/);
  expect(trained.err).toMatch(/broken\.jpg: UNSUPPORTED_FORMAT/);
  expect(trained.code).toBe(1); // a file failed; the head is there all the same
  expect(trained.out).toMatch(/Red spots +3 +\d/);
  expect(trained.out).toMatch(/95 % interval \d+ % to \d+ %/);
  expect(trained.out).toContain('fewer than 20 pictures');
  const { manifest } = readHead(new Uint8Array(readFileSync(out)));
  expect(manifest).toMatchObject({
    title: 'Clinic A',
    crop: 'whole',
    pictures: [3, 3],
    heldOut: { leaveOneOut: true },
  });
  expect(manifest.classes.map(({ id }) => id)).toEqual(['red-spots', 'nv']);

  const text = run('classify', picturePath('spot.jpg'), '--head', out);
  expect(text.out).toContain('Clinic A');
  expect(text.out).toContain('not calibrated');
  expect(text.out).toMatch(/scores together pass 90 %/);
  expect(text.out).not.toMatch(/hold the truth|calibrated on/);
  expect(text.out).not.toMatch(/\bsafe\b|detects|diagnosis|you have/i);
  const json = JSON.parse(run('classify', picturePath('spot.jpg'), '--head', out, '--json').out) as object;
  expect(json).toMatchObject({ tier: 'unknown', head: { title: 'Clinic A', pictures: 6, calibrated: false } });

  // It is there now, and stays as it is.
  const before = readFileSync(out);
  const again = run('retrain', '--images', at('own'), '--out', out);
  expect(again.code).toBe(2);
  expect(readFileSync(out)).toEqual(before);
});

test('atlas writes what classify finds similar cases in', () => {
  const out = at('own.atlas');
  const made = run('atlas', '--images', at('own'), '--out', out, '--crop', 'whole');
  expect(made.out).toMatch(/6 cases are in .*own\.atlas/);
  expect(statSync(out).size).toBeLessThan(20_000);
  const { similar } = JSON.parse(
    run('classify', at('own', 'nv', '2.jpg'), '--crop', 'whole', '--atlas', out, '--json').out,
  ) as { similar: { label: string; similarity: number }[] };
  expect(similar).toHaveLength(5);
  expect(similar[0]).toMatchObject({ label: 'nv', similarity: expect.closeTo(1, 3) as number });
  expect(run('classify', picturePath('spot.jpg'), '--atlas', out).out).toContain('Likeness to a labelled picture');
});

test.each<[string, () => string[], RegExp]>([
  ['no folder', () => ['retrain'], /--images names the folder/],
  ['one category', () => ['retrain', '--images', at('own', 'nv')], /two or more/],
  ['no file for an atlas', () => ['atlas', '--images', at('own')], /--out the file to write/],
  [
    'a file that is no list',
    () => ['retrain', '--images', at('own'), '--classes', `${root}package.json`],
    /not a list/,
  ],
  [
    'a file that is no head',
    () => ['classify', picturePath('spot.jpg'), '--head', picturePath('spot.png')],
    /not a head/,
  ],
  [
    'a file that is no atlas',
    () => ['classify', picturePath('spot.jpg'), '--atlas', picturePath('spot.png')],
    /no|not an atlas/,
  ],
  ['a file that is not there', () => ['classify', picturePath('spot.jpg'), '--head', at('none')], /cannot be read/],
])('%s is told', (_what, args, message) => {
  const { code, out, err } = run(...args());
  expect(err).toMatch(message);
  expect(code).toBeGreaterThan(0);
  expect(out).toBe('');
});

test('one picture in two categories is a contradiction, and nothing is written', () => {
  for (const kind of ['a', 'b']) {
    mkdirSync(at('twice', kind), { recursive: true });
    copyFileSync(picturePath('spot.jpg'), at('twice', kind, 'x.jpg'));
  }
  const { code, err } = run('retrain', '--images', at('twice'), '--out', at('twice.head'));
  expect(err).toMatch(/in the folders of two categories/);
  expect(code).toBe(2);
  expect(existsSync(at('twice.head'))).toBe(false);
});
