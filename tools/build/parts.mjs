/** The non-code files that site and npm package share: the engine's and the models. */
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesOf, readContract } from '../../contract/contract.mjs';
import { compressed, writeCompressed } from './compress.mjs';
import { sha256 as sha256Of } from './hash.mjs';
import { REDUCED, readFunctions } from './runtime/reduce.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runtime = join(root, 'node_modules/onnxruntime-web/dist');

const reduced = join(root, REDUCED);

/**
 * What `/wasm` needs is kept for offline use; of what `/webgpu` needs (26 MB) the script is.
 * @type {readonly { from: string, offline: boolean, mayHoldEval?: boolean }[]}
 */
export const ENGINE = [
  { from: join(root, 'build/wasm/dermlet.wasm'), offline: true },
  { from: join(root, 'build/wasm/learn.wasm'), offline: false },
  { from: join(runtime, 'ort-wasm-simd-threaded.mjs'), offline: true },
  { from: reduced, offline: true },
  { from: join(runtime, 'ort-wasm-simd-threaded.wasm'), offline: false },
  { from: join(runtime, 'ort-wasm-simd-threaded.asyncify.mjs'), offline: true, mayHoldEval: true },
  { from: join(runtime, 'ort-wasm-simd-threaded.asyncify.wasm'), offline: false },
];

/**
 * libheif-js (LGPL-3.0): fetched once the page is idle, so that a HEIC causes no request. Its script is for pages and
 * CommonJS; one line makes it a module. Script, binary and licence are separate files, so that anybody can replace the
 * library with another build.
 */
const LIBHEIF = join(root, 'node_modules/libheif-js/libheif-wasm');

/** @param {string} dist */
export async function copyLibheif(dist) {
  const engine = join(dist, 'engine');
  const script = await readFile(join(LIBHEIF, 'libheif.js'), 'utf8');
  const head = '/* libheif-js, LGPL-3.0: see libheif.LICENSE; source: https://github.com/strukturag/libheif */';
  await writeFile(join(engine, 'libheif.mjs'), `${head}\n${script}\nexport default libheif;\n`);
  await cp(join(LIBHEIF, 'libheif.wasm'), join(engine, 'libheif.wasm'));
  await cp(join(LIBHEIF, 'LICENSE'), join(engine, 'libheif.LICENSE'));
}

const DEFAULT_MODEL = readContract().defaultModel;

/** @param {string} path */
export const baseName = (path) => path.slice(path.lastIndexOf(sep) + 1);
/** @param {string} path */
const exists = (path) =>
  stat(path).then(
    () => true,
    () => false,
  );

export async function requireInputs() {
  const needed = [
    ...ENGINE.map((file) => file.from),
    join(LIBHEIF, 'libheif.js'),
    join(LIBHEIF, 'libheif.wasm'),
    join(root, 'build/wasm/dermlet.js'),
    join(root, 'build/wasm/learn.js'),
  ];
  const missing = (
    await Promise.all(needed.map(async (path) => ((await exists(path)) ? null : relative(root, path))))
  ).filter(Boolean);
  if (missing.length > 0)
    throw new Error(`Not there yet: ${missing.join(', ')}. Run "npm run build", which makes them first.`);
}

/** The engine's binaries, which the engine itself fetches and verifies. */
const BINARIES = [
  ...ENGINE.map(({ from }) => from).filter((path) => path.endsWith('.wasm')),
  join(LIBHEIF, 'libheif.wasm'),
];

/**
 * What the engine's code is told of its binaries (`web/src/classifier/engine-files.ts`).
 * @param {{ compress: boolean }} options
 * @returns {Promise<Record<string, import('../../web/src/classifier/engine-files.js').EngineFile>>}
 */
export async function engineFiles({ compress }) {
  /** @type {Record<string, import('../../web/src/classifier/engine-files.js').EngineFile>} */
  const files = {};
  for (const path of BINARIES) {
    const content = await readFile(path);
    const packed = compress ? await compressed(content) : null;
    files[baseName(path)] = {
      bytes: content.length,
      sha256: sha256Of(content),
      ...(packed ? { compressed: { path: `${baseName(path)}.zst`, bytes: packed.length } } : {}),
      ...(path === reduced ? { networks: (await readFunctions()).networks } : {}),
    };
  }
  return files;
}

