/**
 * WebKitGTK through the W3C WebDriver standard: Playwright drives only its own WebKit, and this is the one that
 * distributions ship. Needs WebKitWebDriver and Xvfb (Debian: webkit2gtk-driver, xvfb).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engines.js';

export const START_LIMIT = 60_000; // milliseconds
export const SCRIPT_LIMIT = 240_000;

/** The result of a script run through WebDriver. */
export interface Called {
  value?: unknown;
  error?: string;
}

/**
 * In the page: calls a function of `window.driven` and reports its result. A browser may consider the page loaded
 * before its modules have run: hence the wait.
 */
export const CALL = `const [name, args, done] = arguments;
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  const call = async () => {
    while (!window.driven) await pause();
    return window.driven[name](...args);
  };
  call().then((value) => done({ value }), (error) => done({ error: error + '\\n' + ((error && error.stack) || '') }));`;

export function answerOf<T>({ value, error }: Called): T {
  if (error !== undefined) throw new Error(error);
  return value as T;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** An invisible display; the server picks its number. */
async function startDisplay(): Promise<{ display: string; server: ChildProcess }> {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [number] = (await Promise.race([
    once(server.stdio[3] as Readable, 'data'),
    once(server, 'exit').then(() => Promise.reject(new Error('Xvfb did not start'))),
  ])) as [Buffer];
  return { display: `:${number.toString().trim()}`, server };
}

async function ask(url: string, method: 'GET' | 'POST' | 'DELETE', body?: unknown): Promise<unknown> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as { value: unknown };
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${JSON.stringify(value)}`);
  return value;
}

export class WebKit implements Engine {
  private constructor(
    readonly title: string,
    readonly session: string,
    readonly children: ChildProcess[],
  ) {}

  static async start(): Promise<WebKit> {
    const { display, server } = await startDisplay();
    const port = await freePort();
    const env = { ...process.env, DISPLAY: display, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', LIBGL_ALWAYS_SOFTWARE: '1' };
    const driver = spawn('WebKitWebDriver', [`--port=${port}`], { env, stdio: 'ignore' });
    const children = [driver, server];
    try {
      const base = `http://127.0.0.1:${port}`;
      await untilReady(base);
      const capabilities = { alwaysMatch: { timeouts: { script: SCRIPT_LIMIT, pageLoad: SCRIPT_LIMIT } } };
      const started = (await ask(`${base}/session`, 'POST', { capabilities })) as {
        sessionId: string;
        capabilities: { browserVersion: string };
      };
      return new WebKit(
        `WebKitGTK ${started.capabilities.browserVersion}`,
        `${base}/session/${started.sessionId}`,
        children,
      );
    } catch (error) {
      for (const child of children) child.kill();
      throw error;
    }
  }

  async open(url: string): Promise<void> {
    await ask(`${this.session}/url`, 'POST', { url });
  }

  async call<T>(name: string, ...args: unknown[]): Promise<T> {
    return answerOf<T>(
      (await ask(`${this.session}/execute/async`, 'POST', { script: CALL, args: [name, args] })) as Called,
    );
  }

  async close(): Promise<void> {
    await ask(this.session, 'DELETE').catch(() => undefined);
    for (const child of this.children) child.kill();
  }
}

async function untilReady(base: string): Promise<void> {
  const end = Date.now() + START_LIMIT;
  for (;;) {
    const status = (await ask(`${base}/status`, 'GET').catch(() => undefined)) as { ready?: boolean } | undefined;
    if (status?.ready === true) return;
    if (Date.now() > end) throw new Error('WebKitWebDriver did not start');
    await sleep(100);
  }
}
