// TypeScript: unions for the module's interface, tables for the classifier, and checks of the JSON documents (valibot).
/** @import { Contract, Documents, Enumeration, Schema, Value } from '../contract.mjs' */
import { manifestVersion, named, waysTo } from '../contract.mjs';
import { coreValues } from './cpp.mjs';
import { definitionsOf } from './schema.mjs';
import { camel, MARK, measured, plural, single, upper, wrapped } from './text.mjs';

/**
 * One line if it fits, else one line per value.
 * @param {readonly string[]} ids
 * @param {string} begin
 */
function union(ids, begin) {
  const line = `${begin} ${ids.map(single).join(' | ')};`;
  return line.length <= 120
    ? [line]
    : [begin, ...ids.map((id, i) => `  | ${single(id)}${i === ids.length - 1 ? ';' : ''}`)];
}

/**
 * @param {string} about
 * @param {readonly [id: string, value: Pick<Value, 'about'>][]} [values]
 */
function documented(about, values) {
  if (values === undefined) return ['/**', ...wrapped(about, ' * '), ' */'];
  return [
    '/**',
    ...wrapped(about, ' * '),
    ...values.flatMap(([id, value]) => wrapped(`\`${id}\`: ${value.about}`, ' * - ', ' *   ')),
    ' */',
  ];
}

/**
 * @param {string} name
 * @param {string} about
 * @param {readonly [id: string, value: Pick<Value, 'about'>][]} values
 */
const typeOf = (name, about, values) => [
  ...documented(about, values),
  ...union(
    values.map(([id]) => id),
    `export type ${name} =`,
  ),
  '',
];

/** @param {Enumeration} enumeration */
const subsets = ({ subsets: parts = {}, values }) =>
  Object.entries(parts).flatMap(([name, { flag, about }]) =>
    typeOf(
      name,
      about,
      Object.entries(values).filter(([, value]) => value[flag]),
    ),
  );

/**
 * A schema's type for the module's interface: lists are readonly.
 * @param {Documents} documents
 * @param {Schema} schema
 * @returns {string}
 */
function plainType(documents, { $ref, type, items }) {
  if ($ref !== undefined) return plainType(documents, named(documents.definitions, $ref.replace('#/$defs/', '')));
  if (type === 'array' && items !== undefined) return `readonly ${plainType(documents, items)}[]`;
  if (type === 'number' || type === 'integer') return 'number';
  throw new Error(`no rule for an interface's ${type}`);
}

/**
 * A definition that the manifest and the module's interface share.
 * @param {Documents} documents
 * @param {string} name
 */
function shared(documents, name) {
  const { description = '', properties = {} } = named(documents.definitions, name);
  return [
    ...documented(`${description.slice(0, 1).toUpperCase()}${description.slice(1)}.`),
    `export interface ${name} {`,
    ...Object.entries(properties).flatMap(([key, field]) => [
      ...optional(field.description, (about) => wrapped(about, '  // ')).flat(),
      `  ${key}: ${plainType(documents, field)};`,
    ]),
    '}',
    '',
  ];
}

/** Definitions of documents.json that are passed to the core as they are in a manifest. */
const SHARED = ['SetRule', 'TierCuts'];

/**
 * The types that dermlet.d.ts and the classifier import.
 * @param {Contract} contract
 * @param {Documents} documents
 */
export function unions({ enumerations, qualityChecks }, documents) {
  const whole = Object.entries(enumerations).filter(([, { cpp }]) => cpp === true);
  return [
    `/** ${MARK} */`,
    '',
    ...whole.flatMap(([name, entry]) => typeOf(name, entry.about, coreValues(entry))),
    ...Object.values(enumerations).flatMap(subsets),
    ...typeOf(
      'QualityCheckId',
      'What is checked of a picture before it is scored.',
      Object.entries(qualityChecks).map(([id, check]) => [id, { about: measured(check) }]),
    ),
    ...SHARED.flatMap((name) => shared(documents, name)),
  ].join('\n');
}

/**
 * For tests that run in every browser: a module without types or imports.
 * @param {Contract} contract
 */
export const script = ({ qualityChecks }) =>
  [
    `// ${MARK}`,
    'export const QUALITY_CHECKS = /** @type {const} */ ([',
    ...Object.keys(qualityChecks).map((id) => `  ${single(id)},`),
    ']);',
    '',
  ].join('\n');

/**
 * The classifier's tables, and the unions that the module's interface does not have.
 * @param {Contract} contract
 * @param {Documents} documents
 */
