/**
 * The files of a program that is one HTML file (`tools/build/single.mjs`): each is a block of data in the document,
 * `<script type="application/octet-stream" data-file="engine/dermlet.wasm.zst">`, as base64. The page takes them out of
 * the document and hands them to the worker that it starts, which decodes a file when it is asked for. Nothing is
 * fetched, not even from `blob:` or `data:`, so that the document's policy can forbid every connection.
 *
 * Page and worker have a copy each of this module, which takes the places of `inside.ts` and `shipped.ts`.
 */
import { trusted } from './bootstrap.js';
import { DermletError } from './errors.js';
import type { Inside } from './inside.js';
import type { CreateLibheif } from './libheif.js';
import type { Shipped } from './shipped.js';

/** Where the files are said to be: the document may have no address of its own (`blob:`). Nothing is there. */
const PLACE = 'https://dermlet.invalid/';

/** Blocks that together are the worker: libheif's script is one of its own, which anybody may replace. */
const SCRIPTS = ['engine/libheif.js', 'worker.js'] as const;

/** Base64 by path. As text: WebKit reads no Blob of a document that was opened from a file. */
type Blocks = ReadonlyMap<string, string>;

/** What the page sends a worker that it starts. */
interface Handed {
  type: 'inside';
  blocks: Blocks;
}

function decoded(base64: string): Uint8Array<ArrayBuffer> {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** Lets others go on in between: a block may have megabytes. */
const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** The blocks leave the document, so that they are in memory once. */
async function taken(found: readonly HTMLElement[]): Promise<Blocks> {
  const blocks = new Map<string, string>();
  for (const block of found) {
    await nextTask();
    blocks.set(block.dataset.file!, block.textContent);
    block.remove();
  }
  return blocks;
}

interface Page {
  /** Of the blocks that are no scripts. */
  paths: readonly string[];
  blocks: Promise<Blocks>;
  worker: Blob;
}

function pageOf(document: Document): Page {
  const found = [...document.querySelectorAll<HTMLElement>('script[data-file]')];
  const isScript = ({ dataset }: HTMLElement) => SCRIPTS.some((path) => path === dataset.file);
  const files = found.filter((block) => !isScript(block));
  const scripts = SCRIPTS.map((path) => found.find(({ dataset }) => dataset.file === path)?.textContent ?? '');
  return {
    paths: files.map(({ dataset }) => dataset.file!),
    blocks: taken(files),
    worker: new Blob(scripts.map(decoded), { type: 'text/javascript' }),
  };
}

/** This listener is the worker's first, and keeps the message from that of the engine. */
const handed = (): Promise<Blocks> =>
  new Promise((resolve) => {
    const take = (event: MessageEvent<Handed | { type: unknown }>) => {
      if (event.data.type !== 'inside') return;
      event.stopImmediatePropagation();
      removeEventListener('message', take);
      resolve((event.data as Handed).blocks);
    };
    addEventListener('message', take);
  });

const page = typeof document === 'object' ? pageOf(document) : null;
const blocks = page?.blocks ?? handed();

/** Characters of base64 that are decoded at a time; a multiple of four. */
const STEP = 1 << 18;

/** Decoded as it is read. */
function decodedStream(base64: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= base64.length) return controller.close();
      controller.enqueue(decoded(base64.slice(at, at + STEP)));
      at += STEP;
    },
  });
}

async function fetchInside(url: string): Promise<Response> {
  const path = url.startsWith(PLACE) ? new URL(url).pathname.slice(1) : url;
  const block = (await blocks).get(path);
  if (!block) throw new DermletError('MODEL_CORRUPT', `${path} is not in this file.`);
  return new Response(decodedStream(block));
}

/** A classic worker: of a file, Chromium starts no module. */
function start(): Worker {
  const address = URL.createObjectURL(page!.worker);
  const worker = new Worker(trusted(address), { name: 'dermlet' });
  for (const type of ['message', 'error'])
    worker.addEventListener(type, () => URL.revokeObjectURL(address), { once: true });
  void blocks.then((all) => worker.postMessage({ type: 'inside', blocks: all } satisfies Handed));
  return worker;
}

/** Global in the worker, since its script stands before the engine's. */
declare const libheif: CreateLibheif;

export const inside: Inside = { fetch: fetchInside, start, libheif: () => libheif };

/** Texts that are part of the document have a place in it. */
const TEXTS = { 'models/skin-8/MODEL_CARD.md': '#about/card.html', 'models/skin-8/LICENSE': '#licences/skin-8' };

export const shipped = (): Shipped => ({
  worker: new URL('worker.js', PLACE),
  files: {
    ...Object.fromEntries((page?.paths ?? []).map((path) => [path, new URL(path, PLACE).href])),
    ...TEXTS,
  },
});
