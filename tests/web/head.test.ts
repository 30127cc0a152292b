/** Heads: their file, what they make of a model, and the way from labelled pictures to answers with the real core. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Head, headInfo, withHead } from '../../web/src/classifier/head.js';
import { headFile, readHead } from '../../web/src/classifier/head-file.js';
import { Classifier } from '../../web/src/classifier/node/index.js';
import type { TrainingExample } from '../../web/src/classifier/options.js';
import type { Result } from '../../web/src/classifier/result.js';
import { expectCode, manifest, picture, root } from './support.js';

const base = manifest();

function head(change: Partial<Head['manifest']> = {}): Head {
  return {
    manifest: {
      headVersion: 1,
      title: 'Two kinds of spot',
      base: { name: base.name, version: base.version, sha256: base.file.sha256 },
      embeddingSize: 3,
      crop: 'whole',
      classes: [
        { id: 'one', name: 'One kind', concern: 'low' },
        { id: 'two', name: 'Another kind', plain: 'A sentence.', concern: 'high' },
      ],
      pictures: [30, 24],
      inversePenalty: 4,
      balanced: true,
      converged: true,
      rejectionThreshold: 2,
      heldOut: {
        folds: 54,
        leaveOneOut: true,
        correct: 44,
        accuracy: 44 / 54,
        least: 0.69,
        most: 0.9,
        balancedAccuracy: 0.8,
        confusion: [26, 4, 6, 18],
        setCoverage: 0.93,
        setSize: 1.25,
      },
      ...change,
    },
    weights: Float32Array.of(1, 2, 3, -1, -2, -3),
    bias: Float32Array.of(0.5, -0.5),
  };
}

describe('the file', () => {
  test('gives back what was written', () => {
    expect(readHead(headFile(head()))).toEqual(head());
    const other = head({ title: 'Größe ☂' });
    expect(readHead(headFile(other))).toEqual(other);
  });

  test('cut short anywhere, or longer, is refused', async () => {
    const whole = headFile(head());
    for (let length = 0; length < whole.length; length++)
      await expectCode(() => readHead(whole.subarray(0, length)), 'MODEL_CORRUPT', /head's file is not valid/);
    const longer = new Uint8Array(whole.length + 4);
    longer.set(whole);
    await expectCode(() => readHead(longer), 'MODEL_CORRUPT', /length/);
  });

  test('with any byte changed is refused or read as a head', () => {
    const whole = headFile(head());
    for (let at = 0; at < whole.length; at++) {
      for (const bit of [1, 0x80]) {
        const changed = whole.slice();
        changed[at]! ^= bit;
        try {
          const read = readHead(changed);
          expect(read.weights.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^MODEL_(CORRUPT|TOO_NEW)$/);
        }
      }
    }
  });

  test.each<[string, Partial<Head['manifest']>, RegExp]>([
    ['a class twice', { classes: [head().manifest.classes[0]!, head().manifest.classes[0]!] }, /'one' twice/],
    ['one class', { classes: [head().manifest.classes[0]!], pictures: [30] }, /classes/],
    ['a count for no class', { pictures: [30, 24, 3] }, /pictures must have one entry/],
    ['a table of another shape', { heldOut: { ...head().manifest.heldOut, confusion: [1, 2, 3] } }, /confusion/],
    ['an accuracy over 1', { heldOut: { ...head().manifest.heldOut, accuracy: 2 } }, /accuracy/],
    ['a name that turns the line', { title: 'a\u202eb' }, /title/],
    ['an embedding larger than any', { embeddingSize: 8193 }, /embeddingSize/],
    ['another crop', { crop: 'x' }, /crop/],
  ])('with %s is refused', async (_what, change, message) => {
    await expectCode(() => readHead(headFile(head(change))), 'MODEL_CORRUPT', message);
  });

  test('of a later version says so, and one with a weight that is no number is refused', async () => {
    await expectCode(() => readHead(headFile(head({ headVersion: 2 as 1 }))), 'MODEL_TOO_NEW');
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      await expectCode(
        () => readHead(headFile({ ...head(), bias: Float32Array.of(bad, 0) })),
        'MODEL_CORRUPT',
        /finite/,
      );
  });
});

describe('over a model', () => {
  test('of another network it is refused', async () => {
    const other = head({ base: { name: 'skin-8', version: '0.1.0', sha256: '0'.repeat(64) } });
    await expectCode(() => withHead(base, other), 'INVALID_ARGUMENT', /trained on skin-8 0\.1\.0/);
  });

  test('its classes stand in the place of the model, uncalibrated, and again is the same', () => {
    const once = withHead(base, head());
    expect(once.classes.map(({ id }) => id)).toEqual(['one', 'two']);
    expect(once.combination).toBeUndefined();
    expect(once.decision.coverage).toBe(0.93);
    for (const [index, { temperature, sets, rejectionThreshold }] of once.modalities.entries()) {
      expect({ temperature, limits: sets.limits }).toEqual({ temperature: 1, limits: [0.9, 0.9] });
      const own = base.modalities[index]!.rejectionThreshold;
      expect(rejectionThreshold).toBe(own === null ? null : Math.max(own, 2));
    }
    expect(withHead(once, head())).toEqual(once);
  });

  test('says what to be wary of', () => {
    expect(headInfo(head().manifest)).toMatchObject({ pictures: 54, calibrated: false, warnings: [] });
    const doubtful = { pictures: [50, 12], converged: false, heldOut: { ...head().manifest.heldOut, least: 0.7 } };
    expect(headInfo(head(doubtful).manifest).warnings).toEqual([
      'few-pictures',
      'unbalanced',
      'no-better-than-guessing',
      'not-converged',
    ]);
  });
});

describe('trained on pictures', () => {
  let classifier: Classifier;
  let seen: Result;
  beforeAll(async () => {
    classifier = await Classifier.load('skin-8');
    seen = await classifier.classify(new Blob([picture('spot.jpg')]), { embedding: true, crop: 'whole' });
  });
  afterAll(() => classifier.dispose());

  /** Results around that of a real picture: the first class has more of one feature, the second of another. */
  function examples(count: number): TrainingExample[] {
    return Array.from({ length: count }, (_none, at) => {
      const embedding = seen.embedding!.map((value, d) => value + 0.05 * Math.sin(at * 31 + d * 7));
      embedding[at % 2 === 0 ? 3 : 5]! += 3;
      return { result: { ...seen, embedding }, label: at % 2 === 0 ? 'nv' : 'own' };
    });
  }

  test('without being asked for, a result has no embedding', async () => {
    const result = await classifier.classify(new Blob([picture('spot.jpg')]));
    expect(result.embedding).toBeUndefined();
    expect(result.head).toBeUndefined();
  });

  test('it answers by its own classes, and says that it is not calibrated', async () => {
    const progress: number[] = [];
    const trained = await classifier.trainHead(examples(16), {
      onProgress: (done) => progress.push(done),
      crop: 'whole',
    });
    expect(progress.at(-1)).toBe(1);
    expect([...progress].sort((a, b) => a - b)).toEqual(progress);
    expect(trained.manifest).toMatchObject({
      classes: [
        { id: 'nv', name: base.classes.find(({ id }) => id === 'nv')!.name },
        { id: 'own', name: 'own', concern: 'moderate' },
      ],
      pictures: [8, 8],
      converged: true,
      heldOut: { leaveOneOut: true, folds: 16, correct: 16 },
    });
    const own = await Classifier.load('skin-8', { head: headFile(trained) });
    try {
      const file = new Blob([picture('spot.jpg')]);
      const result = await own.classify(file, { explain: true });
      expect(result.ranking.map(({ id }) => id).sort()).toEqual(['nv', 'own']);
      expect(result.tier).toBe('unknown');
      expect(result.head).toMatchObject({ calibrated: false, pictures: 16, accuracy: 1 });
      expect(result.explanation).toBeUndefined();
      // The head's crop where none is asked for, and the model's own score of rejection.
      expect(result.frame.framing).toBe('whole');
      expect(result.rejection.score).toBe(seen.rejection.score);
      // The logits are what the weights say of the embedding.
      const { weights, bias } = trained;
      const [a, b] = [0, 1].map((k) =>
        seen.embedding!.reduce((sum, v, d) => sum + v * weights[k * seen.embedding!.length + d]!, bias[k]!),
      ) as [number, number];
      const first = result.ranking.find(({ id }) => id === 'nv')!.probability;
      expect(first).toBeCloseTo(1 / (1 + Math.exp(b - a)), 5);
    } finally {
      own.dispose();
    }
  });

  test('what cannot be trained on is refused by name', async () => {
    const wrong = (change: (given: TrainingExample[]) => TrainingExample[], message: RegExp, options = {}) =>
      expectCode(classifier.trainHead(change(examples(6)), options), 'INVALID_ARGUMENT', message);
    await wrong(() => [], /2 to 100 classes/);
    await wrong((given) => given.filter(({ label }) => label === 'own'), /2 to 100 classes/);
    await wrong(([first, ...rest]) => [{ ...first!, label: 'third' }, ...rest], /two examples or more/);
    await wrong((given) => given, /'nv', which is none of the classes/, { classes: [] });
    await wrong(
      ([first, ...rest]) => [{ ...first!, result: { ...first!.result, embedding: [1, 2] } }, ...rest],
      /another length/,
    );
    await wrong(([first, ...rest]) => {
      const { embedding: _none, ...result } = first!.result;
      return [{ ...first!, result }, ...rest];
    }, /example 1 has no embedding/);
    await wrong(
      ([first, ...rest]) => [
        { ...first!, result: { ...first!.result, model: { ...seen.model, sha256: '0'.repeat(64) } } },
        ...rest,
      ],
      /another model/,
    );
    await wrong((given) => given, /inversePenalty/, { inversePenalty: -1 });
    await wrong((given) => given, /title/, { title: '' });
  });

  test('stops when it is told to, and the next call is answered', async () => {
    const stop = new AbortController();
    const training = classifier.trainHead(examples(400), { signal: stop.signal, onProgress: () => stop.abort() });
    await expectCode(training, 'ABORTED');
    const { outcome } = await classifier.classify(new Blob([picture('spot.jpg')]));
    expect(outcome).toBeTypeOf('string');
  });

  test('a broken file, and one of another network, start nothing', async () => {
    const broken = new Uint8Array(readFileSync(`${root}models/skin-8/selftest.png`));
    await expectCode(Classifier.load('skin-8', { head: broken }), 'MODEL_CORRUPT', /not a head/);
    const other = headFile(head({ base: { name: 'skin-8', version: '0.1.0', sha256: '0'.repeat(64) } }));
    await expectCode(Classifier.load('skin-8', { head: other }), 'INVALID_ARGUMENT', /fits only that network/);
    // Of this network by its word, but with another length: the first picture says so.
    const short = await Classifier.load('skin-8', { head: headFile(head()) });
    try {
      await expectCode(
        short.classify(new Blob([picture('spot.jpg')])),
        'BACKEND_FAILED',
        /head does not fit the network's embedding/,
      );
    } finally {
      short.dispose();
    }
  });
});
