/**
 * Who receives a form.
 * @vitest-environment happy-dom
 */
import { expect, test } from 'vitest';
import { receiverOf } from '../../web/src/element/form/receiver.js';

/** Of the page that the form is in. */
const OWN = location.origin;

function form(attributes: string, inside = ''): HTMLFormElement {
  document.body.innerHTML = `<form ${attributes}>${inside}</form>`;
  return document.querySelector('form')!;
}

const button = (attributes: string) => `<button ${attributes}>Send</button>`;

test.each([
  ['method="post"', OWN],
  ['method=" POST " action=""', OWN],
  ['method="post" action="../take"', OWN],
  ['method="post" action="//other.example/take"', 'http://other.example'],
  ['method="post" action="http://other.example:8080/"', 'http://other.example:8080'],
  ['method="dialog"', OWN],
])('<form %s> goes to %s', (attributes, receiver) => expect(receiverOf(form(attributes))).toBe(receiver));

test.each([
  '',
  'action="https://other.example/"',
  'method="get"',
  'method="put"',
  'method="post" action="mailto:a@b.example"',
  'method="post" action="javascript:0"',
  'method="post" action="data:text/plain,x"',
  'method="post" action="https://"',
])('<form %s> carries no answer', (attributes) => expect(receiverOf(form(attributes))).toBeNull());

test('the button that sends it goes before the form', () => {
  const other = form('method="post" action="/a"', button('formaction="https://other.example/"'));
  expect(receiverOf(other, other.querySelector('button'))).toBe('https://other.example');
  const get = form('method="post"', button('formmethod="get"'));
  expect(receiverOf(get, get.querySelector('button'))).toBeNull();
  const post = form('', button('formmethod="post"'));
  expect(receiverOf(post, post.querySelector('button'))).toBe(OWN);
});

test('a field called action or method is not the form’s', () => {
  const fields = '<input name="action" value="https://wrong.example/"><input name="method" value="get">';
  expect(receiverOf(form('method="post" action="/take"', fields))).toBe(OWN);
});
