/**
 * What others wrote and is shipped, with its licence: `licenses/` of site and npm package. Packages whose code is in a
 * bundle are those that the bundler reports; of binaries the tables below say what is in them. Whatever is shipped
 * without a text stops the build.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { filesUnder } from './fingerprint.mjs';
import { catalogues, textOf } from './messages.mjs';
import { stbVersion } from './stb.mjs';
import { root, StepError } from './steps.mjs';

/**
 * @typedef {object} Component
 * @property {string} name
 * @property {string} version  empty where its build does not say
 * @property {string} licence  an SPDX expression
 * @property {boolean} npm  whether it is an npm package
 * @property {string[]} files  shipped files that it is in, besides bundled scripts
 * @property {string[]} texts
 */

const TEXTS = join(root, 'tools', 'build', 'licences');

/** @param {string} name */
function kept(name) {
  const path = join(TEXTS, name);
  if (!existsSync(path)) throw new StepError(`${relative(root, path)}, a licence of what is shipped, is not there.`);
  return readFileSync(path, 'utf8');
}

/** Every binary was made with Emscripten, which says nothing of whose code it holds. */
const EMSCRIPTEN = /\.wasm$/;

/**
 * Packages that are shipped as files of their own, or whose package holds no text, or not all. `looked` is the version
 * for which that is known: another one must be looked at first.
 *   files   those that are the package's
 *   add     texts of tools/build/licences
 *   textOf  the package that has the text instead: of the same repository and owner
 *   holds   packages whose code stands in its own published files, and their versions there; empty: the locked one
 * @typedef {{
 *   looked: string, files?: RegExp, add?: readonly string[], textOf?: string, licence?: string,
 *   holds?: Readonly<Record<string, string>>
 * }} Known
 * @type {Record<string, Known>}
 */
export const PACKAGES = {
  'onnxruntime-web': {
    looked: '1.30.0',
    files: /^engine\/ort-wasm/,
    add: ['onnxruntime/LICENSE', 'onnxruntime/ThirdPartyNotices.txt'],
  },
  'libheif-js': {
    looked: '1.23.2',
    files: /^(engine|node)\/libheif\./,
    add: ['libheif.txt', 'GPL-3.0.txt'],
    licence: 'LGPL-3.0-or-later',
  },
  icodec: { looked: '0.6.0', files: /^node\/webp-dec\./ },
  '@jsquash/avif': { looked: '2.1.1', files: /^node\/avif_dec\./ },
  '@lit-labs/ssr-dom-shim': { looked: '1.6.0', textOf: 'lit' },
  // Its one script; Babel's helpers in it are of the corejs3 runtime.
  dcmjs: {
    looked: '0.51.1',
    holds: { '@babel/runtime-corejs3': '', 'lodash.clonedeep': '', loglevel: '', pako: '2.1.0' },
  },
};

