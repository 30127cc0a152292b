/**
 * The retired servers' addresses below the page: answered by the page through its service worker. The server's own log
 * shows that no photo ever reaches the host.
 */
import { Classifier } from '../../web/src/classifier/node/index.js';
import { kindOf } from '../web/openapi.js';
import { headOfTwo } from '../web/support.js';
import { type App, expect, type Site, test } from './fixtures.js';
import { ownModel, TITLE } from './own-model.js';

test.use({ serviceWorkers: 'allow' });

const DIAGNOSIS = 'api/predict/skin-disease/';

/** What would have reached a server. */
const reached = (site: Site) =>
  site.log.filter(({ method = '', path }) => !['GET', 'HEAD'].includes(method) || /^(predict|health|api\/)/.test(path));

async function controlled({ page }: App): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
}

interface Sent {
  field?: string;
  picture?: string;
  method?: string;
  headers?: Record<string, string>;
  /** Bytes of a file of nothing, in place of a picture. */
  bytes?: number;
}

/** As a client of the retired servers does it. */
async function send({ page }: App, path: string, sent: Sent = {}) {
  const got = await page.evaluate(
    async ({ path, field, picture, method, headers = {}, bytes }) => {
      let body: FormData | undefined;
      if (field !== undefined) {
        const file =
          bytes === undefined ? await (await fetch(`pictures/${picture}`)).blob() : new Blob([new Uint8Array(bytes)]);
        body = new FormData();
        body.set(field, file, 'private.jpg');
      }
      const response = await fetch(path, {
        method: method ?? (body ? 'POST' : 'GET'),
        headers,
        ...(body ? { body } : {}),
      });
      return { status: response.status, headers: [...response.headers], text: await response.text() };
    },
    { path, ...sent },
  );
  const headers = new Headers(got.headers);
  const kind = kindOf(sent.method ?? (sent.field ? 'POST' : 'GET'), `/${path.replace(/^\.\//, '')}`, {
    ...got,
    headers,
  });
  return { ...got, headers, kind, json: JSON.parse(got.text || 'null') as Record<string, unknown> };
}

test('fetch works as with the servers, and nothing reaches the host', async ({ app, site }) => {
  await app.open();
  await controlled(app);
  const predict = await send(app, 'predict', { field: 'file', picture: 'spot.jpg' });
  expect(predict.status).toBe(200);
  const shown = await app.classify('spot.jpg');
  expect(predict.json).toMatchObject({
    predicted_class: shown.ranking[0]!.name,
    medical_warning: expect.stringContaining('see a doctor') as unknown,
  });
  expect(predict.json.confidence).toBeCloseTo(shown.ranking[0]!.probability, 4);
  const diagnosis = await send(app, DIAGNOSIS, { field: 'image', picture: 'spot.jpg' });
  expect(diagnosis.json).toMatchObject({ label: shown.ranking[0]!.id, isSafe: expect.any(Boolean) as unknown });
  expect((await send(app, DIAGNOSIS, { field: 'image', picture: 'flat.png' })).json).toMatchObject({
    label: null,
    isSafe: false,
    outcome: 'poor-quality',
  });
  expect((await send(app, 'health')).json).toMatchObject({ status: 'healthy', model_loaded: true });
  expect((await send(app, './', { headers: { accept: 'application/json' } })).json).toHaveProperty('endpoints');
  const kinds: [Parameters<typeof send>[1], Sent, string][] = [
    ['predict', { field: 'file', picture: 'cut-off.jpg' }, '422 CORRUPT_IMAGE'],
    ['predict', { field: 'file', picture: 'document.pdf' }, '400 UNSUPPORTED_FORMAT'],
    ['predict', { field: 'image', picture: 'spot.jpg' }, '422 FILE_MISSING'],
    ['predict', { field: 'file', bytes: 66 * 2 ** 20 }, '413 FILE_TOO_LARGE'],
    ['predict', { method: 'PUT', field: 'file', picture: 'spot.jpg' }, '405 METHOD_NOT_ALLOWED'],
    ['predict', {}, '405 METHOD_NOT_ALLOWED'],
    ['predict', { method: 'POST' }, '415 UNSUPPORTED_MEDIA_TYPE'],
    [DIAGNOSIS, { method: 'DELETE' }, '405 METHOD_NOT_ALLOWED'],
    ['./', { method: 'POST', field: 'file', picture: 'spot.jpg' }, '405 METHOD_NOT_ALLOWED'],
  ];
  for (const [path, sent, kind] of kinds) expect((await send(app, path, sent)).kind).toContain(kind);
  expect((await send(app, DIAGNOSIS, { method: 'OPTIONS' })).json).toEqual({ status: 'ok' });
  expect(reached(site)).toEqual([]);
});

