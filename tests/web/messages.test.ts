/** The catalogue of messages: typed, whole, used, and what happens in languages that lack some of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { argumentsOf, catalogues, functionsOf, textOf } from '../../tools/build/messages.mjs';
import type { Result } from '../../web/src/classifier/result.js';
import { say as sayAll } from '../../web/src/messages/cli.js';
import {
  addLanguage,
  allWords,
  doctor,
  language,
  list,
  number,
  onLanguage,
  say,
  sentence,
  setLanguage,
  verdict,
} from '../../web/src/messages/index.js';
import { strictNumber } from '../../web/src/messages/plural.js';
import { withSection } from '../../web/src/messages/say.js';
import { root } from './support.js';

const english = catalogues().en;
const keys = Object.keys(english.messages);
const contract = JSON.parse(readFileSync(`${root}contract/contract.json`, 'utf8')) as {
  enumerations: Record<string, { values: object }>;
  qualityChecks: object;
};

const shipped = readdirSync(`${root}models`)
  .filter((name) => !name.includes('.'))
  .map(
    (name) =>
      JSON.parse(readFileSync(`${root}models/${name}/manifest.json`, 'utf8')) as {
        name: string;
        title: string;
        classes: { id: string; name: string; plain?: string }[];
      },
  );

describe('the catalogue', () => {
  test('has a sentence and a description for translators under each key', () => {
    for (const [key, entry] of Object.entries(english.messages)) {
      expect(key).toMatch(/^[a-z]\w*(\.[\w-]+)*$/i);
      if (typeof entry === 'string') throw new Error(`${key} has no description`);
      expect(entry.message.trim(), key).not.toBe('');
      expect(entry.description, key).toMatch(/^\S.*[^\s]$/);
    }
  });

  test('has the words of the shipped manifests, and no others for them', () => {
    const said = new Map<string, string>();
    for (const { name, title, classes } of shipped) {
      said.set(`shipped.title.${name}`, title);
      for (const { id, name: category, plain = '' } of classes) {
        // Models that share a category share its words.
        for (const [what, text] of Object.entries({ name: category, plain })) {
          const key = `shipped.category.${id}.${what}`;
          expect(said.get(key) ?? text, key).toBe(text);
          said.set(key, text);
        }
      }
    }
    const there = Object.entries(english.messages).filter(([key]) => key.startsWith('shipped.'));
    expect(Object.fromEntries(there.map(([key, entry]) => [key, textOf(entry)]))).toEqual(Object.fromEntries(said));
  });

  test('keys and arguments are checked by the compiler', () => {
    // Each of these would compile if its kind were not checked: part `lint` fails then.
    const wrong = [
      // @ts-expect-error: no such key
      () => say('nowhere'),
      // @ts-expect-error: an argument is missing
      () => say('verdict.named', { name: 'a' }),
      // @ts-expect-error: all arguments are missing
      () => say('verdict.named'),
      // @ts-expect-error: numbers come formatted
      () => say('photo.spot', { number: 1 }),
      // @ts-expect-error: what is counted is a number
      () => say('model.knows', { count: '8' }),
      // @ts-expect-error: it takes none
      () => say('doctor', {}),
      // @ts-expect-error: the command line's words are not a page's
      () => say('cli.usage.title'),
    ];
    expect(wrong).toHaveLength(7);
    expect(sayAll('cli.usage.title')).toBe('Use:');
  });
});

describe('keys', () => {
  const rooms = ['web/src/messages', 'web/src/element', 'web/src/page', 'web/src/handler', 'tools/cli'];
  const sources = [
    ...rooms.flatMap((room) =>
      readdirSync(root + room, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `${room}/${name}`),
    ),
    'web/index.html',
    'tools/build/pages.mjs',
  ].map((path) => readFileSync(root + path, 'utf8'));
  const text = sources.join('\n');
  /** What may stand in place of `${...}`: values of enumerations, and of states that only the front ends know. */
  const values = [
    ...Object.values(contract.enumerations).flatMap(({ values }) => Object.keys(values)),
    ...Object.keys(contract.qualityChecks),
    ...shipped.flatMap(({ name, classes }) => [name, ...classes.map(({ id }) => id)]),
    ...['queued', 'starting', 'decoding', 'analysing', 'explaining', 'done', 'engine', 'model'],
    ...['waiting', 'running', 'failed', 'cancelled', 'caller', 'picture', 'default', 'photo', 'dermoscopy'],
    ...[
      'wasm',
      'webgpu',
      'core',
      'webcodecs',
      'canvas',
      'libheif',
      'libwebp',
      'libavif',
      'noSuchModel',
      'stopped',
      'least',
      'most',
    ],
  ].join('|');
  /** `tier.${tier}.title` stands for every tier. */
  const patterns = [...text.matchAll(/`(\w+\.(?:[\w.-]|\$\{[^{}]*\})*)`/g)]
    .map(([, template]) => template!.split(/\$\{[^{}]*\}/))
    .filter((parts) => parts.length > 1)
    .map((parts) => new RegExp(`^${parts.map((part) => part.replaceAll('.', '\\.')).join(`(${values})`)}$`));
  const used = (key: string) =>
    text.includes(`'${key}'`) || text.includes(`"${key}"`) || patterns.some((pattern) => pattern.test(key));

  test('every key that is there is used', () => expect(keys.filter((key) => !used(key))).toEqual([]));

  test('a key that nothing names is found', () => {
    expect(used('verdict.nowhere')).toBe(false);
    expect(used('tier.high.nowhere')).toBe(false);
  });

  test('every key that is said is there', () => {
    const said = [...text.matchAll(/\bsay\(\s*'([^']+)'/g), ...text.matchAll(/data-message="([^"]+)"/g)];
    expect(said.length).toBeGreaterThan(200);
    expect(said.map(([, key]) => key!).filter((key) => !keys.includes(key))).toEqual([]);
  });
});

