// What only a page can hand to a classifier: the interface names it, and Node has no such names (tsconfig.json).
interface ImageBitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}
interface ImageData {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}
interface HTMLCanvasElement {
  readonly nodeName: 'CANVAS';
}
interface OffscreenCanvas {
  transferToImageBitmap(): ImageBitmap;
}