/**
 * @param {string} dist
 * @param {{ compress?: boolean }} [options]  whether to write the compressed binaries too
 */
export async function copyEngine(dist, { compress = false } = {}) {
  await mkdir(join(dist, 'engine'), { recursive: true });
  await Promise.all(ENGINE.map(({ from }) => cp(from, join(dist, 'engine', baseName(from)))));
  if (!compress) return;
  for (const path of BINARIES) {
    const packed = await compressed(await readFile(path));
    if (packed) await writeFile(join(dist, 'engine', `${baseName(path)}.zst`), packed);
  }
}

/**
 * Copies the files that a manifest names, checked against it: a site with an unloadable model must not be published.
 * @param {string} name
 * @param {string} dist
 * @param {boolean} compress
 * @returns {Promise<import('../../web/src/classifier/documents.js').Manifest>}
 */
async function copyModel(name, dist, compress) {
  const from = join(root, 'models', name);
  const to = join(dist, 'models', name);
  /** @type {import('../../web/src/classifier/documents.js').Manifest} */
  const manifest = JSON.parse(await readFile(join(from, 'manifest.json'), 'utf8'));
  if (manifest.name !== name)
    throw new Error(`models/${name}/manifest.json calls its model '${manifest.name}': it would not be found by name.`);
  const promised = filesOf(manifest);
  for (const { path, bytes, sha256 } of promised) {
    const content = await readFile(join(from, path));
    const actual = sha256Of(content);
    if (content.length !== bytes || actual !== sha256)
      throw new Error(`models/${name}/${path} is not what its manifest promises.`);
  }
  await mkdir(to, { recursive: true });
  const drawings = (await exists(join(from, 'figures')))
    ? (await readdir(join(from, 'figures'))).filter((file) => file.endsWith('.svg'))
    : [];
  const beside = [manifest.card, manifest.license.path, ...drawings.map((file) => `figures/${file}`)];
  const names = new Set(['manifest.json', ...promised.map((file) => file.path), ...beside]);
  for (const file of names) {
    if (await exists(join(from, file))) await cp(join(from, file), join(to, file));
    else console.warn(`  models/${name}/${file} is named by the manifest and not there`);
  }
  if (compress) {
    for (const entry of promised) {
      if (!entry.path.endsWith('.onnx')) continue;
      const packed = await writeCompressed(join(to, entry.path));
      if (packed !== null) entry.compressed = { path: `${entry.path}.zst`, bytes: packed, encoding: 'zstd' };
    }
    // What was asked for and found while it was calibrated is a record that no visitor waits for.
    const record = manifest.training && { ...manifest.training, calibration: undefined };
    await writeFile(join(to, 'manifest.json'), `${JSON.stringify({ ...manifest, training: record })}\n`);
  }
  return manifest;
}

/**
 * One entry of models/index.json, as models/index.schema.json describes it.
 * @param {import('../../web/src/classifier/documents.js').Manifest} manifest
 */
function indexEntry({ name, title, version, file, license, card, classes }) {
  return {
    name,
    title,
    version,
    bytes: file.bytes,
    license,
    card,
    classes: classes.length,
    default: name === DEFAULT_MODEL,
  };
}

/**
 * Copies every folder of models/ that has a manifest, and writes the list of them for loading by name.
 * @param {string} dist
 * @param {{ compress?: boolean }} [options]  whether to write the networks compressed too, and name them so
 */
export async function copyModels(dist, { compress = false } = {}) {
  const entries = await readdir(join(root, 'models'), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const models = [];
  for (const name of names.sort())
    if (await exists(join(root, 'models', name, 'manifest.json')))
      models.push(indexEntry(await copyModel(name, dist, compress)));
  if (!models.some((model) => model.default))
    throw new Error(`There is no models/${DEFAULT_MODEL}, which the page takes when nobody chose.`);
  await writeFile(join(dist, 'models', 'index.json'), `${JSON.stringify({ indexVersion: 1, models }, null, 2)}\n`);
}
