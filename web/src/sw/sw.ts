/**
 * Service worker: keeps the page and the engine's default files for offline use, and isolates the page (COOP, COEP) if
 * the host sends no such headers, which enables WebAssembly threads.
 *
 * - Kept files are fetched at installation and keyed by their revision; an update fetches only those that changed.
 * - A new version waits until the old one's last page is closed. Nothing is ever reloaded.
 * - Kept files are served from the cache; all other requests go to the network unchanged and without delay. Models
 *   (`models/`) are not touched: the engine verifies and keeps them itself.
 */
const worker = self as unknown as ServiceWorkerGlobalScope;
/** What to keep; filled in by the build. */
const manifest = (self as unknown as { __WB_MANIFEST: { url: string; revision: string | null }[] }).__WB_MANIFEST;

const CACHE = `dermlet-site:${worker.registration.scope}`;
const REVISION = '__revision';

/** Absolute address of each kept file -> its key in the cache. Files named by their hash have no revision. */
const kept = new Map(
  manifest.map(({ url, revision }) => {
    const address = new URL(url, worker.registration.scope);
    const key = new URL(address);
    if (revision !== null) key.searchParams.set(REVISION, revision);
    return [address.href, key.href];
  }),
);

worker.addEventListener('install', (event) => event.waitUntil(keepAll()));
worker.addEventListener('activate', (event) => event.waitUntil(Promise.all([forgetOld(), worker.clients.claim()])));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== 'GET' || !address.href.startsWith(worker.registration.scope)) return;
  const key = keyOf(address);
  if (key) event.respondWith(answer(request, key));
  // Documents and workers that are not kept need the headers too; all else is left to the browser.
  else if (isContext(request)) event.respondWith(fetch(request).then(isolated));
});

async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  const present = new Set((await cache.keys()).map((request) => request.url));
  await Promise.all(
    [...kept].map(async ([address, key]) => {
      if (present.has(key)) return;
      // Revalidates with the server: an old file of the same name in the HTTP cache must not be kept as the new one.
      const response = await fetch(address, { cache: 'no-cache' });
      if (!response.ok) throw new Error(`${address}: ${response.status}`);
      await cache.put(key, response);
    }),
  );
}

async function forgetOld(): Promise<void> {
  const cache = await caches.open(CACHE);
  const wanted = new Set(kept.values());
  await Promise.all((await cache.keys()).map(async (request) => wanted.has(request.url) || cache.delete(request)));
}

/** A folder's address means its index.html; query and fragment do not select another file. */
function keyOf(address: URL): string | undefined {
  const plain = new URL(address.pathname, address);
  return kept.get(plain.pathname.endsWith('/') ? new URL('index.html', plain).href : plain.href);
}

function isContext(request: Request): boolean {
  return (
    request.mode === 'navigate' ||
    ['document', 'iframe', 'worker', 'sharedworker', 'script'].includes(request.destination)
  );
}

async function answer(request: Request, key: string): Promise<Response> {
  const stored = await caches.match(key, { cacheName: CACHE }).catch(() => undefined);
  return isolated(stored ?? (await fetch(request)));
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
