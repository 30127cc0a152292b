/** Each state of the page from the first visit to an answer, to be looked at: `npm run screenshots -- states`. */
import { join } from 'node:path';
import { expect, picture, test } from '../e2e/fixtures.js';
import { ALL, folder, named, opened, shoot, spots, twice, untilResults, use } from './shoot.js';

test.use({ hasTouch: true });

test('before a photo', async ({ app, page, site }) => {
  site.slow('models/skin-8/skin-8.onnx', 100_000);
  await page.goto(site.url);
  await expect(named(page, 'Choose photos')).toBeVisible();
  await page.waitForTimeout(3000);
  await shoot(page, 'first-loading');
  await app.choose('spot.jpg');
  await expect(page.locator('.pending')).toBeVisible();
  await shoot(page, 'waiting-for-network');
  await page.locator('.pending').getByRole('button', { name: 'Cancel' }).click();
  await shoot(page, 'cancelled');
  site.answers.clear();
  await app.open();
  await shoot(page, 'first', { sizes: ALL });
  await app.settings();
  await shoot(page, 'settings');
  await page.locator('#settings summary').first().click();
  await page.locator('#trust summary').first().click();
  await expect(page.locator('dermlet-trust')).toBeVisible();
  await shoot(page, 'trust');
  await page.evaluate(() => document.querySelector('#renewed')?.removeAttribute('hidden'));
  await shoot(page, 'new-version', { inView: true });
});

test('settings: an offer to install, another network, an unknown one', async ({ app, page }) => {
  const settings = page.locator('#settings');
  await app.open();
  await page.evaluate(() => dispatchEvent(new Event('beforeinstallprompt', { cancelable: true })));
  await app.settings();
  await shoot(page, 'settings-install', { of: settings });
  await app.model(/^Six/).or(app.model(/open/)).first().check();
  await expect(page.locator('#weights')).toContainText('CC-BY-4.0');
  await shoot(page, 'settings-another-network', { of: settings });
  await app.open('?model=none-such');
  await shoot(page, 'unknown-network');
});

test('a network that does not come', async ({ app, page, site }) => {
  for (const path of site.files().filter((name) => name.startsWith('models/skin-8/skin-8.onnx')))
    site.answers.set(path, { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await app.choose('spot.jpg');
  await expect(app.notice).toBeVisible({ timeout: 60_000 });
  await shoot(page, 'failed-to-load');
});

test('a script of the page that does not come', async ({ page, site }) => {
  const [chunk] = site.files().filter((name) => /^assets\/element.*\.js$/.test(name));
  site.answers.set(chunk!, { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await page.waitForTimeout(2000);
  await shoot(page, 'failed-to-start');
});

for (const [tier, tiers] of [
  ['high', { high: 0, moderate: 0 }],
  ['moderate', { high: 1, moderate: 0 }],
] as const)
  test(`an answer of ${tier} concern`, async ({ app, page, site }) => {
    site.changeJson('models/skin-8/manifest.json', (manifest: { modalities: { tiers: object }[] }) => {
      for (const modality of manifest.modalities)
        Object.assign(modality, { rejectionThreshold: null, tiers: { ...modality.tiers, ...tiers } });
    });
    await app.open();
    await app.classify('spot.jpg');
    await shoot(page, `answer-${tier}`);
  });

test('an answer', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  await shoot(page, 'answer', { sizes: ALL });
  await app.heatMap.check();
  await page.locator('dermlet-photo-view canvas.overlay').waitFor();
  await app.details();
  await shoot(page, 'answer-heat-map-and-details');
  await page.getByRole('radio', { name: /Dermoscopy/ }).check();
  await untilResults(app, 2);
  await shoot(page, 'answer-other-modality');
  await named(page, 'Remove spot.jpg').click();
  await expect(page.locator('dermlet-removed')).toBeVisible();
  await shoot(page, 'removed');
});

test('framing', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await page.locator('input#choose').setInputFiles(spots('small.jpg'));
  await untilResults(app, 1);
  await shoot(page, 'small-spot');
  await page.locator('dermlet-photo-view .begin').click();
  await expect(page.getByRole('application', { name: 'Frame' })).toBeVisible();
  await shoot(page, 'framing');
  await shoot(page, 'framing', { sizes: ['360x640'] });
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  await untilResults(app, 2);
  await shoot(page, 'framed');
});

test('no category', async ({ app, page }) => {
  await app.open();
  const shown: [state: string, file: string][] = [
    ['several-spots', spots('two.jpg')],
    ['no-spot', spots('none.jpg')],
    ['poor-quality', picture('flat.png')],
    ['refused', picture('swapped-channels.png')],
  ];
  for (const [at, [state, file]] of shown.entries()) {
    await page.locator('input#choose').setInputFiles(file);
    await untilResults(app, at + 1);
    await shoot(page, state);
  }
});

test('files that cannot be read', async ({ app, page }) => {
  await app.open();
  for (const [state, file] of [
    ['broken-file', 'corrupt.jpg'],
    ['no-picture', 'document.pdf'],
    ['too-large', 'huge.png'],
  ] as const) {
    await app.choose(file);
    await expect(app.notice).toBeVisible();
    await shoot(page, state);
  }
});

test('several photos', async ({ app, page, site }) => {
  site.slow('models/skin-8/skin-8.onnx', 100_000);
  await page.goto(site.url);
  await app.choose('spot.jpg', 'spot-422.jpg', 'corrupt.jpg');
  await page.waitForTimeout(2000);
  await shoot(page, 'three-under-way');
});

test('twice the text, and forced colours', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  const sizes = ['360x640'] as const;
  await twice(page, true);
  await shoot(page, 'twice-first', { sizes });
  await app.settings();
  await shoot(page, 'twice-settings', { sizes, of: page.locator('#settings') });
  await app.settings();
  await app.classify('spot.jpg');
  await shoot(page, 'twice-answer', { sizes });
  for (const id of ['questions', 'where', 'report', 'spots', 'closer', 'trust', 'similar', 'beside']) {
    await use(page, id);
    await shoot(page, `twice-${id}`, { sizes, of: opened(page) });
  }
  await page.locator('dermlet-photo-view .begin').click();
  await shoot(page, 'twice-framing', { sizes, of: page.locator('dermlet-photo-view') });
  await page.keyboard.press('Escape');
  await twice(page, false);
  await page.emulateMedia({ forcedColors: 'active' });
  await shoot(page, 'forced-answer');
  for (const id of ['questions', 'report', 'spots']) {
    await use(page, id);
    await shoot(page, `forced-${id}`, { sizes: ['390x844'], of: opened(page) });
  }
  await page.locator('dermlet-photo-view .begin').click();
  await shoot(page, 'forced-framing', { sizes: ['390x844'], of: page.locator('dermlet-photo-view') });
});

test('on paper', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await page.pdf({ path: join(folder, 'printed-first.pdf'), format: 'A4' });
  await app.classify('spot.jpg');
  await page.pdf({ path: join(folder, 'printed-answer.pdf'), format: 'A4' });
  await use(page, 'report');
  const [download] = await Promise.all([page.waitForEvent('download'), named(page, 'Save as PDF').click()]);
  await download.saveAs(join(folder, 'report.pdf'));
});

test('pages to read', async ({ page, site }) => {
  for (const [state, path] of [
    ['read-index', 'about/index.html'],
    ['read-melanoma', 'about/mel.html'],
    ['read-card', 'about/card-skin-8.html'],
    ['read-docs', 'docs/embedding.html'],
  ] as const) {
    await page.goto(site.url + path);
    await shoot(page, state);
  }
});
