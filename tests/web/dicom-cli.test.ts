/** `classify` of DICOM files from outside: what is read, what is refused with which code, and that the rest goes on. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Result } from '../../web/src/classifier/result.js';
import { samplesIn } from '../doc-samples.mjs';
import { type DicomOptions, dicom, identified } from './dicom-file.js';
import { picture, picturePath, root, runCli, runCommands } from './support.js';

/** A small network: how a file is read is the same for all. */
const MODEL = `${root}tests/imported/keras-2`;
const spot = picture('spot-422.jpg');

const run = (...args: string[]) => runCli('classify', ...args, '--model', MODEL);

const uncompressed = { syntax: '1.2.840.10008.1.2.1', photometric: 'RGB' };
const FILES: Record<string, [options: DicomOptions, state: string, why?: RegExp]> = {
  'dermoscopy.dcm': [{ parts: [spot] }, 'answered'],
  'photographic.dcm': [{ kind: '1.2.840.10008.5.1.4.1.1.77.1.4', parts: [spot] }, 'answered'],
  'secondary.dcm': [{ kind: '1.2.840.10008.5.1.4.1.1.7', parts: [spot], frames: '1' }, 'answered'],
  'fragments.dcm': [{ parts: [spot.subarray(0, 3000), spot.subarray(3000, 3002), spot.subarray(3002)] }, 'answered'],
  'no-extension': [{ parts: [spot] }, 'answered'],
  'uncompressed.dcm': [{ ...uncompressed, parts: [spot] }, 'UNSUPPORTED_FORMAT', /uncompressed/],
  'jpeg-2000.dcm': [{ syntax: '1.2.840.10008.1.2.4.91', parts: [spot] }, 'UNSUPPORTED_FORMAT', /JPEG 2000/],
  'rle.dcm': [{ syntax: '1.2.840.10008.1.2.5', parts: [spot] }, 'UNSUPPORTED_FORMAT', /RLE/],
  'empty.dcm': [{}, 'UNSUPPORTED_FORMAT', /holds no picture/],
  'frames.dcm': [{ parts: [spot], frames: '2' }, 'UNSUPPORTED_FORMAT', /several frames/],
  'report.dcm': [{ kind: '1.2.840.10008.5.1.4.1.1.88.33' }, 'UNSUPPORTED_FORMAT', /none of the kinds/],
  'truncated.dcm': [{ parts: [spot] }, 'CORRUPT_IMAGE', /cut off/],
  'no-jpeg.dcm': [{ parts: [new Uint8Array(64)] }, 'CORRUPT_IMAGE', /no JPEG/],
};

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-dicom-'));
  for (const [name, [options]] of Object.entries(FILES)) {
    const bytes = dicom(options);
    writeFileSync(at(name), name.startsWith('truncated') ? bytes.subarray(0, bytes.length - 2000) : bytes);
  }
  copyFileSync(picturePath('spot-422.jpg'), at('the-jpeg.jpg'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Line = Partial<Result> & { file: string; error?: { code: string; message: string } };
const stateOf = ({ error }: Line) => error?.code ?? 'answered';
const nameOf = ({ file }: Line) => file.slice(folder.length + 1);
/** What is the same in each run. */
const lasting = ({ outcome, tier, ranking, quality, source, predictionSet }: Line) => ({
  outcome,
  tier,
  ranking,
  quality,
  source: source && { ...source, bytes: 0 },
  predictionSet,
});

describe('classify x.dcm', () => {
  test('a folder: what can be read is answered like its JPEG, the rest is refused by its code', async () => {
    const { code, out, err } = await run(folder, '--json', '--jobs', '2');
    const lines = JSON.parse(out) as Line[];
    const states = Object.fromEntries(lines.map((line) => [nameOf(line), stateOf(line)]));
    expect(states).toEqual({
      ...Object.fromEntries(Object.entries(FILES).map(([name, [, state]]) => [name, state])),
      'the-jpeg.jpg': 'answered',
    });
    // Broken ones fail the run; other things than pictures are passed over.
    expect(code).toBe(1);
    expect(err).toMatch(/6 classified, 2 failed, 6 skipped\n$/);
    for (const [name, [, , why]] of Object.entries(FILES))
      if (why) expect(lines.find((line) => nameOf(line) === name)!.error!.message).toMatch(why);
    expect(out + err).not.toContain('SECRET');
    const jpeg = lines.find((line) => nameOf(line) === 'the-jpeg.jpg')!;
    expect(jpeg.ranking!.length).toBeGreaterThan(1);
    for (const line of lines) if (stateOf(line) === 'answered') expect(lasting(line), line.file).toEqual(lasting(jpeg));
  });

  test('--ndjson and --json say the same; a file that was named is refused, not passed over', async () => {
    const named = ['dermoscopy.dcm', 'jpeg-2000.dcm', 'truncated.dcm'].map(at);
    const [json, lines] = await Promise.all([run(...named, '--json'), run(...named, '--ndjson')]);
    expect([json.code, lines.code]).toEqual([1, 1]);
    expect(json.err).toMatch(/1 classified, 2 failed\n$/);
    const byName = (all: Line[]) => Object.fromEntries(all.map((line) => [nameOf(line), [lasting(line), line.error]]));
    const written = lines.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(byName(written)).toEqual(byName(JSON.parse(json.out) as Line[]));
    expect(byName(written)['dermoscopy.dcm']![1]).toBeUndefined();
  });

  test('the table of `evaluate` has it among the others, with the figures of its JPEG', async () => {
    const labels = at('labels.csv');
    const set = basename(folder);
    const rows = ['dermoscopy.dcm,alpha', 'the-jpeg.jpg,beta', 'truncated.dcm,beta'].map((row) => `${set},${row}`);
    writeFileSync(labels, ['set,image,label', ...rows].join('\n'));
    const args = ['--labels', labels, '--images', dirname(folder), '--json', at('figures.json')];
    const table = ['--predictions', at('predictions.csv'), '--model', MODEL];
    const { code, err } = await runCli('evaluate', ...args, ...table);
    expect(code, err).toBe(0);
    expect(err).toMatch(/truncated\.dcm: CORRUPT_IMAGE/);
    const predictions = readFileSync(at('predictions.csv'), 'utf8').trim().split('\n').slice(1);
    const cells = Object.fromEntries(predictions.map((row) => [row.split(',')[1], row.split(',').slice(2)]));
    expect(Object.keys(cells)).toEqual(['dermoscopy.dcm', 'the-jpeg.jpg']);
    expect(cells['dermoscopy.dcm']).toEqual(cells['the-jpeg.jpg']);
  });

  test('for people: one line says what to do', async () => {
    const { code, out, err } = await run(at('rle.dcm'));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/rle\.dcm: UNSUPPORTED_FORMAT: .*RLE.*export the picture from its viewer as JPEG or PNG\n$/);
  });
});

test('the samples of docs/dicom.md', () => {
  const place = mkdtempSync(join(tmpdir(), 'dermlet-dicom-docs-'));
  mkdirSync(join(place, 'photos'));
  copyFileSync(picturePath('spot.jpg'), join(place, 'photos', 'spot.jpg'));
  writeFileSync(join(place, 'lesion.dcm'), dicom({ parts: [spot], more: identified() }));
  const samples = samplesIn('docs/dicom.md');
  expect(samples.map(({ language }) => language)).toEqual(['sh', 'sh']);
  for (const { text } of samples) runCommands(text, place, '--model', MODEL);
  expect(readdirSync(join(place, 'reports'))).toHaveLength(2);
  const answers = readFileSync(join(place, 'answers.ndjson'), 'utf8').trim().split('\n');
  for (const answer of answers)
    expect((JSON.parse(answer) as { dicomSr: string }).dicomSr).toMatch(/^reports\/2\.25\./);
  rmSync(place, { recursive: true });
});
