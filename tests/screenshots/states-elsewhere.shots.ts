/** In other languages, in pages of others, as one file, and with a network or categories of a person's own. */
import { appendFileSync, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, picture, test } from '../e2e/fixtures.js';
import { ownModel } from '../e2e/own-model.js';
import { singleFile } from '../e2e/site.js';
import { opened, photos, shoot, untilResults, use } from './shoot.js';

test.use({ hasTouch: true });

for (const language of ['de', 'es', 'fr', 'ar'])
  test.describe(language, () => {
    test.use({ locale: language });
    test('first, an answer, its tools, a list', async ({ app, page }, testInfo) => {
      app.neverRefuse();
      await app.open();
      await shoot(page, `${language}-first`);
      await app.settings();
      await shoot(page, `${language}-settings`, { of: page.locator('#settings') });
      await app.settings();
      await app.classify('spot.jpg');
      await shoot(page, `${language}-answer`);
      for (const id of ['questions', 'where', 'report', 'spots']) {
        await use(page, id);
        await shoot(page, `${language}-${id}`, { of: opened(page), sizes: ['390x844'] });
      }
      await page.locator('dermlet-photo-view .begin').click();
      await shoot(page, `${language}-framing`, { of: page.locator('dermlet-photo-view'), sizes: ['390x844'] });
      await page.keyboard.press('Escape');
      await page.locator('input#choose').setInputFiles(photos(testInfo, 9));
      await untilResults(app, 10);
      await shoot(page, `${language}-many`, { of: page.locator('dermlet-review') });
    });
  });

test('in pages of others', async ({ page, site }) => {
  for (const name of ['intake', 'frame']) {
    await page.goto(`${site.url}examples/${name}.html`);
    await shoot(page, `example-${name}`);
    await page.getByRole('checkbox').first().check();
    const inside = name === 'frame' ? page.frameLocator('iframe') : page;
    await inside.locator('input#choose').setInputFiles(picture('spot.jpg'));
    await expect(inside.locator('#verdict')).toBeVisible({ timeout: 60_000 });
    await page.waitForTimeout(500);
    await shoot(page, `example-${name}-answer`);
  }
  await page.goto(`${site.url}embed.html`);
  await page.waitForTimeout(1000);
  await shoot(page, 'embed-by-itself');
});

test('as one file', async ({ app, page }) => {
  test.skip(!existsSync(singleFile), 'npm run build:single');
  await page.goto(pathToFileURL(singleFile).href);
  await app.untilReady();
  await shoot(page, 'single-first');
  await app.choose('spot.jpg');
  await untilResults(app, 1);
  await shoot(page, 'single-answer');
});

test("a network, and categories, of a person's own", async ({ app, page }, testInfo) => {
  test.slow();
  app.neverRefuse();
  await app.open();
  await app.settings();
  const settings = page.locator('#settings');
  await page.locator('dermlet-open-heads summary').click();
  const room = page.locator('dermlet-head');
  await expect(room.locator('[data-do=open]')).toBeVisible();
  await shoot(page, 'head', { of: room });
  const folder = testInfo.outputPath('Clinic A');
  for (const [category, names] of Object.entries({
    'Red spots': ['spot.jpg', 'spot-422.jpg', 'spot-444.jpg'],
    'Blue & others': ['spot-progressive.jpg', 'spot-restart.jpg', 'spot-large.jpg', 'swapped-channels.png'],
  }))
    for (const [at, name] of names.entries()) {
      mkdirSync(join(folder, category), { recursive: true });
      const path = join(folder, category, `${at}-${name}`);
      copyFileSync(picture(name), path);
      appendFileSync(path, `${category} ${at}`);
    }
  await room.locator('#folder').setInputFiles(folder);
  await room.getByRole('combobox').selectOption('whole');
  await shoot(page, 'head-chosen', { of: room });
  await room.locator('[data-do=start]').click();
  await expect(room.locator('[data-do=save]')).toBeVisible({ timeout: 120_000 });
  await shoot(page, 'head-trained', { of: room });
  await app.classify('spot.jpg');
  await shoot(page, 'head-answer');
  const opener = page.locator('dermlet-open-model');
  await opener.locator('#folder').setInputFiles(ownModel());
  await expect(opener.getByRole('status')).toContainText('A model of the tests', { timeout: 60_000 });
  await shoot(page, 'own-network', { of: settings });
});
