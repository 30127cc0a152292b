// Types and readers of contract.json and documents.json.
/** @import { FileEntry, Manifest } from '../web/src/classifier/documents.js' */
import { readFileSync } from 'node:fs';

/**
 * A value of an enumeration, with its flags (a subset's, or the one that `cpp` names).
 * @typedef {{ about: string, label?: string, phrase?: string } & FileKind & Record<string, unknown>} Value
 *
 * A format's media types and file extensions, the usual one first.
 * @typedef {{ types?: readonly string[], extensions?: readonly string[] }} FileKind
 *
 * @typedef {object} Subset
 * @property {string} flag  set on its values
 * @property {string} about
 * @property {string} [predicate]  the C++ function that tests for it
 *
 * @typedef {object} Enumeration
 * @property {string} about
 * @property {boolean | string} [cpp]  whether the core has it; a flag's name if it has only the values with that flag
 * @property {boolean} [list]  whether TypeScript has a list of it
 * @property {Record<string, Value>} values
 * @property {Record<string, Subset>} [subsets]
 *
 * @typedef {object} QualityCheck
 * @property {string} key  of its limit in a manifest
 * @property {'least' | 'most'} limit
 * @property {string} unit
 * @property {number} from
 * @property {number} to
 * @property {string} about
 *
 * @typedef {object} Contract
 * @property {string} defaultModel  used when none is chosen
 * @property {Record<string, { value: number, about: string, cpp?: boolean }>} numbers  `cpp`: false where the core does
 *   without
 * @property {Record<string, Enumeration>} enumerations
 * @property {Record<string, QualityCheck>} qualityChecks
 *
 * A JSON Schema with two extra keywords: `$values` inserts an enumeration's values, `$extends` a definition's fields.
 * @typedef {object} Schema
 * @property {string} [$ref]
 * @property {string} [$values]
 * @property {string} [$extends]
 * @property {string} [title]
 * @property {string} [description]
 * @property {unknown} [default]
 * @property {string | string[]} [type]
 * @property {unknown} [const]
 * @property {string} [pattern]
 * @property {number} [minimum]
 * @property {number} [exclusiveMinimum]
 * @property {number} [maximum]
 * @property {Schema} [items]
 * @property {number} [minItems]
 * @property {number} [maxItems]
 * @property {Record<string, Schema>} [properties]
 * @property {readonly string[]} [required]
 * @property {boolean | Schema} [additionalProperties]
 *
 * @typedef {object} Documents
 * @property {Record<string, string>} schemas  path -> the definition that is its document
 * @property {readonly string[]} exported  definitions that other modules import by name
 * @property {Record<string, Schema>} definitions
 */

/** @param {string} name */
const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** @returns {Contract} */
export const readContract = () => read('contract.json');
/** @returns {Documents} */
export const readDocuments = () => read('documents.json');

/**
 * The entry of that name; an unknown name is an error.
 * @template T
 * @param {Record<string, T>} all
 * @param {string} name
 */
export function named(all, name) {
  const found = all[name];
  if (found === undefined) throw new Error(`the contract has no ${name}`);
  return found;
}

/**
 * Where a document has values of a definition: the paths to them, as lists of keys.
 * @param {Documents} documents
 * @param {string} wanted
 * @param {string} root  the document's definition
 * @returns {string[][]}
 */
export function waysTo(documents, wanted, root) {
  /**
   * @param {Schema} schema
   * @param {string[]} way
   * @returns {string[][]}
   */
  const visit = ({ $ref, properties = {} }, way) => {
    if ($ref === `#/$defs/${wanted}`) return [way];
    if ($ref !== undefined) return visit(named(documents.definitions, $ref.replace('#/$defs/', '')), way);
    return Object.entries(properties).flatMap(([key, value]) => visit(value, [...way, key]));
  };
  return visit(named(documents.definitions, root), []);
}

/**
 * The files that a manifest lists with size and hash.
 * @param {Manifest} manifest
 * @returns {FileEntry[]}
 */
export const filesOf = (manifest) =>
  waysTo(readDocuments(), 'FileEntry', 'Manifest').flatMap((way) => {
    /** @type {any} */
    let value = manifest;
    for (const key of way) value = value?.[key];
    return value ?? [];
  });

/**
 * The one version of manifests that is read and written.
 * @param {Documents} documents
 */
export const manifestVersion = (documents) =>
  named(documents.definitions, 'Manifest').properties?.manifestVersion?.const;
