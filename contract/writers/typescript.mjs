// TypeScript: unions for the module's interface, tables for the classifier, and checks of the JSON documents (valibot).
import { coreValues } from './cpp.mjs';
import { definitionsOf } from './schema.mjs';
import { camel, MARK, measured, plural, single, upper, wrapped } from './text.mjs';

/** One line where it fits, else a line a value. */
function union(ids, begin) {
  const line = `${begin} ${ids.map(single).join(' | ')};`;
  return line.length <= 120
    ? [line]
    : [begin, ...ids.map((id, i) => `  | ${single(id)}${i === ids.length - 1 ? ';' : ''}`)];
}

function documented(about, values) {
  if (values === undefined) return ['/**', ...wrapped(about, ' * '), ' */'];
  return [
    '/**',
    ...wrapped(about, ' * '),
    ...values.flatMap(([id, value]) => wrapped(`\`${id}\`: ${value.about}`, ' * - ', ' *   ')),
    ' */',
  ];
}

const typeOf = (name, about, values) => [
  ...documented(about, values),
  ...union(
    values.map(([id]) => id),
    `export type ${name} =`,
  ),
  '',
];

const subsets = ({ subsets: named = {}, values }) =>
  Object.entries(named).flatMap(([name, { flag, about }]) =>
    typeOf(
      name,
      about,
      Object.entries(values).filter(([, value]) => value[flag]),
    ),
  );

/** The unions that dermlet.d.ts and the classifier import. */
export function unions({ enumerations, qualityChecks }) {
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
  ].join('\n');
}

/** The classifier's tables, and the unions that the module's interface does not have. */
export function tables(contract, documents) {
  const { enumerations, qualityChecks } = contract;
  const all = Object.entries(enumerations);
  const shared = [
    ...all.filter(([, { cpp }]) => cpp === true).map(([name]) => name),
    ...all.flatMap(([, { subsets: named = {} }]) => Object.keys(named)),
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
    ...Object.entries(enumerations.Format.values).map(([id, { phrase }]) => `  ${id}: ${single(phrase)},`),
    '};',
    '',
    '/** Of each check: the key of its limit in a manifest; whether that is the least or the most that passes. */',
    'export const QUALITY_CHECKS = {',
    ...Object.entries(qualityChecks).map(
      ([id, { key, limit }]) => `  ${id}: { key: ${single(key)}, limit: ${single(limit)} },`,
    ),
    "} as const satisfies Record<QualityCheckId, { key: string; limit: 'least' | 'most' }>;",
    '',
    '/** The one version of manifests that is read. */',
    `export const MANIFEST_VERSION = ${documents.definitions.Manifest.properties.manifestVersion.const};`,
    '',
  ].join('\n');
}

const piped = (first, ...rest) => (rest.length > 0 ? `v.pipe(${[first, ...rest].join(', ')})` : first);
const optional = (value, write) => (value === undefined ? [] : [write(value)]);

/** Keywords that say nothing about which values are allowed. */
const SILENT = ['title', 'description', 'default'];

/** What writes a check for each type; a keyword that none of them takes ends the generator. */
const WRITERS = {
  string: ({ pattern, minLength, ...rest }) => [
    piped(
      'v.string()',
      ...optional(pattern, (text) => `v.regex(/${text}/u)`),
      ...optional(minLength, (least) => `v.minLength(${least})`),
    ),
    rest,
  ],
  boolean: (rest) => ['v.boolean()', rest],
  number: ({ minimum, exclusiveMinimum, maximum, ...rest }, _context, whole = 'v.finite()') => [
    piped(
      'v.number()',
      whole,
      ...optional(minimum, (least) => `v.minValue(${least})`),
      ...optional(exclusiveMinimum, (least) => `v.gtValue(${least})`),
      ...optional(maximum, (most) => `v.maxValue(${most})`),
    ),
    rest,
  ],
  integer: (schema, context) => WRITERS.number(schema, context, 'v.integer()'),
  array: ({ items, minItems, maxItems, ...rest }, context) => {
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

function check(schema, context) {
  const { $ref, $values, type, const: constant, ...rest } = schema;
  const [written, left] = (() => {
    if ($ref !== undefined) return [context.refer($ref.replace('#/$defs/', '')), rest];
    if ($values !== undefined)
      return [`v.picklist([${Object.keys(context.enumerations[$values].values).map(single).join(', ')}])`, rest];
    if (constant !== undefined) return [`v.literal(${JSON.stringify(constant)})`, rest];
    if (Array.isArray(type) && type.length === 2 && type[1] === 'null')
      return [`v.nullable(${check({ ...rest, type: type[0] }, context)})`, {}];
    const kind = rest.$extends === undefined ? type : 'object';
    if (WRITERS[kind] === undefined) throw new Error(`${context.name}: no rule for type ${kind}`);
    return WRITERS[kind](rest, context);
  })();
  const strange = Object.keys(left).filter((key) => !SILENT.includes(key));
  if (strange.length > 0) throw new Error(`${context.name}: no rule for ${strange.join(', ')}`);
  return written;
}

/** Checks of the documents, each a constant, and the type of whatever is an object. */
export function checks(contract, documents) {
  const definitions = definitionsOf(contract, documents);
  const exported = [...Object.values(documents.schemas), ...documents.exported];
  const lines = [];
  const written = new Set();
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
      // A base whose fields are all optional is checked in a pipe, whose second part has them.
      const bare = (definitions[other].required ?? []).length === 0;
      return bare ? `${camel(other)}.pipe[1].entries` : `${camel(other)}.entries`;
    },
  });
  for (const root of Object.values(documents.schemas)) write(root);
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
  ].join('\n');
}
