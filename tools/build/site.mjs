/**
 * Builds `dist/`: the page and the embed entry (Vite), the engine's files, the models, the service worker. Run it after
 * `npm ci` and after the WebAssembly build; it says what is missing otherwise. `node tools/build/site.mjs`
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { injectManifest } from 'workbox-build';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const runtime = join(root, 'node_modules/onnxruntime-web/dist');

/**
 * What `/wasm` needs is kept for use without a network; what `/webgpu` needs (26 MB) is fetched only where it is used.
 */
const ENGINE = [
  { from: join(root, 'build/wasm/dermlet.wasm'), offline: true },
  { from: join(runtime, 'ort-wasm-simd-threaded.mjs'), offline: true },
  { from: join(runtime, 'ort-wasm-simd-threaded.wasm'), offline: true },
  { from: join(runtime, 'ort-wasm-simd-threaded.asyncify.mjs'), offline: false, mayHoldEval: true },
  { from: join(runtime, 'ort-wasm-simd-threaded.asyncify.wasm'), offline: false },
];

/**
 * libheif-js (LGPL-3.0): fetched only when a HEIC comes that the browser cannot decode, and never kept beforehand. Its
 * script is for pages and CommonJS; one line makes it a module. Script, binary and licence are files of their own, so
 * that anybody can put another build of the library in their place.
 */
const LIBHEIF = join(root, 'node_modules/libheif-js/libheif-wasm');

async function copyLibheif() {
  const engine = join(dist, 'engine');
  const script = await readFile(join(LIBHEIF, 'libheif.js'), 'utf8');
  await writeFile(
    join(engine, 'libheif.mjs'),
    `/* libheif-js, LGPL-3.0: see libheif.LICENSE; source: https://github.com/strukturag/libheif */\n${script}\nexport default libheif;\n`,
  );
  await cp(join(LIBHEIF, 'libheif.wasm'), join(engine, 'libheif.wasm'));
  await cp(join(LIBHEIF, 'LICENSE'), join(engine, 'libheif.LICENSE'));
}

/** The model that the page takes when nobody chose. */
const DEFAULT_MODEL = 'skin-8';

const baseName = (path) => path.slice(path.lastIndexOf(sep) + 1);
const exists = (path) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function requireInputs() {
  const needed = [
    ...ENGINE.map((file) => file.from),
    join(LIBHEIF, 'libheif.js'),
    join(LIBHEIF, 'libheif.wasm'),
    join(root, 'build/wasm/dermlet.js'),
  ];
  const missing = (
    await Promise.all(needed.map(async (path) => ((await exists(path)) ? null : relative(root, path))))
  ).filter(Boolean);
  if (missing.length > 0)
    throw new Error(`Not there yet: ${missing.join(', ')}. Run "npm run build", which makes them first.`);
}

async function copyEngine() {
  await mkdir(join(dist, 'engine'), { recursive: true });
  await Promise.all(ENGINE.map(({ from }) => cp(from, join(dist, 'engine', baseName(from)))));
}

/**
 * The files that a manifest names, checked against it: a site with a model that nobody can load must not be published.
 */
