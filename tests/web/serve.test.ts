/** `serve`: sockets, limits and signals; and docs/openapi.json, held to the running server. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engines } from '../../tools/cli/engines.js';
import { createHttpServer, type LogLine, type RunningServer, type ServerOptions } from '../../tools/cli/server.js';
import { Classifier } from '../../web/src/classifier/node/index.js';
import { createFetchHandler, type FetchHandlerOptions, type PictureClassifier } from '../../web/src/handler/index.js';
import { documented, type Got, kindOf, ofPage } from './openapi.js';
import { headOfTwo, picture, root, startCli } from './support.js';

const MODEL = `${root}tests/imported/keras-2`;
const DIAGNOSIS = '/api/predict/skin-disease/';

let engines: Engines;
let shipped: Engines;
beforeAll(async () => {
  [engines, shipped] = await Promise.all([Engines.load(MODEL, 2), Engines.load('skin-8', 1)]);
});
const open: RunningServer[] = [];
afterAll(async () => {
  await Promise.all(open.map((each) => each.stop()));
  for (const each of [engines, shipped]) each?.dispose();
});

interface Server {
  port: number;
  running: RunningServer;
  log: LogLine[];
}

async function start({
  source = engines,
  ...more
}: Partial<ServerOptions> & FetchHandlerOptions & { source?: PictureClassifier | null } = {}): Promise<Server> {
  const log: LogLine[] = [];
  const options = {
    most: 10,
    maxFileBytes: 10 * 2 ** 20,
    bodyTimeout: 10_000,
    hosts: [],
    origins: [],
    log: (line: LogLine) => void log.push(line),
    ...more,
  };
  const running = createHttpServer({ handler: createFetchHandler(source, options), ...options });
  open.push(running);
  running.server.listen(0, '127.0.0.1');
  await once(running.server, 'listening');
  return { port: (running.server.address() as AddressInfo).port, running, log };
}

function multipart(field: string, bytes: Uint8Array): { type: string; body: Buffer } {
  const head = `--x\r\nContent-Disposition: form-data; name="${field}"; filename="private name.jpg"\r\n\r\n`;
  return {
    type: 'multipart/form-data; boundary=x',
    body: Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n--x--\r\n')]),
  };
}

interface Asked {
  headers?: OutgoingHttpHeaders;
  body?: Buffer;
}

/** Kinds of answers seen in this file. */
const seen = new Set<string>();

