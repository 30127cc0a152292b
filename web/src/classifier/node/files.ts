/**
 * Where the engine's and the models' files are in a checkout. The npm package has them in one place and replaces this
 * module with another.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const { resolve } = createRequire(import.meta.url);

/** The files that browsers load; undefined in a checkout. */
export const assetsFolder: string | undefined = undefined;
/** One folder per model. */
export const modelsFolder = join(root, 'models');
export const coreFile = join(root, 'build', 'wasm', 'dermlet.wasm');
export const learnFile = join(root, 'build', 'wasm', 'learn.wasm');
/** Path of one of ONNX Runtime's files. */
export const runtimeFile = (name: string): string => join(dirname(resolve('onnxruntime-web/wasm')), name);
/** CommonJS. */
export const libheifScript = (): string => resolve('libheif-js/libheif-wasm/libheif.js');
export const libheifBinary = (): string => resolve('libheif-js/libheif-wasm/libheif.wasm');
/** ECMAScript modules. */
export const webpScript = (): string => join(dirname(webpBinary()), 'webp-dec.js');
export const webpBinary = (): string => resolve('icodec/webp-dec.wasm');
export const avifScript = (): string => resolve('@jsquash/avif/codec/dec/avif_dec.js');
export const avifBinary = (): string => resolve('@jsquash/avif/codec/dec/avif_dec.wasm');
