/** Frames on a picture: where they may be, and what fingers and keys do to them. */
import { describe, expect, test } from 'vitest';
import type { Rect, Result, Spot } from '../../web/src/classifier/index.js';
import {
  type Bounds,
  frameAround,
  frameOf,
  gripAt,
  moved,
  resized,
  scaled,
} from '../../web/src/element/crop/geometry.js';
import { Gesture } from '../../web/src/element/crop/gesture.js';
import { mayHelp } from '../../web/src/element/crop/helps.js';
import { framedByKey } from '../../web/src/element/crop/keys.js';

const SQUARE: Bounds = { width: 1000, height: 600, shape: { width: 192, height: 192 }, least: 128 };
const FREE: Bounds = { ...SQUARE, shape: null };
const WIDE: Bounds = { ...SQUARE, shape: { width: 320, height: 192 } };
const FRAME: Rect = { x: 400, y: 200, width: 200, height: 200 };

/** What the core shows of a crop: `fitted_region` in wasm_src/core/geometry/resample.cc. */
function shown({ x, y, width, height }: Rect, shape: { width: number; height: number }): Rect {
  const w = Math.min(width, Math.floor((height * shape.width) / shape.height));
  const h = Math.min(height, Math.floor((width * shape.height) / shape.width));
  return { x: x + Math.floor((width - w) / 2), y: y + Math.floor((height - h) / 2), width: w, height: h };
}

function expectAllowed(frame: Rect, bounds: Bounds): void {
  for (const value of Object.values(frame)) expect(Number.isInteger(value)).toBe(true);
  expect(frame.x).toBeGreaterThanOrEqual(0);
  expect(frame.y).toBeGreaterThanOrEqual(0);
  expect(frame.x + frame.width).toBeLessThanOrEqual(bounds.width);
  expect(frame.y + frame.height).toBeLessThanOrEqual(bounds.height);
  expect(Math.min(frame.width, frame.height)).toBeGreaterThanOrEqual(bounds.least);
  if (bounds.shape) expect(shown(frame, bounds.shape)).toEqual(frame);
}

describe('a frame', () => {
  test.each([
    ['square', SQUARE],
    ['any shape', FREE],
    ['wide', WIDE],
  ] as const)('is inside the picture, large enough and shown whole, whatever is done to it: %s', (_name, bounds) => {
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    let frame = frameAround({ x: 500, y: 300 }, { width: 300, height: 300 }, bounds);
    for (let step = 0; step < 3000; step += 1) {
      const by = { x: (random() - 0.5) * 900, y: (random() - 0.5) * 900 };
      const corner = { x: random() < 0.5 ? -1 : 1, y: random() < 0.5 ? -1 : 1 } as const;
      const how = Math.floor(random() * 3);
      const next = how === 0 ? moved(frame, by, bounds) : how === 1 ? scaled(frame, 0.3 + random() * 2, bounds) : null;
      frame = next ?? resized(frame, corner, by, bounds);
      expectAllowed(frame, bounds);
      expect(frameOf(frame, bounds)).toEqual(frame);
    }
  });

  test('a corner is dragged, the opposite one stays', () => {
    expect(resized(FRAME, { x: 1, y: 1 }, { x: 50, y: 50 }, SQUARE)).toEqual({ ...FRAME, width: 250, height: 250 });
    expect(resized(FRAME, { x: -1, y: -1 }, { x: -50, y: -50 }, SQUARE)).toEqual({
      x: 350,
      y: 150,
      width: 250,
      height: 250,
    });
    expect(resized(FRAME, { x: 1, y: -1 }, { x: 60, y: 0 }, FREE)).toEqual({ ...FRAME, width: 260 });
  });

  test('is as large as the picture allows where that is under the least', () => {
    const small: Bounds = { width: 90, height: 60, shape: { width: 1, height: 1 }, least: 128 };
    expect(scaled({ x: 0, y: 0, width: 60, height: 60 }, 0.2, small)).toMatchObject({ width: 60, height: 60 });
  });

  test('is held by its corners, and by its middle however small it is', () => {
    expect(gripAt(FRAME, { x: 405, y: 205 }, 20)).toEqual({ x: -1, y: -1 });
    expect(gripAt(FRAME, { x: 610, y: 195 }, 20)).toEqual({ x: 1, y: -1 });
    expect(gripAt(FRAME, { x: 500, y: 210 }, 20)).toBe('inside');
    expect(gripAt(FRAME, { x: 700, y: 300 }, 20)).toBeNull();
    const small = { x: 500, y: 300, width: 20, height: 20 };
    expect(gripAt(small, { x: 510, y: 310 }, 26)).toBe('inside');
    expect(gripAt(small, { x: 522, y: 322 }, 26)).toEqual({ x: 1, y: 1 });
  });
});

