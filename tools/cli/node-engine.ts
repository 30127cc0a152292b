/** The engine in Node: the same core, the same ONNX Runtime Web, files read from disk. One thread a process; `--jobs` starts more engines. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { messageOf } from '../../web/src/classifier/abort.js';
import { Engine } from '../../web/src/classifier/engine.js';
import type { Environment } from '../../web/src/classifier/environment.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { parseManifestText, type Manifest } from '../../web/src/classifier/manifest.js';
import { verifyFile } from '../../web/src/classifier/model-store.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const defaultModel = join(root, 'models', 'skin-8');

const coreFile = join(root, 'build', 'wasm', 'dermlet.wasm');

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new DermletError('MODEL_UNAVAILABLE', `${path} could not be read: ${messageOf(cause)}`, { cause });
  }
}

function nodeEnvironment(): Environment {
  const runtimeFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/wasm'));
  return {
    coreUrl: pathToFileURL(coreFile).href,
    coreWasm: () => read(coreFile),
    runtimeWasm: () => read(join(runtimeFolder, 'ort-wasm-simd-threaded.wasm')),
    runtimeScript: () => undefined,
    threads: 1,
    gpu: undefined,
  };
}

const folderOf = (model: string): string => (model.endsWith('manifest.json') ? dirname(model) : model);

/**
 * @param model a model folder or its manifest.json
 * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT
 */
export async function loadManifest(model: string): Promise<Manifest> {
  return parseManifestText(new TextDecoder().decode(await read(join(folderOf(model), 'manifest.json'))));
}

/**
 * @param model a model folder or its manifest.json
 * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, BACKEND_FAILED
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
