/**
 * Browsers behind one small interface, for the exactness tests and the benchmark: open a page, call one of its
 * functions, close. The page exposes them as `window.driven`. Playwright drives Chromium; the other two are
 * distribution builds, which it cannot drive.
 */
import { type Browser, chromium, type Page } from '@playwright/test';
import { Firefox } from './marionette.js';
import { WebKit } from './webdriver.js';

export type EngineName = 'chromium' | 'firefox' | 'firefox-resist-fingerprinting' | 'webkitgtk';

export interface Engine {
  /** Name and version, as reported by the browser. */
  readonly title: string;
  /** Opens a page and waits until its scripts have run. */
  open(url: string): Promise<void>;
  /** Calls `window.driven[name](...args)` in the page. @throws what it rejects with */
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

/** No sandbox, which containers do not allow, and no network access by the browser itself. */
const CHROMIUM_ARGUMENTS = ['--no-sandbox', '--disable-background-networking', '--no-first-run'];

class Driven implements Engine {
  private constructor(
    readonly title: string,
    readonly browser: Browser,
    readonly page: Page,
  ) {}

  static async start(name: string, browser: Browser): Promise<Driven> {
    return new Driven(`${name} ${browser.version()}`, browser, await browser.newPage());
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url, { waitUntil: 'load' });
  }

  call<T>(name: string, ...args: unknown[]): Promise<T> {
    // As text: functions compiled by a TypeScript runner may refer to helpers that the page does not have.
    return this.page.evaluate(`window.driven[${JSON.stringify(name)}](...${JSON.stringify(args)})`) as Promise<T>;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

export async function startEngine(name: EngineName): Promise<Engine> {
  switch (name) {
    case 'chromium': {
      const executablePath = process.env.CHROMIUM_PATH;
      return Driven.start(
        'Chromium',
        await chromium.launch({ args: CHROMIUM_ARGUMENTS, ...(executablePath ? { executablePath } : {}) }),
      );
    }
    case 'firefox':
      return Firefox.start();
    case 'firefox-resist-fingerprinting':
      return Firefox.start({ 'privacy.resistFingerprinting': true });
    case 'webkitgtk':
      return WebKit.start();
  }
}
