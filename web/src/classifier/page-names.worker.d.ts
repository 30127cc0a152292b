// Types that a page can pass to a classifier and workers do not have (tsconfig.worker.json).
interface HTMLCanvasElement {
  readonly nodeName: 'CANVAS';
}
