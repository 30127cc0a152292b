/**
 * Where the files of the engine and the models lie in a checkout. The npm package has them together; another module
 * takes the place of this one there.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const { resolve } = createRequire(import.meta.url);

/** What browsers load; a checkout has it only once it was built. */
export const assetsFolder: string | undefined = undefined;
/** Holds a folder a model. */
export const modelsFolder = join(root, 'models');
export const coreFile = join(root, 'build', 'wasm', 'dermlet.wasm');
/** ONNX Runtime's. */
export const runtimeFile = (name: string): string => join(dirname(resolve('onnxruntime-web/wasm')), name);
/** CommonJS. */
export const libheifScript = (): string => resolve('libheif-js/libheif-wasm/libheif.js');
export const libheifBinary = (): string => resolve('libheif-js/libheif-wasm/libheif.wasm');
