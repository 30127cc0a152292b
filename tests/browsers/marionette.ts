/**
 * Firefox through Marionette, its own form of WebDriver: W3C commands as JSON over a local socket. Playwright sends the
 * extended-support release BiDi commands that only newer ones know (network.addDataCollector), and geckodriver, which
 * speaks Marionette, is not in distributions.
 * https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engines.js';
import { answerOf, CALL, type Called, SCRIPT_LIMIT, START_LIMIT } from './webdriver.js';

/** No first-run pages and no network access by Firefox itself; port 0: any free one. */
const PREFERENCES: Record<string, boolean | number | string> = {
  'marionette.port': 0,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.server': '',
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'extensions.systemAddon.update.enabled': false,
};

/** Messages are `LENGTH:JSON`: request [0, id, command, parameters], response [1, id, error, result]. */
class Connection {
  #received = Buffer.alloc(0);
  #next = 0;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();

  constructor(readonly socket: Socket) {
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      for (let message = this.#take(); message !== undefined; message = this.#take()) this.#answer(message);
    });
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Firefox went away'));
    });
    socket.on('error', () => undefined); // a 'close' follows
  }

  send(command: string, parameters: object = {}): Promise<unknown> {
    const id = this.#next++;
    const text = JSON.stringify([0, id, command, parameters]);
    this.socket.write(`${Buffer.byteLength(text)}:${text}`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #take(): unknown {
    const colon = this.#received.indexOf(':');
    if (colon < 0) return undefined;
    const end = colon + 1 + Number(this.#received.toString('utf8', 0, colon));
    if (this.#received.length < end) return undefined;
    const message: unknown = JSON.parse(this.#received.toString('utf8', colon + 1, end));
    this.#received = this.#received.subarray(end);
    return message;
  }

  #answer(message: unknown): void {
    if (!Array.isArray(message)) return; // the greeting
    const [, id, error, result] = message as [number, number, { error: string; message: string } | null, unknown];
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(`${error.error}: ${error.message}`));
    else waiting?.resolve(result);
  }
}

export class Firefox implements Engine {
  private constructor(
    readonly title: string,
    readonly connection: Connection,
    readonly child: ChildProcess,
    readonly profile: string,
  ) {}

  /** `preferences` as in about:config. */
  static async start(preferences: Record<string, boolean> = {}): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), 'dermlet-firefox-'));
    const lines = Object.entries({ ...PREFERENCES, ...preferences }).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    await writeFile(join(profile, 'user.js'), lines.join('\n'));
    const program = process.env.FIREFOX_PATH ?? 'firefox-esr';
    const child = spawn(program, ['--headless', '--no-remote', '--marionette', '--profile', profile], {
      stdio: 'ignore',
    });
    try {
      const connection = new Connection(connect(await portOf(profile), '127.0.0.1'));
      const capabilities = { alwaysMatch: { timeouts: { script: SCRIPT_LIMIT, pageLoad: SCRIPT_LIMIT } } };
      const session = (await connection.send('WebDriver:NewSession', { capabilities })) as {
        capabilities: { browserVersion: string };
      };
      // With the capability alone, Firefox 140 keeps its default of 30 seconds.
      await connection.send('WebDriver:SetTimeouts', { script: SCRIPT_LIMIT, pageLoad: SCRIPT_LIMIT });
      const marks = Object.keys(preferences).map((name) => ` with ${name}`);
      return new Firefox(`Firefox ${session.capabilities.browserVersion}${marks.join('')}`, connection, child, profile);
    } catch (error) {
      child.kill();
      await rm(profile, { recursive: true, force: true });
      throw error;
    }
  }

  async open(url: string): Promise<void> {
    await this.connection.send('WebDriver:Navigate', { url });
  }

  async call<T>(name: string, ...args: unknown[]): Promise<T> {
    const { value } = (await this.connection.send('WebDriver:ExecuteAsyncScript', {
      script: CALL,
      args: [name, args],
    })) as { value: Called };
    return answerOf<T>(value);
  }

  async close(): Promise<void> {
    const gone = this.child.exitCode === null ? once(this.child, 'exit') : undefined;
    await this.connection.send('Marionette:Quit', { flags: ['eForceQuit'] }).catch(() => this.child.kill());
    await Promise.race([gone, sleep(10_000).then(() => this.child.kill('SIGKILL'))]);
    await rm(this.profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Firefox writes its port to a file in the profile. */
async function portOf(profile: string): Promise<number> {
  const end = Date.now() + START_LIMIT;
  for (;;) {
    const port = Number(await readFile(join(profile, 'MarionetteActivePort'), 'utf8').catch(() => '0'));
    if (port > 0) return port;
    if (Date.now() > end) throw new Error('Firefox did not start');
    await sleep(100);
  }
}
