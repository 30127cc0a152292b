/** One engine in a worker thread, answering one task after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { toWire } from '../../web/src/classifier/protocol.js';
import { loadEngine } from './node-engine.js';
import { classifyTask, type FromThread, type ToThread } from './pool.js';

const post = (message: FromThread) => parentPort!.postMessage(message);

try {
  const engine = await loadEngine((workerData as { model: string }).model);
  parentPort!.on('message', async ({ index, task }: ToThread) => {
    try {
      post({ type: 'answer', index, answer: { ok: true, result: await classifyTask(engine, task) } });
    } catch (error) {
      post({ type: 'answer', index, answer: { ok: false, error: toWire(error) } });
    }
  });
  post({ type: 'ready' });
} catch (error) {
  post({ type: 'load-failed', error: toWire(error) });
}
