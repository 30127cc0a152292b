/**
 * The spot is found, or asked for: the shipped model on drawn skin (tests/spots/draw_spots.py says where the spots
 * are).
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../web/src/classifier/engine.js';
import { loadEngine } from '../../web/src/classifier/node/engine.js';
import { expectCode, root } from './support.js';

let engine: Engine;
beforeAll(async () => void (engine = await loadEngine('skin-8')));
afterAll(() => engine.dispose());

const drawn = (name: string) => new Uint8Array(readFileSync(`${root}tests/spots/${name}.jpg`));

describe('crop auto, the default', () => {
  test('a small spot is read anew from the file in a frame of its own', async () => {
    const { frame, source, outcome, predictionSet } = await engine.classify(drawn('small'));
    expect(frame.framing).toBe('spot');
    const [spot] = frame.spots;
    expect(
      Math.hypot(spot!.x + spot!.width / 2 - 700, spot!.y + spot!.height / 2 - 200),
      'its middle, pixels',
    ).toBeLessThan(15);
    expect(source.region).toEqual(spot!.frame);
    expect(source.region.width).toBeGreaterThan(90);
    expect(source.region.width).toBeLessThan(240);
    expect(['single', 'several']).toContain(outcome);
    expect(predictionSet.length).toBeGreaterThan(0);
    // What was seen is what a person who chose that frame would have had looked at.
    const chosen = await engine.classify(drawn('small'), { crop: spot!.frame });
    expect(chosen.frame).toEqual({ framing: 'chosen', spots: [] });
    const same = (await engine.classify(drawn('small'))).ranking;
    expect(chosen.ranking).toEqual(same);
  });

  test('a spot that is large in the picture counts together with the picture', async () => {
    const [auto, whole] = [
      await engine.classify(drawn('large')),
      await engine.classify(drawn('large'), { crop: 'whole' }),
    ];
    expect(auto.frame.framing).toBe('both');
    expect(whole.frame).toEqual({ framing: 'whole', spots: [] });
    expect(auto.source.region).toEqual(whole.source.region);
    expect(auto.ranking).not.toEqual(whole.ranking);
  });

  test('two spots ask which is meant, and either can be chosen', async () => {
    const result = await engine.classify(drawn('two'));
    expect(result).toMatchObject({
      outcome: 'several-spots',
      tier: 'unknown',
      predictionSet: [],
      frame: { framing: 'several' },
    });
    expect(result.frame.spots.length).toBe(2);
    for (const { frame } of result.frame.spots)
      expect((await engine.classify(drawn('two'), { crop: frame })).outcome).not.toBe('several-spots');
  });

  test('where nothing stands out, nothing is named', async () => {
    const result = await engine.classify(drawn('none'));
    expect(result.frame).toEqual({ framing: 'none', spots: [] });
    expect(['no-spot', 'poor-quality', 'not-recognised']).toContain(result.outcome);
    expect(result).toMatchObject({ tier: 'unknown', predictionSet: [] });
  });

  test('a model without a locator takes pictures as they are', async () => {
    const { locator: _locator, ...manifest } = engine.manifest;
    const { Engine: Other } = await import('../../web/src/classifier/engine.js');
    const plain = await Other.load({ ...engine.options, manifest });
    const [auto, whole] = [
      await plain.classify(drawn('small')),
      await plain.classify(drawn('small'), { crop: 'whole' }),
    ];
    await plain.dispose();
    expect(auto.frame).toEqual({ framing: 'whole', spots: [] });
    expect(auto.ranking).toEqual(whole.ranking);
  });

  test('what is no crop is refused', () =>
    expectCode(engine.classify(drawn('small'), { crop: 'middle' as 'whole' }), 'INVALID_ARGUMENT', /auto.*whole/));
});

describe('modality auto, the default', () => {
  test('goes by the picture and says so', async () => {
    const { modality, modalityChoice } = await engine.classify(drawn('small'));
    expect(modalityChoice.by).toBe('picture');
    expect(modalityChoice.recognised).toEqual({ modality, probability: expect.any(Number) });
    expect(modalityChoice.recognised!.probability).toBeGreaterThan(0.5);
  });

  test('what is asked for counts, and what it looks like is told all the same', async () => {
    const asked = await engine.classify(drawn('small'), { modality: 'dermoscopy' });
    expect(asked.modality).toBe('dermoscopy');
    expect(asked.modalityChoice).toMatchObject({ by: 'caller', recognised: { modality: 'photo' } });
    // The checks are those of the modality that counts.
    const limits = engine.manifest.quality.modalities!.dermoscopy!;
    expect(asked.quality.checks.find(({ id }) => id === 'noisy')!.limit).toBeCloseTo(limits.maxNoise!, 3);
  });

  test('a model that cannot tell takes its default', async () => {
    const { modalityProbe: _probe, ...manifest } = engine.manifest;
    const { Engine: Other } = await import('../../web/src/classifier/engine.js');
    const plain = await Other.load({ ...engine.options, manifest });
    const { modality, modalityChoice } = await plain.classify(drawn('small'));
    await plain.dispose();
    expect(modality).toBe(manifest.defaultModality);
    expect(modalityChoice).toEqual({ by: 'default' });
  });
});
