/** What several tests need. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { SetRule, TierCuts } from '../../wasm_src/bindings/dermlet.js';
import type { Classifier } from '../../web/src/classifier/classifier.js';
import { DermletError, type ErrorCode } from '../../web/src/classifier/errors.js';
import { headFile } from '../../web/src/classifier/head-file.js';
import { type Manifest, parseManifest } from '../../web/src/classifier/manifest.js';
import type { TrainingExample } from '../../web/src/classifier/options.js';
import type { Outcome, RankedClass, Result, Tier } from '../../web/src/classifier/result.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));
/** Lets Node run TypeScript. */
export const TSX = `${root}node_modules/tsx/dist/esm/index.mjs`;
/** What Node runs as the command line: the npm package's, which `npm test` builds first, or the sources. */
export const CLI: readonly string[] = process.env.DERMLET_CLI
  ? [process.env.DERMLET_CLI]
  : ['--import', TSX, `${root}tools/cli/main.ts`];

/** How a command ended, and what it printed. */
export interface Ran {
  /** Null: by a signal. */
  code: number | null;
  out: string;
  err: string;
}

/**
 * Starts the command line in the root of the repository, in English. `printed` grows while it runs.
 * @param stdout a file descriptor in place of a pipe
 */
export function startCli(
  args: readonly string[],
  stdout: number | 'pipe' = 'pipe',
): { child: ChildProcess; printed: Omit<Ran, 'code'>; ran: Promise<Ran> } {
  const child = spawn(process.execPath, [...CLI, ...args], {
    cwd: root,
    env: { ...process.env, LC_ALL: 'C.UTF-8', NO_COLOR: '1' },
    stdio: ['ignore', stdout, 'pipe'],
  });
  const printed = { out: '', err: '' };
  child.stdout?.on('data', (data: Buffer) => (printed.out += data.toString()));
  child.stderr!.on('data', (data: Buffer) => (printed.err += data.toString()));
  return {
    child,
    printed,
    ran: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ ...printed, code }));
    }),
  };
}

/** Runs the command line to its end. */
export const runCli = (...args: string[]): Promise<Ran> => startCli(args).ran;

/**
 * Runs a sample of the documents for Node in a folder: with the npm package where `npm test` built it, else on the
 * sources. Gives what it prints. @throws what it throws
 */
export function runSample(code: string, folder: string): string {
  const packaged = process.env.DERMLET_CLI;
  const file = packaged ? 'sample.mjs' : 'sample.mts';
  if (packaged) {
    const link = join(folder, 'node_modules', 'dermlet');
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(join(dirname(packaged), '..', '..'), link, 'dir');
  }
  const onSources = code
    .replaceAll("'dermlet/handler'", `'${root}web/src/handler/index.ts'`)
    .replaceAll("'dermlet/node'", `'${root}web/src/classifier/node/index.ts'`);
  writeFileSync(join(folder, file), packaged ? code : onSources);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...(packaged ? [] : ['--import', TSX]), file], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/**
 * Runs commands of the documents in a folder. `npx dermlet` is the command line there, with more words after its own.
 * Fails the test where one does not end with 0.
 */
export function runCommands(text: string, folder: string, ...more: string[]): void {
  const bin = join(folder, 'bin');
  const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(' ');
  mkdirSync(bin, { recursive: true });
  const main = quoted([process.execPath, ...CLI]);
  const npx = `#!/bin/sh\n[ "$1" = dermlet ] && shift\nexec ${main} "$@" ${quoted(more)}\n`;
  writeFileSync(join(bin, 'npx'), npx, { mode: 0o755 });
  const { status, stderr } = spawnSync('sh', ['-ec', text], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  });
  expect(status, stderr).toBe(0);
}

export const picturePath = (name: string): string => `${root}tests/pictures/${name}`;
export const picture = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(picturePath(name)));
export const modelFile = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(`${root}models/skin-8/${name}`));
export const manifestJson = (): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(modelFile('manifest.json'))) as Record<string, unknown>;
export const manifest = (): Manifest => parseManifest(manifestJson());

export async function expectCode(
  work: Promise<unknown> | (() => unknown),
  code: ErrorCode,
  message?: RegExp,
): Promise<void> {
  let thrown: unknown;
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    thrown = error;
  }
  expect(thrown, 'should have thrown').toBeInstanceOf(DermletError);
  expect((thrown as DermletError).code).toBe(code);
  if (message) expect((thrown as DermletError).message).toMatch(message);
}