export function tables(contract, documents) {
  const { numbers, enumerations, qualityChecks } = contract;
  const all = Object.entries(enumerations);
  const shared = [
    ...all.filter(([, { cpp }]) => cpp === true).map(([name]) => name),
    ...all.flatMap(([, { subsets: parts = {} }]) => Object.keys(parts)),
    'QualityCheckId',
  ].sort();
  return [
    `/** ${MARK} */`,
    'import type {',
    ...shared.filter((name) => ['Format', 'Outcome', 'QualityCheckId'].includes(name)).map((name) => `  ${name},`),
    "} from '../../../wasm_src/bindings/contract.js';",
    '',
    'export type {',
    ...shared.map((name) => `  ${name},`),
    "} from '../../../wasm_src/bindings/contract.js';",
    '',
    ...all
      .filter(([, { cpp }]) => cpp !== true)
      .flatMap(([name, { about, values }]) => typeOf(name, about, Object.entries(values))),
    ...all
      .filter(([, { list }]) => list)
      .flatMap(([name, { values }]) => [
        `export const ${upper(plural(name))}: readonly ${name}[] = [`,
        ...Object.keys(values).map((id) => `  ${single(id)},`),
        '];',
        '',
      ]),
    '/** As a sentence names them. */',
    'export const FORMAT_PHRASES: Record<Format, string> = {',
    ...Object.entries(named(enumerations, 'Format').values).map(
      ([id, { phrase = id }]) => `  ${id}: ${single(phrase)},`,
    ),
    '};',
    '',
    '/** How files of a format are named: media types and file name extensions. */',
    'export const FORMAT_FILES: Record<Format, { types: readonly string[]; extensions: readonly string[] }> = {',
    ...Object.entries(named(enumerations, 'Format').values).flatMap(([id, { types = [], extensions = [] }]) => [
      `  ${id}: { types: [${types.map(single).join(', ')}], extensions: [${extensions.map(single).join(', ')}] },`,
    ]),
    '};',
    '',
    '/** The default model. */',
    `export const DEFAULT_MODEL = ${single(contract.defaultModel)};`,
    '',
    '/** Of each check: the key of its limit in a manifest; whether that is the least or the most that passes. */',
    'export const QUALITY_CHECKS = {',
    ...Object.entries(qualityChecks).map(
      ([id, { key, limit }]) => `  ${id}: { key: ${single(key)}, limit: ${single(limit)} },`,
    ),
    "} as const satisfies Record<QualityCheckId, { key: string; limit: 'least' | 'most' }>;",
    '',
    ...Object.entries(numbers).flatMap(([name, { value, about }]) => [
      ...documented(about),
      `export const ${upper(name)} = ${value};`,
      '',
    ]),
    '/** The one version of manifests that is read. */',
    `export const MANIFEST_VERSION = ${manifestVersion(documents)};`,
    '',
  ].join('\n');
}

/**
 * @param {string} first
 * @param {string[]} rest
 */
const piped = (first, ...rest) => (rest.length > 0 ? `v.pipe(${[first, ...rest].join(', ')})` : first);
/**
 * @template T
 * @template R
 * @param {T | undefined} value
 * @param {(value: T) => R} write
 */
const optional = (value, write) => (value === undefined ? [] : [write(value)]);

/** Keywords that say nothing about which values are allowed. */
const SILENT = ['title', 'description', 'default'];

/**
 * @typedef {object} Context  of a check
 * @property {string} name  of the definition
 * @property {string} indent
 * @property {Contract['enumerations']} enumerations
 * @property {(other: string) => string} refer  writes another definition first; returns its constant
 * @property {(other: string) => string} fieldsOf  the same; returns its fields
 *
 * @typedef {[written: string, left: object]} Written  the check, and the keywords not yet handled
 * @typedef {(schema: Schema, context: Context) => Written} Writer
 */

/**
 * @param {Schema} schema
 * @param {string} kind
 * @returns {Written}
 */
const numeric = ({ minimum, exclusiveMinimum, maximum, ...rest }, kind) => [
  piped(
    'v.number()',
    kind,
    ...optional(minimum, (least) => `v.minValue(${least})`),
    ...optional(exclusiveMinimum, (least) => `v.gtValue(${least})`),
    ...optional(maximum, (most) => `v.maxValue(${most})`),
  ),
  rest,
];

/**
 * Writes the check for each type; a keyword that none of them handles stops the generator.
 * @type {Record<string, Writer>}
 */
