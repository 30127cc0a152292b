/**
 * What a person does from the first photo to a kept one, in the browsers that Playwright cannot drive: an answer, the
 * heat map, questions, a frame, the page for a doctor, a spot that is kept and still there after a reload, the list,
 * another language. A script that presses what can be pressed is added to the page.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, startEngine } from '../browsers/engines.js';
import { picture, root, Site } from '../e2e/site.js';
import { expect, test } from './fixtures.js';

interface Answered {
  outcome: string;
  first: string;
  tier: string | null;
  verdict: string;
  advice: string;
}

const site = new Site();
let engine: Engine;

test.beforeAll(async ({ engineName }) => {
  await site.open();
  site.answers.set('flow.mjs', { body: readFileSync(join(root, 'tests/exactness/flow.mjs')), type: 'text/javascript' });
  const page = site.read('index.html').toString();
  const script = '<script type="module" src="./flow.mjs"></script>';
  site.answers.set('index.html', { body: page.replace('</head>', `${script}</head>`), type: 'text/html' });
  site.neverRefuse();
  engine = await startEngine(engineName);
});

test.afterAll(async () => {
  await engine.close();
  await site.close();
});

test('from the first photo to a kept one', async () => {
  const photo = (name: string) => engine.call<Answered>('photo', name, readFileSync(picture(name)).toString('base64'));
  await engine.open(`${site.url}index.html`);
  const first = await photo('spot.jpg');
  expect(first).toMatchObject({ first: 'nv', tier: 'low', verdict: expect.stringContaining('Looks most like') });
  expect(first.advice).toMatch(/^Keep watching/);
  expect(await engine.call<number>('heatMap')).toBeGreaterThan(0);
  expect(await engine.call<string>('questions')).toMatch(/have it looked at soon/);
  expect(await engine.call<{ framing: string }>('frame')).toMatchObject({ framing: 'chosen' });
  const pdf = await engine.call<{ start: string; bytes: number }>('report');
  expect(pdf.start).toBe('%PDF-');
  expect(pdf.bytes).toBeGreaterThan(10_000);
  expect(await engine.call<string>('keep', 'Shoulder')).toContain('Kept, and read back.');
  for (const name of ['spot-422.jpg', 'spot-444.jpg']) expect((await photo(name)).first).toBe('nv');
  expect(await engine.call<number>('list')).toBe(4);
  expect(await engine.call<string>('arabic')).toMatch(/[\u0600-\u06ff]/);
  await engine.open(`${site.url}index.html`);
  expect(await engine.call<number>('kept')).toBeGreaterThan(100);
});
