/** `check-model`: what passes, what is found, and what `--write` makes of a folder without sizes and hashes. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { checkModel, type ModelReport } from '../../tools/cli/check-model.js';
import { UsageError } from '../../tools/cli/usage.js';
import { Classifier } from '../../web/src/classifier/node/index.js';
import { expectCode, type ManifestJson, modelFolder, picturePath, root } from './support.js';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** A copy of a model that a test may change. */
function copyOf(model: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-check-'));
  made.push(folder);
  cpSync(join(root, model), folder, { recursive: true });
  return folder;
}

function change(folder: string, how: (json: ManifestJson) => void): void {
  const path = join(folder, 'manifest.json');
  const json = JSON.parse(readFileSync(path, 'utf8')) as ManifestJson;
  how(json);
  writeFileSync(path, JSON.stringify(json));
}

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function run(...args: string[]): Promise<Ran> {
  const ran: Ran = { code: -1, out: '', err: '' };
  ran.code = await checkModel(args, {
    out: (text) => (ran.out += text),
    err: (text) => (ran.err += text),
    live: () => undefined,
    columns: 100,
  });
  return ran;
}

async function report(...args: string[]): Promise<ModelReport & { code: number }> {
  const { code, out } = await run('--json', '--runs', '1', ...args);
  return { code, ...(JSON.parse(out) as ModelReport) };
}

const failures = ({ findings }: ModelReport): string[] =>
  findings.filter(({ state }) => state === 'failed').map(({ about }) => about);

test('the shipped model passes every step, and people are told in words', async () => {
  const { code, out } = await run('skin-8', '--runs', '2');
  expect(code).toBe(0);
  for (const words of ['8 categories, for dermoscopy and photo', 'skin-8.onnx: ', 'answers its test picture', '2 runs'])
    expect(out).toContain(words);
  expect(out).not.toMatch(/✗|·/);
  expect(out.replace(/\s+/g, ' ')).toContain('works here as its folder says');
});

test('--write makes of a folder without sizes, hashes and self-test one that is loaded', async () => {
  const folder = copyOf('models/skin-8');
  for (const name of ['selftest.png', 'selftest.json']) rmSync(join(folder, name));
  change(folder, (json) => {
    delete json.selfTest;
    json.file = { path: 'skin-8.onnx' };
    (json.locator as { file: object }).file = { path: 'locator.onnx' };
  });
  const before = await report(folder);
  expect(before.code).toBe(1);
  expect(failures(before)).toEqual([expect.stringMatching(/^MODEL_CORRUPT: .*file\.bytes is missing/)]);
  const written = await report(folder, '--write');
  expect(failures(written)).toEqual([]);
  expect(written.timings).toMatchObject({ runs: 1, inference: expect.any(Number) as number });
  const text = readFileSync(join(folder, 'manifest.json'), 'utf8');
  // What the network says here is what it said where it was exported.
  const scoresIn = (path: string) => (JSON.parse(readFileSync(path, 'utf8')) as { scores: number[] }).scores;
  const shipped = scoresIn(join(root, 'models/skin-8/selftest.json'));
  for (const [index, score] of scoresIn(join(folder, 'selftest.json')).entries())
    expect(score).toBeCloseTo(shipped[index]!, 3);
  const classifier = await Classifier.load(folder, { idleTimeout: 0 });
  classifier.dispose();
  await report(folder, '--write');
  expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe(text);
});

