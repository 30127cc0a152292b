/** A model from this device, as somebody's own. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '@playwright/test';
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
