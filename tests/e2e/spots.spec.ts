/** Keep and compare: what is kept lasts, is locked, moves by a file, goes when it is deleted, and is never lost. */
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { type App, expect, picture, type Site, test } from './fixtures.js';

test.describe.configure({ timeout: 150_000 });

const NAME = 'Freckle by the left collar';
const PASSPHRASE = 'four words of mine';
const OTHER = 'another four words';

const room = (page: Page): Locator => page.locator('dermlet-spots');
const told = (page: Page): Locator => room(page).locator('p[role=status]').first();
const refused = (page: Page): Locator => room(page).getByRole('alert');
const button = (page: Page, name: string): Locator => room(page).getByRole('button', { name, exact: true });
const part = (page: Page, name: 'lock' | 'file'): Locator => room(page).locator(`[data-part=${name}]`);
const items = (page: Page): Locator => room(page).locator('[data-spot]');

/** The page with an answer, and the room opened under it. */
async function open(app: App, page: Page): Promise<void> {
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  await openTool(page);
}

async function openTool(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Keep and compare' }).click();
  await expect(room(page).getByRole('heading', { name: 'Spots kept on this device' })).toBeVisible();
}

async function keep(page: Page, name = NAME): Promise<void> {
  await room(page).getByLabel('Name of the spot').fill(name);
  await room(page).getByLabel('Where on the body').selectOption('Chest');
  await button(page, 'Keep it').click();
  await expect(told(page)).toContainText('Kept, and read back.');
}

/** A second photo of the spot that is kept. */
async function keepAnother(app: App, page: Page): Promise<void> {
  await app.classify('spot.png');
  await openTool(page);
  await room(page).getByLabel('Which spot is it?').selectOption(NAME);
  await button(page, 'Keep it').click();
  await expect(told(page)).toContainText('Kept, and read back.');
}

/** Without an answer, from the first screen. */
async function openKept(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Spots kept on this device' }).click();
  await expect(room(page)).toBeVisible();
}

async function setPassphrase(page: Page, passphrase = PASSPHRASE): Promise<void> {
  await part(page, 'lock').locator('summary').click();
  const form = part(page, 'lock').locator('[data-form=set]');
  await form.locator('[name=new]').fill(passphrase);
  await form.locator('[name=again]').fill(passphrase);
  await form.getByRole('button').click();
  await expect(told(page)).toContainText('Everything that is kept is encrypted now');
}

async function unlock(page: Page, passphrase = PASSPHRASE): Promise<void> {
  const form = room(page)
    .locator('form')
    .filter({ has: page.getByRole('button', { name: 'Unlock' }) });
  await form.locator('[name=current]').fill(passphrase);
  await form.getByRole('button').click();
}

/** Every record of the database, bytes as Latin-1 text. */
function raw(page: Page): Promise<Record<string, { key: string; text: string }[]>> {
  return page.evaluate(async () => {
    const done = <Value>(request: IDBRequest<Value>) =>
      new Promise<Value>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const textOf = (value: unknown): string => {
      if (value instanceof Uint8Array) return Array.from(value, (byte) => String.fromCharCode(byte)).join('');
      return value && typeof value === 'object'
        ? Object.entries(value)
            .map(([key, inner]) => `${key}=${textOf(inner)}`)
            .join(';')
        : String(value);
    };
    const database = await done(indexedDB.open('dermlet-spots'));
    const found: Record<string, { key: string; text: string }[]> = {};
    for (const name of database.objectStoreNames) {
      const store = database.transaction(name).objectStore(name);
      const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      found[name] = keys.map((key, index) => ({ key: String(key), text: textOf(values[index]) }));
    }
    database.close();
    return found;
  });
}

/** Puts bytes in the place of an entry. */
const write = (page: Page, id: string, bytes: readonly number[]): Promise<void> =>
  page.evaluate(
    ({ id, bytes }) =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open('dermlet-spots');
        request.onsuccess = () => {
          const tx = request.result.transaction('entries', 'readwrite');
          tx.objectStore('entries').put({ iv: null, data: new Uint8Array(bytes) }, id);
          tx.oncomplete = () => {
            request.result.close();
            resolve();
          };
        };
      }),
    { id, bytes },
  );

