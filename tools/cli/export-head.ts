/** `export-head --head FILE --out DIR`: a whole model in ONNX, with the head as its last layer. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { exportHead } from '../../web/src/classifier/node/index.js';
import type { Output } from './classify.js';
import { headLines, headOf } from './head.js';
import { defaultModel } from './model.js';
import { say } from './say.js';
import { EXIT, UsageError, unwritable } from './usage.js';

/** @throws UsageError, DermletError where head and model do not belong together, or the model cannot be run */
export async function exportOf(args: string[], { out, columns }: Output): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      head: { type: 'string' },
      out: { type: 'string' },
      model: { type: 'string', default: defaultModel },
    },
  });
  const { head, out: folder, model } = values;
  if (head === undefined || folder === undefined) throw new UsageError(say('cli.error.exportNeeds'));
  if (existsSync(folder)) throw unwritable(folder, say('cli.error.outputExists'));
  const { bytes, info } = await headOf(head);
  await exportHead(model, bytes, folder);
  out(`${headLines(info, columns)}\n\n${say('cli.export.done', { path: folder })}\n`);
  return EXIT.fine;
}
