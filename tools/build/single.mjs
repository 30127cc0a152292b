/**
 * Builds `dist-single/dermlet.html`: the page, the engine, the default model and all that is to be read, in one file
 * that works from a disk or a stick without a network. Run it after the site, whose compressed files it takes.
 * `node tools/build/single.mjs`
 *
 * Scripts and styles are known to the document's policy by their hashes; the engine's and the model's files are blocks
 * of base64 (`web/src/classifier/single-file.ts`). WebGPU is left out: its runtime is larger than all the rest.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { readContract } from '../../contract/contract.mjs';
import { componentsOf, recorder } from './licences.mjs';
import { withWords } from './messages.mjs';
import { htmlOf, titleOf } from './pages.mjs';
import { engineFiles } from './parts.mjs';
import { DRAWINGS } from './samples.mjs';
import { main } from './steps.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const out = join(root, 'dist-single');
const { modules, plugin } = recorder();
/** @param {string} path  in web/src */
const source = (path) => join(root, 'web', 'src', path);
/** @param {string} path */
const text = (path) => readFile(path, 'utf8');
const MODEL = readContract().defaultModel;

/** @param {string} plain */
const escaped = (plain) =>
  plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** @type {import('rolldown').Plugin} */
const seams = {
  name: 'dermlet-single',
  resolveId: (id) => (id === 'onnxruntime-web/webgpu' ? { id, external: true } : null),
  load: (id) =>
    [source('classifier/inside.ts'), source('classifier/shipped.ts')].includes(id)
      ? { code: `export { ${basename(id, '.ts')} } from './single-file.js';`, moduleType: 'js' }
      : null,
};

/**
 * One script without imports. The worker's is a classic one: of files, Chromium starts no others.
 * @param {string} input
 * @param {'esm' | 'iife'} format
 */
