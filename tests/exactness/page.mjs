// In the page: what the tests ask a browser to do, at `window.driven` (tests/browsers). Served beside the built site
// under its own policy; the site's files are used as they are, and nothing here is bundled.

import { check, parseManifest, rgbHash } from './cases.mjs';
// @ts-expect-error The module's glue is served beside this file; where the sources lie there is none.
import createModule from './dermlet.js';

/** @type {typeof import('../../wasm_src/bindings/dermlet.js').default} */
const createDermlet = createModule;

/** The built site's entry. */
const site = new URL('../dermlet.js', import.meta.url).href;

/** @param {string} path */
const bytesOf = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** @param {string} file */
const pictureOf = (file) => bytesOf(`pictures/${file}`);
const core = async () => createDermlet({ wasmBinary: await bytesOf('engine/dermlet.wasm') });
const manifest = async () => parseManifest(new TextDecoder().decode(await bytesOf('exactness/tensors.golden')));

/** Every picture of the manifest through the site's own dermlet.wasm. */
async function tensors() {
  const [module, wanted] = [await core(), await manifest()];
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  await Promise.all(wanted.pictures.map(async ({ file }) => files.set(file, await pictureOf(file))));
  const began = performance.now();
  const { compared, differences } = await check(module, wanted, async (file) => files.get(file) ?? new Uint8Array());
  return { compared, differences, milliseconds: performance.now() - began };
}

/**
 * The built page's API, network and all: results without their pictures, and the hash of what the network was shown.
 * @param {readonly string[]} files
 */
async function classify(files) {
  /** @type {typeof import('../../web/src/dermlet.js')} */
  const { Classifier, withoutImages } = await import(site);
  const classifier = await Classifier.load('models/skin-8/', { backend: 'wasm' });
  const answers = [];
  for (const file of files) {
    const result = await classifier.classify(await pictureOf(file), { images: true, explain: true });
    if (result.images === undefined) throw new Error(`${file}: there are no images of it`);
    answers.push({ result: withoutImages(result), view: await rgbHash(result.images.view) });
  }
  classifier.dispose();
  return answers;
}

/**
 * Milliseconds that each of some classifications takes once the page has searched a long string in vain, as pages do:
 * what that leaves behind in a processor slows WebAssembly in some builds of Firefox, and workers inherit it
 * (`web/src/classifier/registers.ts`).
 * @param {string} file
 * @param {number} times
 */
async function timed(file, times) {
  /** @type {typeof import('../../web/src/dermlet.js')} */
  const { Classifier } = await import(site);
  if ('.'.repeat(4096).indexOf('!') >= 0) throw new Error('found what is not there');
  const classifier = await Classifier.load('models/skin-8/', { backend: 'wasm' });
  const bytes = await pictureOf(file);
  const taken = [];
  for (let i = 0; i < times; i += 1) {
    const began = performance.now();
    await classifier.classify(bytes, { explain: true });
    taken.push(performance.now() - began);
  }
  classifier.dispose();
  return taken;
}

/**
 * Mean |difference| of two RGBA pictures over red, green and blue, in levels of 255.
 * @param {Uint8ClampedArray} a
 * @param {Uint8ClampedArray} b
 */
function meanDifference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) if (i % 4 !== 3) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / ((a.length / 4) * 3);
}

/**
 * The view as the core makes it, and as it is usually made: drawn on a canvas at the network's size and read back.
 * @param {string} file
 */
async function views(file) {
  const bytes = await pictureOf(file);
  const [spec] = (await manifest()).specs;
  const prepared = spec && (await core()).prepare(bytes, spec.prepare, null);
  if (!prepared?.ok) throw new Error(`${file} cannot be prepared`);
  const { view, region } = prepared;
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [view.width, view.height];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('There is no canvas.');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, region.x, region.y, region.width, region.height, 0, 0, view.width, view.height);
  const rgba = context.getImageData(0, 0, view.width, view.height).data;
  return {
    core: await rgbHash(view),
    canvas: await rgbHash({ rgba }),
    meanDifference: meanDifference(view.rgba, rgba),
  };
}

Object.assign(window, { driven: { tensors, classify, timed, views } });