const WRITERS = {
  string: ({ pattern, ...rest }) => [piped('v.string()', ...optional(pattern, (text) => `v.regex(/${text}/u)`)), rest],
  boolean: (rest) => ['v.boolean()', rest],
  number: (schema) => numeric(schema, 'v.finite()'),
  integer: (schema) => numeric(schema, 'v.integer()'),
  array: ({ items = {}, minItems, maxItems, ...rest }, context) => {
    const item = check(items, context);
    if (maxItems === undefined)
      return [piped(`v.array(${item})`, ...optional(minItems, (least) => `v.minLength(${least})`)), rest];
    if (minItems !== maxItems) throw new Error(`${context.name}: lists have no greatest length of their own`);
    const entries = Array(minItems).fill(`\n${context.indent}  ${item},`);
    return [`v.strictTuple([${entries.join('')}\n${context.indent}])`, rest];
  },
  object: ({ properties, required = [], additionalProperties, $extends, ...rest }, context) => {
    if (typeof additionalProperties === 'object')
      return [`v.pipe(plain, v.record(v.string(), ${check(additionalProperties, context)}))`, rest];
    const closed = additionalProperties === false || $extends !== undefined;
    if (properties === undefined) return ['v.pipe(plain, v.looseObject({}))', rest];
    const inner = { ...context, indent: `${context.indent}  ` };
    const inherited = $extends === undefined ? [] : [`${inner.indent}...${context.fieldsOf($extends)},`];
    const fields = Object.entries(properties).flatMap(([key, field]) => {
      const written = check(field, inner);
      return [
        ...optional(field.description, (about) => wrapped(about, `${inner.indent}// `)).flat(),
        `${inner.indent}${key}: ${required.includes(key) ? written : `v.exactOptional(${written})`},`,
      ];
    });
    const kind = closed ? 'strictObject' : 'object';
    const object = `v.${kind}({\n${[...inherited, ...fields].join('\n')}\n${context.indent}})`;
    // An empty list would pass as an object without fields.
    const empty = required.length === 0;
    return [empty ? `v.pipe(plain, ${object})` : object, rest];
  },
};

/**
 * @param {Schema} schema
 * @param {Context} context
 * @returns {string}
 */
function check(schema, context) {
  const { $ref, $values, type, const: constant, ...rest } = schema;
  /** @returns {Written} */
  const choose = () => {
    if ($ref !== undefined) return [context.refer($ref.replace('#/$defs/', '')), rest];
    if ($values !== undefined)
      return [`v.picklist([${Object.keys(named(context.enumerations, $values).values).map(single).join(', ')}])`, rest];
    if (constant !== undefined) return [`v.literal(${JSON.stringify(constant)})`, rest];
    if (Array.isArray(type) && type.length === 2 && type[1] === 'null')
      return [`v.nullable(${check({ ...rest, type: String(type[0]) }, context)})`, {}];
    const kind = rest.$extends === undefined ? String(type) : 'object';
    const writer = WRITERS[kind];
    if (writer === undefined) throw new Error(`${context.name}: no rule for type ${kind}`);
    return writer(rest, context);
  };
  const [written, left] = choose();
  const strange = Object.keys(left).filter((key) => !SILENT.includes(key));
  if (strange.length > 0) throw new Error(`${context.name}: no rule for ${strange.join(', ')}`);
  return written;
}

/**
 * The documents' checks, each a constant, and a type for each that is an object.
 * @param {Contract} contract
 * @param {Documents} documents
 */
export function checks(contract, documents) {
  const definitions = definitionsOf(contract, documents);
  const exported = [...Object.values(documents.schemas), ...documents.exported];
  /** @type {string[]} */
  const lines = [];
  const written = new Set();
  /** @param {string} name */
  const write = (name) => {
    if (written.has(name)) return;
    written.add(name);
    const definition = definitions[name];
    if (definition === undefined) throw new Error(`documents.json defines no ${name}`);
    const body = check(definition, context(name));
    const isObject = definition.type === 'object' || definition.$extends !== undefined;
    lines.push(...optional(definition.description, (about) => wrapped(about, '// ')).flat());
    lines.push(`${exported.includes(name) ? 'export ' : ''}const ${camel(name)} = ${body};`);
    if (isObject) lines.push(`export type ${name} = v.InferOutput<typeof ${camel(name)}>;`);
    lines.push('');
  };
  /**
   * @param {string} name
   * @returns {Context}
   */
  const context = (name) => ({
    name,
    indent: '',
    enumerations: contract.enumerations,
    refer(other) {
      write(other);
      return camel(other);
    },
    fieldsOf(other) {
      write(other);
      // The check of a base whose fields are all optional is a pipe; its second part has the fields.
      const bare = (definitions[other]?.required ?? []).length === 0;
      return bare ? `${camel(other)}.pipe[1].entries` : `${camel(other)}.entries`;
    },
  });
  for (const root of Object.values(documents.schemas)) write(root);
  const ways = waysTo(documents, 'FileEntry', 'Manifest');
  const holders = [...new Set(ways.map(([first = '']) => single(first)))].join(' | ');
  return [
    `/** ${MARK} */`,
    "import * as v from 'valibot';",
    '',
    '/** An object that is no list: valibot takes either. */',
    'const plain = v.custom<Record<string, unknown>>(',
    "  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),",
    ');',
    '',
    ...lines,
    '/** The files that a manifest names with size and hash. */',
    `export const filesOf = (manifest: Pick<Manifest, ${holders}>): FileEntry[] =>`,
    '  [',
    ...ways.map((way) => `    manifest.${way.join('?.')},`),
    '  ].filter((file) => file !== undefined);',
    '',
  ].join('\n');
}
