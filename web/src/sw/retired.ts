/**
 * Requests to the retired servers' addresses below this site (`web/src/handler`): an open page answers them, so that
 * `fetch('predict', ...)` works without a server. Whatever goes wrong is an answer of its own; nothing is sent on to
 * the host, as it would have the photo then.
 *
 * With each page that could answer: `{ type: 'dermlet-asks' }` and a port; the page says `ready` on it. The first one
 * gets the request (`Asked`) and says what it answers (`Answered`), or `failed`; `{ type: 'abort' }` ends that.
 */

/** Paths relative to the scope. */
const PATHS = ['health', 'predict', 'api/predict/skin-disease/'];

/** Milliseconds that pages have to say that they could answer: one that is loading is not there yet. */
const ASKED_FOR = 3000;
/** Milliseconds for an answer: the model may have to be fetched first. Browsers end a worker that takes much longer. */
const ANSWERED_IN = 120_000;
/** No picture may have more, whatever the page's own limit is. */
const MOST_BYTES = 64 * 2 ** 20 + 64 * 1024;

const FAILED = 'The page could not answer.';

interface Asked {
  type: 'request';
  method: string;
  url: string;
  contentType: string | null;
  /** Null where the request has none, or more than is read. */
  body: Blob | null;
  tooLarge: boolean;
}

interface Answered {
  type: 'answer';
  status: number;
  headers: [string, string][];
  body: Blob;
}

type FromPage = { type: 'ready' } | { type: 'failed' } | Answered;

/** Whether a request is for one of the addresses. A page at one of them would be a neighbour's. */
export function isRetired({ url, method, mode, headers }: Request, scope: string): boolean {
  if (!url.startsWith(scope) || mode === 'navigate') return false;
  const { pathname } = new URL(url);
  const path = pathname.slice(new URL(scope).pathname.length);
  if (PATHS.includes(path)) return true;
  // The scope itself is the page, except for who asks for nothing else than JSON.
  return path === '' && (!['GET', 'HEAD'].includes(method) || headers.get('accept') === 'application/json');
}

function refusal(path: string, status: number, code: string, text: string): Response {
  const said = path.endsWith('/api/predict/skin-disease/') ? { error: text, code } : { detail: text, code };
  const health = path.endsWith('/health') ? { status: 'unhealthy', model_loaded: false, available_classes: [] } : said;
  return new Response(JSON.stringify(health), {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Retry-After': '5' },
  });
}

/** The body, unless it has more than a picture may have. */
async function bodyOf(request: Request): Promise<Pick<Asked, 'body' | 'tooLarge'>> {
  const { body } = request;
  if (body === null) return { body: null, tooLarge: false };
  // A browser whose requests have no streams.
  if (body === undefined) {
    const whole = await request.blob();
    return whole.size > MOST_BYTES ? { body: null, tooLarge: true } : { body: whole, tooLarge: false };
  }
  const reader = body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let length = 0; ; ) {
    const { value, done } = await reader.read();
    if (done) return { body: new Blob(chunks), tooLarge: false };
    length += value.length;
    if (length > MOST_BYTES) {
      void reader.cancel().catch(() => undefined);
      return { body: null, tooLarge: true };
    }
    chunks.push(value as Uint8Array<ArrayBuffer>);
  }
}

/** A port to the first page that could answer. */
function pageThatAnswers(clients: readonly Client[]): Promise<MessagePort | undefined> {
  return new Promise((resolve) => {
    const ports = clients.map((client) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }: MessageEvent<FromPage>) => {
        if (data?.type === 'ready') take(port1);
      };
      client.postMessage({ type: 'dermlet-asks' }, [port2]);
      return port1;
    });
    const take = (port: MessagePort | undefined) => {
      clearTimeout(late);
      for (const other of ports) if (other !== port) other.close();
      resolve(port);
    };
    const late = setTimeout(() => take(undefined), ASKED_FOR);
    if (ports.length === 0) take(undefined);
  });
}

function answerOn(port: MessagePort, asked: Asked, signal: AbortSignal): Promise<Response | undefined> {
  return new Promise((resolve) => {
    const end = (response: Response | undefined) => {
      clearTimeout(late);
      signal.removeEventListener('abort', abort);
      if (!response) port.postMessage({ type: 'abort' });
      port.close();
      resolve(response);
    };
    const abort = () => end(undefined);
    const late = setTimeout(abort, ANSWERED_IN);
    signal.addEventListener('abort', abort);
    port.onmessage = ({ data }: MessageEvent<FromPage>) => {
      if (data?.type === 'failed') end(refusal(new URL(asked.url).pathname, 503, 'PAGE_FAILED', FAILED));
      if (data?.type !== 'answer') return;
      const { status, headers, body } = data;
      end(new Response(body.size > 0 ? body : null, { status, headers }));
    };
    port.postMessage(asked);
  });
}

/** Never rejects, and never fetches. */
export async function answerByPage({ request }: FetchEvent, worker: ServiceWorkerGlobalScope): Promise<Response> {
  const { pathname } = new URL(request.url);
  try {
    const { scope } = worker.registration;
    const open = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const port = await pageThatAnswers(open.filter(({ url }) => url.startsWith(scope)));
    if (!port)
      return refusal(pathname, 503, 'NO_PAGE', 'Open the page and try again: it answers in place of a server.');
    const asked: Asked = {
      type: 'request',
      method: request.method,
      url: request.url,
      contentType: request.headers.get('content-type'),
      ...(await bodyOf(request)),
    };
    const answer = await answerOn(port, asked, request.signal);
    return answer ?? refusal(pathname, 503, 'TIMED_OUT', 'The page took too long.');
  } catch {
    return refusal(pathname, 503, 'PAGE_FAILED', FAILED);
  }
}
