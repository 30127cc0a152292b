// npm run build: the static site in dist/, ready for any web server and any sub-path. npm run build:package: the npm
// package in build/package, ready for `npm pack ./build/package`. npm run build:single: the page as one file that works
// from a disk, dist-single/dermlet.html.
import { everything, npmPackage, singleFile, wasm } from './artifacts.mjs';
import { main, say, seconds } from './steps.mjs';
import { checkNode, ensurePackages } from './toolchain.mjs';

async function packageAlone() {
  checkNode();
  await ensurePackages();
  await wasm();
  await npmPackage();
}

async function oneFile() {
  await everything();
  await singleFile();
}

/** @type {readonly [wanted: string, make: () => Promise<void>, made: string][]} */
const OTHERS = [
  ['--package', packageAlone, 'package is in build/package/'],
  ['--single', oneFile, 'one file is dist-single/dermlet.html'],
];

await main(async () => {
  const began = performance.now();
  const [, make, made] = OTHERS.find(([wanted]) => process.argv.includes(wanted)) ?? [
    '',
    everything,
    'site is in dist/',
  ];
  await make();
  say(`The ${made} (${seconds(began)}).`);
});