/** Saves the file of all that is kept; its part is open. */
async function exported(page: Page): Promise<Buffer> {
  const save = part(page, 'file').locator('[data-form=export]');
  await save.locator('[name=new]').fill(PASSPHRASE);
  await save.locator('[name=again]').fill(PASSPHRASE);
  const [download] = await Promise.all([page.waitForEvent('download'), save.getByRole('button').click()]);
  expect(download.suggestedFilename()).toMatch(/^dermlet-\d{4}-\d\d-\d\d\.dermlet-spots$/);
  return readFileSync(await download.path());
}

async function imported(page: Page, buffer: Buffer, passphrase = PASSPHRASE): Promise<void> {
  const form = part(page, 'file').locator('[data-form=import]');
  await form.locator('[type=file]').setInputFiles({ name: 'x.dermlet-spots', mimeType: '', buffer });
  await form.locator('[type=password]').fill(passphrase);
  await form.getByRole('button', { name: 'Add what it holds' }).click();
}

const everything = async (page: Page): Promise<string> => JSON.stringify(await raw(page));

async function setQuota(page: Page, site: Site, quotaSize?: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', {
    origin: site.origin,
    ...(quotaSize === undefined ? {} : { quotaSize }),
  });
}

async function confirmed(page: Page, what: 'visit' | 'spot' | 'all' | 'damaged'): Promise<void> {
  const confirm = room(page).locator(`[data-delete=${what}]`).first();
  await confirm.getByRole('button').click();
  await confirm.getByRole('button', { name: 'Yes, delete' }).click();
}

