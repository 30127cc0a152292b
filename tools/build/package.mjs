/**
 * Builds `build/package/`, the npm package: `npm pack ./build/package` makes the tarball. Run it after `npm ci` and
 * after the WebAssembly build. `node tools/build/package.mjs`
 *
 *     dist/         what browsers load: entries, shared chunks and the worker, with no import that needs a resolver
 *     dist/engine/  dist/models/  dist/licenses/
 *     dist/node/    entry, worker thread and command line for Node
 *     types/        declarations, in the layout of the sources
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { elementsManifest } from './elements.mjs';
import { filesUnder } from './fingerprint.mjs';
import { recorder, writeLicences } from './licences.mjs';
import { copyEngine, copyLibheif, copyModels, engineFiles, requireInputs } from './parts.mjs';
import { PARTS } from './sbom.mjs';
import { main, run } from './steps.mjs';
import { localBin } from './toolchain.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const out = join(root, 'build', 'package');
const dist = join(out, 'dist');
const { modules, plugin } = recorder();
/** @param {string} path  in web/src */
const source = (path) => join(root, 'web', 'src', path);

const ENTRIES = {
  index: source('classifier/index.ts'),
  element: source('dermlet.ts'),
  embed: source('embed/index.ts'),
  handler: source('handler/index.ts'),
  messages: source('messages/index.ts'),
};
const NODE_ENTRIES = {
  index: source('classifier/node/index.ts'),
  worker: source('classifier/node/worker.ts'),
  cli: join(root, 'tools/cli/main.ts'),
};

/**
 * The exports of package.json: each one's code and types.
 * @type {Record<string, [file: string, entry: string]>}
 */
const EXPORTS = {
  '.': ['index', ENTRIES.index],
  './element': ['element', ENTRIES.element],
  './embed': ['embed', ENTRIES.embed],
  './handler': ['handler', ENTRIES.handler],
  './messages': ['messages', ENTRIES.messages],
  './node': ['node/index', NODE_ENTRIES.index],
};

/** The module that names every file in the form bundlers recognise. Model cards' figures are not worth a copy. */
async function shippedModule() {
  const files = ['engine', 'models']
    .flatMap((folder) => filesUnder(join(dist, folder)))
    .map((path) => relative(dist, path).split(sep).join('/'))
    .filter((path) => !path.includes('/figures/'));
  const lines = [];
  for (const path of files) {
    // Vite treats a file without extension as a script, and inlines small ones: a `data:` address cannot be opened.
    const named = /\.\w+$/.test(path) ? path : `${path}.txt`;
    if (named !== path) await cp(join(dist, path), join(dist, named));
    lines.push(
      `    ${JSON.stringify(path)}: new URL(${JSON.stringify(`./${named}?no-inline`)}, import.meta.url).href,`,
    );
  }
  return [
    '// Where each file is; bundlers read this, copy them and put their new addresses in place.',
    'export const shipped = () => ({',
    "  worker: new URL('./worker.js', import.meta.url),",
    '  files: {',
    ...lines,
    '  },',
    '});',
    '',
  ].join('\n');
}

const NODE_FILES = `
import { fileURLToPath } from 'node:url';
const at = (path) => fileURLToPath(new URL('../' + path, import.meta.url));
export const assetsFolder = at('.');
export const modelsFolder = at('models');
export const coreFile = at('engine/dermlet.wasm');
export const learnFile = at('engine/learn.wasm');
export const runtimeFile = (name) => at('engine/' + name);
export const libheifScript = () => at('node/libheif.cjs');
export const libheifBinary = () => at('engine/libheif.wasm');
export const webpScript = () => at('node/webp-dec.js');
export const webpBinary = () => at('node/webp-dec.wasm');
export const avifScript = () => at('node/avif_dec.js');
export const avifBinary = () => at('node/avif_dec.wasm');
`;

