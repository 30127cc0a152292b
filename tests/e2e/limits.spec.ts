/** What never answers, in a real browser: workers that end without a word, silent storage, slow and broken lines. */
import { expect, test, withServiceWorker } from './fixtures.js';

type Api = typeof import('../../web/src/classifier/index.js');
type Classifier = import('../../web/src/classifier/index.js').Classifier;

// Silence is waited for as long as its limit says.
test.describe.configure({ timeout: 180_000 });

const SILENT = 'CacheStorage.prototype.open = () => new Promise(() => undefined);';
const ORT = 'engine/ort-wasm-simd-threaded.reduced.wasm.zst';

test.describe('a worker that ends without a word', () => {
  test.beforeEach(async ({ page, site }) => {
    await page.goto(`${site.url}api.html`);
    await page.evaluate(async () => {
      const api = (await import(new URL('dermlet.js', document.baseURI).href)) as Api;
      const classifier = await api.Classifier.load('models/skin-8/', { backend: 'wasm', idleTimeout: 0 });
      const classify = async (name: string) =>
        classifier.classify(await (await fetch(`pictures/${name}`)).blob()).then(
          ({ outcome }) => outcome,
          (error: { code: string }) => error.code,
        );
      Object.assign(window, { classifier, classify });
    });
  });
  const classify = `window.classify('spot.jpg')`;

  test('while idle: the next call does not notice', async ({ page }) => {
    const [worker] = page.workers();
    await worker!.evaluate(() => self.close());
    await expect.poll(() => page.workers().length).toBe(0);
    expect(await page.evaluate(classify)).not.toMatch(/^[A-Z]/);
  });

  test('in a call: that call fails at once, and the next has a new worker', async ({ page, site }) => {
    site.slow('engine/libheif.wasm.zst', 0);
    site.slow('engine/libheif.wasm', 0);
    const failing = page.evaluate(`window.classify('foreign/lossy.heic')`);
    await expect.poll(() => site.count(/libheif\.wasm/)).toBeGreaterThan(0);
    await page.workers()[0]!.evaluate(() => self.close());
    expect(await failing).toBe('BACKEND_FAILED');
    expect(await page.evaluate(classify)).not.toMatch(/^[A-Z]/);
  });
});

test('Cache Storage that never answers, in worker and page: ready, with a result', async ({ page, site }) => {
  site.before(site.worker, SILENT);
  await page.addInitScript(() => {
    CacheStorage.prototype.open = () => new Promise(() => undefined);
  });
  await page.goto(`${site.url}api.html`);
  const outcome = await page.evaluate(async () => {
    const api = (await import(new URL('dermlet.js', document.baseURI).href)) as Api;
    const classifier: Classifier = await api.Classifier.load('models/skin-8/', { backend: 'wasm' });
    const { outcome } = await classifier.classify(await (await fetch('pictures/spot.jpg')).blob());
    classifier.dispose();
    return outcome;
  });
  expect(outcome).toBeTruthy();
});

/** Before the service worker's script: from the first message on Cache Storage gives no answer. */
const SILENCED = `let never = false; self.addEventListener('message', () => { never = true; });
    const { open } = CacheStorage.prototype; CacheStorage.prototype.open = function (name) {
      return never ? new Promise(() => undefined) : open.call(this, name); };`;

withServiceWorker(
  'Cache Storage that falls silent under the service worker: the page comes',
  async ({ app, page, site }) => {
    site.before('sw.js', SILENCED);
    await app.open();
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    await page.evaluate(() => navigator.serviceWorker.controller!.postMessage('fall silent'));
    await page.reload();
    await app.untilReady();
    await app.classify('spot.jpg');
  },
);

withServiceWorker(
  'the same for a script of another version: it comes from the network',
  async ({ app, page, site }) => {
    site.before('sw.js', SILENCED);
    site.answers.set('assets/other.js', { body: 'export default 7;', type: 'text/javascript' });
    await app.open();
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    const came = await page.evaluate(async () => {
      navigator.serviceWorker.controller!.postMessage('fall silent');
      const coming = import(new URL('assets/other.js', document.baseURI).href) as Promise<{ default: number }>;
      const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), 30_000));
      return (await Promise.race([coming, late]))?.default;
    });
    expect(came).toBe(7);
  },
);

withServiceWorker(
  'Cache Storage that falls silent while the service worker starts: the page comes',
  async ({ app, page, site }) => {
    const code = `let asked = 0; const { keys } = Cache.prototype; Cache.prototype.keys = function () {
      return asked++ > 0 ? new Promise(() => undefined) : keys.call(this); };`;
    site.before('sw.js', code);
    await app.open();
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    await page.reload();
    await app.untilReady();
  },
);

test('2 kB/s is told as a slow connection, with the time that is left', async ({ page, site }) => {
  site.slow(ORT, 2000);
  await page.goto(site.url);
  const bytes = site.read(ORT).length + site.read('models/skin-8/skin-8.onnx.zst').length;
  const real = bytes / 2000 / 60;
  const words = page.getByText(/slow connection: about \d+ minutes left/).first();
  const minutes = async () => Number(/about (\d+) minutes/.exec((await words.textContent()) ?? '')?.[1]);
  // What came first, from a line without limits, counts for some seconds.
  await expect.poll(minutes, { timeout: 40_000 }).toBeGreaterThan(real / 2);
  expect(await minutes()).toBeLessThan(real * 2);
});

test('a download that stands still is given up after a minute, and can be tried again', async ({ app, page, site }) => {
  site.slow(ORT, 0);
  await page.goto(site.url);
  await expect(app.notice).toContainText('MODEL_UNAVAILABLE', { timeout: 100_000 });
  site.answers.delete(ORT);
  await page.getByRole('button', { name: 'Try again' }).click();
  await app.untilReady();
});