/** The file of a head of two categories, `one` and `two`. @param classifier its model has an embedding */
export async function headOfTwo(
  classifier: Pick<Classifier, 'classify' | 'trainHead'>,
): Promise<Uint8Array<ArrayBuffer>> {
  const examples: TrainingExample[] = [];
  for (const [name, label] of [
    ['spot.jpg', 'one'],
    ['spot-large.jpg', 'one'],
    ['swapped-channels.png', 'two'],
    ['spot-gray.jpg', 'two'],
  ] as const) {
    const result = await classifier.classify(new Blob([picture(name)]), { embedding: true, crop: 'whole' });
    examples.push({ result, label });
  }
  return headFile(await classifier.trainHead(examples, { crop: 'whole', title: 'Two kinds' }));
}

/** A result as the engine makes them, with what a test is about. */
export function result(
  ranking: [id: string, probability: number, concern: RankedClass['concern'], inSet: boolean][],
  outcome: Outcome,
  tier: Tier,
): Result {
  return {
    resultVersion: 2,
    model: { name: 'test', version: '1.0.0', sha256: '0'.repeat(64), title: 'Test' },
    outcome,
    tier,
    modality: 'photo',
    modalityChoice: { by: 'caller' },
    frame: { framing: 'whole', spots: [] },
    testTimeAugmentation: false,
    ranking: ranking.map(([id, probability, concern, inSet]) => ({
      id,
      name: `Name of ${id}`,
      probability,
      concern,
      inSet,
    })),
    predictionSet: ranking.filter(([, , , inSet]) => inSet).map(([id]) => id),
    coverage: 0.9,
    rejection: { method: 'energy', score: -4, threshold: -2 },
    quality: { usable: outcome !== 'poor-quality', checks: [] },
    source: {
      format: 'jpeg',
      bytes: 1,
      width: 10,
      height: 10,
      orientation: 1,
      colour: 'assumed-srgb',
      decodePath: 'core',
      bitExact: true,
      region: { x: 0, y: 0, width: 10, height: 10 },
    },
    runtime: { backend: 'wasm', threads: 1, timings: { queue: 0, prepare: 1, inference: 1, interpret: 1, total: 3 } },
  };
}

type Json = Record<string, unknown>;

const entryOf = (path: string, bytes: Uint8Array) => ({
  path,
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

/**
 * A model folder of a test's own: the shipped one with a changed manifest and, where given, another network. Whoever
 * asks removes it.
 */
export function modelFolder(change: (json: ManifestJson) => object = (json) => json, network?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-model-'));
  const json = change(manifestJson() as unknown as ManifestJson) as Json;
  const files: Record<string, Uint8Array> = {
    'selftest.png': modelFile('selftest.png'),
    'selftest.json': modelFile('selftest.json'),
  };
  if (network === undefined) {
    files['skin-8.onnx'] = modelFile('skin-8.onnx');
    if ('rejection' in json) files['rejection.bin'] = modelFile('rejection.bin');
    if ('locator' in json) files['locator.onnx'] = modelFile('locator.onnx');
  } else {
    // Fitted to the shipped network's embedding, or not what a test is about.
    for (const key of ['rejection', 'modalityProbe', 'locator']) delete json[key];
    json.decision = { ...(json.decision as Json), rejection: 'energy' };
    const bytes = new Uint8Array(readFileSync(`${root}tests/web/networks/${network}.onnx`));
    files['tiny.onnx'] = bytes;
    json.file = entryOf('tiny.onnx', bytes);
    // What these networks answer, each test checks by itself, with inputs of its own: here only that they do.
    const reference = JSON.stringify({ scores: Array(8).fill(0), embedding: Array(5).fill(0), tolerance: 1e6 });
    files['selftest.json'] = new TextEncoder().encode(reference);
    json.selfTest = { ...(json.selfTest as Json), reference: entryOf('selftest.json', files['selftest.json']) };
  }
  for (const [name, bytes] of Object.entries({ ...files, 'manifest.json': JSON.stringify(json) }))
    writeFileSync(join(folder, name), bytes);
  return folder;
}

/** The shipped manifest as JSON, as far as tests change it. */
type ModalityJson = Json & { id: string; sets: SetRule; tiers: TierCuts };
export type ManifestJson = Json & { modalities: [ModalityJson, ModalityJson]; input: Json; decision: Json };

/** A manifest that says how its two modalities are combined. */
export function withCombination(json: ManifestJson): ManifestJson {
  const [{ id: first, sets, tiers }, { id: second }] = json.modalities;
  return {
    ...json,
    combination: { modalities: [first, second], weights: [0.75, 0.5], temperature: 1.25, sets, tiers },
  };
}
