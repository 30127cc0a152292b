/**
 * Answers requests to the retired servers' addresses below this page, which the service worker hands over
 * (`sw/retired.ts` has the messages). The handler and a classifier of its own come with the first request; the
 * element's goes on undisturbed, and an idle one gives its memory back.
 */
import { Classifier, MAX_FILE_BYTES } from '../classifier/index.js';
import { type DermletClassifierElement, imported } from '../element/index.js';
import type { FetchHandler } from '../handler/index.js';

interface Asked {
  type: 'request';
  method: string;
  url: string;
  contentType: string | null;
  body: Blob | null;
  tooLarge: boolean;
}

/** What the page's photos are scored with, as the element has it. */
type Used = Pick<DermletClassifierElement, 'model' | 'modelFiles' | 'head'>;

/** The classifier of what the page uses: a network of the site or one that was opened, and a head over it. */
class Chosen {
  #used: Used | undefined;
  #loading: Promise<Classifier> | undefined;

  constructor(readonly used: () => Used) {}

  get(): Promise<Classifier> {
    const { model, modelFiles, head } = this.used();
    const last = this.#used;
    if (this.#loading && last?.model === model && last.modelFiles === modelFiles && last.head === head)
      return this.#loading;
    void this.#loading?.then((other) => other.dispose()).catch(() => undefined);
    this.#used = { model, modelFiles, head };
    const loading = Classifier.load(modelFiles ?? model, head ? { head } : {});
    this.#loading = loading;
    // The next request tries again.
    loading.catch(() => {
      if (this.#loading === loading) this.#loading = undefined;
    });
    return loading;
  }
}

/** @param used asked for each request */
export function answerForServers(used: () => Used): void {
  const chosen = new Chosen(used);
  let handler: Promise<FetchHandler> | undefined;
  const load = async (): Promise<FetchHandler> => {
    const { createFetchHandler } = await imported(() => import('../handler/index.js'));
    const base = new URL('.', document.baseURI).pathname;
    return createFetchHandler(() => chosen.get(), { base, later: true, maxFileBytes: MAX_FILE_BYTES });
  };
  const answer = async (asked: Asked, path: string, signal: AbortSignal): Promise<Response> => {
    if (asked.tooLarge) {
      const { refusal } = await imported(() => import('../handler/index.js'));
      return refusal(path, 'FILE_TOO_LARGE', { maxFileBytes: MAX_FILE_BYTES });
    }
    handler ??= load();
    const { method, url, contentType, body } = asked;
    const headers = contentType === null ? [] : [['content-type', contentType] as [string, string]];
    // A blob would put its own type in place of the boundary.
    const bytes = body && (await body.arrayBuffer());
    return (await handler)(new Request(url, { method, headers, body: bytes, signal }));
  };
  navigator.serviceWorker?.addEventListener('message', ({ data, ports }: MessageEvent<{ type?: unknown } | null>) => {
    const [port] = ports;
    if (data?.type !== 'dermlet-asks' || !port) return;
    const aborting = new AbortController();
    port.onmessage = async ({ data: asked }: MessageEvent<Asked | { type: 'abort' }>) => {
      if (asked.type === 'abort') return aborting.abort();
      try {
        const path = new URL(asked.url).pathname.slice(new URL('.', document.baseURI).pathname.length);
        const response = await answer(asked, path, aborting.signal);
        port.postMessage({
          type: 'answer',
          status: response.status,
          headers: [...response.headers],
          body: await response.blob(),
        });
      } catch {
        // Aborted, or a part of the page did not come: the service worker says so.
        handler = undefined;
        port.postMessage({ type: 'failed' });
      }
    };
    port.postMessage({ type: 'ready' });
  });
}
