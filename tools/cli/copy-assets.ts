/** `copy-assets DIR`: what browsers load, into a folder of a site. */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { assetsFolder } from '../../web/src/classifier/node/index.js';
import type { Output } from './classify.js';
import { EXIT, UsageError } from './usage.js';

/** @throws UsageError */
export async function copyAssets(args: string[], { out }: Output): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} });
  const [to, ...more] = positionals;
  if (to === undefined || more.length > 0) throw new UsageError('copy-assets needs one folder.');
  if (assetsFolder === undefined)
    throw new UsageError('copy-assets belongs to the npm package; in a checkout, `npm run build` writes dist/.');
  const forNode = join(assetsFolder, 'node');
  try {
    await cp(assetsFolder, to, { recursive: true, filter: (from) => from !== forNode });
  } catch (error) {
    throw new UsageError(`${to} could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
  out(`${join(to, '/')} has the engine and the models now.\n`);
  out(`With a bundler: assetBase: '.../${basename(to)}/engine/', or <dermlet-classifier asset-base=...>.\n`);
  out(`Without: <script type="module" src=".../${basename(to)}/element.js"></script>\n`);
  return EXIT.fine;
}