describe('finds', () => {
  test('each file that is missing or other than the manifest says, before anything is started', async () => {
    const folder = copyOf('models/skin-8');
    const network = readFileSync(join(folder, 'skin-8.onnx'));
    network[1000] = network[1000]! ^ 1;
    writeFileSync(join(folder, 'skin-8.onnx'), network);
    for (const name of ['locator.onnx', 'MODEL_CARD.md']) rmSync(join(folder, name));
    const found = await report(folder);
    expect(found.code).toBe(1);
    expect(failures(found)).toEqual([expect.stringContaining('skin-8.onnx'), expect.stringContaining('locator.onnx')]);
    expect(found.findings.find(({ state }) => state === 'note')?.about).toContain('MODEL_CARD.md');
    expect(found.findings.some(({ step }) => step === 'start')).toBe(false);
  });

  test.each([
    ['the order of channels', (json: ManifestJson) => (json.input.channels = 'BGR'), /differs from its reference/],
    [
      'the kind of scores',
      (json: ManifestJson) => ((json.outputs as { scoresAre: string }).scoresAre = 'probabilities'),
      /scoresAre|probabilit/,
    ],
    ['the name of an output', (json: ManifestJson) => ((json.outputs as { scores: string }).scores = 'other'), /other/],
    [
      'the size of the input',
      (json: ManifestJson) => (json.input.width = 224),
      /takes .*192.* would get .*\[1, 3, 192, 224\]/,
    ],
    ['the layout', (json: ManifestJson) => (json.input.layout = 'NHWC'), /would get .*\[1, 192, 192, 3\]/],
    [
      'a class too many',
      (json: ManifestJson) => (json.classes as object[]).push({ id: 'x', name: 'X', concern: 'low' }),
      /limits/,
    ],
  ])('a manifest that is wrong about %s', async (_what, how, words) => {
    const folder = copyOf('models/skin-8');
    change(folder, (json) => void how(json));
    const found = await report(folder);
    expect(found.code).toBe(1);
    expect(failures(found)).toEqual([expect.stringMatching(words)]);
  });

  test('a network that is none', async () => {
    const folder = copyOf('models/skin-8');
    writeFileSync(join(folder, 'skin-8.onnx'), 'no network at all');
    const found = await report(folder, '--write');
    expect(found.code).toBe(1);
    expect(failures(found)).toEqual([expect.stringMatching(/^(BACKEND_FAILED|MODEL_CORRUPT): /)]);
  });

  test('one that takes longer than it may', async () => {
    const found = await report('skin-8', '--timeout', '0.01');
    expect(failures(found)).toEqual([expect.stringMatching(/^BACKEND_FAILED: .*0[.]0/)]);
  });
});

/** In place of a file of a model: what never opens, what never ends, and what is larger than it may be. */
const TRAPS: readonly (readonly [name: string, put: (path: string) => void, about: RegExp])[] = [
  ['a pipe', (path) => void execFileSync('mkfifo', [path]), /^MODEL_UNAVAILABLE: .*a pipe, not a file/],
  ['a device', (path) => symlinkSync('/dev/zero', path), /^MODEL_UNAVAILABLE: .*a device, not a file/],
  [
    'a file of 1 GiB',
    (path) => {
      writeFileSync(path, '');
      truncateSync(path, 2 ** 30);
    },
    /^MODEL_CORRUPT: .*has 1073741824 bytes; at most \d+ can be read/,
  ],
];

describe.each(TRAPS)("a stranger's folder with %s in it", (_name, put, about) => {
  test.each(['manifest.json', 'skin-8.onnx', 'locator.onnx', 'selftest.json'])(
    'as %s is told at once',
    async (file) => {
      const folder = copyOf('models/skin-8');
      rmSync(join(folder, file));
      put(join(folder, file));
      const found = await report(folder);
      expect(found.code).toBe(1);
      expect(failures(found).length).toBeGreaterThan(0);
      const said =
        file === 'manifest.json'
          ? failures(found).join('\n')
          : failures(found)
              .join('\n')
              .replace(/^.*?: /, '');
      if (file === 'manifest.json') expect(said).toMatch(about);
      else expect(said).toMatch(/a pipe, not a file|a device, not a file|has 1073741824 bytes/);
      const code = about.source.includes('MODEL_CORRUPT') ? 'MODEL_CORRUPT' : 'MODEL_UNAVAILABLE';
      await expectCode(Classifier.load(folder), code, new RegExp(about.source.slice(about.source.indexOf('.*'))));
    },
  );
});