function ask(port: number, method: string, path: string, { headers = {}, body }: Asked = {}) {
  return new Promise<Got & { kind: string }>((resolve, reject) => {
    const asking = request({ port, host: '127.0.0.1', method, path, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const got = {
        status: response.statusCode!,
        headers: new Headers(response.headers as Record<string, string>),
        text: Buffer.concat(chunks).toString(),
      };
      try {
        const kind = kindOf(method, path, got);
        seen.add(kind);
        resolve({ ...got, kind });
      } catch (error) {
        reject(error);
      }
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

function post(port: number, path: string, bytes: Uint8Array, headers: OutgoingHttpHeaders = {}) {
  const { type, body } = multipart(path === DIAGNOSIS ? 'image' : 'file', bytes);
  return ask(port, 'POST', path, { headers: { 'content-type': type, ...headers }, body });
}

/** A connection that has sent the head of a prediction and waits with its body. */
async function halfSent(port: number, path = '/predict') {
  const { type, body } = multipart(path === DIAGNOSIS ? 'image' : 'file', picture('spot.jpg'));
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let said = '';
  socket.on('data', (data: Buffer) => (said += data.toString()));
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body.subarray(0, 1000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = once(socket, 'close');
  return { socket, rest: body.subarray(1000), said: () => said, closed };
}

/** The answers on a raw connection, each held to the document. */
function answersOf(text: string, asked: readonly [method: string, path: string][]): (Got & { kind: string })[] {
  const parts = text.split(/(?=HTTP\/1\.1 \d{3} )/).filter(Boolean);
  return parts.map((part, i) => {
    const [head = '', ...rest] = part.split('\r\n\r\n');
    const lines = head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(': ') as [string, string]);
    const got = { status: Number(head.slice(9, 12)), headers: new Headers(lines), text: rest.join('\r\n\r\n') };
    const kind = kindOf(...asked[i]!, got);
    seen.add(kind);
    return { ...got, kind };
  });
}

describe('every answer is documented, and every documented answer is given', () => {
  test('what the handler answers', async () => {
    const { port } = await start();
    const later = await start({ later: true });
    const none = await start({ source: null });
    const small = await start({ maxFileBytes: 1000 });
    for (const path of ['/', '/health']) {
      await ask(port, 'GET', path);
      await ask(port, 'HEAD', path);
      await ask(port, 'DELETE', path);
    }
    expect((await ask(port, 'TRACE', '/health')).headers.get('allow')).toBe('GET, HEAD');
    await ask(port, 'OPTIONS', '/predict');
    await ask(port, 'GET', '/nothing');
    await ask(none.port, 'GET', '/health');
    await ask(port, 'OPTIONS', DIAGNOSIS);
    for (const path of ['/predict', DIAGNOSIS]) {
      await ask(port, 'PUT', path);
      expect((await post(port, path, picture('spot.jpg'))).status).toBe(200);
      expect((await post(later.port, path, picture('spot.jpg'))).status).toBe(200);
      for (const name of ['document.pdf', 'cut-off.jpg', 'huge.png']) await post(port, path, picture(name));
      await ask(port, 'POST', path, { body: Buffer.from('{}') });
      const headers = { 'content-type': 'multipart/form-data; boundary=x' };
      await ask(port, 'POST', path, { headers, body: Buffer.from('no form') });
      const wrong = multipart('other', picture('spot.jpg'));
      await ask(port, 'POST', path, { headers, body: wrong.body });
      await post(none.port, path, picture('spot.jpg'));
      await post(small.port, path, picture('spot.jpg'));
    }
  });

  test('what is no classification, of the shipped model', async () => {
    const { port } = await start({ source: shipped, later: true });
    const got = await post(port, DIAGNOSIS, picture('flat.png'));
    expect(JSON.parse(got.text)).toMatchObject({ label: null, isSafe: false, outcome: 'poor-quality' });
    expect(JSON.parse((await post(port, '/predict', picture('flat.png'))).text)).toMatchObject({
      predicted_class: null,
      risk_level: 'unknown',
    });
  });

  test('a network that fails, and one that takes too long', async () => {
    const failing = await start({
      source: { model: engines.model, classify: () => Promise.reject(new Error('/secret/path')) },
    });
    const slow = await start({
      timeout: 10,
      source: {
        model: engines.model,
        classify: async (file, options) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          return engines.classify(file, options);
        },
      },
    });
    for (const path of ['/predict', DIAGNOSIS]) {
      const { text, status } = await post(failing.port, path, picture('spot.jpg'));
      expect([status, text.includes('secret')]).toEqual([500, false]);
      expect((await post(slow.port, path, picture('spot.jpg'))).kind).toMatch(/503 TIMED_OUT$/);
    }
  });

  test('names that point here from elsewhere, and pages of other origins, are refused unread', async () => {
    const { port, log } = await start({ origins: ['https://portal.example'], hosts: ['skin.example'] });
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/health'],
      ['POST', '/predict'],
      ['POST', DIAGNOSIS],
      ['OPTIONS', DIAGNOSIS],
    ] as const) {
      const of = (headers: OutgoingHttpHeaders) =>
        method === 'POST' ? post(port, path, picture('spot.jpg'), headers) : ask(port, method, path, { headers });
      for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost@evil.example'])
        expect((await of({ host })).kind).toBe(`${method} ${path} 421 HOST_NOT_ALLOWED`);
      for (const host of ['localhost', `127.0.0.1:${port}`, `[::1]:${port}`, 'SKIN.example:80'])
        expect((await of({ host })).status).toBe(200);
      for (const origin of ['https://evil.example', 'null', 'https://portal.example.evil.example'])
        expect((await of({ origin })).kind).toBe(`${method} ${path} 403 ORIGIN_NOT_ALLOWED`);
      const own = await of({ origin: `http://127.0.0.1:${port}` });
      expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, null]);
      const allowed = await of({ origin: 'https://portal.example' });
      expect([allowed.status, allowed.headers.get('access-control-allow-origin'), allowed.headers.get('vary')]).toEqual(
        [200, 'https://portal.example', 'Origin'],
      );
    }
    for (const path of ['/', '/health', '/predict', DIAGNOSIS]) {
      const headers = { origin: 'https://portal.example', 'access-control-request-method': 'POST' };
      expect((await ask(port, 'OPTIONS', path, { headers })).status).toBe(204);
    }
    expect(log.filter(({ status }) => status === 421 || status === 403).every(({ bytes }) => bytes === 0)).toBe(true);
  });

  test('a body that does not come: 408, and its place is free again', async () => {
    const { port } = await start({ bodyTimeout: 200, most: 1 });
    for (const path of ['/predict', DIAGNOSIS]) {
      const { said, closed } = await halfSent(port, path);
      await closed;
      expect(answersOf(said(), [['POST', path]]).map(({ kind }) => kind)).toEqual([`POST ${path} 408 BODY_TIMEOUT`]);
      expect((await post(port, path, picture('spot.jpg'))).status).toBe(200);
    }
  });

  test('connections whose head does not come, or only little by little, are closed', { timeout: 30_000 }, async () => {
    const { port } = await start();
    const began = performance.now();
    const seconds = await Promise.all(
      ['', 'POST /predict HTTP/1.1\r\nHost: localhost\r\n'].map(async (head) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined).resume();
        socket.write(head);
        const drip = head && setInterval(() => socket.write('X-A: b\r\n'), 500);
        await once(socket, 'close');
        if (drip) clearInterval(drip);
        return (performance.now() - began) / 1000;
      }),
    );
    for (const each of seconds) expect(each).toBeLessThan(15);
  });

  test('more than may wait: 429 unread, and GET is still answered', async () => {
    const { port } = await start({ most: 1 });
    for (const path of ['/predict', DIAGNOSIS]) {
      const first = await halfSent(port);
      const refused = await post(port, path, picture('spot.jpg'));
      expect([refused.kind, refused.headers.get('retry-after')]).toEqual([`POST ${path} 429 BUSY`, '1']);
      expect((await ask(port, 'GET', '/health')).status).toBe(200);
      first.socket.write(first.rest);
      await expect.poll(() => first.said()).toContain('predicted_class');
      first.socket.destroy();
      expect((await post(port, path, picture('spot.jpg'))).status).toBe(200);
    }
  });

  test('stopping finishes what is under way and refuses what comes after it', async () => {
    const asked: [string, string][] = [
      ['GET', '/'],
      ['GET', '/health'],
      ['POST', '/predict'],
      ['POST', DIAGNOSIS],
      ['OPTIONS', DIAGNOSIS],
    ];
    for (const [method, path] of asked) {
      const { port, running } = await start();
      const { socket, rest, said, closed } = await halfSent(port);
      const stopped = running.stop();
      await expect(ask(port, 'GET', '/health')).rejects.toThrow(/ECONNREFUSED/);
      socket.write(rest);
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await stopped;
      await closed;
      const [first, second] = answersOf(said(), [
        ['POST', '/predict'],
        [method, path],
      ]);
      expect([first?.status, second?.kind]).toEqual([200, `${method} ${path} 503 STOPPING`]);
    }
  });

  test('nothing documented is left out', () =>
    expect([...seen].filter((kind) => !kind.startsWith('HEAD')).sort()).toEqual(
      documented().filter((kind) => !ofPage(kind)),
    ));
});