describe('plurals', () => {
  test('counts stand as `Intl` writes them, in every language of the catalogue and in those of a host', () => {
    const counts = [0, 1, 7, 42, 999, 1000, 12345, 2.5, -3];
    for (const locale of ['de', 'en', 'en-GB', 'es', 'fr', 'ar-u-nu-latn', 'fa', 'ar-EG', 'bn']) {
      const written = new Intl.NumberFormat(locale);
      for (const count of counts) expect(strictNumber(locale, count, 0, 'count')).toBe(written.format(count));
      expect(strictNumber(locale, 8, 3, 'count')).toBe(written.format(5));
    }
    for (const wrong of [Number.NaN, undefined as never])
      expect(() => strictNumber('en', wrong, 0, 'count')).toThrow('`count`');
  });

  const counted = keys.filter((key) => Object.values(argumentsOf(textOf(english.messages[key]!))).includes('number'));
  const words = functionsOf(english);
  const of = (key: string, count: number) => {
    const values = Object.entries(argumentsOf(textOf(english.messages[key]!))).map(([name, kind]) => [
      name,
      kind === 'number' ? count : 'x',
    ]);
    return words[key]!(Object.fromEntries(values));
  };

  test.each(counted)('%s counts', (key) => {
    expect(counted.length).toBeGreaterThan(8);
    for (const count of [0, 1, 2, 5]) expect(of(key, count)).toMatch(new RegExp(`\\b${count}\\b`));
    // Two and five are alike in English, and so is none.
    expect(of(key, 5).replace(/\b5\b/g, '2')).toBe(of(key, 2));
    expect(of(key, 0).replace(/\b0\b/g, '2')).toBe(of(key, 2));
  });

  test('one is one', () => {
    expect([0, 1, 2, 5].map((count) => say('model.knows', { count }))).toEqual([
      '0 categories',
      '1 category',
      '2 categories',
      '5 categories',
    ]);
    expect(sayAll('cli.report.title', { pictures: 1, groups: 1 })).toMatch(/^1 picture of .* in 1 group \(/);
    expect(say('details.backendThreads', { backend: 'B', threads: 1 })).toBe('B, 1 thread');
    expect(sayAll('cli.evaluate.skipped', { count: 2, label: 'x' })).toMatch(/^skipped: 2 pictures with the label 'x'/);
  });

  test('other languages have their own forms', () => {
    const message = '{count, plural, one {# kategoria} few {# kategorie} many {# kategorii} other {# kategorii}}';
    const polish = functionsOf({ tag: 'pl', locale: 'pl', direction: 'ltr', messages: { 'model.knows': message } });
    expect([0, 1, 2, 5, 22].map((count) => polish['model.knows']!({ count }))).toEqual([
      '0 kategorii',
      '1 kategoria',
      '2 kategorie',
      '5 kategorii',
      '22 kategorie',
    ]);
  });
});

describe('another language', () => {
  const several = {
    outcome: 'several',
    ranking: [0.6, 0.2, 0.1].map((probability, i) => ({ id: `${i}`, name: `N${i}`, probability, inSet: true })),
  } as unknown as Result;
  const german = { tag: 'de', locale: 'de', direction: 'ltr' } as const;
  const arabic = { tag: 'ar', locale: 'ar', direction: 'rtl' } as const;
  const speaking = (own: typeof german | typeof arabic, messages: Record<string, string>) =>
    addLanguage(own, async () => ({ messages: functionsOf({ ...own, messages }) }));

  beforeEach(() => {
    speaking(german, {
      'verdict.ahead': 'Am ehesten {named}, auch {others} ist möglich.',
      'verdict.named': '{name} ({score})',
      'format.percent': '{value} %',
      'run.cancel': 'Abbrechen',
    });
    speaking(arabic, { doctor: 'راجع الطبيب.' });
  });
  afterEach(async () => {
    await setLanguage(['en']);
    vi.restoreAllMocks();
  });

  test('is chosen by its tag or the beginning of it, else English', async () => {
    expect((await setLanguage(['xx', 'de-AT', 'ar'])).tag).toBe('de');
    expect(say('run.cancel')).toBe('Abbrechen');
    expect((await setLanguage(['AR-eg'])).direction).toBe('rtl');
    expect(doctor()).toBe('راجع الطبيب.');
    expect(await setLanguage(['xx'])).toEqual({ tag: 'en', locale: 'en-GB', direction: 'ltr' });
    expect(say('run.cancel')).toBe('Cancel');
  });

  test('writes numbers and lists in its own way', async () => {
    expect([number(1234.5, 1), list(['a', 'b', 'c'], 'or'), list(['a', 'b', 'c'], 'and')]).toEqual([
      '1234.5',
      'a, b or c',
      'a, b and c',
    ]);
    await setLanguage(['de']);
    expect([number(1234.5, 1), list(['a', 'b', 'c'], 'or')]).toEqual(['1234,5', 'a, b oder c']);
  });

  test('what it lacks is English, and a sentence of medical weight says so', async () => {
    await setLanguage(['de']);
    expect(doctor()).toMatch(/^If a spot/);
    expect(sentence(doctor)).toMatchObject({ tag: 'en', direction: 'ltr', text: doctor() });
    await setLanguage(['ar']);
    expect(sentence(doctor)).toMatchObject({ tag: 'ar', direction: 'rtl', text: 'راجع الطبيب.' });
  });

  test('no sentence of medical weight is half in one language and half in another', async () => {
    await setLanguage(['de']);
    // It has the sentence and the share, and lacks what stands for each of the others.
    expect(verdict(several)).toMatch(/^Am ehesten/);
    expect(sentence(() => verdict(several))).toMatchObject({
      tag: 'en',
      text: 'Looks most like N0 (score 60\u00a0%), but N1 (20\u00a0%) or N2 (10\u00a0%) may also fit.',
    });
    expect(language().tag).toBe('de');
    speaking(german, {
      'verdict.ahead': 'Am ehesten {named}, auch {others} ist möglich.',
      'verdict.named': '{name} ({score})',
      'verdict.other': '{name} ({score})',
      'format.percent': '{value} %',
    });
    await setLanguage(['en']);
    await setLanguage(['de']);
    expect(sentence(() => verdict(several))).toMatchObject({
      tag: 'de',
      text: 'Am ehesten N0 (60 %), auch N1 (20 %) oder N2 (10 %) ist möglich.',
    });
  });

  test('that cannot be loaded leaves the words as they are', async () => {
    const info = vi.spyOn(console, 'info').mockImplementation(() => {});
    await setLanguage(['de']);
    addLanguage(arabic, () => Promise.reject(new Error('offline')));
    expect((await setLanguage(['ar'])).tag).toBe('de');
    expect(say('run.cancel')).toBe('Abbrechen');
    expect(info).toHaveBeenCalledOnce();
  });

  test('words that are loaded later come in it too', async () => {
    speaking(german, {});
    await setLanguage(['de']);
    let heard = 0;
    const stop = onLanguage(() => heard++);
    const sayLater = withSection<{ 'later.one': undefined }>({
      english: { 'later.one': () => 'one' },
      languages: { de: async () => ({ messages: { 'later.one': () => 'eins' } }) },
    });
    expect(sayLater('later.one')).toBe('one');
    await allWords();
    expect([sayLater('later.one'), heard]).toEqual(['eins', 1]);
    await setLanguage(['en']);
    expect(sayLater('later.one')).toBe('one');
    stop();
  });

  test('and so do words of a part that comes while the language does', async () => {
    speaking(german, {});
    const changing = setLanguage(['de']);
    const sayLater = withSection<{ 'meanwhile.one': undefined }>({
      english: { 'meanwhile.one': () => 'one' },
      languages: { de: async () => ({ messages: { 'meanwhile.one': () => 'eins' } }) },
    });
    await changing;
    await allWords();
    expect(sayLater('meanwhile.one')).toBe('eins');
  });

  test('of two that are wanted the later one counts, and who listens hears of it once', async () => {
    let heard = 0;
    const stop = onLanguage(() => heard++);
    const first = setLanguage(['ar']);
    const second = setLanguage(['de']);
    await Promise.all([first, second]);
    expect([language().tag, heard]).toEqual(['de', 1]);
    stop();
    await setLanguage(['en']);
    expect(heard).toBe(1);
  });
});
