/** The answer is on the screen when it is ready, on the phones that people have. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.js';

test.use({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 640 } });

const heading = (page: Page) => page.locator('#verdict');
const next = (page: Page) => page.locator('dermlet-result-card .what');

/** Layout shifts from now on that no touch or key explains, as the browser counts them. */
async function countShifts(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
        if (!entry.hadRecentInput) shifts.push(entry.value);
    }).observe({ type: 'layout-shift', buffered: false });
  });
  return () => page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((a, b) => a + b, 0));
}

for (const [width, height] of [
  [360, 640],
  [390, 844],
] as const) {
  test(`${width} x ${height}: the sentence and what to do are in view, without a touch`, async ({ app, page }) => {
    app.neverRefuse();
    await page.setViewportSize({ width, height });
    await app.open();
    const shifts = await countShifts(page);
    await app.classify('spot.jpg');
    await expect(heading(page)).toBeInViewport({ ratio: 1 });
    await expect(next(page)).toBeInViewport({ ratio: 1 });
    // The photo follows, then the categories, then how it was made.
    const tops = await page.evaluate(() => {
      const { shadowRoot } = document.querySelector('dermlet-classifier')!;
      return ['dermlet-result-card', 'dermlet-photo-view', 'dermlet-scores-card', 'dermlet-details'].map(
        (name) => shadowRoot!.querySelector(name)!.getBoundingClientRect().top,
      );
    });
    expect(tops).toEqual([...tops].sort((a, b) => a - b));
    expect(await shifts()).toBeLessThan(0.1);
  });
}

/** For each part of the element that was drawn: the task in which it first was. */
async function watchTasks(page: Page): Promise<() => Promise<Record<string, number>>> {
  await page.addInitScript(() => {
    const drawn: Record<string, number> = {};
    let task = 0;
    Object.assign(window, { drawn });
    const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')!;
    Object.defineProperty(MessagePort.prototype, 'onmessage', {
      set(this: MessagePort, heard: (event: MessageEvent) => void) {
        set!.call(this, (event: MessageEvent) => {
          task += 1; // each message has one of its own
          heard(event);
        });
      },
    });
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (this: Element, init: ShadowRootInit) {
      const root = attach.call(this, init);
      const { localName } = this;
      new MutationObserver(() => {
        drawn[localName] ??= task;
      }).observe(root, { childList: true });
      return root;
    };
  });
  return () => page.evaluate(() => (window as unknown as { drawn: Record<string, number> }).drawn);
}

test('taps are heard between the parts of an answer: each is drawn in a task of its own', async ({ app, page }) => {
  app.neverRefuse();
  const drawn = await watchTasks(page);
  await app.open();
  await app.classify('spot.jpg');
  const parts = ['result-card', 'photo-view', 'shelf', 'tools', 'scores-card', 'details'].map(
    (name) => `dermlet-${name}`,
  );
  await expect.poll(async () => Object.keys(await drawn())).toEqual(expect.arrayContaining(parts));
  const tasks = await drawn();
  const own = ['dermlet-classifier', 'dermlet-picker', ...parts];
  expect(new Set(own.map((name) => tasks[name])).size, JSON.stringify(tasks)).toBe(own.length);
});

test('a refusal is in view too, and so is an error', async ({ app, page }) => {
  await app.open();
  await app.classify('flat.png');
  await expect(heading(page)).toBeInViewport({ ratio: 1 });
  await expect(next(page)).toBeInViewport({ ratio: 1 });
  await app.choose('corrupt.jpg');
  await expect(app.notice).toBeInViewport({ ratio: 1 });
});

test('who has scrolled elsewhere meanwhile stays there', async ({ app, page }) => {
  await app.open();
  await app.choose('spot.jpg');
  await page.evaluate(() => {
    document.documentElement.scrollTop = document.documentElement.scrollHeight;
    window.dispatchEvent(new WheelEvent('wheel', { deltaY: 1000 }));
  });
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(1);
  await expect(heading(page)).toBeVisible();
  await page.waitForTimeout(1000); // as long as a gentle scroll may take
  await expect(heading(page)).not.toBeInViewport();
});

test('the focus stays where it was, and a control in use is not moved away', async ({ app, page }) => {
  await app.open();
  const radio = page.getByRole('radio', { name: /Dermoscopy/ });
  await app.classify('spot.jpg');
  await radio.focus();
  await page.keyboard.press('Space');
  const before = await radio.evaluate((element) => element.getBoundingClientRect().top);
  await expect.poll(async () => (await app.results()).length, { timeout: 60_000 }).toBe(2);
  await page.waitForTimeout(1000);
  await expect(radio).toBeFocused();
  expect(Math.abs((await radio.evaluate((element) => element.getBoundingClientRect().top)) - before)).toBeLessThan(150);
});