describe('fingers', () => {
  const REACH = { corner: 20, slip: 5 };

  test('one drags, and less than a slip does nothing', () => {
    const gesture = new Gesture(FRAME, SQUARE);
    gesture.down(1, { x: 500, y: 300 }, REACH);
    expect(gesture.move(1, { x: 503, y: 300 })).toEqual(FRAME);
    expect(gesture.isDrag).toBe(false);
    expect(gesture.move(1, { x: 530, y: 280 })).toEqual({ ...FRAME, x: 430, y: 180 });
    expect(gesture.up(1, true)).toEqual({ ...FRAME, x: 430, y: 180 });
    expect(gesture.isOver).toBe(true);
  });

  test('two resize, and the one that stays moves on from there', () => {
    const gesture = new Gesture(FRAME, SQUARE);
    gesture.down(1, { x: 450, y: 300 }, REACH);
    gesture.down(2, { x: 550, y: 300 }, REACH);
    expect(gesture.move(2, { x: 650, y: 300 })).toEqual({ x: 350, y: 100, width: 400, height: 400 });
    gesture.up(1, true);
    expect(gesture.move(2, { x: 660, y: 310 })).toEqual({ x: 360, y: 110, width: 400, height: 400 });
  });

  test('a tap beside the frame puts it there; a finger that the browser took away does not', () => {
    const tapped = new Gesture(FRAME, SQUARE);
    tapped.down(1, { x: 800, y: 400 }, REACH);
    expect(tapped.up(1, true)).toEqual({ ...FRAME, x: 700, y: 300 });
    const taken = new Gesture(FRAME, SQUARE);
    taken.down(1, { x: 800, y: 400 }, REACH);
    expect(taken.up(1, false)).toEqual(FRAME);
  });
});

test('keys move and resize it; others are not its', () => {
  expect(framedByKey('ArrowRight', false, FRAME, SQUARE)).toEqual({ ...FRAME, x: 412 });
  expect(framedByKey('ArrowUp', false, FRAME, SQUARE)).toEqual({ ...FRAME, y: 188 });
  expect(framedByKey('+', false, FRAME, SQUARE)).toEqual({ x: 390, y: 190, width: 220, height: 220 });
  expect(framedByKey('ArrowDown', true, FRAME, SQUARE)).toMatchObject({ width: 212, height: 212 });
  expect(framedByKey('ArrowRight', true, FRAME, FREE)).toMatchObject({ width: 212, height: 200 });
  expect(framedByKey('Tab', false, FRAME, SQUARE)).toBeNull();
});

test('framing is offered where it may help', () => {
  const result = (outcome: Result['outcome'], framing: Result['frame']['framing'], failed: string[] = []) =>
    ({
      outcome,
      source: { width: 1000, height: 600 },
      frame: { framing, spots: [] },
      quality: { checks: failed.map((id) => ({ id, passed: false })) },
    }) as unknown as Result;
  const spot = (x: number, side: number) => [{ x, y: 300 - side / 2, width: side, height: side }] as Spot[];
  expect(mayHelp(result('no-spot', 'none'), [])).toBe(true);
  expect(mayHelp(result('poor-quality', 'whole', ['out_of_frame']), [])).toBe(true);
  expect(mayHelp(result('poor-quality', 'whole', ['blurred']), [])).toBe(false);
  expect(mayHelp(result('several', 'both'), spot(450, 100))).toBe(true);
  expect(mayHelp(result('several', 'whole'), spot(300, 400))).toBe(false);
  expect(mayHelp(result('several', 'whole'), spot(0, 300))).toBe(true);
  expect(mayHelp(result('several', 'chosen'), spot(450, 100))).toBe(false);
  expect(mayHelp(result('single', 'whole'), spot(450, 100))).toBe(false);
});
