import { expect, test, withServiceWorker } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';

/** Returns noise instead of pixels wherever a canvas is read: worse than privacy browsers do. */
function poison(): void {
  const spoil = (prototype: { getImageData: CanvasRenderingContext2D['getImageData'] }) => {
    const original = prototype.getImageData;
    prototype.getImageData = function (this: CanvasRenderingContext2D, ...args: Parameters<typeof original>) {
      const data = original.apply(this, args);
      data.data.fill(119);
      return data;
    };
  };
  spoil(CanvasRenderingContext2D.prototype);
  spoil(OffscreenCanvasRenderingContext2D.prototype as unknown as CanvasRenderingContext2D);
  const nothing = () => Promise.reject(new Error('poisoned'));
  HTMLCanvasElement.prototype.toDataURL = () => 'data:,poisoned';
  HTMLCanvasElement.prototype.toBlob = (callback) => callback(null);
  OffscreenCanvas.prototype.convertToBlob = nothing;
  window.createImageBitmap = nothing;
}

test('a browser that falsifies canvas contents does not change the result', async ({ app, page }) => {
  await page.addInitScript(poison);
  await app.open();
  const spoiled = await page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d');
    return context?.getImageData(0, 0, 1, 1).data[0];
  });
  expect(spoiled).toBe(119);
  expectSame(await app.classify('spot.jpg'), await nodeResult('spot.jpg'));
});

test('the worker reads no canvas either', async ({ app, site }) => {
  // Workers have no init scripts, so the worker's bundle itself is searched.
  await app.open();
  const scripts = new Set(site.log.map(({ path }) => path).filter((path) => /^assets\/worker-.*\.js$/.test(path)));
  expect(scripts.size).toBe(1);
  for (const script of scripts)
    expect(site.read(script).toString()).not.toMatch(/getImageData|OffscreenCanvas|createImageBitmap/);
});

withServiceWorker('nothing of a photo stays on the device', async ({ app, page }) => {
  await app.open();
  await app.classify('spot.jpg');
  const stored = await page.evaluate(async () => {
    const keys: string[] = [];
    for (const name of await caches.keys())
      keys.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    return { keys, databases, local: localStorage.length, session: sessionStorage.length, cookie: document.cookie };
  });
  expect(stored).toMatchObject({ databases: [], local: 0, session: 0, cookie: '' });
  expect(stored.keys.filter((url) => /spot\.jpg|blob:/.test(url))).toEqual([]);
});

test("the page's policy allows no other origin, no eval and no form", async ({ page, site }) => {
  await page.goto(site.url);
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  const directives = new Map(
    (policy ?? '')
      .split(';')
      .map((part) => part.trim().split(/\s+/))
      .map(([name, ...values]) => [name, values]),
  );
  expect(directives.get('default-src')).toEqual(["'none'"]);
  expect(directives.get('form-action')).toEqual(["'none'"]);
  expect(directives.get('base-uri')).toEqual(["'none'"]);
  expect(directives.get('connect-src')).toEqual(["'self'"]);
  expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
  // Workers of a line of the page, which its policy binds: tests/exactness/policy.spec.ts.
  expect(directives.get('worker-src')).toEqual(["'self'", 'blob:']);
  expect(policy).not.toMatch(/'unsafe-eval'|'unsafe-inline'|https?:|\*/);
});

test('no text becomes markup, a script or a worker', async ({ app, page, watch }) => {
  await app.open();
  await app.classify('spot.jpg');
  const outcomes = await page.evaluate(() => {
    const attempts: Record<string, () => unknown> = {
      markup: () => (document.createElement('p').innerHTML = '<b>bold</b>'),
      parsed: () => new DOMParser().parseFromString('<b>bold</b>', 'text/html'),
      script: () => (document.createElement('script').src = 'other.js'),
      text: () => (document.createElement('script').text = '1'),
      worker: () => new Worker('other.js'),
      policy: () =>
        (
          window as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown } }
        ).trustedTypes.createPolicy('other', {}),
    };
    return Object.fromEntries(
      Object.entries(attempts).map(([name, attempt]) => {
        try {
          attempt();
          return [name, 'done'];
        } catch {
          return [name, 'refused'];
        }
      }),
    );
  });
  expect(outcomes).toEqual({
    markup: 'refused',
    parsed: 'refused',
    script: 'refused',
    text: 'refused',
    worker: 'refused',
    policy: 'refused',
  });
  watch.faults.length = 0; // the attempts are this test's
});
