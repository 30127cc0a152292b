// Where in a picture the network is to look, by the shipped module's locate(): what the locator answered, as the page
// would read it.
//   node frames.mjs < lines of {"rows": 24, "columns": 24, "width": 640, "height": 480, "values": [...], "spec":
//   {"spotScore": 0.5, ...}}
// One line of JSON a picture: {"framing": "spot", "frame": {...}, "spots": [...]}.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const folder = resolve(import.meta.dirname, '../../build/wasm');
const { default: createDermlet } = await import(pathToFileURL(join(folder, 'dermlet.js')).href);
const module = await createDermlet({ wasmBinary: readFileSync(join(folder, 'dermlet.wasm')) });

for await (const line of createInterface({ input: process.stdin })) {
  const { rows, columns, width, height, values, spec } = JSON.parse(line);
  const { ok, ...found } = module.locate(new Float32Array(values), rows, columns, { width, height }, spec);
  if (!ok) throw new Error(`${found.code}: ${found.message}`);
  process.stdout.write(`${JSON.stringify(found)}\n`);
}
