/** `retrain` and `atlas` from outside: folders in, files out, and `classify` with those files. */
import { createHash } from 'node:crypto';
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
import { nameFor } from '../../tools/cli/archive.js';
import { readHead } from '../../web/src/classifier/head-file.js';
import { picturePath, root, runCli as run } from './support.js';

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

/** A file of its own: bytes after a picture's end change its hash and nothing else. */
function put(name: string, kind: string, file: string, more = '', archive = 'own'): void {
  mkdirSync(at(archive, kind), { recursive: true });
  copyFileSync(picturePath(name), at(archive, kind, file));
  appendFileSync(at(archive, kind, file), more);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-retrain-'));
  for (const [index, name] of ['spot.jpg', 'spot-422.jpg', 'spot-444.jpg'].entries())
    put(name, 'Red spots', `${index}.jpg`);
  for (const [index, name] of ['spot-progressive.jpg', 'spot-restart.jpg', '../spots/large.jpg'].entries())
    put(name, 'nv', `${index}.jpg`, String(index));
  put('../spots/large.jpg', 'nv', 'again.jpg', '2'); // the same bytes as 2.jpg
  writeFileSync(at('own', 'nv', 'broken.jpg'), 'not a picture');
  for (const kind of ['mel', 'nv']) {
    mkdirSync(at('nothing', kind), { recursive: true });
    writeFileSync(at('nothing', kind, 'broken.jpg'), `no picture of ${kind}`);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

test('retrain writes a head that classify uses, and says what it is worth', async () => {
  const out = at('own.head');
  const trained = await run('retrain', '--images', at('own'), '--out', out, '--crop', 'whole', '--title', 'Clinic A');
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

  const text = await run('classify', picturePath('spot.jpg'), '--head', out);
  expect(text.out).toContain('Clinic A');
  expect(text.out).toContain('not calibrated');
  expect(text.out).toMatch(/scores together pass 90 %/);
  expect(text.out).not.toMatch(/hold the truth|calibrated on/);
  expect(text.out).not.toMatch(/\bsafe\b|detects|diagnosis|you have/i);
  const json = JSON.parse((await run('classify', picturePath('spot.jpg'), '--head', out, '--json')).out) as object;
  expect(json).toMatchObject({ tier: 'unknown', head: { title: 'Clinic A', pictures: 6, calibrated: false } });

  // It is there now, and stays as it is.
  const before = readFileSync(out);
  const again = await run('retrain', '--images', at('own'), '--out', out);
  expect(again.code).toBe(2);
  expect(readFileSync(out)).toEqual(before);
});

test('atlas writes what classify finds similar cases in', async () => {
  const out = at('own.atlas');
  const made = await run('atlas', '--images', at('own'), '--out', out, '--crop', 'whole');
  expect(made.out).toMatch(/6 cases are in .*own\.atlas/);
  expect(statSync(out).size).toBeLessThan(20_000);
  const { similar } = JSON.parse(
    (await run('classify', at('own', 'nv', '2.jpg'), '--crop', 'whole', '--atlas', out, '--json')).out,
  ) as { similar: { label: string; similarity: number }[] };
  expect(similar).toHaveLength(5);
  expect(similar[0]).toMatchObject({ label: 'nv', similarity: expect.closeTo(1, 3) as number });
  expect((await run('classify', picturePath('spot.jpg'), '--atlas', out)).out).toContain(
    'Likeness to a labelled picture',
  );
  // Names may say who somebody is: they are there only if they are asked for.
  expect(readFileSync(out, 'latin1')).not.toContain('2.jpg');
  const named = at('named.atlas');
  await run('atlas', '--images', at('own'), '--out', named, '--crop', 'whole', '--names', '--jobs', '2');
  const told = (await run('classify', at('own', 'nv', '2.jpg'), '--crop', 'whole', '--atlas', named)).out;
  expect(told).toMatch(/nv 1\.00 \(nv\/2\.jpg\)/);
});

test('atlas prints which share of the nearest it finds, once there are more cases than it counts', async () => {
  const names = 'spot spot-422 spot-444 spot-progressive spot-restart spot-cmyk'.split(' ');
  // Each twice, as two files.
  const add = (places: readonly number[]) => {
    for (const place of places) put(`${names[place % 6]}.jpg`, `kind ${place % 2}`, `${place}.jpg`, `${place}`, 'many');
  };
  const print = async (to: string) =>
    (await run('atlas', '--images', at('many'), '--out', at(to), '--crop', 'whole')).out.replace(/\s+/g, ' ');
  add([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const ten = await print('ten.atlas');
  expect(ten).toContain('10 cases are in');
  expect(ten).not.toContain('exact search');
  add([10, 11]);
  const twelve = await print('twelve.atlas');
  expect(twelve).toContain('12 cases are in');
  // The nearest 10 of 11 others: an atlas that searched at random would find 91 % of them.
  const [, share] = /Of the 10 nearest by exact search it finds ([\d.]+) % .*among 12\)/.exec(twelve) ?? [];
  expect(share).toBe('100.0');
}, 300_000);

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
  [
    'an archive of which nothing can be read',
    () => ['atlas', '--images', at('nothing'), '--out', at('nothing.atlas')],
    /INVALID_ARGUMENT: None of the pictures in .*nothing could be used, so .*nothing\.atlas was not written/s,
  ],
  ['a file that is not there', () => ['classify', picturePath('spot.jpg'), '--head', at('none')], /cannot be read/],
])('%s is told', async (_what, args, message) => {
  const { code, out, err } = await run(...args());
  expect(err).toMatch(message);
  expect(code).toBeGreaterThan(0);
  expect(out).toBe('');
});

test('evaluate measures a head by its own categories, as it looks at pictures, without figures of tiers', async () => {
  const out = at('own.head');
  const rows = ['Red spots/0.jpg,red-spots', 'Red spots/1.jpg,red-spots', 'nv/0.jpg,nv', 'nv/1.jpg,nv'];
  writeFileSync(at('labels.csv'), ['set,image,label', ...rows.map((row) => `own,${row}`)].join('\n'));
  const measured = await run(
    ...['evaluate', '--labels', at('labels.csv'), '--images', folder, '--json', at('out.json')],
    ...['--head', out, '--jobs', '1'],
  );
  expect(measured.err).toContain('not calibrated');
  expect(measured.code).toBe(0);
  const written = JSON.parse(readFileSync(at('out.json'), 'utf8')) as object;
  expect(written).toMatchObject({
    head: { title: 'Clinic A', sha256: createHash('sha256').update(readFileSync(out)).digest('hex') },
    classes: ['red-spots', 'nv'],
    options: { crop: 'whole' },
    counts: { evaluated: 4 },
    overall: { tiers: { low: { sensitivity: null, specificity: null } } },
  });
});

test('an atlas is asked as its cases were looked at, by its own network, and a run goes on with no other', async () => {
  const out = at('own.atlas');
  const answers = at('answers.ndjson');
  const own = ['classify', at('own', 'nv', '2.jpg'), '--ndjson', '--output', answers];
  expect((await run(...own, '--atlas', out)).code).toBe(0);
  // Without --crop: as the atlas was made, where the same file is the same embedding.
  const { similar } = JSON.parse(readFileSync(answers, 'utf8')) as { similar: { similarity: number }[] };
  expect(similar[0]!.similarity).toBeCloseTo(1, 3);
  const bytes = readFileSync(out);
  const titled = at('titled.atlas');
  writeFileSync(titled, Buffer.from(bytes.toString('latin1').replace('"title":"own"', '"title":"one"'), 'latin1'));
  const other = await run(...own, '--resume', '--atlas', titled);
  expect(other.code).toBe(2);
  const foreign = at('foreign.atlas');
  const sha256 = /"sha256":"([0-9a-f]{64})"/.exec(bytes.toString('latin1'))![1]!;
  writeFileSync(foreign, Buffer.from(bytes.toString('latin1').replace(sha256, 'a'.repeat(64)), 'latin1'));
  const refused = await run('classify', picturePath('spot.jpg'), picturePath('spot.png'), '--atlas', foreign);
  expect(refused.err).toMatch(/made by another network/);
  expect(refused.out).toBe('');
});

test('folders that would be one category, or have a single picture, are told before any is looked at', async () => {
  const put = (archive: string, kind: string, count: number) => {
    mkdirSync(at(archive, kind), { recursive: true });
    for (let i = 0; i < count; i++) writeFileSync(at(archive, kind, `${i}.jpg`), `${kind} ${i}`);
  };
  put('alike', 'Red spots', 2);
  put('alike', 'red-spots', 2);
  expect((await run('retrain', '--images', at('alike'))).err).toMatch(
    /‘Red spots’ and ‘red-spots’ would be one category/,
  );
  put('single', 'a', 2);
  put('single', 'b', 1);
  expect((await run('retrain', '--images', at('single'))).err).toMatch(/‘b’ has a single picture/);
});

test('names are cut to what the files may hold', () => {
  expect(nameFor('x'.repeat(200))).toHaveLength(80);
  expect(nameFor('a\u200fb\u0007')).toBe('ab\\x07');
});

test('one picture in two categories is a contradiction, and nothing is written', async () => {
  for (const kind of ['a', 'b']) {
    mkdirSync(at('twice', kind), { recursive: true });
    copyFileSync(picturePath('spot.jpg'), at('twice', kind, 'x.jpg'));
  }
  const { code, err } = await run('retrain', '--images', at('twice'), '--out', at('twice.head'));
  expect(err).toMatch(/in the folders of two categories/);
  expect(code).toBe(2);
  expect(existsSync(at('twice.head'))).toBe(false);
});

test('retrain exports a whole model, and export-head the same of the head’s file', async () => {
  const [out, one, other] = [at('exported.head'), at('exported'), at('exported-later')];
  const trained = await run('retrain', '--images', at('own'), '--out', out, '--crop', 'whole', '--export', one);
  expect(trained.out).toMatch(/A whole model with this head, checked and run once, is in .*exported/);
  const again = await run('retrain', '--images', at('own'), '--export', one);
  expect(again.code).toBe(2);
  expect(again.err).toMatch(/exported/);
  const later = await run('export-head', '--head', out, '--out', other);
  expect(later.code).toBe(0);
  expect(later.out).toContain('fewer than 20 pictures');
  for (const name of ['model.onnx', 'selftest.json'])
    expect(readFileSync(join(other, name)).equals(readFileSync(join(one, name)))).toBe(true);
  const answer = JSON.parse((await run('classify', picturePath('spot.jpg'), '--model', other, '--json')).out);
  expect(answer.ranking.map(({ id }: { id: string }) => id).sort()).toEqual(['nv', 'red-spots']);
  expect((await run('export-head', '--head', out)).err).toMatch(/--head names the file of a head/);
  expect((await run('export-head', '--head', out, '--out', other)).code).toBe(2);
  expect((await run('export-head', '--head', out, '--out', at('x'), '--model', 'skin-open')).err).toMatch(
    /INVALID_ARGUMENT/,
  );
}, 300_000);
