/**
 * Starts the module worker. Browsers start workers only from the page's own origin; if this code came from another, the
 * worker starts as a one-line script of the page's origin that imports it.
 */
import { whyMissing } from './causes.js';
import type { Spawn } from './engine-worker.js';
import { DermletError } from './errors.js';
import { shipped } from './shipped.js';

const OPTIONS: WorkerOptions = { type: 'module', name: 'dermlet' };

/** Why a worker from another origin may not start, and what helps: the browser's own error says almost nothing. */
const adviceFor = (script: URL): string =>
  `The page's origin (${location.origin}) is not the one that Dermlet was served from (${script.origin}). Then that ` +
  `server must allow it (Access-Control-Allow-Origin), and a content security policy needs "worker-src blob:" and ` +
  `"script-src ${script.origin}"; or serve Dermlet's files from the page's own origin ("dermlet copy-assets").`;

export const spawnWorker: Spawn = () => {
  const script = shipped().worker;
  if (script.origin === location.origin) return new Worker(script, OPTIONS);
  const line = URL.createObjectURL(new Blob([`import ${JSON.stringify(script.href)};`], { type: 'text/javascript' }));
  const worker = new Worker(line, OPTIONS);
  for (const type of ['message', 'error'])
    worker.addEventListener(type, () => URL.revokeObjectURL(line), { once: true });
  return worker;
};

spawnWorker.explain = async (error) => {
  const script = shipped().worker;
  const why = await whyMissing(script.href, error.cause ?? error);
  if (script.origin === location.origin) return why.code === 'MODEL_UNAVAILABLE' ? error : why;
  return new DermletError(why.code, `${error.message} ${adviceFor(script)}`, { cause: why });
};
