// The JSON schemas: definitions with the contract's own two words put into plain JSON Schema.
import { json, MARK } from './text.mjs';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** The definitions of documents.json, and the one that follows from the quality checks. */
export function definitionsOf({ qualityChecks }, { definitions }) {
  const limit = ({ from, to, unit, about }) => ({
    type: 'number',
    minimum: from,
    maximum: to,
    description: `${unit}: ${about}`,
  });
  const properties = Object.fromEntries(Object.values(qualityChecks).map((check) => [check.key, limit(check)]));
  return { QualityLimits: { type: 'object', additionalProperties: false, properties }, ...definitions };
}

/** A definition with the fields of what it extends. */
export function extended(definition, definitions) {
  const { $extends: base, ...own } = definition;
  if (base === undefined) return definition;
  const { description: _description, ...inherited } = extended(definitions[base], definitions);
  const required = [...(own.required ?? []), ...(inherited.required ?? [])];
  return {
    ...inherited,
    ...own,
    ...(required.length > 0 ? { required } : {}),
    properties: { ...own.properties, ...inherited.properties },
  };
}

function plain(value, enumerations) {
  if (Array.isArray(value)) return value.map((item) => plain(item, enumerations));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) =>
    key === '$values' ? ['enum', Object.keys(enumerations[item].values)] : [key, plain(item, enumerations)],
  );
  return Object.fromEntries(entries);
}

const references = (schema) => [...JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g)].map(([, name]) => name);

/** One document's schema, self-contained. */
export function schema(contract, documents, root) {
  const definitions = definitionsOf(contract, documents);
  const finished = (name) => {
    if (definitions[name] === undefined) throw new Error(`documents.json defines no ${name}`);
    return plain(extended(definitions[name], definitions), contract.enumerations);
  };
  const whole = finished(root);
  const used = new Map();
  for (const queue = references(whole); queue.length > 0; ) {
    const name = queue.shift();
    if (used.has(name)) continue;
    used.set(name, finished(name));
    queue.push(...references(used.get(name)));
  }
  return `${json({ $schema: DIALECT, $comment: MARK, ...whole, $defs: Object.fromEntries(used) })}\n`;
}