/**
 * Replaces the two modules that know where files are, and the worker's path in the one that starts a thread.
 * @param {boolean} entries  whether the entries are being bundled
 * @returns {import('rolldown').Plugin}
 */
const seams = (entries) => ({
  name: 'dermlet-package',
  resolveId: (id) => (entries && id.endsWith('/shipped.js') ? { id: './shipped.js', external: true } : null),
  load(id) {
    return id === source('classifier/node/files.ts') ? { code: NODE_FILES, moduleType: 'js' } : null;
  },
  transform(code, id) {
    if (id === source('classifier/node/classifier.ts')) return replaced(code, "'./worker.mjs'", "'./worker.js'");
    // The engine fetches its binary itself: bundlers must not treat this as a file to copy.
    if (['dermlet', 'learn'].some((name) => id === join(root, `build/wasm/${name}.js`)))
      return replaced(code, /new URL\((["'])(\w+)\.wasm\1, *import\.meta\.url\)/g, '"$2.wasm"');
    return null;
  },
});

/**
 * @param {string} code
 * @param {string | RegExp} what
 * @param {string} by
 */
function replaced(code, what, by) {
  const changed = code.replaceAll(what, by);
  if (changed === code && typeof what === 'string') throw new Error(`${what} is not where it was.`);
  return { code: changed, map: null };
}

/**
 * @param {object} wanted
 * @param {Record<string, string>} wanted.input
 * @param {string} wanted.to
 * @param {string[]} wanted.conditions
 * @param {'neutral' | 'browser' | 'node'} wanted.platform
 * @param {import('rolldown').OutputOptions} [wanted.output]
 */
async function bundle({ input, to, conditions, platform, output = {} }) {
  const build = await rolldown({
    input,
    platform,
    plugins: [seams(input === ENTRIES), plugin],
    tsconfig: join(root, 'web', 'tsconfig.json'),
    resolve: { conditionNames: conditions, ...(platform === 'neutral' ? ANYWHERE : {}) },
    transform: {
      target: 'es2022',
      define: { __DERMLET_ENGINE_FILES__: JSON.stringify(await engineFiles({ compress: false })) },
    },
    checks: { pluginTimings: false }, // how busy the machine is
    onLog: (level, log) => {
      if (level === 'warn' && log.code !== 'EVAL') throw new Error(log.message);
    },
  });
  await build.write({
    dir: to,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
    ...output,
  });
  await build.close();
}

/**
 * What other platforms have by default: where older packages say that their code is. `node` among the conditions is
 * meant for Lit; fflate's code for Node starts its workers.
 */
const ANYWHERE = { mainFields: ['module', 'main'], alias: { fflate: 'fflate/browser' } };

/** Lit's server-compatible build, so that importing the element touches no DOM. */
const ISOMORPHIC = ['node', 'import', 'default'];
/** ONNX Runtime without an inlined loader: the files come from `engine/`. */
const EXTERNAL_LOADER = ['onnxruntime-web-use-extern-wasm', 'import', 'browser', 'default'];

/**
 * Packages, folders in them and files of the decoders that only Node has.
 * @type {readonly [name: string, folder: string, file: string][]}
 */
const NODE_DECODERS = [
  ['icodec', 'dist', 'webp-dec'],
  ['@jsquash/avif', 'codec/dec', 'avif_dec'],
];

async function code() {
  await bundle({ input: ENTRIES, to: dist, conditions: ISOMORPHIC, platform: 'neutral' });
  // One file without imports: bundlers copy it unchanged.
  await bundle({
    input: { worker: source('classifier/worker.ts') },
    to: dist,
    conditions: EXTERNAL_LOADER,
    platform: 'browser',
    output: { codeSplitting: false },
  });
  await bundle({
    input: NODE_ENTRIES,
    to: join(dist, 'node'),
    conditions: ['node', 'import', 'default'],
    platform: 'node',
  });
  await writeFile(join(dist, 'shipped.js'), await shippedModule());
  await cp(join(root, 'node_modules/libheif-js/libheif-wasm/libheif.js'), join(dist, 'node', 'libheif.cjs'));
  // As published: Node loads them when such a picture comes, browsers never.
  for (const [name, folder, file] of NODE_DECODERS)
    for (const path of [`${file}.js`, `${file}.wasm`])
      await cp(join(root, 'node_modules', name, folder, path), join(dist, 'node', path));
}

const IMPORT = /(?:from|import\()\s*['"](\.[^'"]+)\.js['"]|<reference path="(\.[^"]+)\.d\.ts"/g;

/** Declarations of the entries and of what they import, no more. */
async function types() {
  const all = join(root, '.cache', 'package-types');
  await rm(all, { recursive: true, force: true });
  await run(localBin('tsc'), ['-p', 'tsconfig.package.json', '--outDir', all], { log: 'package-types' });
  const wanted = Object.values(EXPORTS).map(([, entry]) => relative(root, entry).replace(/\.ts$/, '.d.ts'));
  for (const path of wanted) {
    // Hand-written declarations are not emitted.
    const emitted = await readFile(join(all, path), 'utf8').catch(() => readFile(join(root, path), 'utf8'));
    const text = emitted
      // Such a reference would point back to the sources.
      .replace(/<reference path="[^"]*\/(element\/[\w-]+\.d\.ts)"[^>]*>/g, '<reference path="./$1" />')
      // The element's own declarations need Lit; its public ones are separate.
      .replaceAll("'./element/index.js'", "'./element/public.js'");
    await mkdir(dirname(join(out, 'types', path)), { recursive: true });
    await writeFile(join(out, 'types', path), text);
    for (const [, imported, referenced] of text.matchAll(IMPORT)) {
      const next = join(dirname(path), `${imported ?? referenced}.d.ts`);
      if (!wanted.includes(next)) wanted.push(next);
    }
  }
}

/** The element's description for editors and documentation (custom-elements.json, schema 1). */
const elementsFile = () =>
  writeFile(join(out, 'custom-elements.json'), `${JSON.stringify(elementsManifest(), null, 2)}\n`);

async function description() {
  const { name, version, description, license, engines } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  );
  const exported = Object.entries(EXPORTS).map(([path, [file, entry]]) => [
    path,
    { types: `./types/${relative(root, entry).replace(/\.ts$/, '.d.ts')}`, default: `./dist/${file}.js` },
  ]);
  const manifest = {
    name,
    version,
    description,
    license,
    type: 'module',
    engines,
    exports: {
      ...Object.fromEntries(exported),
      './custom-elements.json': './custom-elements.json',
      './package.json': './package.json',
      // For pages without a bundler and for serving the files oneself.
      './dist/*': './dist/*',
    },
    bin: { dermlet: 'dist/node/cli.js' },
    customElements: 'custom-elements.json',
    // Everything else is free of side effects: a bundler may drop it.
    sideEffects: ['./dist/element.js', './dist/worker.js', './dist/node/*.js'],
    files: ['dist', 'types', 'custom-elements.json'],
    keywords: ['skin', 'dermatology', 'image-classification', 'webassembly', 'custom-element', 'privacy'],
  };
  await writeFile(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** What others wrote, with its licences, and our own. */
async function licences() {
  const components = await writeLicences(dist, modules);
  await writeFile(join(root, PARTS), JSON.stringify(components.map(({ texts: _, ...part }) => part)));
  await cp(join(root, 'LICENSE'), join(out, 'LICENSE'));
  await cp(join(root, 'README.md'), join(out, 'README.md'));
}

await main(async () => {
  await requireInputs();
  await rm(out, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await copyEngine(dist);
  await copyLibheif(dist);
  await copyModels(dist);
  await code();
  await types();
  await elementsFile();
  await description();
  await licences();
});
