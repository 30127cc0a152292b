/**
 * Runs in a Firefox that falsifies what is read from canvases (privacy.resistFingerprinting), next to one that does
 * not.
 */
import { startEngine } from '../browsers/engines.js';
import { figure } from './figures.mjs';
import { expect, test } from './fixtures.js';

interface Views {
  core: string;
  canvas: string;
  meanDifference: number;
}

test('what a browser makes of canvases to hide its user does not reach the network', async ({ engine, site }) => {
  const plain = await startEngine('firefox');
  try {
    await plain.open(`${site.url}exactness.html`);
    for (const name of ['spot.jpg', 'spot.png']) {
      const [without, resisting] = [await plain.call<Views>('views', name), await engine.call<Views>('views', name)];
      expect(resisting.core, name).toBe(without.core);
      // The usual way: close to the core's without, and something else with.
      expect(without.meanDifference, name).toBeLessThan(8);
      expect(resisting.canvas, name).not.toBe(without.canvas);
      figure(
        `${engine.title}: ${name} read from a canvas lies ${resisting.meanDifference.toFixed(1)} levels of 255 ` +
          `from the core's (${without.meanDifference.toFixed(1)} without), ` +
          'the tensor is the same',
      );
    }
  } finally {
    await plain.close();
  }
});
