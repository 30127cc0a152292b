/**
 * Registers `sw.js`, which caches the page for offline use and isolates it, so that the engine can use threads from the
 * second visit on. Optional: the page also works without it (private windows, `file:`, plain http). The page never
 * reloads itself.
 */
export function registerServiceWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker
    .register(new URL('sw.js', document.baseURI), { scope: './', updateViaCache: 'none' })
    .catch((error: unknown) => console.info('Dermlet works without a service worker here:', error));
}
