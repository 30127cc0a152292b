/** Whether two networks say the same of one picture, and what the command line makes of it. */
import { expect, test } from 'vitest';
import type { Result } from '../../web/src/classifier/index.js';
import { agreement } from '../../web/src/messages/beside.js';
import { picturePath, runCli } from './support.js';

const result = (ids: string[], change: Partial<Result> = {}): Result =>
  ({
    outcome: 'single',
    tier: 'low',
    ranking: ids.map((id) => ({ id })),
    predictionSet: ids.slice(0, 1),
    ...change,
  }) as Result;

test.each<[string, Result, Result, string]>([
  ['the same first', result(['nv', 'mel']), result(['nv', 'bcc']), 'same'],
  ['the same first, another tier', result(['nv', 'mel']), result(['nv', 'bcc'], { tier: 'moderate' }), 'tier'],
  ['different ones first', result(['nv', 'mel']), result(['mel', 'nv']), 'different'],
  [
    'different ones first, each possible to both',
    result(['nv', 'mel'], { predictionSet: ['nv', 'mel'] }),
    result(['mel', 'nv'], { predictionSet: ['mel', 'nv'] }),
    'order',
  ],
  [
    'a category that the other does not know',
    result(['df', 'nv'], { predictionSet: ['df', 'nv'] }),
    result(['nv', 'mel']),
    'different',
  ],
  ['one refuses', result(['nv']), result(['nv'], { outcome: 'not-recognised', tier: 'unknown' }), 'one'],
  [
    'both refuse, whatever ranks first',
    result(['nv'], { outcome: 'poor-quality', tier: 'unknown' }),
    result(['mel'], { outcome: 'not-recognised', tier: 'unknown' }),
    'same',
  ],
])('%s', (_what, first, second, expected) => {
  expect(agreement(first, second)).toBe(expected);
  expect(agreement(second, first)).toBe(expected);
});

const classify = (...args: string[]) => runCli('classify', picturePath('spot.jpg'), ...args);

test('classify --beside prints both answers, each with its model', async () => {
  const beside = ['--beside', 'skin-open'];
  const text = await classify(...beside);
  expect(text.err).toBe('');
  expect(text.out).toMatch(/skin-open \d+\.\d+\.\d+ says: /);
  expect(text.out.replace(/\s+/g, ' ')).toContain('that two agree proves nothing');
  const json = JSON.parse((await classify('--json', ...beside)).out) as Result & {
    beside: Result;
    agreement: string;
  };
  expect([json.model.name, json.beside.model.name]).toEqual(['skin-8', 'skin-open']);
  expect(json.beside.ranking).toHaveLength(6);
  expect(json.agreement).toBe(agreement(json, json.beside));
}, 180_000);

test.each([
  [['--beside', 'skin-open', '--format', 'predict'], /--beside goes with the result itself|format/],
  [['--beside', 'no-such-model'], /no-such-model/],
])('%j is refused', async (args, message) => {
  const { code, out, err } = await classify(...args);
  expect(code).toBeGreaterThan(0);
  expect(err).toMatch(message);
  expect(out).toBe('');
});
