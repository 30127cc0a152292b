import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { QUALITY_CHECKS } from '../../web/src/classifier/contract.js';
import type { QualityCheck, QualityCheckId, Result } from '../../web/src/classifier/result.js';
import { withIsolated } from '../../web/src/element/strangers.js';
import {
  advice,
  betterPicture,
  checkWords,
  decodedBy,
  doctor,
  framingWords,
  likely,
  mayName,
  modalityDoubt,
  percent,
  recognisedWords,
  tierWords,
  verdict,
  verdictNote,
} from '../../web/src/messages/index.js';

const english = (
  JSON.parse(readFileSync(new URL('../../web/src/messages/languages/en.json', import.meta.url), 'utf8')) as {
    messages: Record<string, { message: string }>;
  }
).messages;

const classes: Result['ranking'] = [
  { id: 'a', name: 'Alpha', probability: 0.7, concern: 'low', inSet: true },
  { id: 'b', name: 'Beta', probability: 0.25, concern: 'high', inSet: false },
  { id: 'c', name: 'Gamma', probability: 0.05, concern: 'low', inSet: false },
];

const result = (change: Partial<Result>): Result =>
  ({
    outcome: 'single',
    tier: 'low',
    ranking: classes,
    predictionSet: ['a'],
    coverage: 0.9,
    quality: { usable: true, checks: [] },
    ...change,
  }) as Result;

test('who decoded a picture is said with what that means', () => {
  expect(decodedBy({ decodePath: 'core' })).toMatch(/the same bit for bit/);
  for (const decodePath of ['webcodecs', 'canvas', 'libheif', 'libwebp', 'libavif'] as const)
    expect(decodedBy({ decodePath })).toMatch(/may differ slightly/);
});

describe('where the network looked, and what it took the picture for', () => {
  const spot = { x: 1, y: 2, width: 3, height: 4, score: 0.9, frame: { x: 0, y: 1, width: 5, height: 5 } };

  test.each([
    ['no-spot', /No spot stands out.*no category is named/, /closer/],
    ['several-spots', /More than one spot.*no category is named/, /Choose/],
  ] as const)('%s asks for a crop and names nothing', (outcome, said, note) => {
    const asking = result({ outcome, tier: 'unknown', predictionSet: [] });
    expect(mayName(asking)).toBe(false);
    expect(verdict(asking)).toMatch(said);
    expect(verdictNote(asking)).toMatch(note);
    for (const { name } of classes) expect(verdict(asking) + verdictNote(asking)).not.toContain(name);
  });

  test('a frame is explained where there is one, and other spots are offered', () => {
    expect(framingWords({ framing: 'spot', spots: [spot] })).toMatch(/inside the frame\.$/);
    expect(framingWords({ framing: 'spot', spots: [spot, spot] })).toMatch(/Choose another spot/);
    expect(framingWords({ framing: 'both', spots: [spot] })).toMatch(/mean of both/);
    expect(framingWords({ framing: 'chosen', spots: [] })).toMatch(/was chosen/);
    for (const framing of ['whole', 'none', 'several'] as const) expect(framingWords({ framing, spots: [] })).toBe('');
  });

  test('a choice that the picture contradicts is questioned, once it is sure', () => {
    const doubt = (by: 'caller' | 'picture', probability: number) =>
      modalityDoubt({ modality: 'dermoscopy', modalityChoice: { by, recognised: { modality: 'photo', probability } } });
    expect(doubt('caller', 0.97)).toMatch(
      /You chose “Dermoscopy”, but this picture looks like “Close-up photo” \(score 97\u00a0%\)/,
    );
    expect(doubt('caller', 0.6)).toBe('');
    expect(doubt('picture', 0.97)).toBe('');
    expect(recognisedWords({ by: 'picture', recognised: { modality: 'photo', probability: 0.9 } }).hint).toContain(
      'Close-up photo',
    );
  });
});