describe('the server', () => {
  test('the log holds no picture, no result, no name', async () => {
    const { port, log } = await start();
    await post(port, '/predict', picture('spot.jpg'));
    await ask(port, 'GET', '/health?patient=name');
    await ask(port, 'GET', '/a%20persons%20name.jpg');
    await expect.poll(() => log.length).toBe(3);
    for (const line of log) expect(Object.keys(line)).toEqual(['time', 'method', 'path', 'status', 'ms', 'bytes']);
    expect(log.map(({ method, path, status }) => [method, path, status])).toEqual([
      ['POST', '/predict', 200],
      ['GET', '/health', 200],
      ['GET', 'other', 404],
    ]);
    expect(log[0]!.bytes).toBe(multipart('file', picture('spot.jpg')).body.length);
    expect(log[0]!.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('a file that is too large is refused unread, and a client that asks first never sends it', async () => {
    const { port, log } = await start({ maxFileBytes: 100_000 });
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const body = Buffer.alloc(5_000_000);
    expect((await ask(port, 'POST', '/predict', { headers, body })).kind).toMatch(/413 FILE_TOO_LARGE$/);
    const chunked = { ...headers, 'transfer-encoding': 'chunked' };
    expect((await ask(port, 'POST', '/predict', { headers: chunked, body })).kind).toMatch(/413|400/);
    const socket = connect(port, '127.0.0.1');
    let said = '';
    socket.on('data', (data: Buffer) => (said += data.toString()));
    socket.write('POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n');
    socket.write('Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n');
    await once(socket, 'close');
    expect(said).toMatch(/^HTTP\/1\.1 413 /);
    expect(log[0]!.bytes).toBe(0);
  });

  test('a client that asks first is told to go on', async () => {
    const { port } = await start();
    const { type, body } = multipart('file', picture('spot.jpg'));
    const socket = connect(port, '127.0.0.1');
    let said = '';
    socket.on('data', (data: Buffer) => (said += data.toString()));
    socket.write(`POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\n`);
    socket.write(`Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
    await expect.poll(() => said).toMatch(/^HTTP\/1\.1 100 Continue/);
    socket.write(body);
    await expect.poll(() => said).toContain('predicted_class');
    socket.destroy();
  });

  test('clients that leave: their places are free again, and the log says 499', async () => {
    const { port, log } = await start({ most: 2 });
    for (let i = 0; i < 10; i++) {
      const { socket, rest } = await halfSent(port);
      if (i % 2) socket.write(rest);
      socket.destroy();
    }
    await expect.poll(() => log.length).toBe(10);
    expect(log.filter(({ status }) => status !== 499 && status !== 200)).toEqual([]);
    expect((await post(port, '/predict', picture('spot.jpg'))).status).toBe(200);
  });

  test('several engines answer at once, in order, and an aborted call gives its place up', async () => {
    const results: number[] = [];
    const aborting = new AbortController();
    const calls = Array.from({ length: 8 }, (_, i) =>
      engines
        .classify(new Blob([picture('spot.jpg')]), { signal: i === 5 ? aborting.signal : new AbortController().signal })
        .then(
          () => results.push(i),
          (error: { code: string }) => error.code,
        ),
    );
    aborting.abort();
    expect(await calls[5]).toBe('ABORTED');
    await Promise.all(calls);
    expect(results.sort()).toEqual([0, 1, 2, 3, 4, 6, 7]);
  });
});

describe('dermlet serve', () => {
  let served: ReturnType<typeof startCli>;
  const spawned = (...args: string[]) => {
    served = startCli(['serve', ...args]);
    return served.ran;
  };
  afterAll(() => void served?.child.kill('SIGKILL'));

  test.each(['SIGINT', 'SIGTERM'] as const)('answers from the start, and ends in order at %s', async (signal) => {
    const closed = spawned('--port', '0', '--model', MODEL, '--jobs', '2');
    await expect
      .poll(() => served.printed.err, { timeout: 30_000 })
      .toMatch(/Listening on http:\/\/127\.0\.0\.1:\d+\//);
    const port = Number(/:(\d+)\//.exec(served.printed.err)![1]);
    const early = await ask(port, 'GET', '/health');
    expect([200, 503]).toContain(early.status);
    await expect.poll(() => served.printed.err, { timeout: 30_000 }).toContain('Ready: ');
    const { socket, rest, said } = await halfSent(port);
    served.child.kill(signal);
    await expect.poll(() => served.printed.err).toContain('Stopping');
    socket.write(rest);
    const { code, out } = await closed;
    expect(code).toBe(0);
    expect(said()).toContain('predicted_class');
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
    expect(lines.map(({ path, status }) => [path, status])).toEqual([
      ['/health', early.status],
      ['/predict', 200],
    ]);
  });

  test.each([
    [['--port', '65536'], /--port must be/],
    [['--jobs', '0'], /--jobs must be/],
    [['--allow-origin', '*'], /--allow-origin must be/],
    [['--allow-origin', 'https://portal.example/'], /--allow-origin must be/],
    [['--model', 'no-such'], /There is no model/],
    [['--host', '192.0.2.1'], /192\.0\.2\.1, port 8000, cannot be listened on/],
  ])('%j is wrong use', async (args, message) => {
    const { code, err } = await spawned(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test('what is asked for and not possible is said; a limit below 1 MiB is told as it is', async () => {
    const closed = spawned('--port', '0', '--model', MODEL, '--jobs', '5000', '--max-file', '100');
    await expect.poll(() => served.printed.err, { timeout: 30_000 }).toContain('Listening');
    const cores = availableParallelism();
    const engines = cores === 1 ? '1 engine works' : `${cores} engines work`;
    expect(served.printed.err).toContain(`--jobs 5000: this machine has fewer cores, so at most ${engines} at once.\n`);
    expect(served.printed.err).toContain('--max-file: no picture may have more than 64 MiB, so that is the limit.\n');
    served.child.kill('SIGTERM');
    await closed;
    const small = spawned('--port', '0', '--model', MODEL, '--max-file', '0.5');
    await expect.poll(() => served.printed.err, { timeout: 30_000 }).toContain('Listening');
    expect(served.printed.err).not.toMatch(/--jobs|--max-file/);
    const port = Number(/:(\d+)\//.exec(served.printed.err)![1]);
    const { text } = await post(port, '/predict', new Uint8Array(2 ** 20));
    expect(JSON.parse(text)).toEqual({ detail: 'File too large. Maximum size is 0.5MB', code: 'FILE_TOO_LARGE' });
    served.child.kill('SIGTERM');
    expect((await small).code).toBe(0);
  });

  test('--head: its categories, without a tier; of another network: refused', { timeout: 300_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dermlet-serve-'));
    try {
      const file = join(folder, 'own.head');
      const classifier = await Classifier.load('skin-8');
      writeFileSync(file, await headOfTwo(classifier));
      classifier.dispose();
      const closed = spawned('--port', '0', '--head', file);
      await expect.poll(() => served.printed.err, { timeout: 140_000 }).toContain('Ready: ');
      await expect.poll(() => served.printed.err).toMatch(/Two kinds.*trained on 4 pictures/s);
      const port = Number(/:(\d+)\//.exec(served.printed.err)![1]);
      const health = await ask(port, 'GET', '/health');
      expect(JSON.parse(health.text)).toMatchObject({ available_classes: ['one', 'two'] });
      const { text } = await post(port, DIAGNOSIS, picture('spot.jpg'));
      expect(JSON.parse(text)).toMatchObject({ severity: 'Unknown', isSafe: false });
      served.child.kill('SIGTERM');
      expect((await closed).code).toBe(0);
      const other = await spawned('--port', '0', '--model', MODEL, '--head', file);
      expect(other.code).toBe(1);
      expect(other.err).toMatch(/INVALID_ARGUMENT: .*skin-8/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a port that is taken is wrong use', async () => {
    const { port } = await start();
    const { code, err } = await spawned('--port', String(port), '--model', MODEL);
    expect(code).toBe(2);
    expect(err).toContain('EADDRINUSE');
  });
});
