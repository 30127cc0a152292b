/** The camera without a camera: hints by the quality checks, their pace, causes, and the frame. */
import { describe, expect, test } from 'vitest';
import { QUALITY_CHECKS, type QualityCheck, type QualityCheckId } from '../../web/src/classifier/index.js';
import { Calm, hintOf } from '../../web/src/element/camera/hints.js';
import { causeOf, frameIn, wanted } from '../../web/src/element/camera/stream.js';

const checks = (...failed: QualityCheckId[]): QualityCheck[] =>
  (Object.keys(QUALITY_CHECKS) as QualityCheckId[]).map((id) => ({
    id,
    value: 1,
    limit: 1,
    passed: !failed.includes(id),
  }));

describe('a hint', () => {
  test.each<[QualityCheckId[], string]>([
    [[], 'good'],
    [['dark', 'blurred', 'flat'], 'dark'],
    [['bright', 'low_contrast'], 'bright'],
    [['noisy'], 'dark'],
    [['flat', 'blurred', 'low_contrast', 'out_of_frame'], 'flat'],
    [['blurred', 'out_of_frame'], 'blurred'],
    [['low_contrast'], 'contrast'],
    [['grey'], 'grey'],
    [['out_of_frame'], 'aim'],
  ])('of %j is %s', (failed, hint) => expect(hintOf(checks(...failed))).toBe(hint));

  test('is not given for what says nothing of a small sample of a live picture', () => {
    expect(hintOf(checks('too_small', 'collage'))).toBe('good');
  });

  test('there is one for every other check, also for one that is new', () => {
    for (const id of Object.keys(QUALITY_CHECKS) as QualityCheckId[])
      if (id !== 'too_small' && id !== 'collage') expect(hintOf(checks(id)), id).not.toBe('good');
  });

  test('stands for three seconds, then the latest comes', () => {
    const calm = new Calm();
    expect(calm.next('dark', 0)).toBe('dark');
    expect(calm.next('good', 500)).toBe('dark');
    expect(calm.next('blurred', 2999)).toBe('dark');
    expect(calm.next('good', 3000)).toBe('good');
    expect(calm.next('good', 9000)).toBe('good');
    expect(calm.next('blurred', 9001)).toBe('blurred');
  });
});

test.each([
  ['NotAllowedError', undefined, 'refused'],
  ['NotAllowedError', true, 'refused'],
  ['NotAllowedError', false, 'blocked'],
  ['SecurityError', true, 'refused'],
  ['NotFoundError', true, 'missing'],
  ['OverconstrainedError', true, 'missing'],
  ['NotReadableError', true, 'busy'],
  ['AbortError', true, 'busy'],
  ['TypeError', true, 'failed'],
] as const)('%s with policy %s is %s', (name, allowed, cause) => {
  expect(causeOf(new DOMException('', name), allowed)).toBe(cause);
});

test('what is thrown and no error is a failure', () => {
  for (const thrown of [null, undefined, 'no', {}]) expect(causeOf(thrown, true)).toBe('failed');
});

test('no sound is asked for, the camera at the back is preferred, and a chosen one is that one', () => {
  expect(wanted(null)).toMatchObject({ audio: false, video: { facingMode: { ideal: 'environment' } } });
  const chosen = wanted('abc');
  expect(chosen).toMatchObject({ audio: false, video: { deviceId: { exact: 'abc' } } });
  expect(chosen.video).not.toHaveProperty('facingMode');
});

describe('the frame', () => {
  test.each([
    [{ width: 640, height: 480 }, null],
    [{ width: 480, height: 640 }, null],
    [
      { width: 1920, height: 1080 },
      { width: 4, height: 3 },
    ],
    [
      { width: 1080, height: 1920 },
      { width: 4, height: 3 },
    ],
  ])('in %j of %j has the shape, in the middle, and lies within', (picture, shape) => {
    const { x, y, width, height } = frameIn(picture, shape);
    const ratio = shape ? shape.width / shape.height : 1;
    expect(width / height).toBeCloseTo(ratio, 2);
    expect(Math.abs(2 * x + width - picture.width)).toBeLessThanOrEqual(1);
    expect(Math.abs(2 * y + height - picture.height)).toBeLessThanOrEqual(1);
    expect(Math.min(x, y)).toBeGreaterThan(0);
    expect(Math.max(width / picture.width, height / picture.height)).toBeCloseTo(0.88, 2);
  });
});
