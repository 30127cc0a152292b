/** `serve`: the retired servers' interfaces from Node, on this machine. */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { DermletError, MAX_FILE_BYTES } from '../../web/src/classifier/node/index.js';
import { createFetchHandler } from '../../web/src/handler/index.js';
import type { Output } from './classify.js';
import { Engines } from './engines.js';
import { headLines, headOf, withHeadsClasses } from './head.js';
import { defaultModel, modelOf } from './model.js';
import { OutputError, ReaderGone } from './output.js';
import { plain, plainJson } from './plain.js';
import { withinCores } from './pool.js';
import { say } from './say.js';
import { createHttpServer, type RunningServer } from './server.js';
import { stopOnSignal } from './stop.js';
import { EXIT, positiveInteger, positiveNumber, reasonOf, UsageError } from './usage.js';

const MEBIBYTE = 2 ** 20;

/** @throws UsageError */
function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new UsageError(say('cli.error.port', { text }));
  return value;
}

/** As browsers send it: scheme, host and port, nothing else. @throws UsageError */
function origin(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text) || new URL(text).origin !== text)
    throw new UsageError(say('cli.error.origin', { text }));
  return text;
}

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '8000' },
      host: { type: 'string', default: '127.0.0.1' },
      jobs: { type: 'string', default: '1' },
      queue: { type: 'string', default: '16' },
      'max-file': { type: 'string', default: '10' },
      'body-timeout': { type: 'string', default: '30' },
      timeout: { type: 'string', default: '60' },
      'allow-origin': { type: 'string', multiple: true, default: [] },
      'allow-host': { type: 'string', multiple: true, default: [] },
      later: { type: 'boolean', default: false },
      model: { type: 'string', default: defaultModel },
      head: { type: 'string' },
    },
  });
  return {
    port: port(values.port),
    host: values.host,
    jobs: positiveInteger(values.jobs, '--jobs'),
    queue: positiveInteger(values.queue, '--queue'),
    maxFileBytes: Math.round(positiveNumber(values['max-file'], '--max-file') * MEBIBYTE),
    bodyTimeout: positiveNumber(values['body-timeout'], '--body-timeout') * 1000,
    timeout: positiveNumber(values.timeout, '--timeout') * 1000,
    origins: values['allow-origin'].map(origin),
    hosts: [values.host, ...values['allow-host']].map((name) => name.toLowerCase()),
    later: values.later,
    model: values.model,
    head: values.head,
  };
}

/** What this machine and the engine can do of what was asked for; says what it cuts. */
function possible<Asked extends { jobs: number; maxFileBytes: number }>(asked: Asked, err: (text: string) => void) {
  const jobs = withinCores(asked.jobs, err);
  if (asked.maxFileBytes > MAX_FILE_BYTES)
    err(`${say('cli.serve.smallerFiles', { most: String(MAX_FILE_BYTES / MEBIBYTE) })}\n`);
  return {
    ...asked,
    jobs,
    maxFileBytes: Math.min(asked.maxFileBytes, MAX_FILE_BYTES),
  };
}

/** @throws UsageError if the port is taken, or the address is not one of this machine */
async function listen({ server }: RunningServer, own: { port: number; host: string }): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new UsageError(say('cli.error.listen', { host: own.host, port: String(own.port), reason: reasonOf(error) })),
      ),
    );
    server.listen(own.port, own.host, resolve);
  });
  const { address, family, port: used } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${used}/`;
}

/** Runs until a signal stops it. @throws UsageError, DermletError when the model is not there or the head of another */
export async function serve(args: string[], output: Output): Promise<number> {
  const { out, err } = output;
  const asked = parse(args);
  const model = await modelOf(asked.model);
  const head = asked.head === undefined ? undefined : await headOf(asked.head);
  if (head) withHeadsClasses(model, head.head);
  const options = possible(asked, err);
  let engines: Engines | null = null;
  const handler = createFetchHandler(() => engines, options);
  let logs = true;
  const running = createHttpServer({
    ...options,
    handler,
    most: options.jobs + options.queue,
    log(line) {
      if (!logs) return;
      try {
        out(`${plainJson(line)}\n`);
      } catch (error) {
        if (!(error instanceof OutputError || error instanceof ReaderGone)) throw error;
        logs = false; // nobody reads it, or the disk is full: no reason to stop answering
        err(`${say('cli.serve.noLog')}\n`);
      }
    },
  });
  const stopping = stopOnSignal(() => err(`${say('cli.serve.stopping')}\n`));
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  try {
    err(`${say('cli.serve.listening', { url: await listen(running, options) })}\n`);
    const more = { signal: stopping.signal, ...(head ? { head: head.bytes } : {}) };
    const load = Engines.load(options.model, options.jobs, more).then(
      (loaded) => {
        engines = loaded;
        err(`${say('cli.serve.ready', { count: options.jobs })}\n`);
        if (head) err(`${headLines(head.info, output.columns)}\n`);
      },
      (error: unknown) => {
        if (!(error instanceof DermletError)) throw error;
        if (error.code !== 'ABORTED') err(`${error.code}: ${plain(error.message)}\n${say('cli.serve.notLoaded')}\n`);
      },
    );
    await Promise.all([load, stopped]);
    await running.stop();
    return EXIT.fine;
  } finally {
    stopping.release();
    (engines as Engines | null)?.dispose();
    running.server.close();
  }
}
