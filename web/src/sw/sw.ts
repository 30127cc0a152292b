/**
 * Service worker: keeps the page's shell (documents, scripts, styles, icons, the engine's own scripts) for offline use,
 * and isolates the page (COOP, COEP) if the host sends no such headers, which enables WebAssembly threads. Only the own
 * files of the site: others may lie in the same folder, and isolation would break what they show from elsewhere.
 *
 * - Each file is known by the sha256 of its build: checked before it is kept, and again before it is served. What is
 *   wrong or gone is fetched again; what the network then gives is kept only if it is right. What was cleared is kept
 *   again with the next page.
 * - A new version waits until the old one's last page is closed, or a person takes it in one of them (`take-over`).
 *   Other pages of the old one go on with its files, which are kept until no page is open.
 * - `models/` (the list, cards, licences) comes from the network and, without one, from the last copy. Networks and the
 *   engine's binaries are not touched: the engine verifies and keeps them itself.
 * - What is sent to the retired servers' addresses is answered by an open page (`retired.ts`) and never reaches the
 *   host.
 * - Its network requests are told to the site's pages, which count them (`classifier/requests.ts` says how).
 */
import { answerByPage, isRetired } from './retired.js';

const worker = self as unknown as ServiceWorkerGlobalScope;
/** What to keep; filled in by the build: `revision` is the file's sha256. */
const manifest = (self as unknown as { __WB_MANIFEST: { url: string; revision: string }[] }).__WB_MANIFEST;

const CACHE = `dermlet-site:${worker.registration.scope}`;
const REVISION = '__revision';

interface Kept {
  address: string;
  /** In the cache. */
  key: string;
  sha256: string;
  /** Whether the host may have a newer one: the network is asked first, and its answer is not held to the sha256. */
  fresh: boolean;
}

/** By absolute address. */
const kept = new Map(
  manifest.map(({ url, revision }): [string, Kept] => {
    const address = new URL(url, worker.registration.scope);
    const key = new URL(address);
    const fresh = url.startsWith('models/');
    if (!fresh) key.searchParams.set(REVISION, revision);
    return [address.href, { address: address.href, key: key.href, sha256: revision, fresh }];
  }),
);

worker.addEventListener('install', (event) => event.waitUntil(keepAll()));
// The page's requests wait for the activation, whatever the storage does.
worker.addEventListener('activate', (event) =>
  event.waitUntil(Promise.all([inTime(forgetUnused()), worker.clients.claim()])),
);
worker.addEventListener('message', ({ data, source }) => {
  // Any page of the origin may write here: only one of this site takes a new version.
  const { url = '' } = (source ?? {}) as Partial<WindowClient>;
  if (data === 'take-over' && url.startsWith(worker.registration.scope)) void worker.skipWaiting();
});
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = new URL(request.url);
  // Before anything else: no other branch may send a photo on.
  if (isRetired(request, worker.registration.scope)) return event.respondWith(answerByPage(event, worker));
  if (request.method !== 'GET' || !address.href.startsWith(worker.registration.scope)) return;
  const file = fileAt(address);
  if (request.mode === 'navigate') event.waitUntil(Promise.all([forgetUnused(), refill()]));
  if (file) event.respondWith(file.fresh ? answerFresh(request, file) : answer(request, file));
  // Scripts of the site that are not kept need the headers too, as they may become workers.
  else if (isOwnScript(request)) event.respondWith(answerOld(request));
});

const tell = async (made: readonly { address: string; at: number }[] | null): Promise<void> => {
  for (const client of await worker.clients.matchAll({ includeUncontrolled: true }))
    client.postMessage({ type: 'dermlet-requests', made });
};

if (!globalThis.PerformanceObserver?.supportedEntryTypes?.includes('resource')) void tell(null);
else
  new PerformanceObserver((list) => {
    const sent = (list.getEntries() as PerformanceResourceTiming[]).filter(
      ({ transferSize, decodedBodySize }) => transferSize > 0 || decodedBodySize === 0,
    );
    if (sent.length > 0)
      void tell(sent.map(({ name, startTime }) => ({ address: name, at: performance.timeOrigin + startTime })));
  }).observe({ type: 'resource' });

async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  const present = new Set((await cache.keys()).map((request) => request.url));
  await Promise.all(
    [...kept.values()].map(async (file) => {
      if (!file.fresh && present.has(file.key)) return;
      const response = (await verified(file, 'default')) ?? (await verified(file, 'reload'));
      if (!response) throw new Error(`${file.address} is not the file of this version`);
      await cache.put(file.key, response);
    }),
  );
}

/** Keeps again what a browser or a person has cleared meanwhile. What fails now is tried again with the next page. */
async function refill(): Promise<void> {
  const present = await fromCache((cache) => cache.keys());
  if (!present) return;
  const keys = new Set(present.map(({ url }) => url));
  if ([...kept.values()].some(({ key }) => !keys.has(key))) await keepAll().catch(() => undefined);
}

