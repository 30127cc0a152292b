// The element's description and the document made of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ELEMENT_DOCUMENT, elementsManifest, elementText } from './elements.mjs';
import { root } from './steps.mjs';

const source = readFileSync(join(root, 'web/src/element/classifier-element.ts'), 'utf8');
const text = readFileSync(join(root, ELEMENT_DOCUMENT), 'utf8');

test('describes what others may use, and nothing else', () => {
  const [element] = elementsManifest().modules.flatMap(({ declarations }) => declarations);
  assert.equal(element?.tagName, 'dermlet-classifier');
  const names = element.members.map(({ name }) => name);
  for (const name of ['model', 'submitPhoto', 'validationMessage', 'add']) assert.ok(names.includes(name), name);
  for (const name of ['session', 'loader', 'framedBy', 'formResetCallback']) assert.ok(!names.includes(name), name);
});

test('a property that was added is in the document', () => {
  const added = source.replace(
    '  @property() model',
    "  /** For this test. */\n  @property() added = 'x';\n  @property() model",
  );
  const [element] = elementsManifest(added).modules.flatMap(({ declarations }) => declarations);
  assert.ok(element?.attributes.some(({ name }) => name === 'added'));
});

test('the public types have every property of the element, and no other', () => {
  const types = readFileSync(join(root, 'web/src/element/public.ts'), 'utf8');
  const body = /interface DermletClassifierProperties \{([\s\S]*?)\n\}/.exec(types)?.[1] ?? '';
  const typed = [...body.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
  const [element] = elementsManifest().modules.flatMap(({ declarations }) => declarations);
  const own = element?.members.filter(({ kind, readonly, name }) => kind === 'field' && !readonly && name !== 'filled');
  assert.deepEqual(typed.sort(), own?.map(({ name }) => name).sort());
});

test('what is between the marks is made anew, the rest stays', () => {
  assert.equal(elementText(text.replace('| `model` |', '| `other` |')), text);
  assert.throws(() => elementText(text.replace('<!-- end -->', '')), /lacks the marks/);
  assert.match(elementText(text.replace('## Browsers', '## Where')), /## Where/);
});
