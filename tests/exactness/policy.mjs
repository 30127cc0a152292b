// In the page: what policy.spec.ts asks a browser to do, at `window.driven` (tests/browsers).

/** The built site's entry. */
const site = new URL('../dermlet.js', import.meta.url).href;

/**
 * What workers told of themselves, by name; `probe` in policy.spec.ts says what.
 * @type {Map<string, Record<string, string>>}
 */
const told = new Map();
new BroadcastChannel('told').addEventListener('message', ({ data: { name, outcomes } }) => told.set(name, outcomes));

/**
 * Classifies one picture, and waits until the named workers have told of themselves.
 * @param {string} model
 * @param {string[]} names
 */
async function classified(model, names) {
  /** @type {typeof import('../../web/src/dermlet.js')} */
  const { Classifier } = await import(site);
  const picture = await (await fetch('pictures/spot.jpg')).blob();
  let classifier;
  try {
    classifier = await Classifier.load(model, { backend: 'wasm' });
    const { ranking, runtime } = await classifier.classify(picture);
    const end = Date.now() + 20_000;
    while (names.some((name) => !told.has(name)) && Date.now() < end) await new Promise((next) => setTimeout(next, 50));
    return { classes: ranking.length, threads: runtime.threads, told: Object.fromEntries(told) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: `${'code' in error ? error.code : error.name}: ${error.message}`, told: Object.fromEntries(told) };
  } finally {
    classifier?.dispose();
  }
}

/** As `Window.trustedTypes`, which no type has yet. */
const { trustedTypes } = /** @type {{ trustedTypes?: any }} */ (window);

/** Waits until a service worker controls this page, whose policy may require Trusted Types. */
async function controlled() {
  const policy = trustedTypes?.createPolicy('tests', { createScriptURL: (/** @type {string} */ url) => url });
  await navigator.serviceWorker.register(policy?.createScriptURL('sw.js') ?? 'sw.js');
  while (navigator.serviceWorker.controller === null) await new Promise((next) => setTimeout(next, 50));
}

/**
 * What the service worker tells of itself, which it does when it is asked to.
 * @param {string} name
 */
async function toldByServiceWorker(name) {
  navigator.serviceWorker.controller?.postMessage('tell');
  while (!told.has(name)) await new Promise((next) => setTimeout(next, 50));
  return told.get(name);
}

/** Threads that the engine will use here. */
const threads = () =>
  crossOriginIsolated && 'SharedArrayBuffer' in window ? Math.min(navigator.hardwareConcurrency, 4) : 1;

Object.assign(window, { driven: { classified, controlled, threads, toldByServiceWorker } });
