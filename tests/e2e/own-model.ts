/** A model from this device, as somebody's own. */

import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '@playwright/test';
import { sha256 } from '../../tools/build/hash.mjs';
import { root } from './site.js';

export const TITLE = 'A model of the tests, on no site';

/**
 * The shipped model under another name, in a folder of the test that runs.
 * @param category what comes before the name of each category
 */
export function ownModel(category = ''): string {
  const folder = test.info().outputPath('own-model');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(root, 'models/skin-8')))
    if (/\.(json|onnx|png|md)$|^LICENSE$/.test(name)) cpSync(join(root, 'models/skin-8', name), join(folder, name));
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { classes: { name: string }[] };
  const classes = manifest.classes.map((each) => ({ ...each, name: category + each.name }));
  writeFileSync(path, JSON.stringify({ ...manifest, classes, title: TITLE, name: 'own' }));
  writeFileSync(join(folder, 'MODEL_CARD.md'), '<script>document.title = "taken over"</script>');
  return folder;
}

/** The same with a network of its own: a note at its end (ModelProto.doc_string) makes it another file. */
export function ownNetwork(): string {
  const folder = ownModel();
  const path = join(folder, 'manifest.json');
  const { file, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  const network = Buffer.concat([readFileSync(join(folder, file.path)), Buffer.from([0x32, 1, 0x61])]);
  writeFileSync(join(folder, file.path), network);
  writeFileSync(
    path,
    JSON.stringify({ ...manifest, file: { ...file, bytes: network.length, sha256: sha256(network) } }),
  );
  return folder;
}

/** A folder whose hashes are right, and whose network is one of `tests/web/networks`. */
export function hostileModel(network: string): string {
  const folder = test.info().outputPath(network);
  mkdirSync(folder, { recursive: true });
  const bytes = readFileSync(join(root, 'tests/web/networks', `${network}.onnx`));
  const read = readFileSync(join(root, 'models/skin-8/manifest.json'), 'utf8');
  const { rejection: _, modalityProbe: _probe, locator: _locator, ...manifest } = JSON.parse(read);
  const input = { ...manifest.input, width: 32, height: 32 };
  const decision = { ...manifest.decision, rejection: 'energy' };
  const put = (path: string, content: Buffer) => {
    writeFileSync(join(folder, path), content);
    return { path, bytes: content.length, sha256: sha256(content) };
  };
  const file = put('network.onnx', bytes);
  cpSync(join(root, 'models/skin-8/selftest.png'), join(folder, 'selftest.png'));
  // Whatever it answers is right.
  const reference = { scores: Array(8).fill(0), embedding: Array(5).fill(0), tolerance: 1e6 };
  const selfTest = { ...manifest.selfTest, reference: put('selftest.json', Buffer.from(JSON.stringify(reference))) };
  const name = `own-${network}`;
  writeFileSync(
    join(folder, 'manifest.json'),
    JSON.stringify({ ...manifest, input, decision, file, selfTest, name, title: TITLE }),
  );
  for (const words of ['LICENSE', 'MODEL_CARD.md']) cpSync(join(root, 'models/skin-8', words), join(folder, words));
  return folder;
}