/** Graphs as `networks/make_networks.py` makes them, whose sizes and hashes are what the manifest says. */
describe('a hostile network', { timeout: 400_000 }, () => {
  const small = { width: 32, height: 32 };
  const folderWith = (network: string): string => {
    const folder = modelFolder((json) => ({ ...json, input: { ...json.input, ...small } }), network);
    made.push(folder);
    return folder;
  };

  test.each([
    ['endless', '10', /^BACKEND_FAILED: This took longer than 10(\.0)? s/],
    ['vast', '300', /^BACKEND_FAILED: ONNX Runtime could not run the network.*Tensor shape is too large/s],
    ['greedy', '300', /^BACKEND_FAILED: ONNX Runtime could not run the network.*bad_alloc/s],
    ['outside', '300', /^BACKEND_FAILED: ONNX Runtime could not load the network.*external data file/s],
    ['cut', '300', /^BACKEND_FAILED: ONNX Runtime could not load the network.*protobuf parsing failed/s],
  ])(
    '%s: an error with its code, checked or written; its thread ends, and others answer',
    async (name, limit, words) => {
      const threads: Worker[] = [];
      const began = (thread: Worker) => void threads.push(thread);
      process.on('worker', began);
      try {
        const folder = folderWith(name);
        const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8');
        const checked = await report(folder, '--timeout', limit);
        expect(checked.findings.filter(({ step }) => step === 'file').map(({ state }) => state)).not.toContain(
          'failed',
        );
        expect(failures(checked)).toEqual([expect.stringMatching(words)]);
        expect(failures(await report(folder, '--timeout', limit, '--write'))).toEqual([expect.stringMatching(words)]);
        expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toBe(manifest);
        expect(threads).toHaveLength(2);
        await vi.waitUntil(() => threads.every(({ threadId }) => threadId === -1), { timeout: 30_000 });
        expect(failures(await report(folderWith('one')))).toEqual([]);
      } finally {
        process.off('worker', began);
      }
    },
  );
});

test('networks of other shapes: any batch, one picture a run', async () => {
  for (const network of ['any', 'one']) {
    const small = { width: 32, height: 32 };
    const folder = modelFolder((json) => ({ ...json, input: { ...json.input, ...small } }), network);
    made.push(folder);
    const found = await report(folder, '--write');
    expect(failures(found)).toEqual([]);
    expect(found.model?.findsSpots).toBe(false);
    expect(found.findings.map(({ about }) => about).join()).toContain('There is no locator');
  }
});

test('imported networks pass: NHWC, blue first, softmax inside', async () => {
  for (const model of ['keras-2', 'vgg-style']) {
    const found = await report(join(root, 'tests/imported', model));
    expect(failures(found)).toEqual([]);
  }
});

test('labelled pictures are counted by category, under its id or its name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-check-'));
  made.push(folder);
  for (const [label, names] of Object.entries({ nv: ['spot.jpg', 'spot-422.jpg'], Melanoma: ['spot-444.jpg'] })) {
    mkdirSync(join(folder, label));
    for (const name of names) copyFileSync(picturePath(name), join(folder, label, name));
  }
  const found = await report('skin-8', '--images', folder);
  expect(found.code).toBe(0);
  const { classes } = found.pictures!;
  expect(Object.fromEntries(Object.entries(classes).map(([id, { pictures }]) => [id, pictures]))).toEqual({
    mel: 1,
    nv: 2,
  });
  mkdirSync(join(folder, 'rash'));
  copyFileSync(picturePath('spot-large.jpg'), join(folder, 'rash', 'a.jpg'));
  await expect(report('skin-8', '--images', folder)).rejects.toThrow(UsageError);
});

test('wrong use is told as such', async () => {
  for (const args of [[], ['a', 'b'], ['skin-8', '--runs', '0'], ['skin-8', '--nonsense'], ['no-such-model']])
    await expect(run(...args), args.join(' ')).rejects.toThrow();
});
