/**
 * The engine in Node: the same core, the same ONNX Runtime Web, files read from disk. One thread per engine.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Engine, type PassedTests } from '../engine.js';
import type { Environment } from '../environment.js';
import { DermletError } from '../errors.js';
import type { Head } from '../head.js';
import { type Manifest, parseManifestText } from '../manifest.js';
import { isModelName } from '../models.js';
import { decodeInNode } from './decoder.js';
import { coreFile, learnFile, modelsFolder, runtimeFile } from './files.js';
import { read, readEntry, readManifestText } from './read.js';

export { DEFAULT_MODEL as defaultModel } from '../contract.js';

function nodeEnvironment(): Environment {
  return {
    coreUrl: pathToFileURL(coreFile).href,
    hashes: [], // nothing is remembered of one run in the next
    coreWasm: () => read(coreFile),
    learnWasm: async () => ({ bytes: await read(learnFile), url: pathToFileURL(learnFile).href }),
    runtimeWasm: () => read(runtimeFile('ort-wasm-simd-threaded.wasm')),
    runtimeScript: () => undefined,
    decodeForeign: decodeInNode,
    threads: 1,
    gpu: undefined,
  };
}

const holdsModel = (folder: string): boolean => existsSync(join(folder, 'manifest.json'));

/** Names of the models shipped with this code. */
function knownModels(): string[] {
  return readdirSync(modelsFolder).filter((name) => holdsModel(join(modelsFolder, name)));
}

/**
 * A name means a model shipped with this code or, if there is none of that name, a folder in the working directory.
 * @throws DermletError INVALID_ARGUMENT
 */
export function folderOf(model: string): string {
  if (model.endsWith('manifest.json')) return dirname(model);
  if (!isModelName(model)) return model;
  const named = join(modelsFolder, model);
  if (holdsModel(named)) return named;
  if (holdsModel(model)) return model;
  throw new DermletError(
    'INVALID_ARGUMENT',
    `There is no model '${model}'; there is ${knownModels().join(', ')}. The folder of another may be given too.`,
  );
}

/**
 * Whether a model came with this code; the names in any other are a stranger's.
 * @throws DermletError INVALID_ARGUMENT
 */
export const isShippedModel = (model: string): boolean => dirname(resolve(folderOf(model))) === resolve(modelsFolder);

/**
 * @param model a model's name, its folder or its manifest.json
 * @throws DermletError INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_CORRUPT
 */
export async function loadManifest(model: string): Promise<Manifest> {
  return parseManifestText(await readManifestText(folderOf(model)));
}

/**
 * @param model a model's name, its folder or its manifest.json
 * @param known its manifest, if already read
 * @param head in place of its last layer
 * @param passed where it says so, the self-test is passed over
 * @throws DermletError INVALID_ARGUMENT, MODEL_UNAVAILABLE, MODEL_CORRUPT, BACKEND_FAILED
 */
export async function loadEngine(model: string, known?: Manifest, head?: Head, passed?: PassedTests): Promise<Engine> {
  const base = folderOf(model);
  const manifest = known ?? (await loadManifest(model));
  return Engine.load({
    manifest,
    head,
    passed,
    backend: 'wasm',
    environment: nodeEnvironment(),
    file: (entry) => readEntry(base, entry),
  });
}
