/** Draws the core's pixels on a canvas. Canvases are for display only: nothing is read back from them. */
import type { Picture } from '../classifier/index.js';

const drawn = new WeakMap<HTMLCanvasElement, Picture | ImageBitmap>();

/** Draws at the picture's own size; CSS scales it. Does nothing if the canvas already holds this picture. */
export function draw(canvas: HTMLCanvasElement, picture: Picture | ImageBitmap): void {
  if (drawn.get(canvas) === picture) return;
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext('2d');
  if (picture instanceof ImageBitmap) context?.drawImage(picture, 0, 0);
  else context?.putImageData(new ImageData(picture.rgba, picture.width, picture.height), 0, 0);
  drawn.set(canvas, picture);
}

/** Reused: one of each thumbnail would stay in memory until the browser tidies up. */
let scratch: HTMLCanvasElement | undefined;

/** Draws the centre square of the picture, scaled to `side` pixels. */
export function drawThumbnail(canvas: HTMLCanvasElement, picture: Picture | ImageBitmap, side: number): void {
  if (drawn.get(canvas) === picture) return;
  scratch ??= document.createElement('canvas');
  drawn.delete(scratch);
  draw(scratch, picture);
  const crop = Math.min(picture.width, picture.height);
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.imageSmoothingQuality = 'high';
  context.drawImage(scratch, (picture.width - crop) / 2, (picture.height - crop) / 2, crop, crop, 0, 0, side, side);
  scratch.width = scratch.height = 0;
  drawn.set(canvas, picture);
}

/** Leaves a canvas that held another picture empty. */
export function clear(canvas: HTMLCanvasElement): void {
  if (drawn.delete(canvas)) canvas.width = canvas.height = 1;
}