test('is told with its tier, also of a photo that is selected', async ({ app, page }) => {
  await app.open();
  const first = await app.classify('spot.jpg');
  const status = page.getByRole('status').first();
  const tiers = { high: 'High concern', moderate: 'Moderate concern', low: 'Low concern', unknown: 'Concern cannot' };
  await expect(status).toContainText(`spot.jpg: ${tiers[first.tier]}`);
  await app.classify('flat.png');
  await expect(status).toContainText('flat.png: Concern cannot be judged here. This picture');
  await app.shelf.getByRole('button', { name: /^spot\.jpg/ }).click();
  await expect(status).toContainText(`spot.jpg: ${tiers[first.tier]}`);
});

test('where the network could not be loaded, no photo is said to wait', async ({ app, page, site }) => {
  site.answers.set('models/skin-8/manifest.json', { status: 404, type: 'text/plain', body: '' });
  await page.goto(site.url);
  await app.choose('spot.jpg', 'flat.png');
  await expect(app.notice).toContainText('MODEL_UNAVAILABLE');
  await expect(page.locator('.answers').getByText('Not looked at yet')).toBeVisible();
  await expect(page.locator('dermlet-classifier').getByText(/waiting|one moment/i)).toHaveCount(0);
  await expect(app.shelf.getByText('not yet', { exact: true })).toHaveCount(2);
});

test('a doctor is looked for on a tap only, and a reminder made here: neither says anything of the answer', async ({
  app,
  page,
}) => {
  await app.open();
  const { ranking } = await app.classify('spot.jpg');
  const search = page.getByRole('link', { name: 'Find a doctor on www.openstreetmap.org' });
  await expect(search).toHaveAttribute('href', 'https://www.openstreetmap.org/search?query=doctor');
  await expect(search).toHaveAttribute('rel', /noreferrer/);
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Remind me on / }).click();
  const file = await coming;
  expect(file.suggestedFilename()).toMatch(/^reminder-\d{4}-\d\d-\d\d\.ics$/);
  await expect(page.locator('dermlet-result-card').getByRole('status')).toHaveText(
    `Saved: ${file.suggestedFilename()}`,
  );
  const text = readFileSync(await file.path(), 'utf8');
  expect(text).toMatch(/^BEGIN:VCALENDAR\r\n[\s\S]*\r\nDTSTART;VALUE=DATE:\d{8}\r\n[\s\S]*\r\nEND:VCALENDAR\r\n$/);
  for (const { name } of ranking) expect(text).not.toContain(name);
  expect(text).not.toMatch(/skin|spot/i);

  const element = page.locator('dermlet-classifier');
  for (const address of ['', 'javascript:alert(1)', 'http://example.org/'])
    await element.evaluate((it, address) => {
      (it as HTMLElement & { doctorSearch: string }).doctorSearch = address;
    }, address);
  await expect(page.getByRole('link', { name: /^Find a doctor/ })).toHaveCount(0);
});

// A service worker, which keeps every script, would have it.
test('a reminder whose script does not come is told of', async ({ app, page, context }) => {
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  const script = /\/reminder[^/]*\.js/;
  await context.route(script, (route) => route.abort());
  await page.getByRole('button', { name: /^Remind me on / }).click();
  await expect(page.locator('dermlet-result-card').getByRole('alert').getByRole('button')).toBeVisible();
  await expect(page.locator('dermlet-result-card')).not.toContainText('Saved');
});

test('what is opened under an answer is seen to open, on a phone too', async ({ app, page }) => {
  app.neverRefuse();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await app.open();
  await app.classify('spot.jpg');
  for (const id of ['questions', 'closer', 'trust']) {
    const button = page.locator(`[data-tool=${id}]`);
    // As low on the screen as it can be pressed.
    await button.evaluate((element) => scrollBy(0, element.getBoundingClientRect().bottom - innerHeight + 8));
    await button.click();
    await expect(button).toBeInViewport({ ratio: 1 });
    await expect
      .poll(() =>
        page.evaluate(() => {
          const tools = document.querySelector('dermlet-classifier')!.shadowRoot!.querySelector('dermlet-tools')!;
          return innerHeight - tools.shadowRoot!.querySelector('#opened > *')!.getBoundingClientRect().top;
        }),
      )
      .toBeGreaterThan(160);
    // Where it can be seen as it is, nothing moves.
    await button.click();
    const before = await page.evaluate(() => scrollY);
    await button.click();
    await expect(page.locator('dermlet-tools #opened > *')).toBeVisible();
    await page.waitForTimeout(300);
    expect(await page.evaluate(() => scrollY)).toBe(before);
    await button.click();
  }
});
