/** DICOM files of photos: the JPEG in them is read on this device, and nothing of the person is shown or stored. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dicom, PATIENT } from '../web/dicom-file.js';
import { expect, picture, test } from './fixtures.js';

test('gets the answer of the JPEG in it, and the person stays unnamed', async ({ app, page }, testInfo) => {
  app.neverRefuse();
  await app.open();
  const jpeg = await app.classify('spot.jpg');

  const path = testInfo.outputPath('photo.dcm');
  writeFileSync(path, dicom({ parts: [readFileSync(picture('spot.jpg'))] }));
  const before = (await app.results()).length;
  await page.locator('input#choose').setInputFiles(path);
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(before + 1);
  const { result } = (await app.results()).at(-1)!;
  expect(result.source).toMatchObject({ format: 'jpeg', bitExact: true, width: jpeg.source.width });
  expect(result.ranking.map(({ id, probability }) => [id, probability.toFixed(5)])).toEqual(
    jpeg.ranking.map(({ id, probability }) => [id, probability.toFixed(5)]),
  );
  await app.details();
  const shown = await page.evaluate(async () => {
    const texts = [document.documentElement.outerHTML, JSON.stringify(localStorage)];
    for (const root of [document.querySelector('dermlet-classifier')!])
      for (const part of [root, ...root.shadowRoot!.querySelectorAll('*')])
        texts.push(part.shadowRoot?.innerHTML ?? '');
    return texts.join() + JSON.stringify(window.heard);
  });
  expect(shown).toContain('photo.dcm');
  expect(shown).not.toContain(PATIENT);
});

test('of another syntax is refused by name, and the next photo works', async ({ app, page }, testInfo) => {
  await app.open();
  const path = testInfo.outputPath('slices.dcm');
  writeFileSync(path, dicom({ syntax: '1.2.840.10008.1.2.4.90', parts: [readFileSync(picture('spot.jpg'))] }));
  await page.locator('input#choose').setInputFiles(path);
  await expect(app.notice).toBeVisible({ timeout: 60_000 });
  const errors = await page.evaluate(() => window.heard.errors);
  expect(errors.at(-1)).toMatchObject({ name: 'slices.dcm', code: 'UNSUPPORTED_FORMAT' });
  expect(errors.at(-1)!.message).toContain('JPEG 2000 lossless');
  await app.classify('spot.jpg');
});
