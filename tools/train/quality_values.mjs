// What the core's quality checks measure on pictures: the shipped module's prepare() alone, without a network.
//   node quality_values.mjs < {"input": a manifest's input, "files": [path, ...]}     one line of JSON a file:
//   {"blurred": 0.61, ...}
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(import.meta.dirname, '../../build/wasm');
const { default: createDermlet } = await import(pathToFileURL(join(folder, 'dermlet.js')).href);
const module = await createDermlet({ wasmBinary: readFileSync(join(folder, 'dermlet.wasm')) });
const { input, files } = JSON.parse(readFileSync(0, 'utf8'));
const { qualityChecks } = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../contract/contract.json'), 'utf8'),
);
// Any limit will do: every check is made, and only its value is asked for.
const quality = Object.fromEntries(Object.keys(qualityChecks).map((id) => [id, 0]));
const spec = { cropPct: 1, ...input, quality, previewSide: 0, views: 1, whole: null };

for (const file of files) {
  const prepared = module.prepare(readFileSync(file), spec, null);
  if (!prepared.ok) throw new Error(`${file}: ${prepared.code}: ${prepared.message}`);
  /** @type {{ id: string, value: number }[]} */
  const checks = prepared.quality.checks;
  process.stdout.write(`${JSON.stringify(Object.fromEntries(checks.map(({ id, value }) => [id, value])))}\n`);
}
