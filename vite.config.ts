/**
 * The static site: `dist/index.html`, `dist/embed.html` for frames, and the stable entries `dist/dermlet.js` (the
 * element) and `dist/embed.js` (the client of such a frame), all with relative addresses.
 */
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
import { withWords } from './tools/build/messages.mjs';
import { engineFiles } from './tools/build/parts.mjs';
import { UNSEALED } from './tools/build/seal.mjs';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The WASM modules' glue names its binary in the form that bundlers copy. The engine fetches `engine/*.wasm` itself
 * and hands it over: a second copy in `assets/` would only be kept and never read.
 */
const oneBinary: Plugin = {
  name: 'dermlet-one-binary',
  enforce: 'pre',
  transform(code, id) {
    if (!id.replaceAll('\\', '/').match(/\/build\/wasm\/(dermlet|learn)\.js$/)) return null;
    return {
      code: code.replace(/new URL\((["'])(\w+)\.wasm\1, *import\.meta\.url\)/g, '$1$2.wasm$1'),
      map: null,
    };
  },
};

/** Minifiers leave what stands in template literals: styles lose their indentation and comments here. */
const plainStyles: Plugin = {
  name: 'dermlet-plain-styles',
  enforce: 'pre',
  transform(code, id) {
    if (!id.replaceAll('\\', '/').includes('/web/src/') || !code.includes('css`')) return null;
    const plain = (styles: string) => styles.replace(/\/\*[^*`]*\*\//g, '').replace(/\s*\n\s*/g, '\n');
    return { code: code.replace(/\bcss`[^`]*`/g, plain), map: null };
  },
};

/** The words of index.html stand in the catalogue of messages. */
const words: Plugin = {
  name: 'dermlet-words',
  transformIndexHtml: { order: 'pre', handler: (html) => withWords(html) },
};

/**
 * The worker's script is asked for with the page's own, not once they have run: the line would wait meanwhile. The page
 * compares it with its hash, so it is fetched as a file.
 */
const workerAhead: Plugin = {
  name: 'dermlet-worker-ahead',
  transformIndexHtml: {
    order: 'post',
    handler: (_, { bundle, path }) => {
      // In a frame nothing is fetched before somebody is interested.
      if (path !== '/index.html') return [];
      const worker = Object.keys(bundle ?? {}).find((name) => /^assets\/worker-.*\.js$/.test(name));
      if (worker === undefined) throw new Error('the worker is in no chunk');
      return [
        {
          tag: 'link',
          attrs: { rel: 'preload', as: 'fetch', crossorigin: true, href: `./${worker}` },
          injectTo: 'head',
        },
      ];
    },
  },
};

/** Modules before which the element's chunk waits for a task of its own. */
const WAITING = ['classifier/errors.ts', 'classifier/classifier.ts', 'element/details-panel.ts'].map(
  (path) => `/web/src/${path}`,
);

/**
 * The element's chunk runs in several tasks: running all of it at once holds a slow phone for a tenth of a second. Only
 * here, as not every bundler of those who use the package takes a module that waits; and not in a frame, whose page
 * around it speaks to it once it is loaded, which does not wait.
 */
const inTasks: Plugin = {
  name: 'dermlet-in-tasks',
  enforce: 'pre',
  transform(code, id) {
    const path = id.replaceAll('\\', '/');
    if (!WAITING.some((waiting) => path.endsWith(waiting))) return null;
    const from = JSON.stringify(at('web/src/classifier/task.ts'));
    return {
      code: `import { nextTask as ownTask } from ${from};\nif (self.parent === self) await ownTask();\n${code}`,
      map: null,
    };
  },
};

/** What the embed entry needs before anything is asked for, by module; filled when chunks are made. */
const needed = new Set<string>();

interface Modules {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null;
}

function addNeeded(id: string, modules: Modules): void {
  if (needed.has(id)) return;
  needed.add(id);
  for (const imported of modules.getModuleInfo(id)?.importedIds ?? []) addNeeded(imported, modules);
}

/**
 * One chunk for all of it, however much of it the parts that come later share: each chunk more is a request more before
 * the first answer.
 */
function elementChunk(id: string, modules: Modules): string | null {
  if (needed.size === 0) addNeeded(at('web/src/element/index.ts'), modules);
  return needed.has(id) ? 'element' : null;
}

/** What others import by name. */
const ENTRIES: ReadonlySet<string> = new Set(['dermlet', 'embed']);

export default defineConfig({
  define: {
    __DERMLET_ENGINE_FILES__: JSON.stringify(await engineFiles({ compress: true })),
    __DERMLET_SCRIPTS__: JSON.stringify(UNSEALED),
  },
  root: at('web'),
  base: './',
  // ONNX Runtime without an inlined copy of its own loader: the files come from `engine/`.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  plugins: [oneBinary, plainStyles, inTasks, words, workerAhead],
  worker: { format: 'es', plugins: () => [oneBinary] },
  build: {
    outDir: at('dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    // The polyfill is for browsers that lack what the engine needs anyway.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      input: {
        index: at('web/index.html'),
        frame: at('web/embed.html'),
        dermlet: at('web/src/dermlet.ts'),
        embed: at('web/src/embed/index.ts'),
      },
      // `dermlet.js` and `embed.js` are imported by others: their exports stay.
      preserveEntrySignatures: 'exports-only',
      output: {
        entryFileNames: (chunk) => (ENTRIES.has(chunk.name) ? '[name].js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
        codeSplitting: { groups: [{ name: elementChunk }] },
      },
    },
  },
});
