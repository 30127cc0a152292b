/**
 * docs/api.md: what each entry of the package exports, read from the types and their comments. `npm run generate`
 * writes it.
 */
import { join } from 'node:path';
// @ts-expect-error the package has no types for it
import { ts } from '@custom-elements-manifest/analyzer';
import { root } from './steps.mjs';

export const API_DOCUMENT = 'docs/api.md';

/**
 * The TypeScript that the analyser brings has no types here: its nodes and symbols.
 * @typedef {any} Node
 * @typedef {any} Checker
 */

/** @type {readonly { entry: string, source: string, about: string }[]} */
const ENTRIES = [
  { entry: 'dermlet', source: 'web/src/classifier/index.ts', about: 'The classifier in a page.' },
  {
    entry: 'dermlet/element',
    source: 'web/src/dermlet.ts',
    about: 'Importing it defines `<dermlet-classifier>`: its properties and events have [a page](element.md).',
  },
  { entry: 'dermlet/embed', source: 'web/src/embed/index.ts', about: 'The client of [`embed.html`](frame.md).' },
  {
    entry: 'dermlet/handler',
    source: 'web/src/handler/index.ts',
    about: 'Results in the JSON of servers and clinics.',
  },
  {
    entry: 'dermlet/messages',
    source: 'web/src/messages/index.ts',
    about: 'The sentences of the page and the element, as functions, and the choice of language.',
  },
  { entry: 'dermlet/node', source: 'web/src/classifier/node/index.ts', about: 'The classifier in Node.' },
];

/** Characters of a constant's value that are shown. */
const LONGEST_VALUE = 60;

const HEAD = `# What the package exports

Written by \`npm run generate\` from the types and their comments; do not edit. How to begin: [embedding](embedding.md).
`;

/** @param {Node} node */
const isInternal = (node) => ts.getJSDocTags(node).some((/** @type {Node} */ tag) => tag.tagName.text === 'internal');

/**
 * A comment's text: paragraphs on one line, lists as lists; its \`@throws\` and \`@returns\` as sentences.
 * @param {Node} node
 */
function saidOf(node) {
  /** @type {string[]} */
  const said = [];
  for (const part of ts.getJSDocCommentsAndTags(node)) {
    if (!ts.isJSDoc(part)) continue;
    const text = ts.getTextOfJSDocComment(part.comment) ?? '';
    if (text) said.push(text);
    for (const tag of part.tags ?? []) {
      const about = ts.getTextOfJSDocComment(tag.comment) ?? '';
      const name = tag.tagName.text;
      if (name === 'param') said.push(`\`${tag.name.getText()}\`: ${about}${/[.:]$/.test(about) ? '' : '.'}`);
      // The compiler takes the error's name, which comes first, for a type or leaves it in the text.
      else if (name === 'throws') said.push(`Throws ${tag.getText().replace(/^@throws\s+/, '')}`);
      else if (name === 'returns' || name === 'return') said.push(`Returns ${about}`);
    }
  }
  return said
    .map((text) => text.replace(/\s*\n\s*\*?\s*(?!- )/g, ' ').trim())
    .filter(Boolean)
    .map((text) => (/[.:;!?)]$/.test(text) ? text : `${text}.`))
    .join(' ');
}

/**
 * A declaration's own text without comments and bodies.
 * @param {Node} node
 */
function signatureOf(node) {
  const body = node.body ?? (ts.isVariableDeclaration(node) && !node.type ? null : undefined);
  const end = body ? body.getStart() : node.getEnd();
  const text = node.getSourceFile().text.slice(node.getStart(undefined, false), end);
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/^(export |declare |async |static |override |readonly )+/g, (/** @type {string} */ words) =>
      words.replace(/export |declare |async |override /g, ''),
    )
    .replace(/\n\s*\n/g, '\n')
    .replace(/[;\s]+$/, '');
}

const HIDDEN = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;

/**
 * What is no part of the promise: private, or what a base class (Lit, Error) asks for, such as styles and rendering.
 * @param {Node} node
 */
const isHidden = (node) =>
  ts.isPrivateIdentifier(node.name ?? {}) || (ts.getCombinedModifierFlags(node) & HIDDEN) !== 0;

/** @param {string} text */
const inline = (text) => `\`${text.replace(/\s+/g, ' ').replace(/\( /g, '(').replace(/,? \)/g, ')')}\``;

/**
 * Members of a class or interface, a line each.
 * @param {Node} node
 */
function membersOf(node) {
  /** @type {string[]} */
  const lines = [];
  for (const member of node.members) {
    const named = member.name || ts.isConstructorDeclaration(member) || ts.isCallSignatureDeclaration(member);
    if (!named || isHidden(member) || ts.isSetAccessor(member) || isInternal(member)) continue;
    let text = signatureOf(member);
    if (ts.isPropertyDeclaration(member) && member.initializer)
      text = text.slice(0, text.length - member.initializer.getText().length).replace(/[\s=]+$/, '');
    const said = saidOf(member).replace(/\n- /g, '\n  - ');
    lines.push(`- ${inline(text)}${said ? `: ${said}` : ''}`);
  }
  return lines;
}

/**
 * @param {string} name
 * @param {Node} node
 */
function described(name, node) {
  // Of `export const name = ...` the comment is the statement's.
  const commented = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const parts = [`### ${name}`, saidOf(commented)];
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    const kind = ts.isClassDeclaration(node) ? 'class' : 'interface';
    const heritage = (node.heritageClauses ?? []).map((/** @type {Node} */ clause) => ` ${clause.getText()}`).join('');
    parts.push(`\`${kind} ${name}${heritage}\``, membersOf(node).join('\n'));
  } else if (ts.isVariableDeclaration(node)) {
    const value = node.initializer?.getText() ?? '';
    const shown = node.type ? `: ${node.type.getText()}` : value.length <= LONGEST_VALUE ? ` = ${value}` : '';
    parts.push(inline(`const ${name}${shown}`));
  } else parts.push(`\`\`\`ts\n${signatureOf(node)}\n\`\`\``);
  return parts.filter(Boolean).join('\n\n');
}

/** The document's text. @returns {string} */
export function apiText() {
  const sources = ENTRIES.map(({ source }) => join(root, source));
  const options = {
    noLib: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  // Packages declare nothing of ours.
  host.resolveModuleNames = (/** @type {string[]} */ names, /** @type {string} */ from) =>
    names.map((name) =>
      name.startsWith('.') ? ts.resolveModuleName(name, from, options, host).resolvedModule : undefined,
    );
  const program = ts.createProgram(sources, options, host);
  /** @type {Checker} */
  const checker = program.getTypeChecker();
  /** By the place that they are declared in, so that a name that two entries export is described once. */
  const known = new Map();
  const chapters = ENTRIES.map(({ entry, source, about }) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(join(root, source)));
    /** @type {string[]} */
    const texts = [];
    /** @type {string[]} */
    const before = [];
    for (const symbol of module ? checker.getExportsOfModule(module) : []) {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const [node] = target.declarations ?? [];
      if (!node) continue;
      if (known.has(node)) before.push(`[\`${symbol.name}\`](#${known.get(node)})`);
      else {
        known.set(node, symbol.name.toLowerCase());
        texts.push(described(symbol.name, node));
      }
    }
    const also = before.length > 0 ? [`Also, as described above: ${before.join(', ')}.`] : [];
    return [`## \`${entry}\``, about, ...also, ...texts].join('\n\n');
  });
  return `${HEAD}\n${chapters.join('\n\n')}\n`;
}
