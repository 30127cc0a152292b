/**
 * What `<dermlet-classifier>` offers, read from its source (custom-elements.json, schema 1) for the package and for
 * docs/element.md, whose tables `npm run generate` renews.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
// @ts-expect-error the package has no types for them
import { create, ts } from '@custom-elements-manifest/analyzer';
// @ts-expect-error likewise
import { litPlugin } from '@custom-elements-manifest/analyzer/src/features/framework-plugins/lit/lit.js';
import { readLooks } from '../../contract/writers/colours.mjs';
import { root } from './steps.mjs';

/**
 * The parts that are used.
 * @typedef {{ text: string }} Type
 * @typedef {{ name: string, type?: Type, description?: string }} Parameter
 * @typedef {object} Member
 * @property {'field' | 'method'} kind
 * @property {string} name
 * @property {string} [privacy]
 * @property {string} [description]
 * @property {Type} [type]
 * @property {string} [default]
 * @property {string} [attribute]
 * @property {boolean} [reflects]
 * @property {boolean} [readonly]
 * @property {Parameter[]} [parameters]
 * @property {{ type?: Type }} [return]
 *
 * @typedef {{ name: string, description?: string, type?: Type, default?: string }} Named
 * @typedef {object} Declaration
 * @property {string} tagName
 * @property {Member[]} members
 * @property {Named[]} events
 * @property {Named[]} attributes
 * @property {Named[]} cssParts
 * @property {Named[]} cssProperties
 * @property {Named[]} slots
 * @property {unknown} [superclass]
 *
 * @typedef {{ declaration: { module: string } }} Export
 * @typedef {{ path: string, declarations: Declaration[], exports: Export[] }} ElementModule
 * @typedef {{ modules: ElementModule[] }} Manifest
 */

const SOURCE = 'web/src/element/classifier-element.ts';
/** The file that it is in, in the package. */
const SHIPPED = 'dist/element.js';

/** @param {Member} member */
const isPublic = ({ privacy, name }) => privacy !== 'private' && !/^[#_]|^styles$/.test(name);

/**
 * The manifest, with what others may use alone.
 * @returns {Manifest}
 */
export function elementsManifest(source = readFileSync(join(root, SOURCE), 'utf8')) {
  const module = ts.createSourceFile(SOURCE, source, ts.ScriptTarget.ES2022, true);
  /** @type {Manifest} */
  const manifest = JSON.parse(JSON.stringify(create({ modules: [module], plugins: litPlugin() })));
  for (const entry of manifest.modules) {
    entry.path = SHIPPED;
    for (const declaration of entry.declarations) {
      declaration.events = declaration.events.filter(({ name }) => name.startsWith('dermlet-'));
      declaration.members = declaration.members.filter(isPublic);
      delete declaration.superclass;
    }
    for (const { declaration } of entry.exports) declaration.module = SHIPPED;
  }
  return manifest;
}

export const ELEMENT_DOCUMENT = 'docs/element.md';
const [BEGIN, END] = [`<!-- generated from ${SOURCE} by \`npm run generate\` -->`, '<!-- end -->'];

/** @param {string | undefined} text */
const cell = (text = '') => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
/** @param {string | undefined} text */
const code = (text) => (text ? `\`${cell(text)}\`` : '');

/**
 * @param {string} title
 * @param {readonly string[]} heads
 * @param {readonly (readonly string[])[]} rows
 */
function table(title, heads, rows) {
  const lines = [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `### ${title}\n\n${lines.join('\n')}`;
}

/** @param {Member} method */
function signature({ name, parameters = [], return: returned }) {
  const list = parameters.map(({ name: parameter, type }) => `${parameter}: ${type?.text ?? 'unknown'}`);
  return code(`${name}(${list.join(', ')}): ${returned?.type?.text ?? 'void'}`);
}

/**
 * What is said of a method and of its parameters.
 * @param {Member} method
 */
const saidOf = ({ description, parameters = [] }) =>
  cell([description, ...parameters.map((one) => one.description && `\`${one.name}\`: ${one.description}`)].join(' '));

/**
 * The tables of an element.
 * @param {Declaration} element
 */
function tables({ members, events, cssParts, cssProperties, slots }) {
  const { colours, fonts } = readLooks();
  /** @type {Readonly<Record<string, readonly string[]>>} */
  const values = { ...colours, serif: [fonts.serif, ''], sans: [fonts.sans, ''] };
  const known = Object.keys(values).map((name) => `--${name}`);
  const named = cssProperties.map(({ name }) => name);
  const unsaid = [...known.filter((name) => !named.includes(name)), ...named.filter((name) => !known.includes(name))];
  if (unsaid.length > 0) throw new Error(`${SOURCE} and contract/colours.json differ in ${unsaid.join(', ')}.`);
  const fields = members.filter(({ kind }) => kind === 'field');
  const nameless = [...fields, ...members].find(({ description }) => !description);
  if (nameless) throw new Error(`${SOURCE}: nothing is said of ${nameless.name}.`);
  return [
    table(
      'Properties and attributes',
      ['property', 'attribute', 'type', 'default', 'what it is'],
      fields.map((field) => [
        code(field.name),
        `${code(field.attribute)}${field.reflects ? ' (reflected)' : ''}`,
        code(field.type?.text),
        field.readonly ? 'read only' : code(field.default),
        cell(field.description),
      ]),
    ),
    table(
      'Methods',
      ['method', 'what it does'],
      members.filter(({ kind }) => kind === 'method').map((method) => [signature(method), saidOf(method)]),
    ),
    table(
      'Events',
      ['event', 'type', 'when'],
      events.map(({ name, type, description }) => [code(name), code(type?.text), cell(description)]),
    ),
    table(
      'Slots',
      ['slot', 'what it holds'],
      slots.map(({ name, description }) => [code(name), cell(description)]),
    ),
    table(
      'Parts',
      ['`::part()`', 'what it is'],
      cssParts.map(({ name, description }) => [code(name), cell(description)]),
    ),
    table(
      'CSS custom properties',
      ['property', 'light', 'dark', 'what it is'],
      cssProperties.map(({ name, description }) => {
        const [light, dark] = values[name.slice(2)] ?? [];
        return [code(name), code(light), code(dark), cell(description)];
      }),
    ),
  ].join('\n\n');
}

/** The document with its tables renewed. */
export function elementText(text = readFileSync(join(root, ELEMENT_DOCUMENT), 'utf8')) {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  const [element] = elementsManifest().modules.flatMap(({ declarations }) => declarations);
  if (before === undefined || after === undefined || !element)
    throw new Error(`${ELEMENT_DOCUMENT} lacks the marks around its tables.`);
  return `${before}${BEGIN}\n\n${tables(element)}\n\n${END}${after}`;
}
