/**
 * Frames on a picture, in whole pixels of the upright picture: where they may be, and how they are moved and resized.
 * A frame is always what the network would be shown of it: inside the picture, of the network's shape, and not under
 * the size that the quality check takes. No DOM.
 */
import type { Rect } from '../../classifier/index.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Bounds {
  /** The upright picture's, pixels. */
  readonly width: number;
  readonly height: number;
  /** Only the ratio counts; null: frames may have any shape. */
  readonly shape: { readonly width: number; readonly height: number } | null;
  /** A frame's shorter side, pixels. Where the picture has less, its largest frame is the only one. */
  readonly least: number;
}

/** Which corner is held: -1 is left or top, 1 right or bottom. */
export interface Corner {
  readonly x: -1 | 1;
  readonly y: -1 | 1;
}

export type Grip = Corner | 'inside' | null;

interface Size {
  readonly width: number;
  readonly height: number;
}

const clamp = (value: number, from: number, to: number): number => Math.min(Math.max(value, from), to);

export const centreOf = ({ x, y, width, height }: Rect): Point => ({ x: x + width / 2, y: y + height / 2 });

export const isSame = (a: Rect, b: Rect): boolean =>
  a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;

export const holds = ({ x, y, width, height }: Rect, point: Point): boolean =>
  point.x >= x && point.x <= x + width && point.y >= y && point.y <= y + height;

/** The part that the core shows of a crop of this size, until that is all of it (`fitted_region` in the core). */
function shownOf({ width, height }: Size, shape: Size): Size {
  const size = {
    width: Math.min(width, Math.max(1, Math.floor((height * shape.width) / shape.height))),
    height: Math.min(height, Math.max(1, Math.floor((width * shape.height) / shape.width))),
  };
  return size.width === width && size.height === height ? size : shownOf(size, shape);
}

/** The size nearest to the one wanted that a frame may have, at most `room`. */
function sizeOf(wanted: Size, { shape, least }: Bounds, room: Size): Size {
  if (!shape) {
    const side = (value: number, most: number) => clamp(Math.round(value), Math.min(Math.ceil(least), most), most);
    return { width: side(wanted.width, room.width), height: side(wanted.height, room.height) };
  }
  const most = Math.min(room.width / shape.width, room.height / shape.height);
  let scale = clamp(
    Math.max(wanted.width / shape.width, wanted.height / shape.height),
    Math.min(least / Math.min(shape.width, shape.height), most),
    most,
  );
  const at = () => shownOf({ width: Math.round(scale * shape.width), height: Math.round(scale * shape.height) }, shape);
  let size = at();
  // Whole pixels of an odd shape may fall short of it.
  while (Math.min(size.width, size.height) < least && scale < most) {
    scale = Math.min(most, scale + 1 / Math.max(shape.width, shape.height));
    size = at();
  }
  return { width: Math.min(size.width, room.width), height: Math.min(size.height, room.height) };
}

/** The frame of about this size around a point, moved as far as it must be to lie inside the picture. */
export function frameAround(point: Point, wanted: Size, bounds: Bounds): Rect {
  const { width, height } = sizeOf(wanted, bounds, bounds);
  return {
    x: clamp(Math.round(point.x - width / 2), 0, bounds.width - width),
    y: clamp(Math.round(point.y - height / 2), 0, bounds.height - height),
    width,
    height,
  };
}

/** The frame nearest to a region that the network was shown or that was proposed. */
export const frameOf = (region: Rect, bounds: Bounds): Rect => frameAround(centreOf(region), region, bounds);

export const moved = ({ x, y, width, height }: Rect, by: Point, bounds: Bounds): Rect => ({
  x: clamp(Math.round(x + by.x), 0, bounds.width - width),
  y: clamp(Math.round(y + by.y), 0, bounds.height - height),
  width,
  height,
});

/** Larger or smaller around its middle. */
export const scaled = (frame: Rect, factor: number, bounds: Bounds): Rect =>
  frameAround(centreOf(frame), { width: frame.width * factor, height: frame.height * factor }, bounds);

/** A corner moved; the opposite one stays. */
export function resized(frame: Rect, corner: Corner, by: Point, bounds: Bounds): Rect {
  const fixed = {
    x: corner.x < 0 ? frame.x + frame.width : frame.x,
    y: corner.y < 0 ? frame.y + frame.height : frame.y,
  };
  const room = {
    width: corner.x < 0 ? fixed.x : bounds.width - fixed.x,
    height: corner.y < 0 ? fixed.y : bounds.height - fixed.y,
  };
  const grown = { width: frame.width + corner.x * by.x, height: frame.height + corner.y * by.y };
  // Of a fixed shape, a finger's way along either side counts by half.
  const share = (grown.width / frame.width + grown.height / frame.height) / 2;
  const wanted = bounds.shape ? { width: frame.width * share, height: frame.height * share } : grown;
  const { width, height } = sizeOf(wanted, bounds, room);
  return {
    x: corner.x < 0 ? fixed.x - width : fixed.x,
    y: corner.y < 0 ? fixed.y - height : fixed.y,
    width,
    height,
  };
}

/** What is held at a point: a corner within `reach`, or the frame. The middle of a small frame moves it. */
export function gripAt(frame: Rect, point: Point, reach: number): Grip {
  const centre = centreOf(frame);
  const away = { x: point.x - centre.x, y: point.y - centre.y };
  const within = (share: number) =>
    Math.abs(away.x) <= (frame.width / 2) * share && Math.abs(away.y) <= (frame.height / 2) * share;
  if (within(0.5)) return 'inside';
  const corner: Corner = { x: away.x < 0 ? -1 : 1, y: away.y < 0 ? -1 : 1 };
  const distance = Math.hypot(away.x - (corner.x * frame.width) / 2, away.y - (corner.y * frame.height) / 2);
  if (distance <= reach) return corner;
  return within(1) ? 'inside' : null;
}
