/** `copy-assets DIR`: copies what browsers load into a folder of a site. */
import { cp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { assetsFolder } from '../../web/src/classifier/node/index.js';
import type { Output } from './classify.js';
import { say } from './say.js';
import { EXIT, UsageError, unwritable } from './usage.js';

/** @throws UsageError */
export async function copyAssets(args: string[], { out }: Output): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} });
  const [to, ...more] = positionals;
  if (to === undefined || more.length > 0) throw new UsageError(say('cli.error.folder'));
  if (assetsFolder === undefined) throw new UsageError(say('cli.error.packageOnly'));
  const forNode = join(assetsFolder, 'node');
  try {
    await cp(assetsFolder, to, { recursive: true, filter: (from) => from !== forNode });
  } catch (error) {
    throw unwritable(to, error);
  }
  const folder = `.../${basename(to)}`;
  out(`${say('cli.copied', { folder: join(to, '/') })}\n`);
  out(
    `${say('cli.copied.bundler', {
      bundler: `assetBase: '${folder}/engine/'`,
      element: `<dermlet-classifier asset-base="${folder}/engine/">`,
    })}\n`,
  );
  out(`${say('cli.copied.page', { code: `<script type="module" src="${folder}/element.js"></script>` })}\n`);
  return EXIT.fine;
}
