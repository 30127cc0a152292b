/** The languages that ship: whole, with the arguments and plurals they need, and without words that are never used. */
import { afterEach, describe, expect, test } from 'vitest';
import { argumentsOf, catalogues, functionsOf, textOf } from '../../tools/build/messages.mjs';
import type { RankedClass, Result } from '../../web/src/classifier/result.js';
import {
  addLanguage,
  categoryMeaning,
  categoryName,
  modelTitle,
  plainName,
  sentence,
  setLanguage,
  summary,
  verdict,
} from '../../web/src/messages/index.js';

const all = catalogues();
const english = all.en.messages;
const others = Object.values(all).filter(({ tag }) => tag !== 'en');
/** The command line speaks English. */
const shown = Object.keys(english).filter((key) => !key.startsWith('cli.'));
/** Rooms whose words come apart from the others', and may be English as a whole in a language. */
const ROOMS = ['camera', 'questions', 'report', 'review', 'spots'];
const roomOf = (key: string) => ROOMS.find((room) => key.startsWith(`${room}.`));

/**
 * Never said, in any form: that it is harmless, that a person has something, that this finds or names an illness. Words
 * of the names of categories (`shipped.*`) are those of medicine.
 */
const NEVER: Record<string, RegExp> = {
  de: /\b(sicher|harmlos|ungefährlich|gutartig)(e[mnrs]?)?\b|\bSie haben\b|\bdiagnos|\b(erkennt|entdeckt)\b/i,
  es: /\b(segur|inofensiv|benign)[oa]s?\b|\b(tiene|padece) (una? )?(cáncer|melanoma|tumor)|\bdiagn[oó]s|\bdetecta/i,
  fr: /\bsans danger\b|\b(sûr|inoffensif|bénin)(e|s|es|ve)?\b|\bvous (avez|souffrez)\b|\bdiagnos|\bdétect|\bdépist/i,
  ar: /آمن|مأمون|غير ضار|حميد|لديك|مصاب|تشخيص|تكتشف|يكتشف|تكشف/,
};

/** A doctor, and that this is no medical device. */
const KEPT: Record<string, [RegExp, RegExp]> = {
  de: [/\bArzt\b|ärztlich/, /kein Medizinprodukt/i],
  es: [/médico/, /no (es )?un producto sanitario/i],
  fr: [/médecin/, /pas un dispositif médical/i],
  ar: [/الطبيب/, /ليست جهازًا طبيًا/],
};

afterEach(() => setLanguage(['en']));

test.each([
  ['de', 'Das ist sicher.', 'Sie haben ein Melanom.', 'Die Seite erkennt Hautkrebs.'],
  ['es', 'Es seguro.', 'Usted tiene un melanoma.', 'La red detecta el cáncer.'],
  ['fr', 'C’est bénin.', 'Vous avez un mélanome.', 'Le réseau détecte le cancer.'],
  ['ar', 'هذا آمن.', 'لديك ميلانوما.', 'تكتشف الشبكة السرطان.'],
])('what is never said is found: %s', (tag, ...said) => {
  for (const text of said) expect(text).toMatch(NEVER[tag]!);
});

test('there are four others, one of them from right to left', () => {
  expect(others.map(({ tag, direction }) => `${tag} ${direction}`)).toEqual(['ar rtl', 'de ltr', 'es ltr', 'fr ltr']);
  expect(Object.keys(NEVER).sort()).toEqual(others.map(({ tag }) => tag));
});

