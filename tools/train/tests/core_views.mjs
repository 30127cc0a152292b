// Views that the C++ core makes, through the WASM module: what the network is shown, for comparison with the training
// tool's.
//   node core_views.mjs FOLDER_OF_DERMLET_JS OUT < requests, one JSON a line: {"path", "size", "fit", "cropPct"}
// Writes size * size * 3 bytes of RGB a request to OUT, one after the other; a refused picture is an error that names
// it.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder = '', out = ''] = process.argv.slice(2);
const { default: createDermlet } = await import(pathToFileURL(path.join(folder, 'dermlet.js')).href);
const core = await createDermlet({ wasmBinary: readFileSync(path.join(folder, 'dermlet.wasm')) });

const views = readFileSync(0, 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const { path: file, size, fit, cropPct } = JSON.parse(line);
    const spec = {
      width: size,
      height: size,
      layout: 'NCHW',
      channels: 'RGB',
      fit,
      cropPct,
      filter: 'bicubic',
      mean: [0, 0, 0],
      std: [1, 1, 1],
      quality: {},
      previewSide: 0,
      views: 1,
      whole: null,
    };
    const prepared = core.prepare(readFileSync(file), spec, null);
    if (!prepared.ok) throw new Error(`${file}: ${prepared.code} ${prepared.message}`);
    return Buffer.from(prepared.view.rgba).filter((_, i) => i % 4 !== 3);
  });
writeFileSync(out, Buffer.concat(views));
