/** The page around `<dermlet-classifier>`: registers the element and, once the person can begin, the service worker. */
import { register } from '../element/register.js';
import { registerServiceWorker } from './service-worker.js';

// Not earlier: the service worker fetches the engine's files once more to keep them, and must not take the line from the first load.
for (const type of ['dermlet-ready', 'dermlet-error'] as const) document.addEventListener(type, registerServiceWorker, { once: true });

register(new URL('engine/', document.baseURI));
