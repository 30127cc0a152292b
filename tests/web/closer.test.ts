/** Which two photos may be scored together, and what an answer from more than one look says of itself. */
import { expect, test } from 'vitest';
import type { Outcome } from '../../web/src/classifier/index.js';
import { closerOf, mayJoin } from '../../web/src/element/closer/ask.js';
import type { Photo } from '../../web/src/element/session.js';

const done = (modality: string, outcome: Outcome = 'single') =>
  ({ state: { kind: 'done', result: { modality, outcome } } }) as unknown as Pick<Photo, 'state'>;
const joins = { combines: ['dermoscopy', 'photo'] as [string, string] };

test('two of one kind are scored together, or of the two kinds that the model joins', () => {
  expect(mayJoin(done('photo'), done('photo'), {})).toBe(true);
  expect(mayJoin(done('photo'), done('dermoscopy'), joins)).toBe(true);
  expect(mayJoin(done('photo'), done('dermoscopy'), {})).toBe(false);
  expect(mayJoin(done('photo'), done('infrared'), joins)).toBe(false);
});

test('only those that are usable by themselves', () => {
  for (const outcome of ['poor-quality', 'no-spot', 'several-spots'] as const) {
    expect(mayJoin(done('photo'), done('photo', outcome), joins), outcome).toBe(false);
    expect(mayJoin(done('photo', outcome), done('photo'), joins), outcome).toBe(false);
  }
  // A picture that is refused by itself may be recognised together with the other.
  expect(mayJoin(done('photo', 'not-recognised'), done('photo'), joins)).toBe(true);
  expect(mayJoin(done('photo'), { state: { kind: 'waiting' } }, joins)).toBe(false);
});

test('a plain look is no closer one; else it says what the answer was made of', () => {
  const other = { name: 'b.jpg', file: new Blob(), modality: null, crop: null };
  expect(closerOf(false, null)).toBeNull();
  const plain = (text: string) => text.replace(/[\u2068\u2069]/g, '');
  expect(plain(closerOf(false, other)!.words('a.jpg'))).toBe(
    'One answer from two photos of one spot, a.jpg and b.jpg.',
  );
  const both = plain(closerOf(true, other)!.words('a.jpg'));
  expect(both).toContain('a.jpg and b.jpg');
  expect(both).toContain('turned and mirrored');
});
