/** The page as a user sees it: its text and controls, by the page's own words. */
import { expect, type Locator, type Page } from '@playwright/test';
import type { Result } from '../../web/src/classifier/index.js';
import { picture, type Site } from './site.js';

export const ALWAYS =
  'If a spot or rash is new, changing, bleeding or worries you, see a doctor whatever this page shows.';

export class App {
  constructor(
    readonly page: Page,
    readonly site: Site,
  ) {}

  get verdict(): Locator {
    return this.page.locator('#verdict');
  }

  get notice(): Locator {
    return this.page.getByRole('alert');
  }

  get shelf(): Locator {
    return this.page.getByRole('list', { name: 'Photos so far' });
  }

  get slider(): Locator {
    return this.page.getByRole('slider', { name: /Heat map/ });
  }

  /** Off until it is asked for. */
  get heatMap(): Locator {
    return this.page.getByRole('checkbox', { name: /heat map/ });
  }

  /** The radio button of a model in the settings, by title. */
  model(title: string | RegExp): Locator {
    return this.page.getByRole('radio', { name: title });
  }

  /** Opens the settings, where the models are. */
  async settings(): Promise<void> {
    const settings = this.page.locator('#settings');
    if (!(await settings.evaluate((details: HTMLDetailsElement) => details.open)))
      await settings.locator('summary').click();
  }

  get categories(): Locator {
    return this.page.locator('dermlet-ranking li');
  }

  /** Opens the page and waits until it is ready to classify a photo. */
  async open(path = ''): Promise<void> {
    await this.page.goto(this.site.url + path);
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    await expect.poll(() => this.page.evaluate(() => window.heard.ready), { timeout: 60_000 }).toBeGreaterThan(0);
  }

  /** Chooses photos of tests/pictures by name, without waiting for their results. */
  async choose(...names: string[]): Promise<void> {
    await this.page.locator('input#choose').setInputFiles(names.map(picture));
  }

  /** Chooses one photo and waits for its result. */
  async classify(name: string): Promise<Result> {
    const before = await this.results();
    await this.choose(name);
    await expect.poll(async () => (await this.results()).length, { timeout: 60_000 }).toBe(before.length + 1);
    await expect(this.verdict).toBeVisible();
    return (await this.results()).at(-1)?.result as Result;
  }

  results(): Promise<{ name: string; result: Result }[]> {
    return this.page.evaluate(() => window.heard.results);
  }

  /** Opens the details panel and returns its rows by term. */
  async details(): Promise<Map<string, string>> {
    const summary = this.page.getByText('What was run, and what left this device');
    await summary.click();
    const panel = this.page.locator('dermlet-details');
    const terms = await panel.locator('dt').allInnerTexts();
    const descriptions = await panel.locator('dd').allInnerTexts();
    return new Map(terms.map((term, i) => [term, descriptions[i] ?? '']));
  }

  /** As `Site.neverRefuse`. */
  neverRefuse(): void {
    this.site.neverRefuse();
  }
}
