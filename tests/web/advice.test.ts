/** What a person's answers make of the advice: they raise it by published rules, and none ever lowers it. */
import { describe, expect, test } from 'vitest';
import {
  AGES,
  type Answers,
  adviceOf,
  NO_ANSWERS,
  PLACES,
  type Reason,
  SIGNS,
  type Sign,
} from '../../web/src/element/questions/advice.js';
import { placeOf, REGIONS } from '../../web/src/element/questions/countries.js';

const TIERS = ['unknown', 'low', 'moderate', 'high'] as const;
const rank = (tier: (typeof TIERS)[number]) => TIERS.indexOf(tier);
const said = (signs: Sign[], more: Partial<Answers> = {}): Answers => ({ ...NO_ANSWERS, signs, ...more });

function* everyAnswer(): Generator<Answers> {
  for (let bits = 0; bits < 2 ** SIGNS.length; bits++) {
    const signs = SIGNS.filter((_, index) => bits & (1 << index));
    for (const age of [null, ...AGES]) for (const place of [null, ...PLACES]) yield { signs, age, place };
  }
}

/** What was answered, whatever the order of the signs. */
const keyOf = ({ signs, age, place }: Answers) =>
  [SIGNS.reduce((bits, sign, index) => bits | (signs.includes(sign) ? 1 << index : 0), 0), age, place].join();
/** For each tier of the network the rank of the advice, by what was answered: asked once, compared many times. */
const adviceRanks = TIERS.map((tier) => {
  const ranks = new Map<string, number>();
  for (const answers of everyAnswer()) ranks.set(keyOf(answers), rank(adviceOf(tier, answers).tier));
  return ranks;
});

test('no answer lowers the advice, whatever else was answered and whatever the network says', () => {
  const wrong: unknown[] = [];
  let compared = 0;
  for (const answers of everyAnswer()) {
    const missing = SIGNS.filter((sign) => !answers.signs.includes(sign));
    const more: Answers[] = missing.map((sign) => ({ ...answers, signs: [...answers.signs, sign] }));
    if (answers.age === null) for (const age of AGES) more.push({ ...answers, age });
    if (answers.place === null) for (const place of PLACES) more.push({ ...answers, place });
    const [key, keys] = [keyOf(answers), more.map(keyOf)];
    for (const [least, ranks] of adviceRanks.entries()) {
      const before = ranks.get(key) as number;
      if (before < least) wrong.push([TIERS[least], answers]);
      for (const [index, next] of keys.entries()) {
        compared += 1;
        if ((ranks.get(next) as number) < before) wrong.push([TIERS[least], answers, more[index]]);
      }
    }
  }
  expect(compared).toBeGreaterThan(1_000_000);
  for (const ranks of adviceRanks) expect(ranks.size).toBe(2 ** SIGNS.length * (AGES.length + 1) * (PLACES.length + 1));
  expect(wrong).toEqual([]);
}, 120_000);

test('a higher tier of the network is never answered with less', () => {
  for (const answers of everyAnswer()) {
    const ranks = adviceRanks.map((each) => each.get(keyOf(answers)) as number);
    if (ranks.some((value, index) => value < (ranks[index - 1] ?? 0))) throw new Error(JSON.stringify(answers));
  }
});

test('what is raised says why, by what was answered, and nothing else does', () => {
  for (const answers of everyAnswer()) {
    const all: string[] = [...answers.signs, answers.age ?? '', answers.place ?? ''];
    for (const tier of TIERS) {
      const { raised, because } = adviceOf(tier, answers);
      const wrong = (raised && because.length === 0) || because.some((reason: Reason) => !all.includes(reason));
      if (wrong) throw new Error(JSON.stringify([tier, answers, because]));
    }
  }
});

describe('the rules', () => {
  test('without an answer the network is left alone', () => {
    for (const tier of TIERS) expect(adviceOf(tier, NO_ANSWERS)).toEqual({ tier, raised: false, because: [] });
  });

  test.each<[Sign[], number]>([
    [['size'], 2],
    [['wide', 'inflamed'], 2],
    [['wide', 'itches'], 2],
    [['size', 'wide'], 3],
    [['wide', 'inflamed', 'itches'], 3],
    [['shape', 'colour'], 4],
  ])('the checklist of NG12: %j has %d points', (signs, points) => {
    const tier = points >= 3 ? 'high' : 'moderate';
    expect(adviceOf('low', said(signs))).toEqual({ tier, raised: true, because: signs });
  });

  test.each<[Sign[], Partial<Answers>, Reason[]]>([
    [['bleeds'], {}, ['bleeds']],
    [['lump'], {}, ['lump']],
    [['new', 'colour'], {}, ['new', 'colour']],
    [['new'], { place: 'nail' }, ['new', 'nail']],
    [['size'], { place: 'nail' }, ['size', 'nail']],
    [['shape'], { place: 'hands' }, ['shape', 'hands']],
    [['unhealed'], { place: 'head' }, ['unhealed', 'head']],
    [['unhealed'], { age: 'from50' }, ['unhealed', 'from50']],
    [['new', 'earlier'], {}, ['new', 'earlier']],
    [['inflamed', 'immune'], {}, ['inflamed', 'immune']],
  ])('%j with %j asks for it soon', (signs, more, because) => {
    for (const tier of ['unknown', 'low', 'moderate'] as const)
      expect(adviceOf(tier, said(signs, more))).toEqual({ tier: 'high', raised: true, because });
  });

  test.each(SIGNS)('%s alone is reason enough for an appointment', (sign) => {
    expect(rank(adviceOf('low', said([sign])).tier)).toBeGreaterThanOrEqual(rank('moderate'));
  });

  test('age and place alone are no reason', () => {
    for (const age of AGES)
      for (const place of PLACES) expect(adviceOf('low', { signs: [], age, place }).raised).toBe(false);
  });

  test('what asks for as much as the network does says so and raises nothing', () => {
    expect(adviceOf('high', said(['bleeds']))).toEqual({ tier: 'high', raised: false, because: ['bleeds'] });
    expect(adviceOf('high', said(['itches']))).toEqual({ tier: 'high', raised: false, because: [] });
  });
});

describe('the country', () => {
  test('is that of the languages, the first that names one, and no guess', () => {
    expect(placeOf(['en', 'de-AT'])).toBe('AT');
    expect(placeOf(['fr-CH', 'de-AT'])).toBe('CH');
    expect(placeOf(['en-GB'])).toBe('GB');
    expect(placeOf(['en', 'de', 'not a language'])).toBe('other');
    expect(placeOf(['pt-BR', 'en-US'])).toBe('other');
    expect(placeOf([])).toBe('other');
  });

  test('there is a default beside those that are known', () => {
    expect(REGIONS).toContain('other');
    expect(new Set(REGIONS).size).toBe(REGIONS.length);
  });
});
