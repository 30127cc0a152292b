/**
 * The page's content policy binds every worker, in every browser: code in them reaches no other origin. It is put there
 * as an attacker would, into the files that workers run.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { siteDir } from '../../tools/build/serve.mjs';
import { type Engine, startEngine } from '../browsers/engines.js';
import { sample } from '../doc-samples.mjs';
import { root, Site } from '../e2e/site.js';
import { expect, test } from './fixtures.js';

const served = process.env.DERMLET_SITE ?? siteDir;
const RUNTIME = 'engine/ort-wasm-simd-threaded.mjs';

interface Classified {
  classes?: number;
  threads?: number;
  error?: string;
  told: Record<string, Record<string, string>>;
}

/** Another origin, which answers everybody everything. */
class Elsewhere {
  readonly asked: { path: string; referer: string | undefined }[] = [];
  readonly files = new Map<string, Buffer>();
  readonly #server: Server = createServer(({ url = '', headers }, response) => {
    this.asked.push({ path: url, referer: headers.referer });
    const name = new URL(url, 'http://elsewhere').pathname.slice(1);
    response.writeHead(200, {
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Content-Type': name.endsWith('.mjs') ? 'text/javascript' : 'application/octet-stream',
    });
    response.end(this.files.get(name) ?? 'export default 1;');
  }).on('upgrade', ({ url = '', headers }, socket) => {
    this.asked.push({ path: url, referer: headers.referer });
    socket.destroy();
  });

  async open(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Calls out in every way, and tells the page what came of it. */
const probe = (origin: string) => `
;{
  const outcomes = {};
  const attempt = async (name, call) => {
    try {
      await call();
      outcomes[name] = 'done';
    } catch {
      outcomes[name] = 'refused';
    }
  };
  const tell = async () => {
    await attempt('fetch', () => fetch('${origin}/fetch', { mode: 'no-cors' }));
    await attempt('import', () => import('${origin}/import.mjs'));
    await attempt('socket', () => new Promise((open, error) => {
      Object.assign(new WebSocket('${origin.replace('http', 'ws')}/socket'), { onopen: open, onerror: error });
    }));
    await attempt('eval', () => (0, eval)('1'));
    await attempt('Function', () => new Function('return 1')());
    await attempt('own file', () => fetch(new URL('./', import.meta.url)));
    new BroadcastChannel('told').postMessage({ name: self.name, outcomes });
  };
  void tell().then(() => self.release?.());
}`;

/**
 * Goes before ONNX Runtime's script: its threads take no work until they have told. A thread that works waits in
 * WebAssembly, and no promise of its own goes on until it ends.
 */
const HOLDING = `
if (self.name === 'em-pthread') {
  const held = [];
  const hold = (event) => {
    event.stopImmediatePropagation();
    held.push(event.data);
  };
  self.addEventListener('message', hold);
  self.release = () => {
    self.removeEventListener('message', hold);
    for (const data of held) self.dispatchEvent(new MessageEvent('message', { data }));
  };
}
`;

const REFUSED = {
  fetch: 'refused',
  import: 'refused',
  socket: 'refused',
  eval: 'refused',
  Function: 'refused',
  'own file': 'done',
};

/** Takes the page, and calls out when it is asked to. */
const calling = (origin: string) => `
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener('message', (event) => event.waitUntil((async () => {
    const outcomes = {};
    const attempts = {
      fetch: () => fetch('${origin}/fetch', { mode: 'no-cors' }),
      script: () => importScripts('${origin}/script.js'),
      socket: () => new Promise((open, error) => {
        Object.assign(new WebSocket('${origin.replace('http', 'ws')}/socket'), { onopen: open, onerror: error });
      }),
      eval: () => (0, eval)('1'),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        await attempt();
        outcomes[name] = 'done';
      } catch {
        outcomes[name] = 'refused';
      }
    }
    new BroadcastChannel('told').postMessage({ name: 'service worker', outcomes });
  })()));`;

/** Isolates the page, so that there are threads, and keeps nothing: what the server sends is what runs. */
const ISOLATING = `
  self.addEventListener('install', () => self.skipWaiting());
  self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener('fetch', (event) => event.respondWith((async () => {
    const response = await fetch(event.request);
    const headers = new Headers(response.headers);
    headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
    headers.set('Cross-Origin-Resource-Policy', 'same-origin');
    return new Response(response.body, { status: response.status, headers });
  })()));`;

let engine: Engine;
let site: Site;
let elsewhere: Elsewhere;

/** Adds a page whose policy is the site's with one part replaced. */
function addPage(path: string, part = '', by = ''): void {
  site.addPage(path, '<script type="module" src="exactness/policy.mjs"></script>');
  const page = site.answers.get(path);
  const changed = String(page?.body).replace(part, by);
  if (part !== by) expect(changed).not.toBe(String(page?.body));
  site.answers.set(path, { ...page, body: changed });
}

/** Adds code to a file of the site, behind what stands there and before it. */
function add(path: string, code: string, before = ''): void {
  site.answers.set(path, { body: before + site.read(path).toString() + code });
}

const worker = (): string => {
  const assets = readdirSync(join(served, 'assets'));
  const found = assets.find((name) => /^worker-.*\.js$/.test(name));
  if (found === undefined) throw new Error('the site has no worker');
  return `assets/${found}`;
};

// A browser for each: nothing of one test's origins and workers is left for the next.
test.beforeEach(async ({ engineName }) => {
  engine = await startEngine(engineName);
  [site, elsewhere] = [new Site(), new Elsewhere()];
  await Promise.all([site.open(), elsewhere.open()]);
  site.answers.set('exactness/policy.mjs', { body: readFileSync(join(root, 'tests/exactness/policy.mjs')) });
  addPage('policy.html');
});

test.afterEach(async () => {
  await engine.close();
  elsewhere.close();
  await site.close();
});

test('code in the worker reaches no other origin, on the first visit', async () => {
  add(worker(), probe(elsewhere.origin));
  await engine.open(`${site.url}policy.html`);
  const { told, error } = await engine.call<Classified>('classified', 'skin-8', ['dermlet']);
  expect(error).toBeUndefined();
  expect(told).toEqual({ dermlet: REFUSED });
  expect(elsewhere.asked).toEqual([]);
});

test('code in the worker and its threads reaches no other origin, on later visits', async () => {
  site.answers.set('sw.js', { body: ISOLATING, type: 'text/javascript' });
  await engine.open(`${site.url}policy.html`);
  await engine.call('controlled');
  add(worker(), probe(elsewhere.origin));
  add(RUNTIME, probe(elsewhere.origin), HOLDING);
  await engine.open(`${site.url}policy.html`);
  const wanted = await engine.call<number>('threads');
  const names = wanted > 1 ? ['dermlet', 'em-pthread'] : ['dermlet'];
  const { told, threads, error } = await engine.call<Classified>('classified', 'skin-8', names);
  expect(error).toBeUndefined();
  expect(threads).toBe(wanted);
  expect(told).toEqual(Object.fromEntries(names.map((name) => [name, REFUSED])));
  expect(elsewhere.asked).toEqual([]);
});

test("a script of ONNX Runtime's that is redirected to another origin does not run", async () => {
  elsewhere.files.set(
    'runtime.mjs',
    Buffer.from(`${site.read(RUNTIME)};new BroadcastChannel('told').postMessage({ name: 'ran', outcomes: {} });`),
  );
  site.answers.set(RUNTIME, { status: 302, headers: { Location: `${elsewhere.origin}/runtime.mjs` }, body: '' });
  await engine.open(`${site.url}policy.html`);
  const { told, error } = await engine.call<Classified>('classified', 'skin-8', []);
  expect(error).toMatch(/^(MODEL_UNAVAILABLE|POLICY_BLOCKED): /);
  expect(told).toEqual({});
});

test('a model of another origin is fetched only where the policy allows, and is not told from where', async () => {
  const folder = join(served, 'models', 'skin-8');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (statSync(join(folder, file)).isFile()) elsewhere.files.set(`model/${file}`, readFileSync(join(folder, file)));
  const model = `${elsewhere.origin}/model/`;
  await engine.open(`${site.url}policy.html`);
  expect((await engine.call<Classified>('classified', model, [])).error).toMatch(/^MODEL_UNAVAILABLE: /);
  expect(elsewhere.asked).toEqual([]);
  addPage('open.html', "connect-src 'self'", `connect-src 'self' ${elsewhere.origin}`);
  await engine.open(`${site.url}open.html`);
  expect(await engine.call<Classified>('classified', model, [])).toMatchObject({ classes: 8 });
  expect(elsewhere.asked.length).toBeGreaterThan(2);
  expect(elsewhere.asked.filter(({ referer }) => referer !== undefined)).toEqual([]);
});

test('where the policy forbids workers of a line, the worker starts from its address', async () => {
  addPage('address.html', "worker-src 'self' blob:", "worker-src 'self'");
  await engine.open(`${site.url}address.html`);
  expect(await engine.call<Classified>('classified', 'skin-8', [])).toMatchObject({ classes: 8, threads: 1 });
});

test('the service worker is bound by the policy that a host sends with it', async () => {
  const policy = sample('docs/hosting.md', 'Content-Security-Policy: ')
    .split('\n')
    .find((line) => line.startsWith('Content-Security-Policy: '))!
    .slice('Content-Security-Policy: '.length);
  site.answers.set('sw.js', {
    body: calling(elsewhere.origin),
    type: 'text/javascript',
    headers: { 'Content-Security-Policy': policy },
  });
  await engine.open(`${site.url}policy.html`);
  await engine.call('controlled');
  expect(await engine.call('toldByServiceWorker', 'service worker')).toEqual({
    fetch: 'refused',
    script: 'refused',
    socket: 'refused',
    eval: 'refused',
  });
  expect(elsewhere.asked).toEqual([]);
});
