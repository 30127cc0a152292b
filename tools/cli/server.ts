/**
 * The retired servers' interfaces over HTTP: what stands between a socket and the handler. Who may ask (host names,
 * origins), how much and how long a body may be, how many may wait, and what is logged.
 *
 * Answers that need no body (busy, too large by its stated length, a foreign origin) are given before it is read, and
 * `100 Continue` is sent only to who may go on.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import {
  type FetchHandler,
  PATHS,
  type RefusalCode,
  type RefusalDetails,
  refusal,
} from '../../web/src/handler/index.js';

/** A request in the log: no picture, no result, no name of a file, no address of a client. */
export interface LogLine {
  /** When it came. ISO 8601, UTC. */
  time: string;
  method: string;
  /** `other` for a path that is none of ours: it may hold anything. */
  path: string;
  /** 499: the client left before it was answered. */
  status: number;
  /** Milliseconds until the last byte of the answer was handed over. */
  ms: number;
  /** Of the body, as far as it was read. */
  bytes: number;
}

export interface ServerOptions {
  handler: FetchHandler;
  /** Predictions under way and waiting together; one more is refused with 429. */
  most: number;
  maxFileBytes: number;
  /** Milliseconds that the body of a request may take. */
  bodyTimeout: number;
  /** Further names that a client may call this server by. */
  hosts: readonly string[];
  /** Origins whose pages may use this server. */
  origins: readonly string[];
  log(line: LogLine): void;
}

export interface RunningServer {
  readonly server: Server;
  /** Refuses new requests, resolves once those under way are answered. */
  stop(): Promise<void>;
}

/** What a body may have besides its file; the handler holds it to the byte. */
const ENVELOPE_BYTES = 64 * 1024;
/** Milliseconds that a refused client has to read the answer while it still sends. */
const LINGER = 1000;
/** Seconds after which a refused client may try again. */
const TRY_AGAIN = 1;
/** Milliseconds for the lines before a body. */
const HEADERS_TIMEOUT = 10_000;
/** Milliseconds between two looks at who is over it; Node's own 30 seconds would let each have four times as long. */
const HEADERS_LOOK = 1000;
/** Largest head of a request, bytes. */
const HEADERS_BYTES = 16 * 1024;
/** A client that left, in the log only. */
const LEFT = 499;

/** The name in a Host header or an origin, without port and brackets; undefined if it is none. */
function hostName(host: string | undefined): string | undefined {
  const address = `http://${host}/`;
  if (host === undefined || !URL.canParse(address)) return undefined;
  const { hostname, pathname, username } = new URL(address);
  return pathname === '/' && username === '' ? hostname.replace(/^\[|\]$/g, '') : undefined;
}

/**
 * A page whose name was made to point here (DNS rebinding) asks by that name: an address, `localhost` and names that
 * were allowed are answered, no other.
 */
function mayAsk(host: string | undefined, allowed: readonly string[]): boolean {
  const name = hostName(host);
  return name !== undefined && (isIP(name) !== 0 || name === 'localhost' || allowed.includes(name));
}

/** The body as a stream that leaves the socket open when it is cancelled: the answer has still to go out on it. */
function streamOf(request: IncomingMessage, onBytes: (count: number) => void): ReadableStream<Uint8Array> {
  let forget = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const onData = (chunk: Buffer) => {
          onBytes(chunk.length);
          controller.enqueue(new Uint8Array(chunk));
          if ((controller.desiredSize ?? 0) <= 0) request.pause();
        };
        const onEnd = () => controller.close();
        const onError = (error: Error) => controller.error(error);
        request.on('data', onData).on('end', onEnd).on('error', onError).pause();
        forget = () => request.off('data', onData).off('end', onEnd).off('error', onError).pause();
      },
      pull: () => void request.resume(),
      cancel: () => forget(),
    },
    { highWaterMark: 4 },
  );
}