test('what the page uses answers: another network of the site, one from this device, a head', async ({
  app,
  page,
  site,
}) => {
  // Several networks are loaded here, each twice.
  test.slow();
  site.addModel('second');
  app.neverRefuse();
  site.neverRefuse('second');
  await app.open();
  await controlled(app);
  const classes = async () => (await send(app, 'health')).json.available_classes as string[];
  const named = async () =>
    String((await send(app, 'predict', { field: 'file', picture: 'spot.jpg' })).json.predicted_class);
  const first = await classes();
  expect(first).toHaveLength(8);
  await app.settings();
  await app.model('Second model of the tests').check();
  expect(await classes()).toEqual(first.map((name) => `Second ${name}`));
  expect(await named()).toMatch(/^Second /);

  await page.locator('dermlet-open-model #folder').setInputFiles(ownModel('Own '));
  await expect(page.locator('dermlet-open-model').getByRole('status')).toContainText(TITLE, { timeout: 60_000 });
  expect(await classes()).toEqual(first.map((name) => `Own ${name}`));
  expect(await named()).toMatch(/^Own /);

  await app.model(/Eight categories/).check();
  expect(await classes()).toEqual(first);
  const shipped = await Classifier.load('skin-8');
  const head = await headOfTwo(shipped).finally(() => shipped.dispose());
  const setHead = (bytes: readonly number[]) =>
    page.evaluate((bytes) => {
      document.querySelector('dermlet-classifier')!.head = new Blob([new Uint8Array(bytes)]);
    }, bytes);
  await setHead([...head]);
  expect(await classes()).toEqual(['one', 'two']);
  const diagnosis = await send(app, DIAGNOSIS, { field: 'image', picture: 'spot.jpg' });
  expect(diagnosis.json).toMatchObject({ severity: 'Unknown', isSafe: false });
  // What cannot be loaded is no model: never the answer of the network without it.
  await setHead([1, 2, 3]);
  expect((await send(app, 'health')).json).toMatchObject({ status: 'unhealthy', model_loaded: false });
  expect((await send(app, 'predict', { field: 'file', picture: 'spot.jpg' })).kind).toBe(
    'POST /predict 503 MODEL_NOT_LOADED',
  );
  expect(reached(site)).toEqual([]);
});

test('several at once each get their own answer, and one that is given up ends alone', async ({ app, page, site }) => {
  await app.open();
  await controlled(app);
  const got = await page.evaluate(async () => {
    const form = async (name: string) => {
      const body = new FormData();
      body.set('file', await (await fetch(`pictures/${name}`)).blob(), 'a.jpg');
      return body;
    };
    const aborting = new AbortController();
    const ask = async (name: string, signal?: AbortSignal) => {
      const init = { method: 'POST', body: await form(name), ...(signal ? { signal } : {}) };
      return fetch('predict', init).then(
        ({ status }) => status,
        (error: Error) => error.name,
      );
    };
    const all = [ask('spot.jpg'), ask('cut-off.jpg'), ask('spot.png', aborting.signal), ask('spot.png')];
    setTimeout(() => aborting.abort(), 30);
    return Promise.all(all);
  });
  expect(got).toEqual([200, 422, 'AbortError', 200]);
  expect(reached(site)).toEqual([]);
});

test('without a page that could answer: 503, and nothing reaches the host', async ({ app, page, site }) => {
  await app.open();
  await controlled(app);
  // A page of the site that is not the classifier's; no other is open.
  await page.goto(`${site.url}api.html`);
  const { kind, headers } = await send(app, 'predict', { field: 'file', picture: 'spot.jpg' });
  expect(kind).toBe('POST /predict 503 NO_PAGE');
  expect(headers.get('retry-after')).toBe('5');
  expect((await send(app, DIAGNOSIS, { field: 'image', picture: 'spot.jpg' })).kind).toContain('503 NO_PAGE');
  expect((await send(app, 'health')).json).toMatchObject({ status: 'unhealthy', model_loaded: false });
  expect(reached(site)).toEqual([]);
});

test('a page that fails, and one that never answers: 503, and nothing reaches the host', async ({
  app,
  page,
  site,
}) => {
  // Shorter, and only that: milliseconds for an answer.
  site.before(
    'sw.js',
    'const later = self.setTimeout; self.setTimeout = (run, after) => later(run, after === 120000 ? 1000 : after);',
  );
  await app.open();
  await controlled(app);
  // Another page of the site stands for one that does not keep its word.
  const other = await page.context().newPage();
  await other.goto(`${site.url}api.html`);
  await other.evaluate(() => {
    navigator.serviceWorker.addEventListener('message', ({ data, ports: [port] }) => {
      if (data?.type !== 'dermlet-asks' || !port) return;
      const fails = location.hash === '#fails';
      port.onmessage = (event) => {
        if (event.data.type === 'request' && fails) port.postMessage({ type: 'failed' });
      };
      port.postMessage({ type: 'ready' });
    });
  });
  await page.goto('about:blank');
  const ask = (path: string, field: string) => send({ page: other } as App, path, { field, picture: 'spot.jpg' });
  expect((await ask('predict', 'file')).kind).toBe('POST /predict 503 TIMED_OUT');
  await other.evaluate(() => void (location.hash = 'fails'));
  expect((await ask('predict', 'file')).kind).toBe('POST /predict 503 PAGE_FAILED');
  expect((await ask(DIAGNOSIS, 'image')).kind).toContain('503 PAGE_FAILED');
  expect(reached(site)).toEqual([]);
});

test('offline it answers all the same', async ({ app, page, context }) => {
  await app.open();
  await controlled(app);
  await page.evaluate(async () => {
    Object.assign(window, { photo: await (await fetch('pictures/spot.jpg')).blob() });
  });
  await context.setOffline(true);
  const status = await page.evaluate(async () => {
    const body = new FormData();
    body.set('file', (window as unknown as { photo: Blob }).photo, 'a.jpg');
    return (await fetch('predict', { method: 'POST', body })).status;
  });
  expect(status).toBe(200);
  await context.setOffline(false);
});
