/** Take it to a doctor: the page as a PDF and on paper, the files for programs, and what is not in any of them. */
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import AxeBuilder from '@axe-core/playwright';
import { PDFDocument, PDFRawStream } from '@cantoo/pdf-lib';
import type { Page } from '@playwright/test';
import { extractText, getDocumentProxy } from 'unpdf';
import type { App } from './fixtures.js';
import { expect, picture, test } from './fixtures.js';
import { withPlace } from './with-place.js';

async function open(app: App, page: Page): Promise<void> {
  app.neverRefuse();
  await app.open();
  const buffer = withPlace(readFileSync(picture('spot.jpg')));
  await page.locator('input#choose').setInputFiles({ name: 'Emma.jpg', mimeType: 'image/jpeg', buffer });
  await expect(app.verdict).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Take it to a doctor' }).click();
  await expect(page.getByRole('heading', { name: 'Take it to a doctor' })).toBeVisible();
}

async function saved(page: Page, name: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** All of a file, with what is compressed in a PDF. */
async function inside(bytes: Buffer): Promise<string> {
  const texts = [bytes.toString('latin1')];
  if (bytes.subarray(0, 4).toString() === '%PDF')
    for (const [, object] of (await PDFDocument.load(bytes)).context.enumerateIndirectObjects())
      if (object instanceof PDFRawStream) texts.push(inflateSync(object.contents).toString('latin1'));
  return texts.join('\n');
}

const clean = (text: string) => expect(text).not.toMatch(/PLACE-47|Exif|Emma/);
const wide = (text: string) => text.replace(/\s+/g, ' ');

test('the PDF is one page with the answer, and nothing of the file', async ({ app, page }) => {
  await open(app, page);
  const { name, bytes } = await saved(page, 'Save as PDF');
  expect(name).toMatch(/^dermlet-\d{4}-\d\d-\d\d\.pdf$/);
  const { text, totalPages } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: true });
  expect(totalPages).toBe(1);
  const { result } = (await app.results())[0]!;
  expect(wide(text)).toContain(wide((await app.verdict.textContent())!).trim());
  expect(text.replace(/\s/g, '')).toContain(result.model.sha256);
  expect(wide(text)).toContain('not a medical device');
  expect(wide(text)).toContain('The network saw the whole picture and, closely, what lies inside the frame.');
  clean(await inside(bytes));
  await expect(page.getByText(`Saved: ${name}`)).toBeVisible();
});

test('answers that ask for more are on the page, and that is said before', async ({ app, page }) => {
  app.site.changeJson(
    'models/skin-8/manifest.json',
    (manifest: { modalities: { tiers: { high: number; moderate: number } }[] }) => {
      for (const modality of manifest.modalities) modality.tiers = { ...modality.tiers, high: 1, moderate: 1 };
    },
  );
  await open(app, page);
  const said = page.getByText('which of your answers ask for more');
  await expect(page.getByText('What goes out is drawn anew')).toBeVisible();
  await expect(said).toHaveCount(0);
  await page.getByRole('button', { name: 'Answer a few questions' }).click();
  await page.getByRole('checkbox', { name: /bleeds/ }).check();
  await page.getByRole('button', { name: 'Take it to a doctor' }).click();
  await expect(said).toBeVisible();
  const { bytes } = await saved(page, 'Save as PDF');
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: true });
  expect(wide(text)).toContain('it bleeds, oozes or crusts');
});

