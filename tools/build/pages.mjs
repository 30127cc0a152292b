/**
 * The pages to read: one about each category and the common questions (web/src/messages/pages), a list of them, each
 * model's card, and the documents in docs/ for those who build on it. Static HTML with a style sheet, under a content
 * policy.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { marked, Renderer } from 'marked';
import { catalogues, functionsOf } from './messages.mjs';
import { root, StepError } from './steps.mjs';

const ROOM = 'web/src/messages/pages/en';
const QUESTIONS = 'questions.md';
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

/** The documents, in the order in which they are listed. */
const DOCS = [
  ...['quick-start', 'embedding', 'element', 'frame', 'api', 'hosting', 'privacy'],
  ...['migration', 'serve', 'own-model', 'retrain', 'similar', 'beside', 'dicom', 'fhir', 'cluster', 'keep'],
  ...['architecture', 'threat-model', 'supply-chain'],
];

/** @param {string} text */
const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * The part of an address that a heading is found by, as other readers of Markdown make it.
 * @param {string} heading
 */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/**
 * HTML of a Markdown text. HTML inside it is shown as text; tables can be scrolled by keyboard; other sites open apart.
 * @param {string} text
 * @param {string} [pictures]  the folder that addresses of pictures are relative to
 * @param {(href: string) => string | null} [addressOf]  of a link within the repository; null: it is no part of the
 * site, and stands as its words
 */
