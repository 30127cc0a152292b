/**
 * Writes docs/screenshots/*.png: the built page in Chromium, with a drawn picture and its real result, on a phone and a
 * desktop, light and dark. `npm run screenshots` after `npm run build`.
 */

import { mkdir, readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from '@playwright/test';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const out = join(root, 'docs/screenshots');
/** As on a GitHub project page: nothing may rely on being at the root of its host. */
const SUB_PATH = '/some/folder/';
/** Bytes; a README must open quickly. */
const LARGEST = 400_000;

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const inside = normalize(decodeURIComponent(pathname.slice(SUB_PATH.length)) || 'index.html');
    if (!pathname.startsWith(SUB_PATH) || inside.startsWith('..')) return void response.writeHead(404).end();
    readFile(join(dist, inside)).then(
      (content) =>
        response.writeHead(200, { 'Content-Type': TYPES[extname(inside)] ?? 'application/octet-stream' }).end(content),
      () => response.writeHead(404).end(),
    );
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/**
 * Drops a picture on the page, as a user would. It is scaled down, which smooths the drawn skin's grain: that does not
 * compress.
 */
async function drop(page: Page, path: string): Promise<void> {
  const content = (await readFile(path)).toString('base64');
  const transfer = await page.evaluateHandle(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]), { resizeWidth: 560, resizeQuality: 'high' });
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    const data = new DataTransfer();
    data.items.add(
      new File([await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 })], 'spot.jpg', { type: 'image/jpeg' }),
    );
    return data;
  }, content);
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

interface Shot {
  name: string;
  context: BrowserContextOptions;
  fullPage: boolean;
}

// One device pixel per CSS pixel: with two, the skin's grain alone is 500 kB.
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 1,
  hasTouch: true,
  isMobile: true,
};
const desktop: BrowserContextOptions = { viewport: { width: 1280, height: 900 } };
const SHOTS: readonly Shot[] = [
  { name: 'phone-light', context: { ...phone, colorScheme: 'light' }, fullPage: true },
  { name: 'phone-dark', context: { ...phone, colorScheme: 'dark' }, fullPage: true },
  { name: 'desktop-light', context: { ...desktop, colorScheme: 'light' }, fullPage: false },
  { name: 'desktop-dark', context: { ...desktop, colorScheme: 'dark' }, fullPage: false },
];

async function shoot(browser: Browser, address: string, { name, context: options, fullPage }: Shot): Promise<void> {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce', serviceWorkers: 'block' });
  try {
    const page = await context.newPage();
    await page.goto(address);
    await drop(page, join(root, 'tests/pictures/spot.jpg'));
    await page.locator('dermlet-result-card').waitFor({ timeout: 120_000 });
    await page.getByRole('checkbox', { name: /heat map/ }).check();
    await page.locator('dermlet-photo-view canvas.overlay').waitFor();
    await page.screenshot({ path: join(out, `${name}.png`), fullPage });
  } finally {
    await context.close();
  }
  const { size } = await stat(join(out, `${name}.png`));
  console.log(`${relative(root, join(out, name))}.png  ${Math.round(size / 1000)} kB`);
  if (size > LARGEST) throw new Error(`${name}.png is over ${LARGEST / 1000} kB.`);
}

await mkdir(out, { recursive: true });
const server = await serve();
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${SUB_PATH}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  for (const shot of SHOTS) await shoot(browser, address, shot);
} finally {
  await browser.close();
  server.close();
}