test('a browser that falsifies canvases is told of as that, and offered no PDF', async ({ app, page }) => {
  await page.addInitScript(() => {
    const original = CanvasRenderingContext2D.prototype.getImageData;
    CanvasRenderingContext2D.prototype.getImageData = function (this: CanvasRenderingContext2D, ...args) {
      const data = original.apply(this, args as Parameters<typeof original>);
      data.data.fill(119);
      return data;
    };
  });
  await open(app, page);
  // Of photos before the last few a picture is kept that only a canvas can read.
  const bytes = readFileSync(picture('spot.jpg'));
  const comment = (index: number) => Buffer.from([0xff, 0xfe, 0, 4, 0, index]);
  await page.locator('input#choose').setInputFiles(
    [1, 2, 3, 4, 5].map((index) => ({
      name: `later-${index}.jpg`,
      mimeType: 'image/jpeg',
      buffer: Buffer.concat([bytes.subarray(0, 2), comment(index), bytes.subarray(2)]),
    })),
  );
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(6);
  await app.shelf.getByRole('button', { name: /^Emma\.jpg/ }).click();
  await page.getByRole('button', { name: 'Take it to a doctor' }).click();
  const report = page.locator('dermlet-report');
  await expect(report).toContainText('This browser gives a page other pixels than its photo has');
  await expect(report).not.toContainText('The letters of this page');
  await expect(report.getByRole('button', { name: 'Save as PDF' })).toHaveCount(0);
  await expect(report.getByRole('button', { name: 'Print' })).toBeVisible();
});

test('JSON and FHIR hold the result; the photo only if asked for, drawn anew', async ({ app, page }) => {
  await open(app, page);
  await page.getByText('For a clinic’s software').click();
  const json = await saved(page, 'Result as JSON');
  const made = JSON.parse(json.bytes.toString()) as { classifiedAt: string; result: unknown };
  expect(made.result).toEqual((await app.results())[0]!.result);
  expect(Math.abs(Date.now() - Date.parse(made.classifiedAt))).toBeLessThan(120_000);
  const without = (await saved(page, 'Result as FHIR R4')).bytes.toString();
  expect(JSON.parse(without)).toMatchObject({ resourceType: 'Bundle', timestamp: made.classifiedAt });
  expect(without).not.toContain('"data"');
  await page.getByRole('checkbox', { name: /photo into the FHIR/ }).check();
  const withPhoto = (await saved(page, 'Result as FHIR R4')).bytes.toString();
  const photo = Buffer.from(/"data": "([^"]+)"/.exec(withPhoto)![1]!, 'base64');
  expect([...photo.subarray(0, 2)]).toEqual([0xff, 0xd8]);
  for (const text of [json.bytes.toString(), without, withPhoto, photo.toString('latin1')]) clean(text);
});

test('what is printed is one page with bars and frame, and no controls', async ({ app, page, browserName }) => {
  test.skip(browserName !== 'chromium', 'only Chromium prints to a file');
  await open(app, page);
  const bytes = await page.pdf({ preferCSSPageSize: true, printBackground: false });
  const { text, totalPages } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: true });
  expect(totalPages).toBe(1);
  expect(wide(text)).toContain('Nobody has checked or signed it.');
  expect(wide(text)).not.toMatch(/Save as PDF|Take it to a doctor/);
  await expect(page.locator('dermlet-paper[data-printed]')).toHaveCount(0);
});

test('where there is a share sheet it gets the page or the photo, and giving it up is no error', async ({
  app,
  page,
}) => {
  await page.addInitScript(() => {
    const given: File[] = [];
    Object.assign(window, { given });
    Object.defineProperty(navigator, 'canShare', { value: () => true });
    Object.defineProperty(navigator, 'share', {
      value: async ({ files }: { files: File[] }) => {
        given.push(...files);
        if (given.length > 1) throw new DOMException('given up', 'AbortError');
      },
    });
  });
  await open(app, page);
  await page.getByRole('button', { name: 'Share the page' }).click();
  await expect(page.getByText('Handed over.')).toBeVisible();
  await page.getByRole('button', { name: 'Share the photo' }).click();
  const given = () =>
    page.evaluate(() =>
      Promise.all(
        (window as unknown as { given: File[] }).given.map(async (file) => ({
          type: file.type,
          text: await file.text(),
        })),
      ),
    );
  await expect.poll(async () => (await given()).map(({ type }) => type)).toEqual(['application/pdf', 'image/jpeg']);
  for (const { text } of await given()) clean(text);
  await expect(page.getByText('That did not work')).toHaveCount(0);
});

test('without a share sheet there is no such button; axe finds nothing', async ({ app, page }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, 'canShare', { value: undefined }));
  await open(app, page);
  await expect(page.getByRole('button', { name: /Share/ })).toHaveCount(0);
  await page.getByText('For a clinic’s software').click();
  await page.getByText('The page', { exact: true }).click();
  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
});
