import { join } from 'node:path';
import { ALWAYS } from './app.js';
import { expect, requestsOf, test, withServiceWorker } from './fixtures.js';
import { expectSame, nodeResult } from './node-result.js';

withServiceWorker('a photo gets the same result as in Node, shown with all its parts', async ({ app, page }) => {
  await app.open();
  const result = await app.classify('spot.jpg');
  expectSame(result, await nodeResult('spot.jpg'));
  expect(result.runtime.backend).toBe('wasm');
  await expect(page.getByText(ALWAYS)).toBeVisible();
  const rows = await app.details();
  expect(rows.get('Backend')).toMatch(/^WebAssembly .*1 thread$/);
  expect(rows.get('Size')).toBe(`${result.source.width} × ${result.source.height} pixels upright`);
  expect(rows.get('Outcome')).toBe(result.outcome);
  expect(rows.get('Decoded by')).toContain('core');
});

test('shows the class and its score, the categories in order and the heat map with a slider', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  const result = await app.classify('spot.jpg');
  expect(['single', 'several']).toContain(result.outcome);
  const first = result.ranking[0];
  if (first === undefined) throw new Error('an empty ranking');
  // The score stands in the brackets of a second name.
  await expect(app.verdict).toContainText(first.name.replace(/\)$/, ''));
  await expect(app.categories).toHaveCount(result.ranking.length);
  await expect(app.categories.first()).toContainText(first.name);
  await expect(page.getByText('possible here')).toHaveCount(result.predictionSet.length);
  const overlay = page.locator('canvas.overlay');
  await expect(app.heatMap).not.toBeChecked();
  await expect(overlay).toBeHidden();
  await expect(app.slider).toHaveCount(0);
  await app.heatMap.check();
  await expect(overlay).toBeVisible();
  await app.slider.fill('0');
  await expect(overlay).toHaveCSS('opacity', '0');
  await app.slider.fill('100');
  await expect(overlay).toHaveCSS('opacity', '1');
});

withServiceWorker('no request leaves while a photo is classified', async ({ app, page, site }) => {
  const requests = requestsOf(page);
  await app.open();
  // The service worker and the decoder of HEIC are fetched after the first load, unrelated to any photo: let them come.
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  for (const part of [/libheif\.wasm/, /libheif\.mjs/])
    await expect.poll(() => requests.some((url) => part.test(url)), { timeout: 20_000 }).toBe(true);
  for (let seen = -1; seen !== requests.length; await page.waitForTimeout(1500)) seen = requests.length;
  const [served, made] = [site.log.length, requests.length];
  await app.classify('spot.jpg');
  await app.classify('orientation-6.jpg');
  expect(requests.slice(made).filter((url) => /^https?:/.test(url))).toEqual([]);
  expect(site.log.slice(served)).toEqual([]);
  await app.details();
  await expect(page.locator('#requests')).toHaveText('0');
});

