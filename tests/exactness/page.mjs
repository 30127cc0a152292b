// In the page: what the tests ask a browser to do, at `window.driven` (tests/browsers). Served beside the built site
// under its own policy; the site's files are used as they are, and nothing here is bundled.

import { check, parseManifest, rgbHash } from './cases.mjs';
import createDermlet from './dermlet.js';

const bytesOf = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

const pictureOf = (file) => bytesOf(`pictures/${file}`);
const core = async () => createDermlet({ wasmBinary: await bytesOf('engine/dermlet.wasm') });
const manifest = async () => parseManifest(new TextDecoder().decode(await bytesOf('exactness/tensors.golden')));

/** Every picture of the manifest through the site's own dermlet.wasm. */
async function tensors() {
  const [module, wanted] = [await core(), await manifest()];
  const files = new Map(await Promise.all(wanted.pictures.map(async ({ file }) => [file, await pictureOf(file)])));
  const began = performance.now();
  const { compared, differences } = await check(module, wanted, async (file) => files.get(file));
  return { compared, differences, milliseconds: performance.now() - began };
}

/**
 * The built page's API, network and all: results without their pictures, and the hash of what the network was shown.
 */
async function classify(files) {
  const { Classifier, withoutImages } = await import('../dermlet.js');
  const classifier = await Classifier.load('models/skin-8/', { backend: 'wasm' });
  const answers = [];
  for (const file of files) {
    const result = await classifier.classify(await pictureOf(file), { images: true, explain: true });
    answers.push({ result: withoutImages(result), view: await rgbHash(result.images.view) });
  }
  classifier.dispose();
  return answers;
}

/** Mean |difference| of two RGBA pictures over red, green and blue, in levels of 255. */
function meanDifference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) if (i % 4 !== 3) sum += Math.abs(a[i] - b[i]);
  return sum / ((a.length / 4) * 3);
}

/** The view as the core makes it, and as it is usually made: drawn on a canvas at the network's size and read back. */
async function views(file) {
  const bytes = await pictureOf(file);
  const { prepare } = (await manifest()).specs[0];
  const { view, region } = (await core()).prepare(bytes, prepare, null);
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [view.width, view.height];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, region.x, region.y, region.width, region.height, 0, 0, view.width, view.height);
  const rgba = context.getImageData(0, 0, view.width, view.height).data;
  return {
    core: await rgbHash(view),
    canvas: await rgbHash({ rgba }),
    meanDifference: meanDifference(view.rgba, rgba),
  };
}

window.driven = { tensors, classify, views };
