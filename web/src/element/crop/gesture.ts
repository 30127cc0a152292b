/**
 * Fingers or a mouse on a picture -> its frame. One of them drags the frame or a corner, two also resize it, and a tap
 * beside the frame puts it there. Points are in pixels of the upright picture. No DOM.
 */
import type { Rect } from '../../classifier/index.js';
import { type Bounds, type Grip, gripAt, moved, type Point, resized, scaled } from './geometry.js';

export interface Reach {
  /** How far from a corner it is still held. */
  readonly corner: number;
  /** How far a finger may slip and still tap. */
  readonly slip: number;
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

export class Gesture {
  readonly #pointers = new Map<number, { from: Point; at: Point }>();
  readonly #bounds: Bounds;
  #frame: Rect;
  /** The frame when the present fingers began. */
  #from: Rect;
  #grip: Grip = null;
  #slip = 0;
  #moved = false;

  constructor(frame: Rect, bounds: Bounds) {
    this.#frame = frame;
    this.#from = frame;
    this.#bounds = bounds;
  }

  get frame(): Rect {
    return this.#frame;
  }

  /** Whether it is more than a tap. */
  get isDrag(): boolean {
    return this.#moved;
  }

  get isOver(): boolean {
    return this.#pointers.size === 0;
  }

  down(id: number, point: Point, reach: Reach): void {
    if (this.#pointers.size >= 2) return;
    this.#pointers.set(id, { from: point, at: point });
    this.#slip = reach.slip;
    if (this.#pointers.size === 1) this.#grip = gripAt(this.#frame, point, reach.corner);
    this.#begin();
  }

  move(id: number, point: Point): Rect {
    const pointer = this.#pointers.get(id);
    if (!pointer) return this.#frame;
    pointer.at = point;
    this.#moved ||= distance(pointer.from, point) > this.#slip;
    if (this.#moved) this.#frame = this.#dragged();
    return this.#frame;
  }

  /** `tapped`: the finger was lifted, rather than taken away by the browser. */
  up(id: number, tapped: boolean): Rect {
    const pointer = this.#pointers.get(id);
    if (!pointer) return this.#frame;
    this.#pointers.delete(id);
    if (tapped && !this.#moved && this.isOver && this.#grip === null) {
      const { x, y, width, height } = this.#frame;
      const by = { x: pointer.at.x - x - width / 2, y: pointer.at.y - y - height / 2 };
      this.#frame = moved(this.#frame, by, this.#bounds);
    }
    // The finger that stays goes on moving the frame: no corner jumps to it.
    this.#grip = 'inside';
    this.#begin();
    return this.#frame;
  }

  #begin(): void {
    this.#from = this.#frame;
    for (const pointer of this.#pointers.values()) pointer.from = pointer.at;
  }

  #dragged(): Rect {
    const [first, second] = [...this.#pointers.values()];
    if (!first) return this.#frame;
    if (second) {
      const factor = distance(first.at, second.at) / Math.max(1, distance(first.from, second.from));
      const by = {
        x: (first.at.x - first.from.x + second.at.x - second.from.x) / 2,
        y: (first.at.y - first.from.y + second.at.y - second.from.y) / 2,
      };
      return moved(scaled(this.#from, factor, this.#bounds), by, this.#bounds);
    }
    const by = { x: first.at.x - first.from.x, y: first.at.y - first.from.y };
    if (this.#grip === 'inside') return moved(this.#from, by, this.#bounds);
    return this.#grip ? resized(this.#from, this.#grip, by, this.#bounds) : this.#from;
  }
}
