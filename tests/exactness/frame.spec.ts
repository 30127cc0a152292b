/**
 * Who may show `embed.html`, and who the page itself, in the browsers that Playwright cannot drive: Firefox tells the
 * page in a frame its referrer alone, WebKit all pages around it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, startEngine } from '../browsers/engines.js';
import { Portal } from '../e2e/portal.js';
import { root, Site } from '../e2e/site.js';
import { expect, test } from './fixtures.js';

/** In the site's page: tells the outermost page whether it takes photos there. */
const TELLING = `new MutationObserver(() => {
  const told = ['form', '#framed'].find((part) => document.querySelector(part)?.hidden === false);
  if (told) top.postMessage({ told }, '*');
}).observe(document.querySelector('main'), { subtree: true, attributeFilter: ['hidden'] });`;

const [site, portal, stranger] = [new Site(), new Portal(), new Portal()];
let engine: Engine;

test.beforeAll(async ({ engineName }) => {
  await Promise.all([site.open(), portal.open(), stranger.open()]);
  const frame = `${site.url}embed.html`;
  const page = site.read('embed.html').toString();
  const index = site.read('index.html').toString();
  for (const path of ['', 'index.html'])
    site.answers.set(path, {
      body: index.replace('</body>', '<script src="./telling.js"></script></body>'),
      type: 'text/html',
    });
  site.answers.set('telling.js', { body: TELLING, type: 'text/javascript' });
  site.answers.set('embed.html', {
    body: page.replace('</body>', '<script src="./telling.js"></script></body>'),
    type: 'text/html',
  });
  site.answers.set('embed.json', { body: JSON.stringify({ embedVersion: 1, origins: [portal.origin] }) });
  for (const { pages } of [portal, stranger]) {
    pages.set('frame.js', readFileSync(join(root, 'tests/exactness/frame.mjs'), 'utf8'));
    pages.set('', '<script type="module" src="/frame.js"></script>');
  }
  portal.pages.set('holds', `<iframe src="${frame}"></iframe>`);
  portal.pages.set('leads', '<script src="/leads.js"></script>');
  portal.pages.set('leads.js', `location.replace('${frame}');`);
  engine = await startEngine(engineName);
});

test.afterAll(async () => {
  await engine.close();
  await Promise.all([site.close(), portal.close(), stranger.close()]);
});

test('a frame starts in a portal that is named, and in no other page', async () => {
  await engine.open(portal.url);
  expect(await engine.call('shown', `${site.url}embed.html`)).toEqual({ told: 'form', answer: 'ready' });
  await engine.open(stranger.url);
  expect(await engine.call('shown', `${site.url}embed.html`)).toEqual({ told: '#framed', answer: 'none' });
});

test('a frame does not start in a portal that a stranger shows', async () => {
  await engine.open(stranger.url);
  expect(await engine.call('greeted', `${portal.url}holds`)).toEqual({ told: '#framed', answer: 'none' });
});

test('a stranger around a frame that a portal led to the page gets no answer', async ({ engineName }) => {
  await engine.open(stranger.url);
  // The referrer is then the portal. Firefox tells nothing else: the page starts, but answers those it is to answer.
  const told = engineName === 'firefox' ? 'form' : '#framed';
  expect(await engine.call('greeted', `${portal.url}leads`)).toEqual({ told, answer: 'none' });
});

test('the page itself takes no photo in a frame of a stranger, and fetches no engine', async () => {
  const served = site.log.length;
  await engine.open(stranger.url);
  expect(await engine.call('greeted', site.url)).toEqual({ told: '#framed', answer: 'none' });
  const asked = site.log.slice(served).map(({ path }) => path);
  expect(asked).toContain('icon.svg');
  expect(asked.filter((path) => /\.(wasm|onnx)/.test(path))).toEqual([]);
});