export function htmlOf(text, pictures = './', addressOf = (href) => href) {
  const renderer = new Renderer();
  // A comment is for whoever edits the document.
  renderer.html = ({ text: html }) => escaped(html.replace(/<!--[\s\S]*?-->/g, ''));
  renderer.image = ({ href, text: alternative }) =>
    `<img src="${escaped(pictures + href)}" alt="${escaped(alternative)}" />`;
  renderer.link = ({ href, text: words }) => {
    if (/^https:\/\//.test(href))
      return `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer">${escaped(words)}</a>`;
    const address = addressOf(href);
    return address === null ? `<span>${escaped(words)}</span>` : `<a href="${escaped(address)}">${escaped(words)}</a>`;
  };
  renderer.heading = ({ depth, text: words, tokens }) =>
    `<h${depth} id="${escaped(anchorOf(words))}">${renderer.parser.parseInline(tokens)}</h${depth}>\n`;
  const html = marked.parse(text, { renderer, async: false, gfm: true });
  return html
    .replace(/<th(?: [^>]*)?><\/th>/g, '<td></td>')
    .replace(/<table>/g, '<div class="scroll" tabindex="0"><table>')
    .replace(/<\/table>/g, '</table></div>')
    .replace(/<pre>/g, '<pre tabindex="0">');
}

/** @param {string} text */
export const titleOf = (text) => /^# (.+)$/m.exec(text)?.[1] ?? '';

/**
 * The common questions, each in a section of its own below a field that finds among them (web/public/questions.js).
 * @param {string} text
 * @param {(key: string) => string} words
 */
function questions(text, words) {
  const [heading = '', ...rest] = text.split(/^(?=## )/m);
  const sections = rest.map((question) => `<section class="question">\n${htmlOf(question)}</section>`);
  return [
    htmlOf(heading),
    `<p hidden><label for="find">${words('document.read.find')}</label> <input id="find" type="search" /></p>`,
    `<p role="status"><span id="none" hidden>${words('document.read.none')}</span></p>`,
    ...sections,
    '<script src="../questions.js"></script>',
  ].join('\n');
}

/** @type {(title: string, body: string, note: string) => string} */
function page(title, body, note) {
  const say = functionsOf(catalogues().en);
  /** @param {string} key */
  const words = (key) => escaped(say[key]?.({}) ?? '');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="referrer" content="no-referrer" />
    <meta name="color-scheme" content="light dark" />
    <title>${escaped(title)} - Dermlet</title>
    <link rel="icon" href="../icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="../read.css" />
    <script src="../theme.js"></script>
  </head>
  <body>
    <nav aria-label="${words('document.read.title')}">
      <a href="../">${words('document.read.start')}</a>
      <a href="../about/questions.html">${words('document.read.questions')}</a>
      <a href="../about/index.html">${words('document.read.title')}</a>
    </nav>
    <main>
${body}
    </main>
    <footer>
      <p>${note}</p>
    </footer>
  </body>
</html>
`;
}

/** The colours and the style of the pages, as one file: each file more is a request more. */
async function styleSheet() {
  const folder = join(root, 'web/src/page');
  const parts = await Promise.all(['colours.css', 'read.css'].map((name) => readFile(join(folder, name), 'utf8')));
  return parts.join('\n');
}

/**
 * The documents of docs/ as pages that link to each other and to the examples. What they say of other files of the
 * repository stays as words.
 * @param {string} dist
 * @param {string} note
 */
async function writeDocs(dist, note) {
  const from = join(root, 'docs');
  const names = (await readdir(from)).filter((file) => file.endsWith('.md')).map((file) => basename(file, '.md'));
  const unlisted = names.filter((name) => !DOCS.includes(name));
  if (unlisted.length > 0) throw new StepError(`tools/build/pages.mjs does not list docs/${unlisted[0]}.md`);
  /** @param {string} href */
  const addressOf = (href) => {
    if (href.startsWith('#')) return href;
    const [, name = '', anchor = ''] = /^(?:\.\/)?([\w-]+)\.md(#.*)?$/.exec(href) ?? [];
    if (names.includes(name)) return `./${name}.html${anchor}`;
    const [, example = ''] = /^\.\.\/web\/public\/(examples\/[\w-]+\.html)$/.exec(href) ?? [];
    if (example && existsSync(join(dist, example))) return `../${example}`;
    return href === 'openapi.json' ? './openapi.json' : null;
  };
  await mkdir(join(dist, 'docs'), { recursive: true });
  await copyFile(join(from, 'openapi.json'), join(dist, 'docs', 'openapi.json'));
  const pages = [];
  for (const name of DOCS) {
    const text = await readFile(join(from, `${name}.md`), 'utf8');
    pages.push({ address: `${name}.html`, title: titleOf(text), body: htmlOf(text, './', addressOf) });
  }
  const label = escaped(functionsOf(catalogues().en)['document.read.docs']?.({}) ?? '');
  for (const { address, title, body } of pages) {
    const others = pages.map((other) =>
      other.address === address
        ? `<span aria-current="page">${escaped(other.title)}</span>`
        : `<a href="./${other.address}">${escaped(other.title)}</a>`,
    );
    const nav = `<nav aria-label="${label}">\n${others.join('\n')}\n</nav>`;
    await writeFile(join(dist, 'docs', address), page(title, `${body}\n${nav}`, note));
  }
  return pages;
}

/** @param {string} dist  with the models in it */
export async function writePages(dist) {
  await writeFile(join(dist, 'read.css'), await styleSheet());
  const say = functionsOf(catalogues().en);
  /** @param {string} key */
  const words = (key) => escaped(say[key]?.({}) ?? '');
  const about = join(dist, 'about');
  await mkdir(about, { recursive: true });
  const general = `${words('document.read.general')} ${words('doctor')}`;
  const listed = [];
  for (const file of (await readdir(join(root, ROOM))).sort()) {
    const text = await readFile(join(root, ROOM, file), 'utf8');
    const address = `${basename(file, '.md')}.html`;
    const body = file === QUESTIONS ? questions(text, words) : htmlOf(text);
    await writeFile(join(about, address), page(titleOf(text), body, general));
    if (file !== QUESTIONS) listed.push({ address, title: titleOf(text) });
  }
  const cards = [];
  for (const name of (await readdir(join(dist, 'models'))).sort()) {
    if (name.includes('.')) continue;
    const { card } = JSON.parse(await readFile(join(dist, 'models', name, 'manifest.json'), 'utf8'));
    const text = await readFile(join(dist, 'models', name, card), 'utf8');
    const address = `card-${name}.html`;
    await writeFile(join(about, address), page(titleOf(text), htmlOf(text, `../models/${name}/`), words('purpose')));
    cards.push({ address, title: titleOf(text) });
  }
  /** @param {{ address: string, title: string }[]} pages */
  const list = (pages) => {
    const entries = pages.map(({ address, title }) => `<li><a href="./${address}">${escaped(title)}</a></li>`);
    return `<ul>\n${entries.join('\n')}\n</ul>`;
  };
  const docs = (await writeDocs(dist, words('purpose'))).map((page) => ({
    ...page,
    address: `../docs/${page.address}`,
  }));
  const parts = [
    `<h1>${words('document.read.title')}</h1>`,
    list(listed),
    `<h2>${words('document.read.cards')}</h2>`,
    list(cards),
    `<h2>${words('document.read.docs')}</h2>`,
    list(docs),
  ];
  const body = parts.join('\n');
  await writeFile(join(about, 'index.html'), page(say['document.read.title']?.({}) ?? '', body, general));
}