withServiceWorker('only GET requests without a body are sent', async ({ app, page, site }) => {
  const bodies: string[] = [];
  page.context().on('request', (request) => {
    if (request.postDataBuffer() !== null) bodies.push(request.url());
  });
  await app.open();
  await app.classify('spot.jpg');
  expect(bodies).toEqual([]);
  expect(site.log.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('several photos are classified one after another and remain available', async ({ app, page }) => {
  await app.open();
  await app.choose('spot.jpg', 'spot.png', 'flat.png');
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(3);
  const results = await app.results();
  expect(results.map(({ name }) => name).sort()).toEqual(['flat.png', 'spot.jpg', 'spot.png']);
  await expect(app.shelf.getByRole('listitem')).toHaveCount(3);
  await app.shelf.getByRole('button', { name: /^flat\.png/ }).click();
  await expect(app.verdict).toContainText('no category is named');
  await page.getByRole('button', { name: 'Remove flat.png' }).click();
  await expect(app.shelf.getByRole('listitem')).toHaveCount(2);
});

for (const name of [
  'spot.png',
  'spot.bmp',
  'spot-progressive.jpg',
  'spot-alpha.png',
  'spot-gray.jpg',
  'spot-cmyk.jpg',
]) {
  test(`${name} is read`, async ({ app }) => {
    await app.open();
    const result = await app.classify(name);
    // Drawn skin has no texture: the blur check may fail. Without colour only that of colour must.
    const failed = result.quality.checks.filter(({ id, passed }) => !passed && id !== 'blurred').map(({ id }) => id);
    expect(failed).toEqual(name === 'spot-gray.jpg' ? ['grey'] : []);
    expect(result.quality.checks).toHaveLength(9);
    expect(result.source.bitExact).toBe(true);
  });
}

test('every EXIF orientation gives the same upright picture', async ({ app }) => {
  await app.open();
  const first = await app.classify('orientation-1.jpg');
  for (let orientation = 2; orientation <= 8; orientation += 1) {
    const { source } = await app.classify(`orientation-${orientation}.jpg`);
    expect(source.orientation).toBe(orientation);
    expect([source.width, source.height]).toEqual([first.source.width, first.source.height]);
  }
});

for (const name of ['flat.png', 'tiny.png']) {
  test(`${name} is not usable: no category is named`, async ({ app, page }) => {
    await app.open();
    const result = await app.classify(name);
    expect(result.outcome).toBe('poor-quality');
    expect(result.tier).toBe('unknown');
    expect(result.predictionSet).toEqual([]);
    await expect(app.verdict).toContainText('no category is named');
    await expect(app.categories).toHaveCount(0);
    await expect(app.heatMap).toHaveCount(0);
    await expect(page.getByText(ALWAYS)).toBeVisible();
  });
}

test('a failed check says plainly what to do; value and limit are in the result and the details', async ({
  app,
  page,
}) => {
  app.site.changeJson('models/skin-8/manifest.json', (manifest: { quality: object }) => {
    manifest.quality = { modalities: { photo: { minSharpness: 15, maxNoise: 400 } } };
  });
  await app.open();
  const result = await app.classify('spot.jpg');
  expect(result.outcome).toBe('poor-quality');
  expect(result.quality.checks.map(({ id, limit, passed }) => [id, limit, passed])).toEqual([
    ['blurred', 15, false],
    ['noisy', 400, true],
  ]);
  expect(result.quality.checks[0]!.value).toBeGreaterThan(0);
  await expect(app.verdict).toContainText('This picture is blurred, so no category is named.');
  await expect(page.getByText('tap the picture to focus')).toBeVisible();
  await expect(page.getByText('Use daylight or an even lamp')).toHaveCount(0);
  await app.details();
  await expect(page.getByText(/at least 15/)).toBeVisible();
});

test('choosing a modality by hand classifies the photo again', async ({ app, page }) => {
  await app.open();
  const before = await app.classify('spot.jpg');
  await page.getByRole('radio', { name: /Dermoscopy/ }).check();
  await expect.poll(async () => (await app.results()).length).toBe(2);
  const after = (await app.results())[1]?.result;
  expect(before.modality).toBe('photo');
  expect(after?.modality).toBe('dermoscopy');
});

test('one of two spots can be chosen with a tap, and so can the whole picture', async ({ app, page }) => {
  await app.open();
  await page.locator('input#choose').setInputFiles(join(import.meta.dirname, '../spots/two.jpg'));
  await expect(app.verdict).toContainText('More than one spot stands out');
  await expect(app.categories).toHaveCount(0);
  const [asked] = await app.results();
  expect(asked!.result).toMatchObject({ outcome: 'several-spots', tier: 'unknown', frame: { framing: 'several' } });
  await page.getByRole('button', { name: 'Spot 2: look at this one' }).click();
  await expect.poll(async () => (await app.results()).length).toBe(2);
  const chosen = (await app.results())[1]!.result;
  expect(chosen.frame).toEqual({ framing: 'chosen', spots: [] });
  expect(chosen.source.region).toEqual(asked!.result.frame.spots[1]!.frame);
  await page.getByRole('button', { name: 'Look for the spot again' }).click();
  await expect.poll(async () => (await app.results()).length).toBe(3);
  expect((await app.results())[2]!.result.outcome).toBe('several-spots');
  await page.getByRole('button', { name: 'Look at the whole picture' }).click();
  await expect.poll(async () => (await app.results()).length).toBe(4);
  expect((await app.results())[3]!.result.frame).toEqual({ framing: 'whole', spots: [] });
});

for (const viewport of [
  { width: 360, height: 640 },
  { width: 390, height: 844 },
])
  test(`spots are seen with the sentence that asks for one of them: ${viewport.width}x${viewport.height}`, async ({
    app,
    page,
  }) => {
    await page.setViewportSize(viewport);
    await app.open();
    await page.locator('input#choose').setInputFiles(join(import.meta.dirname, '../spots/two.jpg'));
    await expect(app.verdict).toContainText('More than one spot stands out');
    const spots = page.getByRole('button', { name: /^Spot \d: look at this one$/ });
    await expect(spots).toHaveCount(2);
    // By the page itself: nothing has been scrolled here.
    for (const part of [app.verdict, page.getByText('Choose the one that you mean'), ...(await spots.all())])
      await expect(part).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole('img', { name: /two\.jpg, upright/ })).toBeInViewport({ ratio: 1 });
    // Read, and reached by Tab, before what follows from it.
    const order = await page.evaluate(() => {
      const { shadowRoot } = document.querySelector('dermlet-classifier')!;
      const card = shadowRoot!.querySelector('dermlet-result-card')!;
      const view = shadowRoot!.querySelector('dermlet-photo-view')!;
      return (
        view.getBoundingClientRect().bottom <= card.shadowRoot!.querySelector('.next')!.getBoundingClientRect().top
      );
    });
    expect(order).toBe(true);

    // Turned to a wide screen, the picture stands beside the answer.
    await page.setViewportSize({ width: 1280, height: 800 });
    const [sentence, picture] = [app.verdict, page.locator('dermlet-photo-view')];
    await expect
      .poll(async () => (await picture.boundingBox())!.x + (await picture.boundingBox())!.width)
      .toBeLessThan((await sentence.boundingBox())!.x);
    await page.setViewportSize(viewport);
    await page.getByRole('button', { name: 'Spot 1: look at this one' }).click();
    await expect.poll(async () => (await app.results()).length).toBe(2);
    expect((await app.results())[1]!.result.frame.framing).toBe('chosen');
    await expect(page.locator('dermlet-photo-view')).toHaveCount(1);
  });

test('a photo can be dropped and pasted', async ({ app, page }) => {
  await app.open();
  await page.evaluate(async () => {
    const drop = async (type: 'drop' | 'paste', name: string) => {
      const bytes = await (await fetch('pictures/spot.jpg')).blob();
      const data = new DataTransfer();
      data.items.add(new File([bytes], name, { type: 'image/jpeg' }));
      const options = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        type === 'drop'
          ? new DragEvent('drop', { ...options, dataTransfer: data })
          : new ClipboardEvent('paste', { ...options, clipboardData: data }),
      );
    };
    await drop('drop', 'dropped.jpg');
    await drop('paste', 'pasted.jpg');
  });
  await expect
    .poll(async () => (await app.results()).map(({ name }) => name).sort(), { timeout: 60_000 })
    .toEqual(['dropped.jpg', 'pasted.jpg']);
});
