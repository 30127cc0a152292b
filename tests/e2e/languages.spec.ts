/** The page in each language that ships: chosen in the settings or by the browser, whole, with the real model. */
import type { Page } from '@playwright/test';
import { catalogues, functionsOf, textOf } from '../../tools/build/messages.mjs';
import type { Result } from '../../web/src/classifier/index.js';
import { categoryName, setLanguage, tierWords, verdict } from '../../web/src/messages/index.js';
import { faults } from './axe.js';
import { type App, expect, requestsOf, test } from './fixtures.js';

test.describe.configure({ timeout: 180_000 });

const all = catalogues();
const others = Object.values(all).filter(({ tag }) => tag !== 'en');

/** Every text that is seen or read out, but for what is marked as English or as of no known language. */
function said(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const visit = (node: Node): void => {
      if (node instanceof Text && node.data.trim() !== '') found.push(node.data.trim());
      if (node instanceof Element) {
        if (node.matches('script, style, noscript, code, bdi, :not(html, .stack)[lang=en]')) return;
        for (const name of ['aria-label', 'aria-valuetext', 'alt', 'title', 'placeholder', 'content'])
          if (name !== 'content' || node.matches('[data-message]')) found.push(node.getAttribute(name) ?? '');
        node.shadowRoot?.childNodes.forEach(visit);
      }
      node.childNodes.forEach(visit);
    };
    visit(document.documentElement);
    return found.filter((text) => text !== '');
  });
}

