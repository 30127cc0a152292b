// Writes tests/golden/tensors.golden from the built WebAssembly module in Node: node tests/exactness/make_manifest.mjs
// Every other build and engine is then held to it. To be run when a picture was drawn, or when what a tensor is was
// changed on purpose; the difference in git shows for which pictures.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answerOf, parseSpec } from './cases.mjs';
import { loadCore, manifestPath, pictureDir, pictureFiles } from './node.mjs';

// The first is an input of a common size. The others are small, so that small pictures are reduced by 2, 4 and 8 while
// they are decoded, and between them use every layout, channel order, fit (one shows the middle alone), filter and
// number of views, and a normalisation that does not come out even.
const SPECS = [
  'spec net 224 224 NCHW RGB cover bicubic 127,127,127 128,128,128 0 1 whole',
  'spec half 40 30 NHWC BGR stretch bilinear 103.939,116.779,123.68 1,1,1 0 4 whole',
  'spec quarter 20 15 NCHW BGR cover*0.7 lanczos 103.53,116.28,123.675 57.375,57.12,58.395 96 1 whole',
  'spec eighth 8 8 NHWC RGB stretch bicubic 127.5,127.5,127.5 127.5,127.5,127.5 0 8 whole',
  'spec crop 48 36 NCHW RGB cover lanczos 123.675,116.28,103.53 58.395,57.12,57.375 64 1 cropped',
];

const core = await loadCore();
const lines = [];
for (const file of await pictureFiles()) {
  lines.push(`${file} ${await answerOf(core, await readFile(join(pictureDir, file)), SPECS.map(parseSpec))}`);
}
const head = [
  '# What the core makes of the drawn pictures: tests/exactness/cases.mjs says what the lines mean, ' +
    'make_manifest.mjs beside it writes them.',
];
await writeFile(manifestPath, `${[...head, ...SPECS, ...lines].join('\n')}\n`);
console.log(`${lines.length} pictures`);