/** Helpers that bundlers put in have ids of their own, which begin with a zero byte. */
const HELPERS = [
  { id: /^\0rolldown\//, name: 'rolldown', textOf: 'rolldown' },
  { id: /^\0vite\//, name: 'vite', textOf: 'vite' },
  // What it puts in the place of a module that only Node has.
  { id: /^\0?__vite-browser-external/, name: 'vite', textOf: 'vite' },
  // Its decoder alone: tools/build/zstd.mjs.
  { id: /\/build\/zstd\/decoder\.js$/, name: 'zstddec', textOf: 'zstddec' },
  { id: /^\0@oxc-project\+runtime@([^/]+)\//, name: '@oxc-project/runtime', textOf: '@oxc-project/types' },
];

/** @param {string} name  of a header that the module was compiled with */
const header = (name) => readFileSync(join(root, 'build', 'wasm', 'headers', name), 'latin1');

/**
 * Between two marks of a header.
 * @param {string} name
 * @param {RegExp} pattern
 */
function partOf(name, pattern) {
  const found = pattern.exec(header(name))?.[1];
  if (found === undefined) throw new StepError(`${name} has no licence where it had one: look at it.`);
  return found;
}

/**
 * What is compiled into binaries.
 *   version  empty where each binary has its own; a function where the header that was compiled says it
 * @typedef {{
 *   name: string, version: string | (() => string), licence: string, files: RegExp, text: () => string[]
 * }} Compiled
 * @type {readonly Compiled[]}
 */
export const COMPILED = [
  {
    name: 'stb_image',
    version: () => stbVersion(header('stb_image.h'))?.join('.') ?? '',
    licence: 'MIT',
    files: /^engine\/dermlet\.wasm$/,
    text: () => [partOf('stb_image.h', /(This software is available under 2 licenses[\s\S]*?)-*\s*\*\/\s*$/)],
  },
  {
    name: 'tl::expected',
    version: () =>
      [...header('tl/expected.hpp').matchAll(/define TL_EXPECTED_VERSION_\w+ (\d+)/g)]
        .map(([, part]) => part)
        .join('.'),
    licence: 'CC0-1.0',
    files: /^engine\/(dermlet|learn)\.wasm$/,
    text: () => [
      partOf('tl/expected.hpp', /^\/\/\/\n([\s\S]*?)\/\/\/\n/).replaceAll(/^\/\/ ?/gm, ''),
      kept('CC0-1.0.txt'),
    ],
  },
  {
    name: 'Emscripten',
    // Each binary was made with a version of its own.
    version: '',
    licence: 'MIT',
    files: EMSCRIPTEN,
    text: () => [kept('emscripten.txt')],
  },
  { name: 'musl', version: '', licence: 'MIT', files: EMSCRIPTEN, text: () => [kept('musl.txt')] },
  {
    // libc++, libc++abi and compiler-rt.
    name: 'LLVM runtimes',
    version: '',
    licence: 'Apache-2.0 WITH LLVM-exception',
    files: EMSCRIPTEN,
    text: () => [kept('llvm.txt')],
  },
  {
    name: 'libheif',
    version: '1.23.2',
    licence: 'LGPL-3.0-or-later',
    files: /^engine\/libheif\.wasm$/,
    text: () => [kept('libheif.txt'), readFileSync(join(root, 'node_modules/libheif-js/LICENSE'), 'utf8')],
  },
  {
    name: 'libde265',
    version: '1.0.15',
    licence: 'LGPL-3.0-or-later',
    files: /^engine\/libheif\.wasm$/,
    text: () => [kept('libheif.txt'), readFileSync(join(root, 'node_modules/libheif-js/LICENSE'), 'utf8')],
  },
  {
    name: 'libwebp',
    version: '1.4.0',
    licence: 'BSD-3-Clause',
    files: /^node\/webp-dec\.wasm$/,
    text: () => [kept('libwebp.txt')],
  },
  {
    name: 'libavif',
    version: '1.0.1',
    licence: 'BSD-2-Clause',
    files: /^node\/avif_dec\.wasm$/,
    text: () => [kept('libavif.txt')],
  },
  {
    name: 'libaom',
    version: '3.7.0',
    licence: 'BSD-2-Clause',
    files: /^node\/avif_dec\.wasm$/,
    text: () => [kept('libaom.txt')],
  },
  {
    name: 'libyuv',
    version: '',
    licence: 'BSD-3-Clause',
    files: /^node\/avif_dec\.wasm$/,
    text: () => [kept('libyuv.txt')],
  },
  {
    name: 'EfficientNet-Lite',
    version: '',
    licence: 'Apache-2.0',
    files: /^models\/[^/]+\/.*\.onnx$/,
    text: () => [kept('Apache-2.0.txt')],
  },
];

/**
 * Notes the modules whose code is in what a bundler writes.
 * @typedef {{ name: string, generateBundle: (options: unknown, bundle: object) => void }} Recording
 * @returns {{ modules: Set<string>, plugin: Recording }}
 */
export function recorder() {
  /** @type {Set<string>} */
  const modules = new Set();
  return {
    modules,
    plugin: {
      name: 'dermlet-licences',
      generateBundle(_options, bundle) {
        for (const chunk of Object.values(bundle)) for (const id of chunk.moduleIds ?? []) modules.add(id);
      },
    },
  };
}

/**
 * The npm packages that modules belong to: name and folder.
 * @param {Iterable<string>} modules  ids of bundlers
 */
export function packagesOf(modules) {
  /** @type {Map<string, { name: string, folder: string, version?: string | undefined }>} */
  const found = new Map();
  for (const id of modules) {
    const helper = HELPERS.find((one) => one.id.test(id));
    if (helper) {
      const folder = join(root, 'node_modules', helper.textOf);
      found.set(helper.name, { name: helper.name, folder, version: helper.id.exec(id)?.[1] });
      continue;
    }
    const [, folder, name] = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(id.split(sep).join('/')) ?? [];
    if (folder !== undefined && name !== undefined) {
      found.set(folder, { name, folder });
      for (const [held, version] of Object.entries(PACKAGES[name]?.holds ?? {})) {
        const its = join(root, 'node_modules', held);
        found.set(its, { name: held, folder: its, version: version || undefined });
      }
    } else if (id.startsWith('\0') || !id.startsWith(root))
      throw new StepError(
        `${id.replaceAll('\0', '')} is bundled, and nobody says whose it is: tools/build/licences.mjs`,
      );
  }
  return [...found.values()];
}

/**
 * A package with its texts.
 * @param {{ name: string, folder: string, version?: string | undefined }} package_
 * @returns {Component}
 */
export function npmComponent({ name, folder, version }) {
  const known = PACKAGES[name];
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const locked = version ?? manifest.version;
  if (known && known.looked !== locked)
    throw new StepError(
      `${name} is ${locked}; the licences of what it holds are known for ${known.looked}. Look at the new one, then ` +
        'change tools/build/licences and the version in tools/build/licences.mjs.',
    );
  const from = known?.textOf ? join(root, 'node_modules', known.textOf) : folder;
  const own = readdirSync(from)
    .filter((file) => /^(licen[cs]e|copying|notice|third-party)[^/]*$/i.test(file))
    .map((file) => readFileSync(join(from, file), 'utf8'));
  const texts = [...own, ...(known?.add ?? []).map(kept)];
  if (texts.length === 0)
    throw new StepError(`${name} ${locked} is shipped and brings no licence text: put it into tools/build/licences.`);
  const licence = known?.licence ?? manifest.license;
  if (typeof licence !== 'string') throw new StepError(`${name} ${locked} does not say its licence.`);
  return { name, version: locked, licence, npm: true, files: [], texts };
}

/**
 * Everything in a built site or package that others wrote.
 * @param {string} dist
 * @param {Iterable<string>} modules  ids of the bundled modules
 * @returns {Component[]}
 */
export function componentsOf(dist, modules) {
  const shipped = filesUnder(dist).map((path) => relative(dist, path).split(sep).join('/'));
  /** @param {RegExp} pattern */
  const those = (pattern) => shipped.filter((path) => pattern.test(path.replace(/\.zst$/, '')));
  const packages = new Map(packagesOf(modules).map((one) => [one.name, npmComponent(one)]));
  for (const [name, { files }] of Object.entries(PACKAGES)) {
    const its = files ? those(files) : [];
    if (its.length === 0) continue;
    const component = packages.get(name) ?? npmComponent({ name, folder: join(root, 'node_modules', name) });
    packages.set(name, { ...component, files: its });
  }
  const compiled = COMPILED.flatMap(({ name, version, licence, files, text }) => {
    const its = those(files);
    return its.length > 0
      ? [
          {
            name,
            version: typeof version === 'string' ? version : version(),
            licence,
            npm: false,
            files: its,
            texts: text(),
          },
        ]
      : [];
  });
  const all = [...packages.values(), ...compiled].sort((a, b) =>
    a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1,
  );
  const claims = [...Object.values(PACKAGES), ...COMPILED]
    .map(({ files }) => files)
    .filter((one) => one !== EMSCRIPTEN);
  const claimed = new Set(claims.flatMap((pattern) => (pattern ? those(pattern) : [])));
  const unknown = shipped.filter((path) => /^engine\/|\.wasm(\.zst)?$/.test(path) && !claimed.has(path));
  if (unknown.length > 0)
    throw new StepError(`${unknown.join(', ')}: nobody says whose it is; see tools/build/licences.mjs.`);
  return all;
}

/** @param {string} name */
const fileName = (name) => `${name.replace(/^@/, '').replaceAll(/[^\w.-]+/g, '-')}.txt`;
/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * Writes `licenses/`: a text for each component and a page that lists them, the program's own licence and the models'.
 * @param {string} dist
 * @param {Iterable<string>} modules  ids of the bundled modules
 */
export async function writeLicences(dist, modules) {
  const components = componentsOf(dist, modules);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folder = join(dist, 'licenses');
  await mkdir(folder, { recursive: true });
  const own = { name: 'Dermlet', version, licence: 'MIT', texts: [readFileSync(join(root, 'LICENSE'), 'utf8')] };
  /** @type {{ name: string, version: string, licence: string, href: string }[]} */
  const lines = [];
  for (const { name, version, licence, texts } of [own, ...components]) {
    const href = fileName(name);
    const [head, rule] = [`${[name, version].filter(Boolean).join(' ')}: ${licence}`, '-'.repeat(80)];
    await writeFile(join(folder, href), `${[head, ...texts.map((text) => text.trim())].join(`\n\n${rule}\n\n`)}\n`);
    lines.push({ name, version, licence, href });
  }
  const models = JSON.parse(readFileSync(join(dist, 'models', 'index.json'), 'utf8')).models;
  for (const [i, { name, version, license }] of models.entries()) {
    const path = `models/${name}/${license.path}`;
    if (!existsSync(join(dist, path)))
      throw new StepError(`${path} is not there: a model is shipped with its licence.`);
    lines.splice(1 + i, 0, { name, version, licence: license.id, href: `../${path}` });
  }
  const { locale, messages } = catalogues().en;
  const title = `Dermlet: ${textOf(messages['document.licences.title'] ?? '')}`;
  const items = lines.map(({ name, version, licence, href }) => {
    const rest = [version, licence].filter(Boolean).map(escaped).join(', ');
    // A paragraph in each leaves room for fingers; the page's policy allows no style.
    return `    <li><p><a href="${escaped(href)}">${escaped(name)}</a> ${rest}</p></li>`;
  });
  await writeFile(
    join(folder, 'index.html'),
    [
      `<!doctype html>\n<html lang="${locale}">\n  <meta charset="utf-8">`,
      `  <meta http-equiv="Content-Security-Policy" content="default-src 'none'">`,
      '  <meta name="viewport" content="width=device-width">\n  <meta name="color-scheme" content="light dark">',
      `  <title>${escaped(title)}</title>\n  <h1>${escaped(title)}</h1>\n  <ul>`,
      ...items,
      '  </ul>\n</html>\n',
    ].join('\n'),
  );
  return components;
}