/** The parts of a message between its arguments. */
const partsOf = (text: string) =>
  text
    .replace(/<\/?link>/g, '{}')
    .split(/\{[^{}]*\}|\{\w+, plural, |(?:one|other) \{|[{}#]/)
    .map((part) => part.trim())
    .filter((part) => /\p{L}{2}/u.test(part));

/** English texts of the catalogue, as far as the language has others for them. */
function englishTexts(tag: string): { whole: Set<string>; parts: string[] } {
  const own = Object.values(all[tag]!.messages).map(textOf).join('\n');
  const english = Object.entries(all.en.messages)
    .filter(([key]) => !key.startsWith('cli.'))
    .flatMap(([, entry]) => partsOf(textOf(entry)))
    .filter((part) => !own.includes(part));
  return { whole: new Set(english), parts: english.filter((part) => part.split(' ').length > 2) };
}

async function leftInEnglish(page: Page, tag: string): Promise<string[]> {
  const { whole, parts } = englishTexts(tag);
  const texts = await said(page);
  expect(texts.length).toBeGreaterThan(40);
  return texts.filter((text) => whole.has(text) || parts.some((part) => text.includes(part)));
}

async function choose(app: App, tag: string): Promise<void> {
  await app.settings();
  await app.page.locator('#language').selectOption(tag);
  await expect(app.page.locator('html')).toHaveAttribute('lang', tag === '' ? 'en' : tag);
}

function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Chooses a file, whatever the language, and waits for its answer or error. */
async function show(app: App, name: string): Promise<void> {
  const heard = () => app.page.evaluate(() => window.heard.results.length + window.heard.errors.length);
  const before = await heard();
  await app.choose(name);
  await expect.poll(heard, { timeout: 60_000 }).toBe(before + 1);
  await expect(app.verdict.or(app.notice).first()).toBeVisible();
}

test('English in the page is found by these tests', async ({ app, page }) => {
  await app.open();
  const found = await leftInEnglish(page, 'de');
  expect(found).toContain('Choose photos');
  expect(found).toContain('Settings');
  expect(found.length).toBeGreaterThan(40);
});

for (const { tag, direction } of others) {
  test(`${tag}: the whole page, with answers of the real model`, async ({ app, page }) => {
    app.neverRefuse();
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 360, height: 640 });
    await app.open();
    await choose(app, tag);
    await expect(page.locator('html')).toHaveAttribute('dir', direction);
    const whole = async (what: string) => {
      expect(await leftInEnglish(page, tag), what).toEqual([]);
      // Nothing fell back to English, which would be marked.
      await expect(page.locator(':not(html, option, .code)[lang=en]'), what).toHaveCount(0);
      // Colours and structure are the same in all: English is looked at elsewhere.
      if (direction === 'rtl') expect(await faults(page), what).toEqual([]);
      expect(await overflow(page), what).toBeLessThanOrEqual(0);
    };
    await whole('idle');

    await show(app, 'spot.jpg');
    const { result } = (await app.results()).at(-1) as { result: Result };
    expect(result.outcome).toMatch(/^(single|several)$/);
    await setLanguage([tag]);
    const expected = {
      verdict: verdict(result),
      tier: tierWords(result.tier).title,
      categories: result.ranking.map(categoryName),
    };
    await setLanguage(['en']);
    expect(verdict(result)).not.toBe(expected.verdict);
    await expect(app.verdict).toHaveText(expected.verdict);
    await expect(page.locator('dermlet-result-card .next h3')).toHaveText(expected.tier);
    await expect(page.locator('dermlet-ranking .name')).toHaveText(expected.categories);
    await expect(page.locator('dermlet-result-card .always')).toHaveText(textOf(all[tag]!.messages.doctor!));
    // Names in their own language are no stranger's words.
    await expect(page.locator('dermlet-ranking bdi')).toHaveCount(0);
    await page.locator('dermlet-photo-view input[type=checkbox]').check();
    await page.locator('dermlet-details summary').first().click();
    await whole('an answer');
    await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
    expect(await overflow(page), 'large text').toBeLessThanOrEqual(0);
    await page.evaluate(() => document.documentElement.style.removeProperty('font-size'));

    await page.locator('[data-tool=questions]').click();
    await page.locator('dermlet-questions input[type=checkbox]').first().check();
    await expect(page.locator('dermlet-questions .effect')).not.toBeEmpty();
    await whole('questions');
    await page.locator('[data-tool=report]').click();
    await expect(page.locator('dermlet-report')).toContainText(expected.categories[0]!);
    await whole('a page for a doctor');
    await page.locator('[data-tool=spots]').click();
    await page.locator('dermlet-keep-form input[name=name]').fill('Ω');
    await whole('a spot to keep');
    await page.locator('dermlet-keep-form [data-do=keep]').click();
    await page.locator('dermlet-spots [data-spot]').click();
    await whole('a kept spot');
    await page.locator('[data-tool=spots]').click();

    await show(app, 'flat.png');
    await whole('no category');
    const say = functionsOf(all[tag]!);
    await page.getByRole('button', { name: say['shelf.all']!({}), exact: true }).click();
    await expect(page.locator('dermlet-review')).toContainText(say['review.title']!({}));
    await whole('all photos');
    await page.getByRole('button', { name: say['review.asRow']!({}), exact: true }).click();
    await show(app, 'document.pdf');
    await whole('not a picture');

    await choose(app, 'en');
    await expect(page.locator('html')).toHaveAttribute('dir', 'ltr');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Worried about something on your skin?');
    await expect(page.locator('[data-message="document.read"]')).toContainText('measured: pages to read.');
    await expect(page.getByRole('button', { name: 'Add photos' })).toBeVisible();
    const { verdict: _, ...texts } = expected;
    expect((await said(page)).filter((text) => [texts.tier, ...texts.categories].includes(text))).toEqual([]);
  });
}

test('another maker’s names stay as they are, and are not called English', async ({ app, page, site }) => {
  app.neverRefuse();
  site.addModel('second');
  await app.open('?model=second');
  await choose(app, 'de');
  await show(app, 'spot.jpg');
  const names = page.locator('dermlet-ranking .name bdi');
  await expect(names).toHaveCount(8);
  for (const name of await names.allTextContents()) expect(name).toMatch(/^Second /);
  await expect(names.first()).toHaveAttribute('lang', '');
  await expect(app.verdict).toContainText(/^Ähnelt am meisten: Second /);
  // What it says of the licence is in the page's language, after a change of language too.
  await expect(page.locator('[data-of=use]')).toHaveText(/dürfen auch kommerziell genutzt werden/);
  await choose(app, 'fr');
  await expect(page.locator('[data-of=use]')).toHaveText(/peuvent aussi être utilisés commercialement/);
});

// A service worker, which keeps every language, would have it.
test('a choice is remembered, and taken back', async ({ app, page }) => {
  await app.open();
  const requests = requestsOf(page);
  const modules = () =>
    requests
      .filter((url) => /\/(ar|de|es|fr)\.shared[^/]*\.js/.test(url))
      .map((url) => /\w+(?=\.shared)/.exec(url)![0]);
  await choose(app, 'es');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('¿Le preocupa algo en su piel?');
  // Compared with its hash, and then imported.
  expect(new Set(modules())).toEqual(new Set(['es']));
  await page.reload();
  await app.untilReady();
  await expect(page.locator('html')).toHaveAttribute('lang', 'es');
  await app.settings();
  await expect(page.locator('#language')).toHaveValue('es');
  await expect(page.locator('#language option')).toHaveText([
    'Como en este navegador',
    'English',
    'العربية',
    'Deutsch',
    'Español',
    'Français',
  ]);
  await choose(app, '');
  await page.reload();
  await app.untilReady();
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  expect(modules().filter((tag) => tag !== 'es')).toEqual([]);
});

test('a language that cannot be loaded is not chosen', async ({ app, page }) => {
  await app.open();
  await page.context().route(/\/ar\.shared[^/]*\.js/, (route) => route.abort());
  await app.settings();
  await page.locator('#language').selectOption('ar');
  await expect(page.locator('#language')).toHaveValue('en');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  expect(await page.evaluate(() => localStorage.getItem('dermlet-language'))).toBeNull();
});

test.describe('a browser that asks for Arabic', () => {
  test.use({ locale: 'ar-EG' });

  test('gets it first, mirrored, and can have English', async ({ app, page }) => {
    app.neverRefuse();
    await page.setViewportSize({ width: 1440, height: 900 });
    await app.open();
    const html = page.locator('html');
    await expect(html).toHaveAttribute('lang', 'ar');
    await expect(html).toHaveAttribute('dir', 'rtl');
    const middle = async (selector: string) => {
      const { x, width } = (await page.locator(selector).first().boundingBox())!;
      return x + width / 2;
    };
    expect(await middle('.mark img')).toBeGreaterThan(720);
    await app.settings();
    await expect(page.locator('#language')).toHaveValue('');
    await show(app, 'spot.jpg');
    // The photo stands before the answer: on the right.
    expect(await middle('dermlet-photo-view')).toBeGreaterThan(await middle('dermlet-result-card'));
    // A bar begins on the right.
    const [bar, track] = await Promise.all(
      ['.in .bar', '.in .track'].map((part) => page.locator(`dermlet-ranking ${part}`).first().boundingBox()),
    );
    expect(bar!.x + bar!.width).toBeCloseTo(track!.x + track!.width, 0);
    const say = functionsOf(all.ar!);
    await expect(page.getByRole('button', { name: say['picker.add']!({}) })).toBeVisible();
    await choose(app, 'en');
    await expect(html).toHaveAttribute('dir', 'ltr');
    expect(await middle('dermlet-photo-view')).toBeLessThan(await middle('dermlet-result-card'));
    await page.reload();
    await app.untilReady();
    await expect(html).toHaveAttribute('lang', 'en');
  });
});