async function copyModel(name) {
  const from = join(root, 'models', name);
  const to = join(dist, 'models', name);
  const manifest = JSON.parse(await readFile(join(from, 'manifest.json'), 'utf8'));
  if (manifest.name !== name)
    throw new Error(`models/${name}/manifest.json calls its model '${manifest.name}': it would not be found by name.`);
  const promised = [
    manifest.file,
    manifest.selfTest.picture,
    manifest.selfTest.reference,
    ...(manifest.rejection ? [manifest.rejection.file] : []),
    ...(manifest.locator ? [manifest.locator.file] : []),
  ];
  for (const { path, bytes, sha256 } of promised) {
    const content = await readFile(join(from, path));
    const actual = createHash('sha256').update(content).digest('hex');
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
  return manifest;
}

/** One entry of models/index.json, as models/index.schema.json describes it. */
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

/** Every folder of models/ that has a manifest, and the list of them for those who load by name. */
async function copyModels() {
  const entries = await readdir(join(root, 'models'), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const models = [];
  for (const name of names.sort())
    if (await exists(join(root, 'models', name, 'manifest.json'))) models.push(indexEntry(await copyModel(name)));
  if (!models.some((model) => model.default))
    throw new Error(`There is no models/${DEFAULT_MODEL}, which the page takes when nobody chose.`);
  await writeFile(join(dist, 'models', 'index.json'), `${JSON.stringify({ indexVersion: 1, models }, null, 2)}\n`);
}

/** Bundled by itself into one classic script, then told which files to keep. */
async function buildServiceWorker() {
  const out = join(root, '.cache/sw');
  await build({
    configFile: false,
    root: join(root, 'web'),
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir: out,
      emptyOutDir: true,
      target: 'es2022',
      reportCompressedSize: false,
      rollupOptions: { input: join(root, 'web/src/sw/sw.ts'), output: { format: 'iife', entryFileNames: 'sw.js' } },
    },
  });
  const { count, size, warnings } = await injectManifest({
    swSrc: join(out, 'sw.js'),
    swDest: join(dist, 'sw.js'),
    globDirectory: dist,
    globPatterns: [
      'index.html',
      'site.webmanifest',
      '*.svg',
      'dermlet.js',
      'assets/**',
      'models/index.json',
      'models/*/{MODEL_CARD.md,LICENSE}',
      ...ENGINE.filter((file) => file.offline).map(({ from }) => `engine/${baseName(from)}`),
    ],
    // Assets are named by their own hash: a revision would only make them be fetched twice.
    dontCacheBustURLsMatching: /^assets\//,
    maximumFileSizeToCacheInBytes: 64 * 1024 * 1024,
  });
  warnings.forEach((warning) => console.warn(`  ${warning}`));
  console.log(`  sw.js keeps ${count} files, ${(size / 1e6).toFixed(1)} MB`);
}

async function filesUnder(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/**
 * The page's policy forbids eval, so code that needs it would fail in use and not here. ONNX Runtime's WebGPU loader
 * holds one that it never reaches; it is not among what is used by default.
 */
async function refuseEval() {
  const optional = new Set(
    ENGINE.filter((file) => file.mayHoldEval).map(({ from }) => join(dist, 'engine', baseName(from))),
  );
  const scripts = (await filesUnder(dist)).filter((path) => /\.m?js$/.test(path) && !optional.has(path));
  for (const path of scripts) {
    const found = /(?<![\w$.])(eval|Function)\s*\(/.exec(await readFile(path, 'utf8'));
    if (found)
      throw new Error(`dist/${relative(dist, path)} holds ${found[0]}...), which the page's policy does not allow.`);
  }
}

async function summary() {
  const rows = [];
  for (const path of await filesUnder(dist)) {
    const content = await readFile(path);
    rows.push({
      path: relative(dist, path).split(sep).join('/'),
      raw: content.length,
      gzip: content.length < 2e6 ? gzipSync(content).length : null,
    });
  }
  const width = Math.max(...rows.map((row) => row.path.length));
  for (const { path, raw, gzip } of rows) {
    const packed = gzip === null ? '' : `${(gzip / 1000).toFixed(1)} kB gzip`;
    console.log(`  ${path.padEnd(width)}  ${(raw / 1000).toFixed(1).padStart(9)} kB  ${packed.padStart(15)}`);
  }
  console.log(`  ${rows.length} files, ${(rows.reduce((sum, row) => sum + row.raw, 0) / 1e6).toFixed(1)} MB in dist/`);
}

await requireInputs();
await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
await copyEngine();
await copyLibheif();
await copyModels();
// Pages otherwise drops what its Jekyll does not know.
await writeFile(join(dist, '.nojekyll'), '');
await buildServiceWorker();
await refuseEval();
await summary();
