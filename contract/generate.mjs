// npm run generate: writes contract.json, documents.json and colours.json out in every language that needs them,
// compiles the message catalogues, and writes the rows of the threat model and the element's description into their
// documents and what was measured of the models' weaknesses into a script.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { API_DOCUMENT, apiText } from '../tools/build/api.mjs';
import { ELEMENT_DOCUMENT, elementText } from '../tools/build/elements.mjs';
import { COMPILED, compiledMessages, missingMessages } from '../tools/build/messages.mjs';
import { DOCUMENT, documentText } from '../tools/build/threats.mjs';
import { MEASURED, measuredScript } from '../tools/build/weaknesses.mjs';
import { named, readContract, readDocuments } from './contract.mjs';
import { colourScript, colourSheet, readLooks } from './writers/colours.mjs';
import { cpp } from './writers/cpp.mjs';
import { python } from './writers/python.mjs';
import { schema } from './writers/schema.mjs';
import { checks, script, tables, unions } from './writers/typescript.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const MANIFEST_SCHEMA = 'models/manifest.schema.json';

/**
 * Path -> text of every generated file.
 * @returns {Record<string, string>}
 */
export function generated(contract = readContract(), documents = readDocuments()) {
  return {
    'wasm_src/core/contract.h': cpp(contract),
    'wasm_src/bindings/contract.d.ts': unions(contract, documents),
    'web/src/classifier/contract.ts': tables(contract, documents),
    'web/src/classifier/documents.ts': checks(contract, documents),
    'tests/exactness/contract.mjs': script(contract),
    'tools/train/dermlet_train/contract.py': python(contract, documents),
    'tools/train/core/dermlet_core/contract.py': python(contract, documents),
    // The training tool is installed without the repository too.
    'tools/train/dermlet_train/manifest.schema.json': schema(
      contract,
      documents,
      named(documents.schemas, MANIFEST_SCHEMA),
    ),
    ...Object.fromEntries(
      Object.entries(documents.schemas).map(([path, name]) => [path, schema(contract, documents, name)]),
    ),
    'web/src/element/colours.ts': colourScript(readLooks()),
    'web/src/page/colours.css': colourSheet(readLooks()),
    ...compiledMessages(),
    [DOCUMENT]: documentText(),
    [ELEMENT_DOCUMENT]: elementText(),
    [API_DOCUMENT]: apiText(),
    [MEASURED]: measuredScript(),
  };
}

/**
 * Compiled messages of a language that was removed.
 * @param {Record<string, string>} files
 */
const leftOver = (files) =>
  readdirSync(join(root, COMPILED))
    .map((name) => `${COMPILED}/${name}`)
    .filter((path) => !(path in files));

/** Paths of generated files that differ from contract and catalogues. */
export function stale() {
  const files = generated();
  const changed = Object.entries(files)
    .filter(([path, text]) => {
      try {
        return readFileSync(join(root, path), 'utf8') !== text;
      } catch {
        return true;
      }
    })
    .map(([path]) => path);
  return [...changed, ...leftOver(files)];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = generated();
  const changed = stale();
  for (const path of changed) {
    if (path in files) writeFileSync(join(root, path), named(files, path));
    else rmSync(join(root, path));
  }
  for (const line of missingMessages()) console.log(line);
  console.log(changed.length > 0 ? `Written: ${changed.join(', ')}` : 'Every generated file is up to date.');
}
