/**
 * Pictures that the device opens with the installed page (`file_handlers` in site.webmanifest): they are taken like
 * chosen ones. Only browsers that can install the page so have such a queue.
 */
interface FileHandle {
  readonly kind: 'file' | 'directory';
  getFile(): Promise<File>;
}

export interface LaunchQueue {
  setConsumer(take: (launch: { readonly files?: readonly FileHandle[] }) => void): void;
}

/** @param failed is shown while a file of the last launch could not be read: it may have been moved in the meantime */
export function takeLaunched(
  element: { add(files: readonly File[]): void },
  failed: HTMLElement,
  queue = (globalThis as { launchQueue?: LaunchQueue }).launchQueue,
): void {
  queue?.setConsumer(async ({ files = [] }) => {
    const handles = files.filter(({ kind }) => kind === 'file');
    const read = await Promise.allSettled(handles.map((handle) => handle.getFile()));
    const pictures = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    failed.hidden = pictures.length === handles.length;
    if (pictures.length > 0) element.add(pictures);
  });
}