describe('what is said of a result', () => {
  test('one category is named with its score', () => {
    expect(verdict(result({}))).toBe('Looks most like Alpha (score 70\u00a0%).');
  });

  test('a second name and the score share their brackets', () => {
    const [nv, bkl] = [
      { ...classes[0]!, name: 'Naevus (mole)' },
      { ...classes[1]!, name: 'Keratosis (one, two)' },
    ];
    expect(verdict(result({ ranking: [nv, bkl] }))).toBe('Looks most like Naevus (mole; score 70\u00a0%).');
    const both = [nv, { ...bkl, inSet: true }];
    expect(verdict(result({ outcome: 'several', ranking: both }))).toBe(
      'Looks most like Naevus (mole; score 70\u00a0%), but Keratosis (one, two; 25\u00a0%) may also fit.',
    );
    // As the page says it, each name set apart from the sentence.
    expect(verdict(withIsolated(result({ ranking: [nv] })))).toBe(
      'Looks most like \u2068Naevus\u2069 (\u2068mole\u2069; score 70\u00a0%).',
    );
  });

  test('several are named together and none alone', () => {
    const several = (...shares: number[]) =>
      result({
        outcome: 'several',
        ranking: classes.map((entry, i) => ({ ...entry, probability: shares[i]!, inSet: shares[i]! > 0.1 })),
      });
    expect(verdict(several(0.5, 0.45, 0.05))).toBe('Between Alpha and Beta: the network cannot tell these apart here.');
    expect(verdict(several(0.7, 0.25, 0.05))).toBe(
      'Looks most like Alpha (score 70\u00a0%), but Beta (25\u00a0%) may also fit.',
    );
    expect(verdict(several(0.6, 0.25, 0.15))).toBe(
      'Looks most like Alpha (score 60\u00a0%), but Beta (25\u00a0%) or Gamma (15\u00a0%) may also fit.',
    );
    expect(likely(several(0.7, 0.25, 0.05)).map((entry) => entry.id)).toEqual(['a', 'b']);
  });

  test('what has next to no score is not called by name beside what has nearly all', () => {
    const of = (...shares: number[]) =>
      result({
        outcome: 'several',
        ranking: shares.map((probability, i) => ({ ...classes[0]!, name: `C${i}`, probability, inSet: i < 4 })),
      });
    expect(verdict(of(0.88, 0.11, 0.006, 0.004))).toBe(
      'Looks most like C0 (score 88\u00a0%), but C1 (11\u00a0%) or 2 more with lower scores may also fit.',
    );
    expect(verdict(of(0.982, 0.008, 0.006, 0.004))).toBe(
      'Looks most like C0 (score 98\u00a0%), but another with a low score may also fit.',
    );
    const long = result({
      outcome: 'several',
      ranking: [0.6, 0.1, 0.1, 0.1, 0.1].map((probability, i) => ({
        ...classes[0]!,
        name: `C${i}`,
        probability,
        inSet: true,
      })),
    });
    expect(verdict(long)).toBe(
      'Looks most like C0 (score 60\u00a0%), but C1 (10\u00a0%), C2 (10\u00a0%), C3 (10\u00a0%) ' +
        'or 1 more with a lower score may also fit.',
    );
  });

  test.each(['not-recognised', 'poor-quality'] as const)('%s names no category at all', (outcome) => {
    const none = result({
      outcome,
      tier: 'unknown',
      predictionSet: [],
      ranking: classes.map((entry) => ({ ...entry, inSet: false })),
    });
    expect(mayName(none)).toBe(false);
    for (const { name } of classes) expect(verdict(none) + verdictNote(none)).not.toContain(name);
  });

  test('a failed check is said with its value and limit', () => {
    const poor = result({
      outcome: 'poor-quality',
      quality: { usable: false, checks: [{ id: 'too_small', value: 20, limit: 64, passed: false }] },
    });
    expect(verdict(poor)).toContain('its shorter side has 20 pixels; at least 64 are needed');
  });

  const failing = (id: QualityCheckId, value: number, limit: number): QualityCheck => ({
    id,
    value,
    limit,
    passed: false,
  });

  test.each([
    ['blurred', /is blurred/, /focus/],
    ['dark', /too dark/, /daylight/],
    ['bright', /too bright \(30\u00a0%/, /flash/],
    ['low_contrast', /too little contrast/, /lens/],
    ['flat', /one even colour/, /skin you ask about/],
    ['noisy', /too grainy/, /more light/],
    ['out_of_frame', /at its edge/, /middle/],
    ['grey', /no colours/, /in colour/],
    ['collage', /several pictures in one/, /part that is one photo/],
  ] as const)('%s says what is wrong and what to do', (id, wrong, todo) => {
    const checks = [failing(id, 0.3, 0.2)];
    expect(verdict(result({ outcome: 'poor-quality', quality: { usable: false, checks } }))).toMatch(wrong);
    expect(advice(checks).join()).toMatch(todo);
    expect(checkWords(checks[0]!).value).toMatch(/at (least|most)/);
  });

  test('of an empty picture only that is said, and two faults are joined', () => {
    expect(advice([failing('low_contrast', 0, 9), failing('flat', 0, 4)])).toHaveLength(1);
    const two = result({
      outcome: 'poor-quality',
      quality: { usable: false, checks: [failing('blurred', 0, 1), failing('dark', 1, 9)] },
    });
    expect(verdict(two)).toBe('This picture is blurred and it is too dark, so no category is named.');
    expect(advice([{ ...failing('dark', 1, 9), passed: true }])).toEqual([]);
  });

  test('no score is rounded to certainty', () => {
    expect(percent(0.9999)).toBe('over 99\u00a0%');
    expect(percent(0.0001)).toBe('under 1\u00a0%');
  });

  test('the low tier is no all-clear and every tier says what to do next', () => {
    expect(tierWords('low').title).toContain('not an all-clear');
    for (const tier of ['low', 'moderate', 'high', 'unknown'] as const)
      expect(tierWords(tier).next.length).toBeGreaterThan(20);
    // The tier is of the score of all categories together: no sentence may take it from the closest ones.
    for (const tier of ['low', 'moderate', 'high'] as const) {
      expect(tierWords(tier).why).toMatch(/score/);
      expect(tierWords(tier).next + tierWords(tier).why).not.toMatch(/closest|most likely|is one that/i);
    }
  });

  test('the sentence that always stands there', () => {
    expect(doctor()).toBe(
      'If a spot or rash is new, changing, bleeding or worries you, see a doctor whatever this page shows.',
    );
  });
});

describe('words for any model', () => {
  const tiers = (['low', 'moderate', 'high', 'unknown'] as const).map((tier) =>
    Object.values(tierWords(tier)).join(' '),
  );
  const outcomes = (['single', 'several', 'not-recognised', 'poor-quality'] as const).map(
    (outcome) => verdict(result({ outcome })) + verdictNote(result({ outcome })),
  );
  const checks = (Object.keys(QUALITY_CHECKS) as QualityCheckId[]).map((id) => failing(id));
  function failing(id: QualityCheckId): string {
    const check = { id, value: 0, limit: 1, passed: false };
    const refused = result({ outcome: 'poor-quality', quality: { usable: false, checks: [check] } });
    return `${verdict(refused)} ${advice([check]).join(' ')}`;
  }

  test('what is said of a result names no mole, lesion or spot: a model of rashes is shown with the same words', () => {
    const said = [...tiers, ...outcomes, ...checks, ...betterPicture()];
    for (const text of said) expect(text).not.toMatch(/\b(spots?|moles?|lesions?|melanoma|growths?|rash(es)?)\b/i);
    expect(said.length).toBe(22);
  });

  test('the picker and the page ask for no kind of skin condition', () => {
    const asking = Object.entries(english).filter(([key]) => /^(picker|document)\./.test(key));
    expect(asking.length).toBeGreaterThan(15);
    for (const [key, { message }] of asking)
      expect(message.match(/\b(spots?|moles?|lesions?|melanoma)\b/i)?.[0], key).toBeUndefined();
  });
});

describe('words that are never used', () => {
  const root = new URL('../../', import.meta.url);
  const inFolder = (folder: string, ending: string) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).flatMap((name) =>
      name.endsWith(ending) ? [`${folder}/${name}`] : [],
    );
  const files = [
    'web/index.html',
    ...inFolder('web/src/element', '.ts'),
    ...inFolder('web/src/page', '.ts'),
    ...inFolder('web/src/messages/compiled', '.ts'),
    ...inFolder('models', 'manifest.json'),
    ...inFolder('tools/train/recipes', '.model.json'),
  ];
  const verdicts = /\byou have (?!a |an? )?(melanoma|cancer|skin)|\bis safe\b|\bharmless\b|\bdiagnos|\bdetects?\b/;
  const claims = /dermatologist-level|GDPR|HIPAA|clinically (validated|proven)/;
  const forbidden = new RegExp(`${verdicts.source}|${claims.source}`, 'i');

  test.each(files)('%s', async (file) => {
    const text = await readFile(new URL(file, root), 'utf8');
    expect(text.match(forbidden)?.[0]).toBeUndefined();
  });
});
