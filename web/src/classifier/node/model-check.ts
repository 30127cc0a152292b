/** A model's folder as its maker sees it: which files are what the manifest says, and a manifest that says it. */
import { createHash } from 'node:crypto';
import { copyFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { abortedError, messageOf, throwIfAborted } from '../abort.js';
import type { FileEntry } from '../documents.js';
import { DermletError } from '../errors.js';
import { filesOf, parseManifest } from '../manifest.js';
import { fromWire } from '../protocol.js';
import { parsed } from '../reading.js';
import { startTest } from './classifier.js';
import { defaultModel, folderOf, loadManifest } from './engine.js';
import { read, readEntry, readManifestText } from './read.js';
import type { TestAnswer, TestRun } from './worker.js';

/** One of the files that a manifest names. */
export interface ModelFile {
  path: string;
  /** What the manifest says, or nothing: it says nothing of a card or a licence. */
  bytes?: number;
  /** Why it is not what the manifest says; undefined: it is. */
  problem?: string;
  /** Whether the model works without it: its card and licence. */
  optional: boolean;
}

/**
 * Each file of a model, compared with its manifest.
 * @param model a model's name, its folder or its manifest.json
 * @throws DermletError INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_CORRUPT, MODEL_TOO_NEW, all of the manifest itself
 */
export async function modelFiles(model: string): Promise<ModelFile[]> {
  const folder = folderOf(model);
  const manifest = await loadManifest(model);
  const checked = filesOf(manifest).map(async (entry): Promise<ModelFile> => {
    const { path, bytes } = entry;
    try {
      await readEntry(folder, entry);
      return { path, bytes, optional: false };
    } catch (error) {
      return { path, bytes, optional: false, problem: messageOf(error) };
    }
  });
  const beside = [manifest.card, manifest.license.path].map(async (path): Promise<ModelFile> => {
    try {
      await stat(join(folder, path));
      return { path, optional: true };
    } catch (error) {
      return { path, optional: true, problem: messageOf(error) };
    }
  });
  return Promise.all([...checked, ...beside]);
}

/**
 * The path of the picture that a model is tested by.
 * @throws DermletError INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_CORRUPT, MODEL_TOO_NEW
 */
export async function testPictureOf(model: string): Promise<string> {
  const { selfTest } = await loadManifest(model);
  return join(folderOf(model), selfTest.picture.path);
}

/** How far outputs may differ between machines: a thousandth, or a ten-thousandth of the greatest if that is more. */
function toleranceOf(...outputs: (Float32Array | null)[]): number {
  const greatest = outputs.flatMap((values) => [...(values ?? [])]).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return Math.max(1e-3, Number((1e-4 * greatest).toPrecision(3)));
}

const entryOf = (path: string, content: Uint8Array): FileEntry => ({
  path,
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
});

type Json = Record<string, unknown>;

/** In a thread of its own, as a network may never end: the thread can be ended. @throws DermletError as `sealModel` */
function answerToTest(run: TestRun, signal: AbortSignal | undefined): Promise<TestAnswer> {
  return new Promise<TestAnswer>((resolve, reject) => {
    throwIfAborted(signal);
    const thread = startTest(run);
    const failed = (why: string) => reject(new DermletError('BACKEND_FAILED', `The engine failed: ${why}`));
    const onAbort = () => {
      reject(abortedError(signal));
      void thread.terminate();
    };
    signal?.addEventListener('abort', onAbort);
    thread.on('message', (answer) => {
      if ('error' in answer) reject(fromWire(answer.error));
      else resolve(answer);
      void thread.terminate();
    });
    thread.on('error', (error) => failed(messageOf(error)));
    thread.on('exit', () => {
      failed('its thread ended.');
      signal?.removeEventListener('abort', onAbort);
    });
  });
}

/**
 * Writes into a manifest what its files are (bytes, sha256) and makes the self-test's reference: what the network says
 * here of the self-test picture. A model without such a picture gets the one of the default model, which is drawn.
 * The network is run in a thread, which ends when the signal is aborted. The manifest is changed last, once everything
 * else has worked.
 * @throws DermletError INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_CORRUPT, MODEL_TOO_NEW, BACKEND_FAILED, ABORTED
 */
export async function sealModel(model: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
  const folder = folderOf(model);
  const path = join(folder, 'manifest.json');
  const json = parsed("The model's manifest", await readManifestText(folder)) as Json;
  const described = async (value: unknown, otherwise: string): Promise<FileEntry> => {
    const name = String((value as Json | undefined)?.path ?? otherwise);
    return entryOf(name, await read(join(folder, name)));
  };
  const partOf = async (key: string): Promise<void> => {
    const part = json[key] as Json | undefined;
    if (part !== undefined) json[key] = { ...part, file: await described(part.file, `${key}.bin`) };
  };
  const test = json.selfTest as { picture?: unknown; reference?: { path?: string } } | undefined;
  if (test?.picture === undefined) await copyDrawnPicture(folder);
  json.file = await described(json.file, 'model.onnx');
  await partOf('locator');
  await partOf('rejection');
  const picture = await described(test?.picture, TEST_PICTURE);
  // Of the right form, to be read as a manifest; nobody reads the file before it is written.
  const unknown = { ...entryOf(test?.reference?.path ?? 'selftest.json', new Uint8Array(1)) };
  json.selfTest = { picture, reference: unknown };
  const manifest = parseManifest(json);
  const { scores, embedding } = await answerToTest({ model, manifest }, signal);
  const answer = {
    scores: [...scores],
    ...(embedding ? { embedding: [...embedding] } : {}),
    tolerance: toleranceOf(scores, embedding),
  };
  const reference = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
  json.selfTest = { picture, reference: entryOf(unknown.path, reference) };
  await replace(join(folder, unknown.path), reference);
  await replace(path, `${JSON.stringify(json, null, 2)}\n`);
}

const TEST_PICTURE = 'selftest.png';

async function copyDrawnPicture(folder: string): Promise<void> {
  const to = join(folder, TEST_PICTURE);
  try {
    await stat(to);
  } catch {
    await copyFile(join(folderOf(defaultModel), TEST_PICTURE), to);
  }
}

/** A file that is whole or not there, whatever happens meanwhile. @throws DermletError INVALID_ARGUMENT */
async function replace(path: string, content: Uint8Array | string): Promise<void> {
  const beside = `${path}.new`;
  try {
    if (await same(path, content)) return;
    await writeFile(beside, content);
    await rename(beside, path);
  } catch (cause) {
    throw new DermletError('INVALID_ARGUMENT', `${path} could not be written: ${messageOf(cause)}`, { cause });
  }
}

const same = (path: string, content: Uint8Array | string): Promise<boolean> =>
  readFile(path).then(
    (there) => there.equals(Buffer.from(content as Uint8Array)),
    () => false,
  );
