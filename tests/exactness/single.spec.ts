/**
 * The page as one file (`npm run build:single`) in every browser, opened from a disk: the same scores as the site's API
 * gives. A script that drives it is added to the file, and to its policy by its hash.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startEngine } from '../browsers/engines.js';
import { picture, singleFile } from '../e2e/site.js';
import { expect, test } from './fixtures.js';

interface Scored {
  /** As they are ranked. */
  scores?: [id: string, probability: number][];
  error?: string;
  /** Addresses that the page or its worker asked for, as the browser records them. */
  asked: string[];
}

const DRIVER = `
window.driven = {
  async scored(base64) {
    const element = document.querySelector('dermlet-classifier');
    await customElements.whenDefined('dermlet-classifier');
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const answer = new Promise((resolve) => {
      element.addEventListener('dermlet-result', ({ detail: { result } }) =>
        resolve({ scores: result.ranking.map(({ id, probability }) => [id, probability]) }));
      element.addEventListener('dermlet-error', ({ detail: { error } }) =>
        resolve({ error: error.code + ': ' + error.message }));
    });
    element.add([new File([bytes], 'spot.jpg', { type: 'image/jpeg' })]);
    const { scores, error } = await answer;
    const asked = performance.getEntriesByType('resource').map(({ name }) => name);
    return { scores, error, asked: asked.filter((name) => !/^(blob|data):/.test(name)) };
  },
};`;

function driven(): string {
  const hash = createHash('sha256').update(DRIVER).digest('base64');
  return readFileSync(singleFile, 'utf8')
    .replace("script-src '", `script-src 'sha256-${hash}' '`)
    .replace('</head>', () => `<script>${DRIVER}</script></head>`);
}

test('from a file a photo is scored as by the site', async ({ engine, engineName }) => {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-single-'));
  const other = await startEngine(engineName);
  try {
    const path = join(folder, 'dermlet.html');
    writeFileSync(path, driven());
    await other.open(pathToFileURL(path).href);
    const photo = readFileSync(picture('spot-large.jpg')).toString('base64');
    const { scores, error, asked } = await other.call<Scored>('scored', photo);
    expect(error ?? '').toBe('');
    expect(asked).toEqual([]);
    const [{ result }] = await engine.call<[{ result: { ranking: { id: string; probability: number }[] } }]>(
      'classify',
      ['spot-large.jpg'],
    );
    expect(scores?.map(([id]) => id)).toEqual(result.ranking.map(({ id }) => id));
    for (const [i, { probability }] of result.ranking.entries()) expect(scores?.[i]?.[1]).toBeCloseTo(probability, 5);
  } finally {
    await other.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
