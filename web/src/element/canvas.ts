/** Draws the core's pixels on a canvas. Canvases are for display only: nothing is read back from them. */
import type { Picture, Source } from '../classifier/index.js';

const drawn = new WeakMap<HTMLCanvasElement, Picture | ImageBitmap>();
/** What is framed on a thumbnail. */
const framed = new WeakMap<HTMLCanvasElement, Source | null>();

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

/** Draws the whole picture, its longer side scaled to `side` pixels, with the region that was seen. */
export function drawThumbnail(
  canvas: HTMLCanvasElement,
  picture: Picture | ImageBitmap,
  side: number,
  seen: Source | null,
): void {
  if (drawn.get(canvas) === picture && framed.get(canvas) === seen) return;
  scratch ??= document.createElement('canvas');
  drawn.delete(scratch);
  draw(scratch, picture);
  const scale = side / Math.max(picture.width, picture.height);
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext('2d');
  if (!context) return;
  context.imageSmoothingQuality = 'high';
  context.drawImage(scratch, 0, 0, canvas.width, canvas.height);
  if (seen) drawFrame(context, seen, side / 60);
  scratch.width = scratch.height = 0;
  drawn.set(canvas, picture);
  framed.set(canvas, seen);
}

/** White with dark edges, so that it is seen on any skin. */
function drawFrame(context: CanvasRenderingContext2D, { region, width, height }: Source, thick: number): void {
  const [x, y] = [context.canvas.width / width, context.canvas.height / height];
  for (const [style, line] of [
    ['#14100c', 2 * thick],
    ['#ffffff', thick],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.strokeRect(region.x * x, region.y * y, region.width * x, region.height * y);
  }
}

/** Leaves a canvas that held another picture empty. */
export function clear(canvas: HTMLCanvasElement): void {
  if (drawn.delete(canvas)) canvas.width = canvas.height = 1;
}
