/** The browsers that the manifest of tensors is checked in, behind one small interface: open a page, call a function of it, close. */
import { chromium, type Browser, type Page } from '@playwright/test';
import { Firefox } from './marionette.js';
import { WebKit } from './webdriver.js';

export type EngineName = 'chromium' | 'firefox' | 'firefox-resist-fingerprinting' | 'webkitgtk';

export interface Engine {
  /** Name and version, as the browser gives them. */
  readonly title: string;
  /** Opens a page and waits until its scripts ran. */
  open(url: string): Promise<void>;
  /** Calls `window.exactness[name](...args)` in the page. @throws what it rejects with */
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  close(): Promise<void>;
}

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
    return this.page.evaluate(([name, args]) => (window as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>).exactness![name]!(...args), [
      name,
      args,
    ] as [string, unknown[]]) as Promise<T>;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

export async function startEngine(name: EngineName): Promise<Engine> {
  switch (name) {
    case 'chromium': {
      const executablePath = process.env.CHROMIUM_PATH;
      return Driven.start('Chromium', await chromium.launch({ args: ['--no-sandbox'], ...(executablePath ? { executablePath } : {}) }));
    }
    case 'firefox':
      return Firefox.start();
    case 'firefox-resist-fingerprinting':
      return Firefox.start({ 'privacy.resistFingerprinting': true });
    case 'webkitgtk':
      return WebKit.start();
  }
}
