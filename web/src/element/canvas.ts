/** Puts pixels that the core made on a canvas. Canvases here only show: nothing is ever read back from one. */
import type { Picture } from '../classifier/index.js';

const shown = new WeakMap<HTMLCanvasElement, Picture>();

/** Draws at the picture's own size; CSS scales. Does nothing when the canvas shows this picture already. */
export function show(canvas: HTMLCanvasElement, picture: Picture): void {
  if (shown.get(canvas) === picture) return;
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext('2d')?.putImageData(new ImageData(picture.rgba, picture.width, picture.height), 0, 0);
  shown.set(canvas, picture);
}

/** Draws smaller: the middle square of the picture, `side` pixels wide. */
export function showThumbnail(canvas: HTMLCanvasElement, picture: Picture, side: number): void {
  if (shown.get(canvas) === picture) return;
  const full = document.createElement('canvas');
  show(full, picture);
  const crop = Math.min(picture.width, picture.height);
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.imageSmoothingQuality = 'high';
  context.drawImage(full, (picture.width - crop) / 2, (picture.height - crop) / 2, crop, crop, 0, 0, side, side);
  shown.set(canvas, picture);
}
