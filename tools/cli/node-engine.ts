/**
 * The engine in Node: the same core, the same ONNX Runtime Web, files read from disk. One thread a process; `--jobs`
 * starts more engines.
 */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messageOf } from '../../web/src/classifier/abort.js';
import { Engine } from '../../web/src/classifier/engine.js';
import type { Environment } from '../../web/src/classifier/environment.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { type DecodeForeign, unsupported } from '../../web/src/classifier/foreign.js';
import { type CreateLibheif, decodeHeic } from '../../web/src/classifier/libheif.js';
import { type Manifest, parseManifestText } from '../../web/src/classifier/manifest.js';
import { verifyFile } from '../../web/src/classifier/model-store.js';
import { isModelName } from '../../web/src/classifier/models.js';
import { UsageError } from './usage.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const modelsFolder = join(root, 'models');
export const defaultModel = 'skin-8';

const coreFile = join(root, 'build', 'wasm', 'dermlet.wasm');

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new DermletError('MODEL_UNAVAILABLE', `${path} could not be read: ${messageOf(cause)}`, { cause });
  }
}

/** Node has no decoders of its own: HEIC by libheif, WebP and AVIF not at all. */
const decodeForeign: DecodeForeign = async (bytes, format) => {
  if (format !== 'heic') throw unsupported(format, 'only browsers decode it');
  const require = createRequire(import.meta.url);
  const create = require('libheif-js/libheif-wasm/libheif.js') as CreateLibheif;
  return decodeHeic(
    bytes,
    await create({ wasmBinary: await read(require.resolve('libheif-js/libheif-wasm/libheif.wasm')) }),
  );
};

function nodeEnvironment(): Environment {
  const runtimeFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
  return {
    coreUrl: pathToFileURL(coreFile).href,
    coreWasm: () => read(coreFile),
    runtimeWasm: () => read(join(runtimeFolder, 'ort-wasm-simd-threaded.wasm')),
    runtimeScript: () => undefined,
    decodeForeign,
    threads: 1,
    gpu: undefined,
  };
}

const holdsModel = (folder: string): boolean => existsSync(join(folder, 'manifest.json'));

/** Names of the models of this checkout. */
export function knownModels(): string[] {
  return readdirSync(modelsFolder).filter((name) => holdsModel(join(modelsFolder, name)));
}

/** A name means a model of this checkout; where it has none so called, a folder here. @throws UsageError */
function folderOf(model: string): string {
  if (model.endsWith('manifest.json')) return dirname(model);
  if (!isModelName(model)) return model;
  const named = join(modelsFolder, model);
  if (holdsModel(named)) return named;
  if (holdsModel(model)) return model;
  throw new UsageError(
    `There is no model '${model}'; there is ${knownModels().join(', ')}. The folder of another may be given too.`,
  );
}

/**
 * @param model a model's name, its folder or its manifest.json
 * @throws UsageError, DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT
 */
export async function loadManifest(model: string): Promise<Manifest> {
  return parseManifestText(new TextDecoder().decode(await read(join(folderOf(model), 'manifest.json'))));
}

/**
 * @param model a model's name, its folder or its manifest.json
 * @throws UsageError, DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, BACKEND_FAILED
 */
export async function loadEngine(model: string): Promise<Engine> {
  const base = folderOf(model);
  const manifest = await loadManifest(model);
  return Engine.load({
    manifest,
    backend: 'wasm',
    environment: nodeEnvironment(),
    file: async (entry) => {
      const bytes = await read(join(base, entry.path));
      await verifyFile(entry, bytes);
      return bytes;
    },
  });
}