test('what is kept survives a reload, and is opened without an answer', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  // Nothing is offered, and no database made, while nothing is kept.
  await expect(page.getByRole('button', { name: 'Spots kept on this device' })).toHaveCount(0);
  expect(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([]);
  await app.classify('spot.jpg');
  await openTool(page);
  await expect(room(page)).toContainText('Nothing is kept yet.');
  await keep(page);
  await expect(room(page)).toContainText('This answer is kept already.');
  await expect(items(page)).toHaveCount(1);
  const verdict = (await app.verdict.textContent())!.trim();
  await page.reload();
  await app.untilReady();
  await openKept(page);
  await items(page).click();
  await expect(room(page).getByRole('heading', { name: NAME })).toBeFocused();
  await expect(room(page)).toContainText(verdict);
  await expect(room(page)).toContainText('Chest (Front)');
  await expect(room(page)).toContainText(/version \d/);
  const image = room(page).locator('dermlet-kept-photo img');
  await expect(image).toHaveJSProperty('complete', true);
  expect(await image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(100);
  await button(page, 'All spots').click();
  await expect(items(page)).toBeFocused();
  await button(page, 'Close the kept spots').click();
  await expect(page.getByRole('button', { name: 'Spots kept on this device' })).toBeFocused();
});

test('kept pictures are drawn anew: nothing that a camera wrote', async ({ app, page }) => {
  await open(app, page);
  await keep(page, 'Plain');
  const { photos, entries } = await raw(page);
  expect(photos).toHaveLength(1);
  expect(photos![0]!.text).not.toMatch(/Exif|GPS/);
  // Without a passphrase the page says so, and it is so.
  expect(entries!.map(({ text }) => text).join()).toContain('Plain');
  await part(page, 'lock').locator('summary').click();
  await expect(part(page, 'lock')).toContainText('whoever can use this browser can open what is kept');
});

test('with a passphrase only ciphertext is in the database, and it opens with nothing else', async ({ app, page }) => {
  await open(app, page);
  await keep(page);
  expect(await everything(page)).toContain(NAME);
  await setPassphrase(page);
  const words = [NAME, 'skin-8', 'visit', 'front', 'ranking', 'JFIF', 'sha256'];
  for (const word of words) expect(await everything(page)).not.toContain(word);
  await page.reload();
  await app.untilReady();
  await openKept(page);
  await expect(room(page)).toContainText('What is kept is locked.');
  await expect(items(page)).toHaveCount(0);
  await unlock(page, 'a wrong passphrase');
  await expect(refused(page)).toContainText('That is not the passphrase.');
  await expect(items(page)).toHaveCount(0);
  await unlock(page);
  await expect(items(page)).toContainText(NAME);
  await part(page, 'lock').locator('summary').click();
  await button(page, 'Lock now').click();
  await expect(room(page)).toContainText('What is kept is locked.');
  await expect(page.locator('body')).not.toContainText(NAME);
});

test('the passphrase is changed and removed, each time with the one that is set', async ({ app, page }) => {
  await open(app, page);
  await keep(page);
  await setPassphrase(page);
  const change = part(page, 'lock').locator('[data-form=set]');
  const typeNew = async (current: string, again = OTHER) => {
    await change.locator('[name=current]').fill(current);
    await change.locator('[name=new]').fill(OTHER);
    await change.locator('[name=again]').fill(again);
    await change.getByRole('button').click();
  };
  await typeNew(PASSPHRASE, 'not the same');
  await expect(told(page)).toContainText('are not the same');
  const before = await everything(page);
  await typeNew('a wrong passphrase');
  await expect(refused(page)).toContainText('That is not the passphrase.');
  expect(await everything(page)).toBe(before);
  await typeNew(PASSPHRASE);
  await expect(told(page)).toContainText('Everything that is kept is encrypted now');
  await expect(items(page)).toContainText(NAME);
  await button(page, 'Lock now').click();
  await unlock(page);
  await expect(refused(page)).toContainText('That is not the passphrase.');
  await unlock(page, OTHER);
  await expect(items(page)).toContainText(NAME);
  await part(page, 'lock').locator('summary').click();
  const remove = part(page, 'lock').locator('[data-form=remove]');
  await remove.locator('[name=current]').fill(OTHER);
  await remove.getByRole('button').click();
  await expect(told(page)).toContainText('no longer encrypted');
  expect(await everything(page)).toContain(NAME);
});

test('a file takes everything to a fresh profile; a wrong passphrase and damage are told apart', async ({
  app,
  page,
  browser,
  site,
}) => {
  await open(app, page);
  await keep(page);
  await part(page, 'file').locator('summary').click();
  const bytes = await exported(page);
  expect(bytes.includes(NAME)).toBe(false);
  const kept = await raw(page);

  const context = await browser.newContext({ locale: 'en-GB' });
  try {
    const fresh = await context.newPage();
    await fresh.goto(site.url);
    await fresh.locator('input#choose').setInputFiles(picture('spot.jpg'));
    await expect(fresh.locator('#verdict')).toBeVisible({ timeout: 60_000 });
    await openTool(fresh);
    await part(fresh, 'file').locator('summary').click();
    const bring = (buffer: Buffer, passphrase = PASSPHRASE) => imported(fresh, buffer, passphrase);
    await bring(bytes, 'a wrong passphrase');
    await expect(refused(fresh)).toContainText('That is not the passphrase.');
    await bring(Buffer.from('something else entirely'));
    await expect(refused(fresh)).toContainText('This is not a file of kept spots.');
    await bring(bytes.subarray(0, bytes.length - 1));
    await expect(refused(fresh)).toContainText('It is damaged or was altered');
    const altered = Buffer.from(bytes);
    altered[bytes.length - 20]! ^= 1;
    await bring(altered);
    await expect(refused(fresh)).toContainText('It is damaged or was altered');
    expect((await raw(fresh)).entries).toEqual([]);
    await bring(bytes);
    await expect(told(fresh)).toContainText('New: 2. Newer in the file: 0. Left as they were: 0.');
    await expect(items(fresh)).toContainText(NAME);
    expect({ ...(await raw(fresh)), head: [] }).toEqual({ ...kept, head: [] });
    await bring(bytes);
    await expect(told(fresh)).toContainText('New: 0. Newer in the file: 0. Left as they were: 2.');
  } finally {
    await context.close();
  }
});

test('deleting a photo, a spot and everything leaves nothing of them', async ({ app, page }) => {
  await open(app, page);
  await keep(page);
  await keepAnother(app, page);
  await items(page).click();
  await confirmed(page, 'visit');
  await expect(told(page)).toContainText('it is gone');
  expect((await raw(page)).photos).toHaveLength(1);
  expect((await raw(page)).entries).toHaveLength(2);
  await confirmed(page, 'spot');
  await expect(room(page)).toContainText('Nothing is kept yet.');
  expect(await raw(page)).toMatchObject({ entries: [], photos: [] });
  await keep(page, 'Another');
  await setPassphrase(page);
  await button(page, 'Lock now').click();
  // A forgotten passphrase does not keep anybody from deleting.
  await confirmed(page, 'all');
  await expect(told(page)).toContainText('it is gone');
  expect(await raw(page)).toEqual({ entries: [], head: [], photos: [] });
  await page.reload();
  await app.untilReady();
  await expect(page.getByRole('button', { name: 'Spots kept on this device' })).toHaveCount(0);
});

test('a full device keeps what was kept, and says that nothing was added', async ({ app, page, site }) => {
  await open(app, page);
  await keep(page);
  const before = await everything(page);
  await app.classify('spot.png');
  await openTool(page);
  await setQuota(page, site, 1000);
  // Chromium goes by what was free up to 30 seconds ago.
  await page.waitForTimeout(32_000);
  await room(page).getByLabel('Name of the spot').fill('No room');
  await button(page, 'Keep it').click();
  await expect(refused(page)).toContainText('There is no room left, so it was not kept.');
  expect(await everything(page)).toBe(before);
  await expect(room(page).getByLabel('Name of the spot')).toHaveValue('No room');
  await setQuota(page, site);
  await button(page, 'Keep it').click();
  await expect(told(page)).toContainText('Kept, and read back.');
  await expect(items(page)).toHaveCount(2);
});

test('two tabs: neither loses what the other wrote, and both lock', async ({ app, page, context, site }) => {
  await open(app, page);
  await keep(page);
  const other = await context.newPage();
  await other.goto(site.url);
  await openKept(other);
  await items(other).click();
  // Encrypting all takes a moment, in which the other tab changes the name.
  await part(page, 'lock').locator('summary').click();
  const form = part(page, 'lock').locator('[data-form=set]');
  await form.locator('[name=new]').fill(PASSPHRASE);
  await form.locator('[name=again]').fill(PASSPHRASE);
  await room(other).locator('details summary').click();
  await room(other).locator('[name=name]').fill('Renamed meanwhile');
  await Promise.all([form.getByRole('button').click(), button(other, 'Save changes').click()]);
  await expect(told(page)).toContainText('Everything that is kept is encrypted now');
  // The rename came first, or it found a lock that this tab cannot open, and says so.
  const said = room(other).locator('p[role=status], p[role=alert]').first();
  await expect(said).toContainText(/Saved, and read back\.|What is kept is locked|locked meanwhile|^$/);
  await expect(room(other)).toContainText('What is kept is locked.');
  const renamed = (await items(page).textContent())!.includes('Renamed meanwhile');
  await unlock(other);
  await expect(room(other)).toContainText(renamed ? 'Renamed meanwhile' : NAME);
  expect(await everything(page)).not.toContain('Renamed meanwhile');
  await button(page, 'Lock now').click();
  await expect(room(other)).toContainText('What is kept is locked.');
});

test('who has spots sees them first, and the drawn body when it is asked for', async ({ app, page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  app.neverRefuse();
  await app.open();
  await app.classify('spot.jpg');
  await openTool(page);
  const body = room(page).locator('svg[data-side=front]');
  await expect(body, 'nothing is pushed down by it').toBeVisible();
  await keep(page);
  // What was pressed is gone: the focus is at what it made.
  await expect(items(page)).toBeFocused();
  await app.classify('spot.png');
  await openTool(page);
  const form = room(page).getByRole('heading', { name: 'Keep this photo and its answer' });
  const [list, below] = [await items(page).boundingBox(), await form.boundingBox()];
  expect(list!.y + list!.height).toBeLessThan(below!.y);
  await expect(body).toBeHidden();
  await room(page).getByText('Choose it on a drawing').click();
  await expect(body).toBeVisible();
  await body.click({ position: { x: 56, y: 70 } });
  await expect(room(page).getByLabel('Where on the body')).not.toHaveValue('');
});

test('two photos of one spot beside each other; axe finds nothing', async ({ app, page }) => {
  await open(app, page);
  await keep(page);
  await keepAnother(app, page);
  const faults = async () => {
    const { violations } = await new AxeBuilder({ page: page as never }).include('dermlet-classifier').analyze();
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
  };
  await part(page, 'lock').locator('summary').click();
  await part(page, 'file').locator('summary').click();
  expect(await faults()).toEqual([]);
  await items(page).click();
  const comparison = page.locator('dermlet-comparison');
  await expect(comparison).toContainText('Compare two photos of this spot');
  await expect(comparison).toContainText(/look most like the same category|answer looks most like/);
  await expect(comparison).toContainText('Whether skin has changed is for a doctor to see.');
  await expect(comparison.locator('dermlet-visit-words')).toHaveCount(2);
  await expect(room(page)).not.toContainText(/improv|worse|better|mm\b/i);
  expect(await faults()).toEqual([]);
  // The slider is an ordinary one: the keyboard moves it, and it says where it is.
  const slider = comparison.getByRole('slider');
  await slider.press('Home');
  await expect(slider).toHaveAttribute('aria-valuetext', /^0/);
  await expect(comparison.locator('.later')).toHaveCSS('clip-path', 'inset(0px 100% 0px 0px)');
  await page.setViewportSize({ width: 360, height: 640 });
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(await wide()).toBeLessThanOrEqual(0);
  await button(page, 'All spots').click();
  expect(await wide()).toBeLessThanOrEqual(0);
});

test('a browser whose question nobody answers holds nothing up', async ({ app, page }) => {
  // As Firefox does, which asks the person whether the site may store for good.
  await page.addInitScript(() => {
    navigator.storage.persist = () => new Promise<boolean>(() => undefined);
  });
  await open(app, page);
  await keep(page);
  await expect(room(page).locator('section.all')).toHaveAttribute('aria-busy', 'false');
  await expect(items(page)).toHaveCount(1);
});

for (const [name, agrees, words] of [
  ['granted', true, 'Kept, and read back. The browser has agreed not to clear it by itself.'],
  [
    'denied',
    false,
    'Kept, and read back. The browser may still clear it when the device runs out of room or after weeks without a ' +
      'visit: save a copy as a file.',
  ],
] as const)
  test(`the browser is asked to store for good only when a person keeps a spot: ${name}`, async ({ app, page }) => {
    await page.addInitScript((agrees) => {
      Object.assign(globalThis, { asked: 0 });
      StorageManager.prototype.persist = async () => {
        (globalThis as unknown as { asked: number }).asked += 1;
        return agrees;
      };
    }, agrees);
    const asked = () => page.evaluate(() => (globalThis as unknown as { asked: number }).asked);
    await open(app, page);
    await room(page).getByLabel('Name of the spot').fill(NAME);
    expect(await asked()).toBe(0);
    await keep(page);
    await expect(told(page)).toHaveText(words);
    expect(await asked()).toBe(1);
    // What is kept is looked at again without another question.
    await page.reload();
    await app.untilReady();
    await openKept(page);
    await items(page).click();
    await expect(room(page).getByRole('heading', { name: NAME })).toBeVisible();
    expect(await asked()).toBe(0);
  });

test('what is damaged hides nothing else, comes back from a file, and can be deleted by itself', async ({
  app,
  page,
}) => {
  await open(app, page);
  await keep(page);
  await part(page, 'file').locator('summary').click();
  const saved = await exported(page);
  const { entries } = await raw(page);
  const spot = entries?.find(({ text }) => text.includes('"kind":"spot"'))?.key ?? '';
  const list = () => room(page).locator('.error');
  const damage = async (id: string) => {
    await write(page, id, [123]);
    await page.reload();
    await app.untilReady();
    await openKept(page);
  };

  await damage('x');
  await expect(list()).toContainText('1 kept entry is damaged or was altered, and cannot be shown.');
  await expect(items(page)).toHaveText(new RegExp(NAME));
  await part(page, 'lock').locator('summary').click();
  const form = part(page, 'lock').locator('[data-form=set]');
  await form.locator('[name=new]').fill(PASSPHRASE);
  await form.locator('[name=again]').fill(PASSPHRASE);
  await form.getByRole('button').click();
  // Written anew under another key it would be gone without a word.
  await expect(refused(page)).toContainText('It is damaged');
  await confirmed(page, 'damaged');
  await expect(told(page)).toContainText('it is gone');
  await expect(list()).toHaveCount(0);
  expect((await raw(page)).entries).toHaveLength(2);

  await damage(spot);
  await expect(list()).toContainText('1 kept entry is damaged');
  await part(page, 'file').locator('summary').click();
  await exported(page);
  await expect(told(page)).toContainText('1 damaged entry is not in it.');
  await imported(page, saved);
  await expect(list()).toHaveCount(0);
  await expect(items(page)).toHaveText(new RegExp(NAME));

  await damage(spot);
  await confirmed(page, 'damaged');
  await expect(items(page)).toHaveText(/Spot without its name/);
  await items(page).click();
  await expect(room(page).locator('dermlet-kept-photo img').first()).toBeVisible();
});

test('answers are kept with their photo, also those that were given later', async ({ app, page }) => {
  await open(app, page);
  await expect(room(page)).toContainText('and what you have answered to the questions, if anything');
  await keep(page);
  await expect(button(page, 'Keep my answers with it')).toHaveCount(0);
  await page.getByRole('button', { name: 'Answer a few questions' }).click();
  await page.getByLabel('It bleeds, oozes or crusts').check();
  await openTool(page);
  await button(page, 'Keep my answers with it').click();
  await expect(button(page, 'Keep my answers with it')).toHaveCount(0);
  await page.reload();
  await app.untilReady();
  await openKept(page);
  await items(page).click();
  const answers = room(page).locator('[data-answers]');
  await expect(answers).toHaveText('You had answered: it bleeds, oozes or crusts.');
  await expect(answers.locator('+ p')).toHaveText('Your answers ask for more: have it looked at soon');
});

test('a page that is locked while it unlocks stays locked', async ({ app, page, context, site }) => {
  await open(app, page);
  await keep(page);
  await setPassphrase(page);
  const other = await context.newPage();
  await other.goto(site.url);
  await openKept(other);
  await expect(room(other)).toContainText('What is kept is locked.');
  // Deriving the key waits until the first page has locked.
  await other.evaluate(() => {
    const derive = SubtleCrypto.prototype.deriveKey;
    SubtleCrypto.prototype.deriveKey = async function (this: SubtleCrypto, ...given) {
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return derive.apply(this, given as Parameters<typeof derive>);
    } as typeof derive;
  });
  await unlock(other);
  await button(page, 'Lock now').click();
  await expect(refused(other)).toContainText('It was locked meanwhile', { timeout: 20_000 });
  await expect(room(other)).toContainText('What is kept is locked.');
  await expect(items(other)).toHaveCount(0);
});

test('a page that nobody uses for ten minutes is locked', async ({ app, page }) => {
  await page.clock.install();
  await open(app, page);
  await keep(page);
  await setPassphrase(page);
  await page.clock.fastForward('09:00');
  await expect(items(page)).toContainText(NAME);
  await page.keyboard.press('Shift');
  await page.clock.fastForward('09:00');
  await expect(items(page)).toContainText(NAME);
  await page.clock.fastForward('01:10');
  await expect(room(page)).toContainText('What is kept is locked.');
  await expect(page.locator('body')).not.toContainText(NAME);
  await unlock(page);
  await expect(items(page)).toContainText(NAME);
});

test('each picture is read once, and its address is given back', async ({ app, page }) => {
  await page.addInitScript(() => {
    const held = new Set<string>();
    Object.assign(globalThis, { held, made: 0 });
    const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
    URL.createObjectURL = (blob) => {
      const url = make(blob);
      if (blob instanceof Blob && blob.type === 'image/jpeg') {
        held.add(url);
        (globalThis as unknown as { made: number }).made += 1;
      }
      return url;
    };
    URL.revokeObjectURL = (url) => {
      held.delete(url);
      revoke(url);
    };
  });
  await open(app, page);
  await keep(page);
  const counts = () =>
    page.evaluate(() => {
      const { held, made } = globalThis as unknown as { held: Set<string>; made: number };
      return [held.size, made];
    });
  const [held, made] = (await counts()) as [number, number];
  await items(page).click();
  await expect(room(page).locator('dermlet-kept-photo img')).toBeVisible();
  await page.waitForTimeout(500);
  expect(await counts()).toEqual([held + 1, made + 1]);
  await button(page, 'All spots').click();
  await expect.poll(async () => (await counts())[0]).toBe(held);
});

test('where there is no database it says so, and what to do', async ({ app, page }) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('not here', 'SecurityError');
    };
  });
  await open(app, page);
  await expect(refused(page)).toContainText('Open the page in an ordinary window.');
});

test('a database that a newer page has made is left alone', async ({ app, page }) => {
  app.neverRefuse();
  await app.open();
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const request = indexedDB.open('dermlet-spots', 99);
        request.onupgradeneeded = () => void request.result.createObjectStore('entries');
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
      }),
  );
  await app.classify('spot.jpg');
  await openTool(page);
  await expect(refused(page)).toContainText('written by a newer version of this page');
});
