// What the catalogue compiler writes, and what it refuses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { argumentsOf, COMPILED, compiledMessages, missingMessages, withWords } from './messages.mjs';

/** @typedef {import('./messages.mjs').Catalogue} Catalogue */

/** @param {string} text */
const message = (text) => ({ message: text, description: 'A sentence.' });
/** @type {(messages: Catalogue['messages']) => Catalogue} */
const english = (messages) => ({
  tag: 'en',
  locale: 'en-GB',
  direction: 'ltr',
  messages: {
    doctor: message('See a doctor.'),
    'photo.count': message('{count, plural, one {# photo} other {# photos}} of {name}'),
    'cli.use': message('Use:'),
    'document.title': message('A page'),
    ...messages,
  },
});
/** @type {(messages: Catalogue['messages'], more?: Partial<Catalogue>) => Record<string, string>} */
const compile = (messages, more = {}) =>
  compiledMessages({
    en: english({}),
    de: { tag: 'de', locale: 'de', direction: 'ltr', messages, ...more },
  });

/** @type {(files: Record<string, string>, name: string) => string} */
const textOf = (files, name) => files[`${COMPILED}/${name}`] ?? assert.fail(`${name} is missing`);

describe('a language', () => {
  test('is one file; the rest is generated', () => {
    const files = compile({ doctor: 'Zum Arzt.', 'cli.use': 'Aufruf:', 'document.title': 'Eine Seite' });
    assert.deepEqual(Object.keys(files).sort(), [
      `${COMPILED}/de.cli.ts`,
      `${COMPILED}/de.shared.ts`,
      `${COMPILED}/en.cli.ts`,
      `${COMPILED}/en.shared.ts`,
      `${COMPILED}/keys.ts`,
      `${COMPILED}/languages.cli.ts`,
      `${COMPILED}/languages.ts`,
    ]);
    const list = textOf(files, 'languages.ts');
    assert.match(list, /tag: 'en'.*\n.*tag: 'de', locale: 'de', direction: 'ltr'/);
    assert.match(list, /sharedLanguages = \{\n {2}'de': \(\) => import\('\.\/de\.shared\.js'\)/);
    assert.match(textOf(files, 'de.shared.ts'), /: Partial<Compiled<SharedArguments & DocumentArguments>> = \{/);
    assert.match(textOf(files, 'de.shared.ts'), /"document\.title": \(\) => "Eine Seite"/);
  });

  test('has the words of the shipped manifests by the English that they are for, which English itself has not', () => {
    const name = { 'shipped.category.mel.name': message("Melanoma's") };
    const files = compiledMessages({
      en: english(name),
      de: { tag: 'de', locale: 'de', direction: 'ltr', messages: { 'shipped.category.mel.name': 'Melanom' } },
    });
    assert.match(textOf(files, 'de.shared.ts'), /"shipped\.category\.mel\.name=Melanoma's": \(\) => "Melanom"/);
    assert.match(textOf(files, 'de.shared.ts'), /Partial<Compiled<SharedArguments & ShippedArguments>>/);
    assert.match(
      textOf(files, 'keys.ts'),
      /interface ShippedArguments \{\n {2}'shipped\.category\.mel\.name=Melanoma\\'s'/,
    );
    assert.doesNotMatch(textOf(files, 'en.shared.ts'), /shipped/);
  });

  test('without words for the command line has no file for it', () => {
    const files = compile({ doctor: 'Zum Arzt.' });
    assert.equal(files[`${COMPILED}/de.cli.ts`], undefined);
    assert.match(textOf(files, 'languages.cli.ts'), /cliLanguages = \{\n\};/);
  });

  test('that lacks messages is reported', () => {
    const en = english({ doctor: { ...message('See a doctor.'), medical: true } });
    /** @type {Catalogue} */
    const de = { tag: 'de', locale: 'de', direction: 'ltr', messages: { 'cli.use': 'Aufruf:' } };
    assert.deepEqual(missingMessages({ en, de }), ['de: 3 of 4 messages are missing; medically relevant: doctor']);
  });

  test('is checked against English', () => {
    assert.throws(() => compile({ docter: 'Zum Arzt.' }), /de\.json: English has no 'docter'/);
    assert.throws(() => compile({ doctor: 'Zu {name}.' }), /'doctor' has an argument \{name\} \(string\)/);
    assert.throws(() => compile({ 'photo.count': '{count} Fotos' }), /argument \{count\} \(string\)/);
    assert.throws(
      () => compile({ 'photo.count': '{count, plural, few {#} other {#}} {name}' }),
      /few/,
      'a plural form that the language has not',
    );
    assert.throws(() => compile({}, { tag: 'fr' }), /its tag is 'fr'/);
    assert.throws(() => compile({}, { direction: /** @type {any} */ ('up') }), /ltr or rtl/);
    assert.throws(() => compile({}, { locale: 'no such' }), RangeError);
  });
});

describe('English', () => {
  test('keeps the text of index.html out of scripts', () => {
    const files = compile({});
    assert.doesNotMatch(textOf(files, 'en.shared.ts'), /A page/);
    assert.match(textOf(files, 'keys.ts'), /interface DocumentArguments \{\n {2}'document\.title': undefined;/);
  });

  test('gives each key its arguments', () => {
    assert.match(textOf(compile({}), 'keys.ts'), /'photo\.count': \{ count: number; name: string \};/);
    assert.deepEqual(argumentsOf("''{name}'' {n, plural, other {{inner} #}}"), {
      name: 'string',
      n: 'number',
      inner: 'string',
    });
    assert.deepEqual(argumentsOf('{kind, select, a {A} other {B}}'), { kind: 'string' });
    assert.throws(() => argumentsOf('{n, number}'), /only \{name\}, plural and select/);
    assert.throws(() => argumentsOf('{n} {n, plural, other {#}}'), /has two kinds/);
    assert.throws(() => argumentsOf('{n'));
  });
});

describe('index.html', () => {
  /** @type {(html: string, messages?: Catalogue['messages']) => string} */
  const fill = (html, messages = {}) => withWords(html, english(messages));

  test('gets its text, including links, the description attribute and what pictures show', () => {
    assert.equal(
      fill('<h1 class="a" data-message="document.title"></h1>'),
      '<h1 class="a" data-message="document.title">A page</h1>',
    );
    assert.equal(
      fill('<p data-message="x.y"><a href="z"></a></p>', { 'x.y': message('By <link>us</link>.') }),
      '<p data-message="x.y">By <a href="z">us</a>.</p>',
    );
    assert.equal(
      fill('<meta name="d" data-message="x.y" content="" />', { 'x.y': message('Say "A & B"') }),
      '<meta name="d" data-message="x.y" content="Say &quot;A &amp; B&quot;" />',
    );
    assert.equal(
      fill('<img src="a.svg" data-alt="x.y" alt="" />', { 'x.y': message('A "spot"') }),
      '<img src="a.svg" data-alt="x.y" alt="A &quot;spot&quot;" />',
    );
  });

  test('may not name a missing key', () =>
    assert.throws(() => fill('<p data-message="x.y"></p>'), /index\.html names 'x\.y'/));
});
