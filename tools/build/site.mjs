/**
 * Builds `dist/`: the page and the embed entry (Vite), the engine's files, the models, the service worker. Run it after
 * `npm ci` and the WebAssembly build; it says what is missing. `node tools/build/site.mjs`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { injectManifest } from 'workbox-build';
import { filesUnder } from './fingerprint.mjs';
import { sha256 } from './hash.mjs';
import { recorder, writeLicences } from './licences.mjs';
import { writePages } from './pages.mjs';
import { baseName, copyEngine, copyLibheif, copyModels, ENGINE, requireInputs } from './parts.mjs';
import { DRAWINGS, drawn } from './samples.mjs';
import { seal } from './seal.mjs';
import { main } from './steps.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const { modules, plugin } = recorder();

/** Bundles it into one classic script and fills in which files to keep. */
async function buildServiceWorker() {
  const out = join(root, '.cache/sw');
  await build({
    configFile: false,
    root: join(root, 'web'),
    logLevel: 'warn',
    publicDir: false,
    plugins: [plugin],
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
      '{dermlet,start,theme,questions}.js',
      'about/*.html',
      'read.css',
      'guide/*.svg',
      'samples/*.png',
      'assets/**',
      'models/index.json',
      'models/*/{MODEL_CARD.md,LICENSE}',
      // The engine keeps its binaries itself.
      ...ENGINE.filter((file) => file.offline && !file.from.endsWith('.wasm')).map(
        ({ from }) => `engine/${baseName(from)}`,
      ),
      'engine/libheif.mjs',
    ],
    // Every file's own hash, those named by one too: the service worker checks what it keeps.
    manifestTransforms: [
      async (entries) => ({
        manifest: await Promise.all(
          entries.map(async (entry) => ({ ...entry, revision: sha256(await readFile(join(dist, entry.url))) })),
        ),
        warnings: [],
      }),
    ],
    maximumFileSizeToCacheInBytes: 64 * 1024 * 1024,
  });
  warnings.forEach((warning) => console.warn(`  ${warning}`));
  console.log(`  sw.js keeps ${count} files, ${(size / 1e6).toFixed(1)} MB`);
}

/** As `seal.mjs` says. */
function sealSite() {
  seal({
    names: filesUnder(dist).map((path) => relative(dist, path).split(sep).join('/')),
    read: (name) => readFileSync(join(dist, name)),
    write: (name, bytes) => writeFileSync(join(dist, name), bytes),
  });
}

/**
 * The page's policy forbids eval, so code that needs it would fail only in use. ONNX Runtime's WebGPU loader contains
 * one that it never reaches; it is not used by default.
 */
async function refuseEval() {
  const optional = new Set(
    ENGINE.filter((file) => file.mayHoldEval).map(({ from }) => join(dist, 'engine', baseName(from))),
  );
  const scripts = filesUnder(dist).filter((path) => /\.m?js$/.test(path) && !optional.has(path));
  for (const path of scripts) {
    const found = /(?<![\w$.])(eval|Function)\s*\(/.exec(await readFile(path, 'utf8'));
    if (found)
      throw new Error(`dist/${relative(dist, path)} holds ${found[0]}...), which the page's policy does not allow.`);
  }
}

async function summary() {
  const rows = [];
  for (const path of filesUnder(dist)) {
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

await main(async () => {
  await requireInputs();
  await build({
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'warn',
    plugins: [plugin],
    worker: { plugins: () => [plugin] },
  });
  await copyEngine(dist, { compress: true });
  await copyLibheif(dist);
  await copyModels(dist, { compress: true });
  await writePages(dist);
  await mkdir(join(dist, 'samples'));
  for (const drawing of DRAWINGS) await writeFile(join(dist, 'samples', `${drawing.name}.png`), drawn(drawing));
  // Otherwise GitHub Pages' Jekyll drops files that it does not know.
  await writeFile(join(dist, '.nojekyll'), '');
  sealSite();
  await buildServiceWorker();
  await refuseEval();
  await writeLicences(dist, modules);
  await summary();
});