async function script(input, format) {
  const build = await rolldown({
    input,
    platform: 'browser',
    plugins: [seams, plugin],
    tsconfig: join(root, 'web', 'tsconfig.json'),
    // ONNX Runtime with its loader inside; Lit as it is in production.
    resolve: { conditionNames: ['import', 'module', 'browser', 'default'] },
    transform: {
      target: 'es2022',
      define: {
        __DERMLET_ENGINE_FILES__: JSON.stringify(await engineFiles({ compress: true })),
        'import.meta.url': 'globalThis.location.href',
      },
    },
    checks: { pluginTimings: false }, // how busy the machine is
    onLog: (level, log) => {
      if (level === 'warn' && log.code !== 'EVAL') throw new Error(log.message);
    },
  });
  const { output } = await build.generate({ format, codeSplitting: false, minify: true });
  await build.close();
  if (output.length !== 1) throw new Error(`${input} became ${output.length} files, not one.`);
  const { code } = output[0];
  const found = /(?<![\w$.])(eval|Function)\s*\(/.exec(code);
  if (found) throw new Error(`${input} holds ${found[0]}...), which the page's policy does not allow.`);
  return code;
}

/**
 * A script's text as it may stand in a document: what would end or hide it there is written otherwise. In code that is
 * none of a string, a template or a regular expression it would be an error, which every test would see.
 * @param {string} code
 */
const embeddable = (code) => code.replace(/<(?=!--|\/?script)/gi, '\\x3c');

/** @param {string} content */
const hashOf = (content) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/**
 * A file as the address of itself.
 * @param {string} path
 */
async function dataAddress(path) {
  return `data:image/svg+xml;base64,${(await readFile(path)).toString('base64')}`;
}

/**
 * The blocks, by path: binaries compressed where the engine asks for them so.
 * @param {string} worker  its script
 */
async function blocks(worker) {
  const folder = join(dist, 'models', MODEL);
  /** @type {import('../../web/src/classifier/documents.js').Manifest} */
  const manifest = JSON.parse(await text(join(folder, 'manifest.json')));
  const index = JSON.parse(await text(join(dist, 'models', 'index.json')));
  index.models = index.models.filter((/** @type {{ name: string }} */ { name }) => name === MODEL);
  const entries = [manifest.file, manifest.locator?.file, manifest.rejection?.file];
  const tests = [manifest.selfTest.picture, manifest.selfTest.reference];
  const ofModel = [...entries, ...tests].flatMap((entry) => (entry ? [entry.compressed?.path ?? entry.path] : []));
  const files = [
    'engine/dermlet.wasm.zst',
    'engine/ort-wasm-simd-threaded.reduced.wasm.zst',
    'engine/ort-wasm-simd-threaded.wasm.zst',
    'engine/libheif.wasm.zst',
    'engine/learn.wasm.zst',
    ...ofModel.map((path) => `models/${MODEL}/${path}`),
    `models/${MODEL}/manifest.json`,
  ];
  /** @type {Record<string, Buffer>} */
  const contents = {
    'worker.js': Buffer.from(worker),
    'engine/libheif.js': await readFile(join(root, 'node_modules/libheif-js/libheif-wasm/libheif.js')),
    'models/index.json': Buffer.from(JSON.stringify(index)),
  };
  for (const path of files) contents[path] = await readFile(join(dist, path));
  return contents;
}

/**
 * @param {string} attribute
 * @param {Buffer} content
 */
const block = (attribute, content) =>
  `<script type="application/octet-stream" ${attribute}>${content.toString('base64')}</script>`;

/**
 * A text of Markdown that can be opened; links to other places are words and addresses, as the file leads nowhere.
 * @param {string} id
 * @param {string} markdown
 */
function openable(id, markdown) {
  const body = htmlOf(markdown.replace(/^# .+$/m, '').replace(/(?<!!)\[([^\]]+)\]\((https:[^)]+)\)/g, '$1 ($2)'));
  const plain = body.replace(/<a href="(https:[^"]*)"[^>]*>([^<]*)<\/a>/g, '$2');
  return `<details id="${id}" lang="en" dir="ltr"><summary>${escaped(titleOf(markdown))}</summary>\n${plain}</details>`;
}

async function pages() {
  const folder = source('messages/pages/en');
  const parts = [];
  for (const file of (await readdir(folder)).sort())
    parts.push(openable(`about/${basename(file, '.md')}.html`, await text(join(folder, file))));
  const model = join(root, 'models', MODEL);
  let card = openable('about/card.html', await text(join(model, 'MODEL_CARD.md')));
  for (const [, path = ''] of [...card.matchAll(/src="\.\/(figures\/[^"]+)"/g)])
    card = card.replace(`./${path}`, await dataAddress(join(model, path)));
  parts.push(card);
  return parts;
}

/** @type {(id: string, title: string, texts: readonly string[]) => string} */
const licence = (id, title, texts) =>
  `<details id="licences/${id}" lang="en" dir="ltr"><summary>${escaped(title)}</summary>
<pre>${escaped(texts.map((one) => one.trim()).join(`\n\n${'-'.repeat(80)}\n\n`))}</pre></details>`;

async function licences() {
  const { version } = JSON.parse(await text(join(root, 'package.json')));
  const { license } = JSON.parse(await text(join(root, 'models', MODEL, 'manifest.json')));
  return [
    licence('Dermlet', `Dermlet ${version}, MIT`, [await text(join(root, 'LICENSE'))]),
    licence(MODEL, `${MODEL}, ${license.id}`, [await text(join(root, 'models', MODEL, 'LICENSE'))]),
    ...componentsOf(dist, modules).map(({ name, version, licence: id, texts }) =>
      licence(name, [name, version, id].filter(Boolean).join(', '), texts),
    ),
  ];
}

/**
 * index.html, changed where it names other files.
 * @param {string} html
 * @param {readonly [what: string | RegExp, by: string][]} changes
 */
function changed(html, changes) {
  return changes.reduce((before, [what, by]) => {
    const after = before.replace(what, () => by);
    if (after === before) throw new Error(`index.html has no ${what} any more; see tools/build/single.mjs.`);
    return after;
  }, html);
}

/**
 * @param {string} html
 * @param {{ style: string, classic: string[], program: string }} code
 */
function withoutFiles(html, { style, classic, program }) {
  const scripts = [...classic, program].map(hashOf).join(' ');
  const policy = [
    "default-src 'none'",
    `script-src ${scripts} 'wasm-unsafe-eval'`,
    `style-src ${hashOf(style)}`,
    'worker-src blob:',
    'img-src blob: data:',
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types dermlet lit-html',
  ].join('; ');
  return changed(html, [
    [/content="default-src 'none';[^"]*"/, `content="${policy}"`],
    [/ *<link rel="apple-touch-icon"[^>]*>\n/, ''],
    [/ *<link rel="manifest"[^>]*>\n/, ''],
    [/<link rel="stylesheet"[^>]*>/, `<style>${style}</style>`],
    ['<script src="./theme.js"></script>', `<script>${classic[0]}</script>`],
    ['<script src="./start.js"></script>', `<script>${classic[1]}</script>`],
    [/ *<script type="module"[^>]*><\/script>\n/, ''],
    [/ *<div class="notice" id="renewed"[\s\S]*?<\/div>\n/, ''],
    ['href="./" target="_blank"', 'href="" target="_blank"'],
    [/load="now" whole-page[^>]*>/, 'load="now" whole-page category-pages="#about">'],
    [/<p data-cause="PART_MISSING"[^>]*>[^<]*<\/p>/, `<p data-message="document.notStarted.inFile"></p>`],
    [/ *<p data-cause="OPENED_AS_FILE"[^>]*>[^<]*<\/p>\n/, ''],
    [/ *<p data-cause="SANDBOXED"[^>]*>[^<]*<\/p>\n/, ''],
    [/ *<p><code><\/code><\/p>\n/, ''],
    ['data-message="document.noScript"', 'data-message="document.noScript.inFile"'],
    ['href="./about/index.html" target="_blank"', 'href="#read"'],
    [/ *<dermlet-model-choice><\/dermlet-model-choice>\n/, ''],
    [/ *<div id="unknown-model"[^>]*><\/div>\n/, ''],
    [/ *<div id="install"[\s\S]*?<\/div>\n/, ''],
    [/ *<p class="notice" id="not-opened"[^>]*><\/p>\n/, ''],
    ['data-message="document.photo.text"', 'data-message="document.photo.inFile"'],
    [`href="./about/card-${MODEL}.html" target="_blank"`, 'href="#about/card.html"'],
    [`href="./models/${MODEL}/LICENSE"`, `href="#licences/${MODEL}"`],
    ['href="./engine/libheif.LICENSE"', 'href="#licences/libheif-js"'],
    ['href="./licenses/index.html"', 'href="#licences"'],
  ]);
}

/** All that is to be read in the file: what stands on other pages of the site. */
async function toRead() {
  return [
    '<section class="read" id="read" tabindex="-1" aria-labelledby="read-title">',
    '<h2 id="read-title" data-message="document.read.title"></h2>',
    ...(await pages()),
    '</section>',
    '<details class="read" id="licences">',
    '<summary data-message="document.licences.all"></summary>',
    ...(await licences()),
    '</details>',
  ].join('\n');
}

/**
 * @param {string} program
 * @param {string} worker
 */
async function atTheEnd(program, worker) {
  const files = Object.entries(await blocks(worker)).map(([path, content]) => block(`data-file="${path}"`, content));
  const samples = DRAWINGS.map(async ({ name }) =>
    block(`data-sample="${name}"`, await readFile(join(dist, 'samples', `${name}.png`))),
  );
  return [`<script type="module">${program}</script>`, ...files, ...(await Promise.all(samples))].join('\n');
}

await main(async () => {
  const program = embeddable(await script(source('page/single.ts'), 'esm'));
  const worker = await script(source('classifier/worker.ts'), 'iife');
  const folder = join(root, 'web', 'public');
  const classic = [await text(join(folder, 'theme.js')), await text(join(folder, 'start.js'))].map(embeddable);
  const sheets = await Promise.all(['colours', 'page', 'single'].map((name) => text(source(`page/${name}.css`))));
  const imported = '@import "./colours.css";';
  if (!sheets[1]?.includes(imported)) throw new Error('web/src/page/page.css imports other files than colours.css.');
  const style = sheets.join('\n').replace(imported, '');
  if (style.includes('@import')) throw new Error('A style of the page imports a file that the one file lacks.');
  let html = withoutFiles(await text(join(root, 'web', 'index.html')), { style, classic, program });
  for (const path of new Set([...html.matchAll(/"\.\/([\w/]+\.svg)"/g)].map(([, path = '']) => path)))
    html = html.replaceAll(`"./${path}"`, `"${await dataAddress(join(folder, path))}"`);
  const left = /(?:src|href)="(?!#|data:|")[^"]*"/.exec(html);
  if (left) throw new Error(`The one file would still name another: ${left[0]}`);
  const reading = await toRead();
  html = withWords(changed(html, [[/( *<\/main>)/, `${reading}\n</main>`]]));
  const end = await atTheEnd(program, worker);
  html = changed(html, [[/( *<\/body>)/, `${end}\n</body>`]]);
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'dermlet.html'), html);
  console.log(`  dermlet.html, ${(Buffer.byteLength(html) / 1e6).toFixed(1)} MB`);
});