/** The file from the network (or the HTTP cache, which has what the page has just loaded), if it is the right one. */
async function verified(file: Kept, cache: RequestCache): Promise<Response | undefined> {
  const response = await fetch(file.address, { cache: file.fresh ? 'no-cache' : cache });
  return response.ok && (file.fresh ? !isPage(response) : await isRight(file, response)) ? response : undefined;
}

async function isRight(file: Kept, response: Response): Promise<boolean> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.clone().arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') === file.sha256;
}

/** A sign-in page or a host's own 'not found', in place of a file that is none. */
const isPage = (response: Response): boolean => /^text\/html\b/i.test(response.headers.get('content-type') ?? '');

/** Removes what older versions kept, if no page is open that may be of one, and no newer version has begun to keep. */
async function forgetUnused(): Promise<void> {
  if (worker.registration.installing || worker.registration.waiting) return;
  if ((await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })).length > 0) return;
  const cache = await caches.open(CACHE);
  const wanted = new Set([...kept.values()].map(({ key }) => key));
  await Promise.all((await cache.keys()).map(async (request) => wanted.has(request.url) || cache.delete(request)));
}

/** Milliseconds after which Cache Storage counts as absent: a page must come even where it never answers. */
const SILENT = 5000;

/** It once gave no answer: not asked again, as each file of the page would wait as long. */
let silent = false;

/** What Cache Storage gives, if it answers, and in time. */
function inTime<T>(asked: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      silent = true;
      resolve(undefined);
    }, SILENT);
    void asked
      .catch(() => undefined)
      .then((answer) => {
        clearTimeout(late);
        resolve(answer);
      });
  });
}

const fromCache = async <T>(ask: (cache: Cache) => Promise<T>): Promise<T | undefined> =>
  silent ? undefined : inTime(caches.open(CACHE).then(ask));

const last = (file: Kept): Promise<Response | undefined> => fromCache((cache) => cache.match(file.key));

/** Not waited for by the page. If the storage is full, denied or silent, it is fetched again next time. */
function keep(file: Kept, response: Response): void {
  void caches
    .open(CACHE)
    .then((cache) => cache.put(file.key, response))
    .catch(() => undefined);
}

/** A folder's address means its index.html; query and fragment do not select another file. */
function fileAt(address: URL): Kept | undefined {
  const plain = new URL(address.pathname, address);
  return kept.get(plain.pathname.endsWith('/') ? new URL('index.html', plain).href : plain.href);
}

function isOwnScript({ url, destination }: Request): boolean {
  const path = url.slice(worker.registration.scope.length);
  return /^(assets|engine)\//.test(path) && ['worker', 'sharedworker', 'script'].includes(destination);
}

async function answer(request: Request, file: Kept): Promise<Response> {
  const stored = await last(file);
  if (stored && (await isRight(file, stored))) return isolated(stored);
  const response = await fetch(request);
  const right =
    response.ok && (await isRight(file, response))
      ? response
      : // A wrong copy in the HTTP cache would come back at each visit.
        await verified(file, 'reload').catch(() => undefined);
  if (right) keep(file, right.clone());
  // Else it may be a newer version's, of the same name, which serves this one too.
  return isolated(right ?? response);
}

/** A script that is not of this version: a page of the one before may still need it. */
async function answerOld(request: Request): Promise<Response> {
  const [old] = (await fromCache((cache) => cache.keys(request, { ignoreSearch: true }))) ?? [];
  const sha256 = old && new URL(old.url).searchParams.get(REVISION);
  if (!old || !sha256) return isolated(await fetch(request));
  return answer(request, { address: request.url, key: old.url, sha256, fresh: false });
}

/** Milliseconds that the network has while there is a last copy. */
const LATE = 4000;

async function answerFresh(request: Request, file: Kept): Promise<Response> {
  const stored = await last(file);
  const coming = fetch(request).then((response) => {
    if (!response.ok || isPage(response)) return stored ?? response;
    keep(file, response.clone());
    return response;
  });
  if (!stored) return isolated(await coming);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(stored), LATE));
  return isolated(await Promise.race([coming.catch(() => stored), late]));
}

/** The response with isolation headers; a new one, since a redirected response cannot answer a navigation. */
function isolated(response: Response): Response {
  // Opaque responses, redirects and errors cannot be rebuilt, and need no headers.
  if (response.status === 0 || response.type === 'opaqueredirect' || response.type === 'error') return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  // The body is already decoded: its length on the wire would be taken for its size.
  if (headers.has('Content-Encoding')) {
    headers.delete('Content-Encoding');
    headers.delete('Content-Length');
  }
  const empty = [101, 204, 205, 304].includes(response.status);
  return new Response(empty ? null : response.body, {
    status: response.status,
    statusText: response.statusText,
    headers,
  });
}
