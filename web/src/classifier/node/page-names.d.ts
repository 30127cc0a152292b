// Types that only a page can pass to a classifier: the API names them, and Node does not have them (tsconfig.json).
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
