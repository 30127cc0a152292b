// npm run build: the static site in dist/, ready for any web server and any sub-path. npm run build:package: the npm
// package in build/package, ready for `npm pack ./build/package`.
import { everything, npmPackage, wasm } from './artifacts.mjs';
import { main, say, seconds } from './steps.mjs';
import { checkNode, ensurePackages } from './toolchain.mjs';

async function packageAlone() {
  checkNode();
  await ensurePackages();
  await wasm();
  await npmPackage();
}

await main(async () => {
  const began = performance.now();
  const wanted = process.argv.includes('--package');
  await (wanted ? packageAlone() : everything());
  say(`The ${wanted ? 'package is in build/package/' : 'site is in dist/'} (${seconds(began)}).`);
});
