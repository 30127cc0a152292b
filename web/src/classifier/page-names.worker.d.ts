// What a page may hand to a classifier and no worker has (tsconfig.worker.json).
interface HTMLCanvasElement {
  readonly nodeName: 'CANVAS';
}
