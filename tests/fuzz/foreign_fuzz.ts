/**
 * WebP, AVIF and HEIC as the command line reads them: the core's header, then libwebp, libavif or libheif in
 * WebAssembly, then the core with their pixels. Whatever comes, there is a picture whose size is that of its pixels and
 * of its header, or a refusal that names the file's fault. libFuzzer sees nothing of those decoders: here files are
 * changed at random. They are read in a worker, which is watched: none may take 20 s, or 2.5 GB.
 *
 *   foreign_fuzz.ts SECONDS PREFIX [FILE...]    SECONDS 0: the files alone
 *
 * A finding is written to PREFIX<what it is>. The last line is `{ runs, read, refused, found }` in JSON; status 1 where
 * something was found.
 */
import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { PrepareSpec } from '../../wasm_src/bindings/dermlet.js';
import { Core } from '../../web/src/classifier/core.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { decodeInNode } from '../../web/src/classifier/node/decoder.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const MOST_MS = 20_000;
const MOST_BYTES = 2560 * 2 ** 20;
/** How a file may be refused. */
const REFUSALS: readonly string[] = ['CORRUPT_IMAGE', 'IMAGE_TOO_LARGE', 'UNSUPPORTED_FORMAT'];

const SPEC: PrepareSpec = {
  width: 32,
  height: 32,
  layout: 'NCHW',
  channels: 'RGB',
  filter: 'bicubic',
  mean: [0, 0, 0],
  std: [1, 1, 1],
  fit: 'cover',
  cropPct: 1,
  quality: {},
  previewSide: 64,
  views: 1,
  whole: null,
};

type Answer = { outcome: 'read' | 'refused' } | { outcome: 'fault'; what: string };

/** This file as a worker's script; tsx has to be told to compile it there too. */
const COMPILED = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(import.meta.url)});
})`;

/** The worker's side. */
async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  for (const way of ['log', 'error', 'warn'] as const) console[way] = () => undefined; // libheif's
  const decode: typeof decodeInNode = async (bytes, format) => {
    const picture = await decodeInNode(bytes, format);
    if (picture.rgba.length !== picture.width * picture.height * 4)
      throw new Error(`${picture.width} x ${picture.height} pixels in ${picture.rgba.length} bytes`);
    return picture;
  };
  const core = await Core.load(readFileSync(join(root, 'build/wasm/dermlet.wasm')), 'dermlet.wasm', undefined, decode);
  const answer = async (bytes: Uint8Array): Promise<Answer> => {
    try {
      await core.prepare(bytes, SPEC, null);
      return { outcome: 'read' };
    } catch (error) {
      if (error instanceof DermletError && REFUSALS.includes(error.code)) return { outcome: 'refused' };
      return {
        outcome: 'fault',
        what: error instanceof DermletError ? `${error.code} ${error.message}` : String(error),
      };
    }
  };
  port.on('message', (bytes: Uint8Array) => void answer(bytes).then((told) => port.postMessage(told)));
  port.postMessage('ready');
}

/** A worker that is replaced when it does not come back. */
class Reader {
  #worker: Worker | undefined;
  #told: (answer: Answer) => void = () => undefined;

  async #started(): Promise<Worker> {
    const worker = new Worker(COMPILED, { eval: true });
    await once(worker, 'message');
    worker.on('message', (answer: Answer) => this.#told(answer));
    worker.on('error', (error) => this.#told({ outcome: 'fault', what: String(error) }));
    worker.on('exit', (code) => this.#told({ outcome: 'fault', what: `exit ${code}` }));
    return worker;
  }

  async read(bytes: Uint8Array): Promise<Answer> {
    // What earlier files took is not always given back in time.
    if (process.memoryUsage().rss > MOST_BYTES / 4) await this.close();
    const worker = (this.#worker ??= await this.#started());
    let watch: NodeJS.Timeout | undefined;
    const began = Date.now();
    const told = await new Promise<Answer>((resolve) => {
      this.#told = resolve;
      watch = setInterval(() => {
        const memory = process.memoryUsage().rss;
        if (Date.now() - began > MOST_MS) resolve({ outcome: 'fault', what: 'hang' });
        else if (memory > MOST_BYTES) resolve({ outcome: 'fault', what: `memory of ${memory >> 20} MiB` });
      }, 100);
      worker.postMessage(bytes);
    });
    clearInterval(watch);
    if (told.outcome === 'fault') await this.close();
    return told;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }
}

const below = (count: number): number => randomInt(Math.max(1, count));
const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

/** Beginnings hold the headers, which the core refuses early: a quarter of all changes are made there. */
const place = (bytes: Buffer): number => below(below(4) === 0 ? Math.min(bytes.length, 600) : bytes.length);

const CHANGES: readonly ((bytes: Buffer, other: Buffer) => Buffer)[] = [
  (bytes) => {
    const at = place(bytes);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    return bytes;
  },
  (bytes) => {
    bytes[place(bytes)] = one(INTERESTING);
    return bytes;
  },
  // A number of four bytes: a size, a place, a count.
  (bytes) => {
    const at = Math.min(place(bytes), Math.max(0, bytes.length - 4));
    if (bytes.length >= 4) bytes.writeUInt32BE(one([0, 1, 2, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff]), at);
    return bytes;
  },
  (bytes) => bytes.subarray(0, place(bytes)),
  (bytes) => {
    const at = place(bytes);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + below(64))]);
  },
  (bytes) => {
    const [at, from] = [place(bytes), place(bytes)];
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + below(256)), bytes.subarray(at)]);
  },
  (bytes, other) => {
    const at = place(bytes);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(place(other))]);
  },
];

const seeds = (): Buffer[] => {
  const folder = join(root, 'tests/pictures/foreign');
  return readdirSync(folder)
    .filter((name) => /\.(webp|avif|heic)$/.test(name))
    .map((name) => readFileSync(join(folder, name)));
};

function changed(all: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(one(all));
  for (let times = 1 + below(4); times > 0; times--) bytes = one(CHANGES)(bytes, one(all));
  return bytes;
}

async function main([seconds = '0', prefix = '', ...files]: readonly string[]): Promise<number> {
  const reader = new Reader();
  const tally = { runs: 0, read: 0, refused: 0, found: [] as string[] };
  const take = async (bytes: Buffer, name?: string) => {
    const told = await reader.read(bytes);
    tally.runs++;
    if (told.outcome !== 'fault') {
      tally[told.outcome]++;
      return;
    }
    const kind = told.what
      .replace(/[^\w]+/g, '-')
      .slice(0, 40)
      .toLowerCase();
    const path = name ?? `${prefix}${kind}-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
    if (name === undefined) writeFileSync(path, bytes);
    console.log(`${path}: ${told.what}`);
    tally.found.push(basename(path));
  };
  for (const file of files) await take(readFileSync(file), file);
  const until = Date.now() + Number(seconds) * 1000;
  const all = seeds();
  while (Date.now() < until) await take(changed(all));
  await reader.close();
  console.log(JSON.stringify(tally));
  return tally.found.length > 0 ? 1 : 0;
}

if (isMainThread) process.exitCode = await main(process.argv.slice(2));
else await serve(parentPort!);
