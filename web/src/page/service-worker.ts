/**
 * Registers `sw.js`, which keeps the page for use without a network and isolates it, so that the engine may use threads
 * from the second visit on. Nothing depends on it: without it (private windows, `file:`, plain http) the page works as
 * it is. The page never reloads itself.
 */
export function registerServiceWorker(): void {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker
    .register(new URL('sw.js', document.baseURI), { scope: './', updateViaCache: 'none' })
    .catch((error: unknown) => console.info('Dermlet works without a service worker here:', error));
}
