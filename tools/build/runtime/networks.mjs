/** The networks that are shipped: those that ONNX Runtime is reduced to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../steps.mjs';

/**
 * @typedef {object} Network
 * @property {string} path  from the project's folder
 * @property {string} sha256
 * @property {string} name  of its input
 * @property {number} height
 * @property {number} width
 * @property {string} layout
 */

/** @returns {Network[]} */
export function shippedNetworks() {
  const models = readdirSync(join(root, 'models'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return models.flatMap(({ name: model }) => {
    const manifest = JSON.parse(readFileSync(join(root, 'models', model, 'manifest.json'), 'utf8'));
    return [manifest, manifest.locator].filter(Boolean).map(({ file, input: { name, height, width, layout } }) => ({
      path: `models/${model}/${file.path}`,
      sha256: file.sha256,
      name,
      height,
      width,
      layout,
    }));
  });
}
