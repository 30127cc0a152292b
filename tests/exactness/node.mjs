// The manifest of tensors, its pictures and the built module, for Node.
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
export const manifestPath = join(root, 'tests', 'golden', 'tensors.golden');
export const pictureDir = join(root, 'tests', 'pictures');

/** Every drawn picture, in a stable order, by its path below tests/pictures with '/'. */
export async function pictureFiles() {
  const entries = await readdir(pictureDir, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath ?? entry.path, entry.name)
        .slice(pictureDir.length + 1)
        .split(sep)
        .join('/'),
    )
    .filter((file) => !/\.py$|__pycache__|(^|\/)\./.test(file))
    .sort();
}

/**
 * A WebAssembly build of the core: build/`preset`.
 * @returns {Promise<import('../../wasm_src/bindings/dermlet.js').DermletModule>}
 */
export async function loadCore(preset = 'wasm') {
  const folder = join(root, 'build', preset);
  const { default: createDermlet } = await import(pathToFileURL(join(folder, 'dermlet.js')).href);
  return createDermlet({ wasmBinary: await readFile(join(folder, 'dermlet.wasm')) });
}
