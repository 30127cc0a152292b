// The JSON schemas: definitions, with the contract's two extra keywords translated to plain JSON Schema.
/** @import { Contract, Documents, Schema } from '../contract.mjs' */
import { named } from '../contract.mjs';
import { json, MARK } from './text.mjs';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/**
 * The definitions of documents.json, and the one derived from the quality checks.
 * @param {Contract} contract
 * @param {Documents} documents
 * @returns {Record<string, Schema>}
 */
export function definitionsOf({ qualityChecks }, { definitions }) {
  /** @param {import('../contract.mjs').QualityCheck} check */
  const limit = ({ from, to, unit, about }) => ({
    type: 'number',
    minimum: from,
    maximum: to,
    description: `${unit}: ${about}`,
  });
  const properties = Object.fromEntries(Object.values(qualityChecks).map((check) => [check.key, limit(check)]));
  return { QualityLimits: { type: 'object', additionalProperties: false, properties }, ...definitions };
}

/**
 * A definition with the fields of the one it extends.
 * @param {Schema} definition
 * @param {Record<string, Schema>} definitions
 * @returns {Schema}
 */
export function extended(definition, definitions) {
  const { $extends: base, ...own } = definition;
  if (base === undefined) return definition;
  const { description: _description, ...inherited } = extended(named(definitions, base), definitions);
  const required = [...(own.required ?? []), ...(inherited.required ?? [])];
  return {
    ...inherited,
    ...own,
    ...(required.length > 0 ? { required } : {}),
    properties: { ...own.properties, ...inherited.properties },
  };
}

/**
 * @param {unknown} value
 * @param {Contract['enumerations']} enumerations
 * @returns {unknown}
 */
function plain(value, enumerations) {
  if (Array.isArray(value)) return value.map((item) => plain(item, enumerations));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) =>
    key === '$values' ? ['enum', Object.keys(named(enumerations, item).values)] : [key, plain(item, enumerations)],
  );
  return Object.fromEntries(entries);
}

/** @param {unknown} schema */
const references = (schema) =>
  [...JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g)].map(([, name = '']) => name);

/**
 * One document's schema, self-contained.
 * @param {Contract} contract
 * @param {Documents} documents
 * @param {string} root  its definition
 */
export function schema(contract, documents, root) {
  const definitions = definitionsOf(contract, documents);
  /** @param {string} name */
  const finished = (name) => {
    const definition = definitions[name];
    if (definition === undefined) throw new Error(`documents.json defines no ${name}`);
    return /** @type {object} */ (plain(extended(definition, definitions), contract.enumerations));
  };
  const whole = finished(root);
  /** @type {Map<string, object>} */
  const used = new Map();
  const queue = references(whole);
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (used.has(name)) continue;
    const definition = finished(name);
    used.set(name, definition);
    queue.push(...references(definition));
  }
  return `${json({ $schema: DIALECT, $comment: MARK, ...whole, $defs: Object.fromEntries(used) })}\n`;
}
