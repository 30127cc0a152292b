/** A second network's answer beside the first. */
import AxeBuilder from '@axe-core/playwright';
import type { Result } from '../../web/src/classifier/index.js';
import { agreement } from '../../web/src/messages/beside.js';
import { expect, test } from './fixtures.js';
import { nodeResult } from './node-result.js';

test('another of the site’s networks looks at the same photo, and the page says whether they agree', async ({
  app,
  page,
  site,
}) => {
  test.slow(); // two networks
  await page.setViewportSize({ width: 360, height: 800 });
  await app.open();
  const first = await app.classify('spot.jpg');
  const verdict = await app.verdict.textContent();
  await page.getByRole('button', { name: 'For professionals' }).click();
  await page.locator('[data-tool=beside]').click();
  const room = page.locator('dermlet-beside');
  await expect(room.getByRole('combobox')).toContainText('skin-open');
  await expect(room.locator('option')).toHaveCount(1);
  await expect(room).toContainText(/About [\d.]+\sMB to download, once/);

  // What cannot be fetched is told, and can be tried again.
  site.answers.set('models/skin-open/skin-open.onnx', { status: 404, body: 'not found' });
  await room.locator('[data-do=ask]').click();
  await expect(room.getByRole('alert')).toContainText('MODEL_UNAVAILABLE');
  await expect(app.verdict).toHaveText(verdict!);
  site.answers.delete('models/skin-open/skin-open.onnx');
  await room.getByRole('alert').getByRole('button').click();

  const answers = room.locator('[data-answer]');
  await expect(answers).toHaveCount(2, { timeout: 90_000 });
  const second = await nodeResult('spot.jpg', 'skin-open');
  const said = agreement(first, second as Result);
  await expect(room.locator('[data-agreement]')).toHaveAttribute('data-agreement', said);
  await expect(answers.first()).toContainText(`skin-8 ${first.model.version}`);
  await expect(answers.last()).toContainText(`skin-open ${second.model.version}, 6 categories`);
  await expect(answers.first()).toContainText(verdict!);
  await expect(room).toContainText('that two agree proves nothing');
  // The answer itself is as it was: nothing was told as the page's.
  expect((await app.results()).length).toBe(1);
  await expect(app.verdict).toHaveText(verdict!);

  const { violations } = await new AxeBuilder({ page: page as never }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ target }) => target)])).toEqual([]);
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);

  // Its worker ends with the tool; the page's own goes on.
  const workers = page.workers().length;
  await page.locator('[data-tool=beside]').click();
  await expect.poll(() => page.workers().length).toBeLessThan(workers);
  await app.classify('spot-422.jpg');
});
