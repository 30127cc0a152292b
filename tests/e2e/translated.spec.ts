/**
 * The page under a browser's translator, beside an untouched one: after each step both say the same. Chrome's puts each
 * text node into two `<font>` elements; Firefox's builds the content of a paragraph anew from its elements and texts,
 * without the comments between them.
 */
import type { Page } from '@playwright/test';
import { App } from './app.js';
import { expect, test } from './fixtures.js';

type Kind = 'fonts' | 'paragraphs';

/** Runs in the page: translates the document and every shadow root in it. */
function translate(kind: Kind): void {
  const skipped = 'script, style, noscript, svg, title, font, code';
  const fonts = (root: Node) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) texts.push(node as Text);
    for (const text of texts) {
      if (text.data.trim() === '' || text.parentElement?.closest(skipped)) continue;
      const [outer, inner] = [document.createElement('font'), document.createElement('font')];
      text.replaceWith(outer);
      outer.append(inner);
      inner.append(text);
    }
  };
  const isInline = (element: Element) => getComputedStyle(element).display === 'inline';
  const paragraphs = (root: ParentNode) => {
    for (const element of root.querySelectorAll('body *, :not(body *)')) {
      const inside = [...element.querySelectorAll('*')];
      if (element.closest(`head, ${skipped}`) || isInline(element) || !inside.every(isInline)) continue;
      if ((element.textContent ?? '').trim() === '' || element.shadowRoot) continue;
      for (const place of [element, ...inside]) {
        const children = [...place.childNodes];
        place.replaceChildren();
        for (const child of children) {
          if (child.nodeType === Node.TEXT_NODE) place.append(child.textContent ?? '');
          else if (child.nodeType === Node.ELEMENT_NODE) place.append(child);
        }
      }
    }
  };
  const all = (root: Document | ShadowRoot) => {
    for (const element of root.querySelectorAll('*')) if (element.shadowRoot) all(element.shadowRoot);
    if (kind === 'fonts') fonts(root instanceof Document ? root.body : root);
    else paragraphs(root);
  };
  all(document);
}

/**
 * Runs in the page: what it says, in order; times, bytes and requests aside, as the second page has less to fetch.
 */
function said(): string[] {
  const lines: string[] = [];
  const visit = (node: Node): void => {
    if (node instanceof Text) lines.push(node.data);
    if (node instanceof Element) {
      if (node.matches('script, style, noscript, svg, [hidden], dermlet-request-count')) return;
      for (const name of ['aria-label', 'alt', 'title', 'aria-valuetext']) {
        const value = node.getAttribute(name);
        if (value) lines.push(`[${name}: ${value}]`);
      }
      if (node.shadowRoot) return node.shadowRoot.childNodes.forEach(visit);
    }
    node.childNodes.forEach(visit);
  };
  visit(document.body);
  return lines
    .join(' ')
    .replace(/\d[\d.]*\s*ms/g, 'ms')
    .replace(/, ms of it waiting/g, '')
    .replace(/\d[\d.]*\sof\s\d[\d.]*\sMB/g, 'MB')
    .replace(/(a few|(slow connection: )?about \d+) (second|minute)s? left/g, '')
    .replace(/\s+/g, ' ')
    .split(/(?<=[.:!?]) /);
}

test('says what an untouched page says, whatever happens', async ({ app, page, context, site }) => {
  test.setTimeout(360_000);
  site.addModel('second');
  app.neverRefuse();
  // Until all pages have shown that they wait for it, the network is held back.
  let release = () => undefined as void;
  const gate = new Promise<void>((resolve) => (release = resolve));
  await context.route(/skin-8\.onnx/, async (route) => {
    await gate;
    await route.continue().catch(() => undefined);
  });
  const translated = new Map<Kind, Page>();
  for (const kind of ['fonts', 'paragraphs'] as const) translated.set(kind, await context.newPage());
  const apps = [app, ...[...translated.values()].map((other) => new App(other, site))];
  /** All are asked each time: a text may still come late in any, such as that the network is now kept. */
  const same = async () => {
    for (const [kind, other] of translated)
      await expect(async () => expect(await other.evaluate(said), kind).toEqual(await page.evaluate(said))).toPass({
        timeout: 30_000,
      });
  };
  /** Does the same in all, one after the other, then compares. */
  const all = async (name: string, step: (app: App, page: Page) => Promise<unknown>) =>
    test.step(name, async () => {
      for (const each of apps) await step(each, each.page);
      await same();
      for (const [kind, other] of translated) await other.evaluate(translate, kind);
      await same();
    });
  const results = (each: App, count: number) =>
    expect.poll(async () => (await each.results()).length, { timeout: 60_000 }).toBe(count);
  const photo = (each: App, name: RegExp) => each.shelf.getByRole('button', { name }).first().click();

  await all('loading', async (each, where) => {
    await where.goto(site.url);
    await expect(where.getByRole('progressbar')).toBeVisible();
    await each.choose('spot.jpg');
    await expect(where.getByText('Waiting for the neural network to load')).toBeVisible();
    // Nothing more changes from here on.
    await expect(where.getByText('This is taking longer than usual.')).toBeVisible();
  });
  release();
  await all('a result', (each) => results(each, 1));
  await all('its details', (each) => each.details());
  await all('another with a score of its own', async (each) => {
    await each.choose('spot.png');
    await results(each, 2);
  });
  await all('one without a category', async (each) => {
    await each.choose('flat.png');
    await results(each, 3);
  });
  await all('the first again', (each) => photo(each, /^spot\.jpg/));
  await all('the heat map', async (each) => {
    await each.heatMap.check();
    await each.slider.fill('20');
  });
  await all('another modality', async (each, where) => {
    await where.getByRole('radio', { name: /Dermoscopy/ }).check();
    await results(each, 4);
  });
  await all('the whole picture', async (each, where) => {
    const whole = where.getByRole('button', { name: 'Look at the whole picture' });
    if (await whole.isVisible()) {
      await whole.click();
      await results(each, 5);
    }
  });
  await all('a file of another kind', async (each) => {
    await each.choose('document.pdf');
    await expect(each.notice).toContainText('UNSUPPORTED_FORMAT');
  });
  await all('a broken file', async (each) => {
    await each.choose('cut-off.jpg');
    await expect(each.notice).toContainText('CORRUPT_IMAGE');
  });
  await all('the other one', (each) => photo(each, /^spot\.png/));
  await all('removed', async (_each, where) => {
    await where.getByRole('button', { name: 'Remove spot.png' }).click();
    await where.getByRole('button', { name: 'Remove document.pdf' }).click();
  });
  await all('another network', async (each) => {
    const before = (await each.results()).length;
    await each.settings();
    await each.model('Second model of the tests').check();
    await expect
      .poll(async () => (await each.results()).length, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(before + 2);
    await expect(each.notice.or(each.verdict).first()).toBeVisible();
  });
  await all('its answer', (each) => photo(each, /^spot\.jpg/));
  await all('nothing left', async (_each, where) => {
    for (const name of ['spot.jpg', 'flat.png', 'cut-off.jpg'])
      await where.getByRole('button', { name: `Remove ${name}` }).click();
  });
});