/** One request from its head to the last byte of its answer. */
class Exchange {
  readonly path: string;
  readonly #began = performance.now();
  readonly #time = new Date().toISOString();
  readonly #aborting = new AbortController();
  #bytes = 0;
  #late = false;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly options: ServerOptions,
  ) {
    this.path = URL.canParse(request.url ?? '', 'http://localhost')
      ? new URL(request.url!, 'http://localhost').pathname.slice(1)
      : 'other';
    response.on('close', () => {
      if (!response.writableFinished) this.#aborting.abort();
      this.#log(response.writableFinished ? response.statusCode : LEFT);
    });
    request.on('error', () => undefined); // told by the stream, or nobody waits for it
  }

  get isPrediction(): boolean {
    return this.request.method === 'POST' && PATHS.predictions.includes(this.path);
  }

  /** Why it is not looked at, before any of its body is. */
  refused(busy: boolean, stopping: boolean): [RefusalCode, RefusalDetails?] | undefined {
    const { hosts, maxFileBytes } = this.options;
    const { headers } = this.request;
    if (!mayAsk(headers.host, hosts)) return ['HOST_NOT_ALLOWED'];
    if (headers.origin !== undefined && !this.#ownOrigin() && !this.#allowedOrigin()) return ['ORIGIN_NOT_ALLOWED'];
    if (stopping) return ['STOPPING', { retryAfter: TRY_AGAIN }];
    if (Number(headers['content-length'] ?? 0) > maxFileBytes + ENVELOPE_BYTES)
      return ['FILE_TOO_LARGE', { maxFileBytes }];
    return busy && this.isPrediction ? ['BUSY', { retryAfter: TRY_AGAIN }] : undefined;
  }

  /** A browser's question whether a page of an allowed origin may send what it wants to. */
  get isPreflight(): boolean {
    const { method, headers } = this.request;
    return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined && this.#allowedOrigin();
  }

  async answer(): Promise<void> {
    const { method = 'GET', url = '/', headers } = this.request;
    const hasBody = method !== 'GET' && method !== 'HEAD';
    const late = setTimeout(() => {
      this.#late = true;
      this.#aborting.abort();
    }, this.options.bodyTimeout);
    this.request.on('end', () => clearTimeout(late));
    this.response.on('close', () => clearTimeout(late));
    try {
      const asked = new Request(new URL(url, 'http://localhost'), {
        // No Request may be a TRACE; it is answered as every other method that is none of ours.
        method: method === 'TRACE' ? 'PATCH' : method,
        headers: ['content-type', 'content-length'].flatMap((name): [string, string][] =>
          typeof headers[name] === 'string' ? [[name, headers[name]]] : [],
        ),
        signal: this.#aborting.signal,
        ...(hasBody ? { body: streamOf(this.request, (count) => (this.#bytes += count)), duplex: 'half' } : {}),
      } as RequestInit);
      await this.send(await this.options.handler(asked));
    } catch {
      // Only its own signal makes a handler reject.
      if (this.#late) await this.refuse('BODY_TIMEOUT');
      else this.response.destroy();
    } finally {
      clearTimeout(late);
    }
  }

  refuse(code: RefusalCode, details?: RefusalDetails): Promise<void> {
    return this.send(refusal(this.path, code, details));
  }

  /** Resolves once the answer is handed over, or the client has left. */
  async send(answer: Response): Promise<void> {
    const { request, response } = this;
    const body = Buffer.from(await answer.arrayBuffer());
    if (response.destroyed) return;
    for (const [name, value] of answer.headers) response.setHeader(name, value);
    if (this.#allowedOrigin()) {
      response.setHeader('Access-Control-Allow-Origin', request.headers.origin!);
      response.setHeader('Vary', 'Origin');
    }
    const unread = !request.complete;
    if (unread) response.setHeader('Connection', 'close');
    if (request.method !== 'HEAD') response.setHeader('Content-Length', body.length);
    response.writeHead(answer.status);
    await new Promise<void>((resolve) => {
      response.on('close', resolve);
      response.end(request.method === 'HEAD' ? undefined : body);
      if (unread) this.#linger();
    });
  }

  preflight(): Promise<void> {
    this.response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
    this.response.setHeader('Access-Control-Max-Age', '600');
    return this.send(new Response(null, { status: 204 }));
  }

  /** Reads on for a moment: a socket that is closed while a client sends takes the answer with it. */
  #linger(): void {
    const { socket } = this.request;
    this.request.resume();
    const end = setTimeout(() => socket.destroy(), LINGER);
    socket.on('close', () => clearTimeout(end));
  }

  #ownOrigin(): boolean {
    return this.request.headers.origin === `http://${this.request.headers.host}`;
  }

  #allowedOrigin(): boolean {
    const { origin } = this.request.headers;
    return origin !== undefined && this.options.origins.includes(origin);
  }

  #log(status: number): void {
    this.options.log({
      time: this.#time,
      method: this.request.method ?? '',
      path: PATHS.all.includes(this.path) ? `/${this.path}` : 'other',
      status,
      ms: Math.round(performance.now() - this.#began),
      bytes: this.#bytes,
    });
  }
}

/** Not listening yet. */
export function createHttpServer(options: ServerOptions): RunningServer {
  const underWay = new Set<Promise<void>>();
  let predictions = 0;
  let stopping = false;

  async function run(exchange: Exchange, onAccepted: () => void): Promise<void> {
    const refused = exchange.refused(predictions >= options.most, stopping);
    if (refused) return exchange.refuse(...refused);
    if (exchange.isPreflight) return exchange.preflight();
    const counted = exchange.isPrediction ? 1 : 0;
    predictions += counted;
    try {
      onAccepted();
      await exchange.answer();
    } finally {
      predictions -= counted;
    }
  }

  function accept(request: IncomingMessage, response: ServerResponse, onAccepted: () => void = () => undefined): void {
    const work = run(new Exchange(request, response, options), onAccepted)
      .catch(() => void response.destroy())
      .finally(() => underWay.delete(work));
    underWay.add(work);
  }

  const server = createServer({
    maxHeaderSize: HEADERS_BYTES,
    headersTimeout: HEADERS_TIMEOUT,
    connectionsCheckingInterval: HEADERS_LOOK,
    requestTimeout: 0, // the body's own time is `bodyTimeout`
  });
  server.on('request', (request, response) => accept(request, response));
  server.on('checkContinue', (request, response) => accept(request, response, () => response.writeContinue()));
  return {
    server,
    async stop() {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      while (underWay.size > 0) await Promise.all(underWay);
      server.closeAllConnections();
      await closed;
    },
  };
}
