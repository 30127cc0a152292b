import type { Rect } from '../../classifier/index.js';

/**
 * Lays an element over a part of the picture. Set through CSSOM, as the page's policy forbids style attributes.
 * `picture`: its size in the unit of `part`.
 */
export function place({ style }: HTMLElement, part: Rect, picture: { width: number; height: number }): void {
  style.setProperty('left', `${(100 * part.x) / picture.width}%`);
  style.setProperty('top', `${(100 * part.y) / picture.height}%`);
  style.setProperty('width', `${(100 * part.width) / picture.width}%`);
  style.setProperty('height', `${(100 * part.height) / picture.height}%`);
}
