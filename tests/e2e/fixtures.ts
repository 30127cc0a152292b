/**
 * Fixtures of every end-to-end test: the site, and a watch that fails the test if the page violates its own security
 * policy, throws, or sends a request to another origin.
 */
import { type BrowserContext, test as base, expect, type Page } from '@playwright/test';
import type { Result } from '../../web/src/classifier/index.js';
import { App } from './app.js';
import { Site } from './site.js';

export type { App } from './app.js';
export type { Site } from './site.js';
export { picture } from './site.js';
export { expect };

/** Kept in the test page's window: the element's public events in the order received. */
export interface Heard {
  ready: number;
  results: { name: string; result: Result }[];
  errors: { name: string | null; code: string; message: string }[];
}

declare global {
  interface Window {
    heard: Heard;
  }
}

/** Runs in the page, before its own scripts. */
function listen(): void {
  const heard: Window['heard'] = { ready: 0, results: [], errors: [] };
  window.heard = heard;
  document.addEventListener('dermlet-ready', () => (heard.ready += 1));
  document.addEventListener('dermlet-result', (event) => {
    const { name, result } = (event as CustomEvent<{ name: string; result: Result }>).detail;
    const { images: _, ...plain } = result;
    heard.results.push({ name, result: plain });
  });
  document.addEventListener('dermlet-error', (event) => {
    const { name, error } = (event as CustomEvent<{ name: string | null; error: { code: string; message: string } }>)
      .detail;
    heard.errors.push({ name, code: error.code, message: error.message });
  });
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(
      `Content Security Policy: ${event.violatedDirective} forbids ${event.blockedURI} ` +
        `(${event.sourceFile}:${event.lineNumber})`,
    );
  });
}

/** Whether a console's message tells that a page's policy forbade something. */
export const isOfPolicy = (text: string): boolean =>
  /content security policy|refused to|violates the following/i.test(text);

/** Collects faults that fail any test. Workers log to the page's console. */
class Watch {
  readonly faults: string[] = [];

  constructor(context: BrowserContext, origin: () => string) {
    context.on('console', (message) => {
      if (isOfPolicy(message.text())) this.faults.push(`policy: ${message.text()}`);
    });
    context.on('weberror', (error) => this.faults.push(`uncaught: ${error.error().stack ?? error.error().message}`));
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (/^(https?|wss?):$/.test(url.protocol) && url.origin !== origin())
        this.faults.push(`request to another origin: ${request.url()}`);
    });
  }
}

interface Fixtures {
  site: Site;
  app: App;
  watch: Watch;
}

export const test = base.extend<Fixtures>({
  site: async ({}, use) => {
    const site = new Site();
    await site.open();
    await use(site);
    await site.close();
  },
  watch: [
    async ({ context, site }, use) => {
      const watch = new Watch(context, () => site.origin);
      await context.addInitScript(listen);
      await use(watch);
      expect(watch.faults).toEqual([]);
    },
    { auto: true },
  ],
  app: async ({ page, site }, use) => {
    await use(new App(page, site));
  },
});

/** A test whose page has its service worker. The others are without: it keeps a hundred files anew for each of them. */
export const withServiceWorker = test.extend({ serviceWorkers: 'allow' });

/** Every address that the page's context requests from now on. */
export function requestsOf(page: Page): string[] {
  const seen: string[] = [];
  page.context().on('request', (request) => seen.push(request.url()));
  return seen;
}

/** Starts the site's service worker in a page that tests have added, and waits until it controls that page. */
export async function startServiceWorker(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { trustedTypes: types } = window as unknown as {
      trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(url: string): string } };
    };
    const policy = types?.createPolicy('tests', { createScriptURL: (url: string) => url });
    await navigator.serviceWorker.register(policy?.createScriptURL('sw.js') ?? 'sw.js');
    await navigator.serviceWorker.ready;
  });
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
}
