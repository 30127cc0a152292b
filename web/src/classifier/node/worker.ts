/** The worker thread that does all the work. */
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import type { ToWorker } from '../protocol.js';
import { type ServerPort, serve } from '../worker-server.js';
import { loadEngine } from './engine.js';

// stdout is the caller's: what a decoder logs there goes to stderr. Here and not at the other end, where a stream that
// is read keeps the process alive as long as the thread.
process.stdout.write = process.stderr.write.bind(process.stderr);

const port: ServerPort = {
  postMessage: (message, transfer) => parentPort!.postMessage(message, transfer as ArrayBuffer[]),
  addEventListener: (_type, listener) => void parentPort!.on('message', (data: ToWorker) => listener({ data })),
};

serve(port, async ({ folder, manifest, head }) => ({
  engine: await loadEngine(fileURLToPath(folder), manifest, head),
}));
