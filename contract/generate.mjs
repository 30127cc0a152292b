// npm run generate: writes what contract.json and documents.json say in every language that needs it, and compiles the
// catalogues of messages.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { COMPILED, compiledMessages, missingMessages } from '../tools/build/messages.mjs';
import { cpp } from './writers/cpp.mjs';
import { python } from './writers/python.mjs';
import { schema } from './writers/schema.mjs';
import { checks, tables, unions } from './writers/typescript.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const MANIFEST_SCHEMA = 'models/manifest.schema.json';
const read = (name) => JSON.parse(readFileSync(join(here, name), 'utf8'));

/** Path -> text of every generated file. */
export function generated(contract = read('contract.json'), documents = read('documents.json')) {
  return {
    'wasm_src/core/contract.h': cpp(contract),
    'wasm_src/bindings/contract.d.ts': unions(contract),
    'web/src/classifier/contract.ts': tables(contract, documents),
    'web/src/classifier/documents.ts': checks(contract, documents),
    'tools/train/dermlet_train/contract.py': python(contract, documents),
    // The training tool is installed without the repository too.
    'tools/train/dermlet_train/manifest.schema.json': schema(contract, documents, documents.schemas[MANIFEST_SCHEMA]),
    ...Object.fromEntries(
      Object.entries(documents.schemas).map(([path, name]) => [path, schema(contract, documents, name)]),
    ),
    ...compiledMessages(),
  };
}

/** Compiled messages of a language that is no more. */
const leftOver = (files) =>
  readdirSync(join(root, COMPILED))
    .map((name) => `${COMPILED}/${name}`)
    .filter((path) => !(path in files));

/** Paths of files that are not what contract and catalogues say. */
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = generated();
  const changed = stale();
  for (const path of changed) {
    if (path in files) writeFileSync(join(root, path), files[path]);
    else rmSync(join(root, path));
  }
  for (const line of missingMessages()) console.log(line);
  console.log(changed.length > 0 ? `Written: ${changed.join(', ')}` : 'Every generated file is up to date.');
}
