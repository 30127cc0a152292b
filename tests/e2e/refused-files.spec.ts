/** What the core has not read is not given to the browser to display: it may take any amount of memory. */
import { deflateSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.js';

/** A PNG of one colour, in a few kilobytes, whose header says how many pixels the browser would have to hold. */
function hugePng(side: number): Buffer {
  const crcOf = (bytes: Buffer): number => {
    let crc = -1;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  };
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const file = Buffer.alloc(body.length + 8);
    file.writeUInt32BE(data.length, 0);
    body.copy(file, 4);
    file.writeUInt32BE(crcOf(body), body.length + 4);
    return file;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const rows = deflateSync(Buffer.alloc(1 << 20), { level: 9 });
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** Notes each file that is given to an image element, or decoded by the page. */
function note(): void {
  const shown: string[] = [];
  Object.assign(window, { shown });
  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (name, value) {
    if (this instanceof HTMLImageElement && name === 'src' && value.startsWith('blob:')) shown.push(value);
    return setAttribute.call(this, name, value);
  };
  const decode = window.createImageBitmap as (source: unknown, ...rest: unknown[]) => Promise<ImageBitmap>;
  window.createImageBitmap = (source: unknown, ...rest: unknown[]) => {
    if (source instanceof Blob) shown.push('createImageBitmap');
    return decode(source, ...rest);
  };
}

const shown = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as { shown: string[] }).shown);

test('a small file that says it is 60000 x 60000 is refused and never displayed', async ({ app, page }) => {
  await page.addInitScript(note);
  await page.goto(app.site.url);
  // Chosen before the core is there: it waits without a picture.
  const buffer = hugePng(60_000);
  expect(buffer.length).toBeLessThan(65_536);
  await page.locator('input#choose').setInputFiles({ name: 'huge.png', mimeType: 'image/png', buffer });
  await expect(page.locator('dermlet-photo-view')).toContainText('huge.png');
  await expect(app.notice).toContainText('IMAGE_TOO_LARGE', { timeout: 60_000 });
  await expect(app.shelf.getByRole('listitem')).toHaveCount(1);
  expect(await shown(page)).toEqual([]);
  // One that the core has read is displayed while the network runs.
  await app.classify('spot.jpg');
  expect((await shown(page)).length).toBeGreaterThan(0);
});
