/**
 * Registers `sw.js`, which caches the page for offline use and isolates it, so that the engine can use threads from the
 * second visit on. Optional: the page also works without it (private windows, `file:`, plain http). The page reloads
 * itself only when a person takes a new version of it.
 */
import { nextTask, trusted } from '../element/index.js';

/** What the service worker takes its place on. */
const TAKE = 'take-over';

/** Milliseconds after which a photo that waited for the engine is no longer waited for: it may have been removed. */
const LONGEST_WAIT = 20_000;

/**
 * Runs something once, when the engine is ready and, if a photo waited for that, its answer has come: what fetches
 * files would slow down what a person waits for.
 */
export function whenIdle(run: () => void): void {
  let ran = false;
  const once = () => {
    if (!ran) void nextTask().then(run);
    ran = true;
  };
  for (const type of ['dermlet-result', 'dermlet-error'] as const) document.addEventListener(type, once);
  document.addEventListener('dermlet-ready', ({ target }) =>
    (target as { filled?: boolean }).filled ? setTimeout(once, LONGEST_WAIT) : once(),
  );
}

export function registerServiceWorker(): void {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const first = serviceWorker.controller === null;
  let taken = false;
  serviceWorker.addEventListener('controllerchange', () => {
    if (taken) location.reload();
    // Another tab took it: this one goes on as it is until it is loaded again.
    else if (!first) offer(() => location.reload());
  });
  serviceWorker
    .register(trusted(new URL('sw.js', document.baseURI).href), { scope: './', updateViaCache: 'none' })
    .then((registration) =>
      whenWaiting(registration, (waiting) =>
        offer(() => {
          taken = true;
          waiting.postMessage(TAKE);
        }),
      ),
    )
    .catch((error: unknown) => console.info('Dermlet works without a service worker here:', error));
}

/** Calls `found` with each new version that has come as a whole, while this page is of an older one. */
function whenWaiting(registration: ServiceWorkerRegistration, found: (waiting: ServiceWorker) => void): void {
  const look = () => {
    if (registration.waiting && registration.active) found(registration.waiting);
  };
  const follow = () => registration.installing?.addEventListener('statechange', look);
  registration.addEventListener('updatefound', follow);
  follow();
  look();
}

/** Shows that there is a new version, with a button that takes it, and makes room for that at the end of the page. */
function offer(take: () => void): void {
  const place = document.querySelector<HTMLElement>('#renewed')!;
  if (place.hidden)
    new ResizeObserver(() =>
      document.documentElement.style.setProperty('--renewed', `${place.offsetHeight}px`),
    ).observe(place);
  place.hidden = false;
  place.querySelector('button')!.onclick = take;
}