describe.each(others)('$tag', ({ tag, locale, messages }) => {
  const own = Object.entries(messages).map(([key, entry]) => [key, textOf(entry)] as const);

  test('has every message that the page and the handler say, and no empty one', () => {
    const begun = new Set(own.map(([key]) => roomOf(key)));
    const wanted = shown.filter((key) => begun.has(roomOf(key)));
    expect(wanted.filter((key) => messages[key] === undefined)).toEqual([]);
    expect(own.filter(([, text]) => text.trim() === '')).toEqual([]);
    expect(own.length).toBe(wanted.length);
  });

  test('has the arguments and links of English, each once or in each plural form', () => {
    for (const [key, text] of own) {
      expect(argumentsOf(text), key).toEqual(argumentsOf(textOf(english[key]!)));
      const links = (of: string) => of.match(/<\/?link>/g) ?? [];
      expect(links(text), key).toEqual(links(textOf(english[key]!)));
    }
  });

  test('leaves no sentence in English', () => {
    // Two words or more that are the same in both languages would have been forgotten.
    const words = (text: string) => text.replace(/\{[^}]*\}/g, ' ').match(/\p{L}{2,}/gu) ?? [];
    const same = own.filter(([key, text]) => text === textOf(english[key]!) && words(text).length > 1);
    expect(same.map(([key]) => key).filter((key) => key !== 'details.sha256')).toEqual([]);
  });

  test('never says what is never said', () => {
    const said = own.filter(([key]) => !key.startsWith('shipped.'));
    expect(said.filter(([, text]) => NEVER[tag]!.test(text))).toEqual([]);
  });

  test('keeps what must stand there', () => {
    const of = (key: string) => textOf(messages[key]!);
    const [doctor, device] = KEPT[tag]!;
    for (const key of ['doctor', 'document.lead', 'tier.high.why']) expect(of(key), key).toMatch(doctor);
    for (const key of ['purpose', 'document.limit.title', 'document.description']) expect(of(key), key).toMatch(device);
  });

  const counted = shown
    .filter((key) => messages[key] !== undefined)
    .filter((key) => Object.values(argumentsOf(textOf(english[key]!))).includes('number'));
  test.each(counted)('%s counts', (key) => {
    const text = textOf(messages[key]!);
    // Each form of the language stands there, so that none is taken for another.
    const forms = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    for (const form of forms) expect(text, form).toContain(` ${form} {`);
    const say = functionsOf({ ...all[tag]!, messages: { [key]: messages[key]! } })[key]!;
    const values = (count: number) =>
      Object.fromEntries(
        Object.entries(argumentsOf(text)).map(([name, kind]) => [name, kind === 'number' ? count : 'x']),
      );
    for (const count of [0, 1, 2, 3, 11, 100]) {
      const said = say(values(count));
      // Arabic says one and two by the word itself.
      const inWords = tag === 'ar' && (count === 1 || count === 2);
      if (!inWords) expect(said).toMatch(new RegExp(`(^|\\D)${count}(\\D|$)`));
      expect(said).not.toMatch(/[{}#]|undefined/);
    }
  });
});

test('plurals as each language has them', () => {
  const of = (tag: string) => [0, 1, 2, 3, 11, 100].map((count) => functionsOf(all[tag]!)['model.knows']!({ count }));
  expect(of('de')).toEqual(['0', '1', '2', '3', '11', '100'].map((n) => `${n} Kategorie${n === '1' ? '' : 'n'}`));
  expect(of('es')).toEqual(['0', '1', '2', '3', '11', '100'].map((n) => `${n} categoría${n === '1' ? '' : 's'}`));
  // None is one in French.
  expect(of('fr')).toEqual(
    ['0', '1', '2', '3', '11', '100'].map((n) => `${n} catégorie${n < '2' && n.length < 2 ? '' : 's'}`),
  );
  expect(of('ar')).toEqual(['0 فئة', 'فئة واحدة', 'فئتان', '3 فئات', '11 فئة', '100 فئة']);
});

describe('words of the models', () => {
  const category = (id: string, name: string, probability = 0.6, plain = ''): RankedClass =>
    ({ id, name, plain, probability, inSet: true, concern: 'low' }) as RankedClass;
  const several = (...ranking: RankedClass[]) => ({ outcome: 'several', tier: 'low', ranking }) as unknown as Result;
  const mole = category('nv', 'Melanocytic naevus (mole)', 0.6, textOf(english['shipped.category.nv.plain']!));

  test('are the manifest’s in English, marked as names', () => {
    expect(categoryName(mole)).toBe('\u2068Melanocytic naevus (mole)\u2069');
    expect(plainName(mole)).toBe('Melanocytic naevus (mole)');
  });

  test('are translated where they are those of a shipped model', async () => {
    await setLanguage(['de']);
    expect(categoryName(mole)).toBe('Melanozytärer Nävus (Muttermal)');
    expect(categoryMeaning(mole)).toMatch(/^Ein gewöhnliches Muttermal\./);
    expect(modelTitle({ name: 'skin-open', title: textOf(english['shipped.title.skin-open']!) })).toMatch(/^Sechs /);
    const result = several(mole, category('mel', 'Melanoma', 0.3));
    expect(sentence(() => verdict(result))).toEqual({
      tag: 'de',
      locale: 'de',
      direction: 'ltr',
      text:
        'Ähnelt am meisten: Melanozytärer Nävus (Muttermal; Score\u00a060\u00a0%); ' +
        'infrage kommen kann aber auch: Melanom (30\u00a0%).',
    });
    expect(summary(result)).toMatch(
      /^Ähnelt am meisten: Melanozytärer Nävus \(Muttermal\), Score 60 %\. .*: Melanom, 30 %/,
    );
  });

  test('of another maker are never renamed, whatever their ids', async () => {
    await setLanguage(['de']);
    expect(categoryName(category('mel', 'Melasma'))).toBe('\u2068Melasma\u2069');
    expect(categoryName(category('m', 'Melanoma'))).toBe('\u2068Melanoma\u2069');
    expect(categoryMeaning(category('mel', 'Melanoma', 1, 'A stain.'))).toBe('\u2068A stain.\u2069');
    expect(categoryMeaning(category('mel', 'Melanoma'))).toBe('');
    expect(modelTitle({ name: 'skin-8', title: 'Another' })).toBe('\u2068Another\u2069');
    expect(verdict(several(category('mel', 'Melasma'), category('x', 'Y', 0.3)))).toContain('Melasma');
  });

  test('are English in a sentence that falls back to English', async () => {
    const part = { tag: 'x-part', locale: 'en-GB', direction: 'ltr' } as const;
    addLanguage(part, async () => ({
      messages: { 'shipped.category.nv.name=Melanocytic naevus (mole)': () => 'Nev' },
    }));
    await setLanguage(['x-part']);
    expect(categoryName(mole)).toBe('Nev');
    expect(sentence(() => verdict(several(mole)))).toMatchObject({
      tag: 'en',
      text: 'Looks most like Melanocytic naevus (mole; score 60\u00a0%), but another with a low score may also fit.',
    });
  });
});
