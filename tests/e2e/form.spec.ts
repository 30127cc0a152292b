/** The element in a form of a portal: what arrives there, and what does not. */
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { test as base, expect, type Page } from '@playwright/test';
import { Portal } from './portal.js';
import { picture } from './site.js';
import { withPlace } from './with-place.js';

type Classifier = HTMLElementTagNameMap['dermlet-classifier'];

interface Document {
  documentVersion: number;
  classifiedAt: string;
  photo: string | null;
  result: { outcome: string; tier: string; ranking: { id: string; probability: number }[]; images?: unknown };
}

const test = base.extend<{ portal: Portal }>({
  portal: async ({ context }, use) => {
    const portal = new Portal();
    await portal.open();
    const faults: string[] = [];
    context.on('weberror', (error) => faults.push(error.error().message));
    await use(portal);
    expect(faults).toEqual([]);
    await portal.close();
  },
});

const element = (attributes: string) =>
  `<dermlet-classifier model="dermlet/models/skin-8/" backend="wasm" name="skin" ${attributes}></dermlet-classifier>`;

const form = (attributes: string, more = 'action="/intake" method="post" enctype="multipart/form-data"') =>
  `<form ${more}><label>Note <input name="note"></label>${element(attributes)}
   <button>Send</button><button type="reset">Clear</button></form>
   <script type="module" src="dermlet/dermlet.js"></script>`;

async function open(page: Page, portal: Portal, body: string): Promise<void> {
  portal.pages.set('', body);
  await page.goto(portal.url);
  await expect(page.getByRole('button', { name: 'Choose photos' })).toBeVisible();
}

async function choose(page: Page, name: string): Promise<void> {
  const buffer = withPlace(readFileSync(picture('spot.jpg')));
  await page.locator('input#choose').setInputFiles({ name, mimeType: 'image/jpeg', buffer });
}

const answered = (page: Page) => expect(page.locator('#verdict')).toBeVisible({ timeout: 60_000 });
const consent = (page: Page) => page.getByRole('checkbox', { name: /^Also send/ });
const message = (page: Page) =>
  page.locator('dermlet-classifier').evaluate((there: Classifier) => there.validationMessage);

async function send(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Send' }).click();
  await expect(page.getByRole('heading', { name: 'Received' })).toBeVisible();
}

test('the answer travels with the form, the photo does not', async ({ page, portal }) => {
  await open(page, portal, form('required submit-photo="photo"'));
  await page.getByLabel('Note').fill('left arm');
  await choose(page, 'Emma.jpg');
  await answered(page);
  await expect(consent(page)).not.toBeChecked();
  await expect(consent(page)).toHaveAccessibleName(`Also send 1 whole photo to ${portal.origin}`);
  expect(portal.sent).toEqual([]);
  await send(page);
  const [sent] = portal.sent;
  const fields = await portal.fields(sent!);
  expect([...fields.keys()]).toEqual(['note', 'skin']);
  const document = JSON.parse(fields.get('skin') as string) as Document;
  expect(document.documentVersion).toBe(1);
  expect(document.photo).toBeNull();
  expect(document.result.ranking).toHaveLength(8);
  expect(document.result.images).toBeUndefined();
  expect(Math.abs(Date.now() - Date.parse(document.classifiedAt))).toBeLessThan(60_000);
  const body = sent!.body.toString('latin1');
  expect(body).not.toMatch(/Emma|PLACE-47|Exif/);
  expect(body.length).toBeLessThan(20_000);
});

test('with consent the photo goes too, without what its file held, under another name', async ({ page, portal }) => {
  await open(page, portal, form('required submit-photo="photo"'));
  await choose(page, 'Emma.jpg');
  await answered(page);
  await consent(page).check();
  await expect(page.getByText('The photo and its file name are not sent.')).toHaveCount(0);
  await send(page);
  const [sent] = portal.sent;
  const fields = await portal.fields(sent!);
  const document = JSON.parse(fields.get('skin') as string) as Document;
  const photo = fields.get('photo') as File;
  expect([photo.name, photo.type]).toEqual(['photo-1.jpg', 'image/jpeg']);
  expect(document.photo).toBe('photo-1.jpg');
  const bytes = Buffer.from(await photo.arrayBuffer());
  expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
  expect(sent!.body.toString('latin1')).not.toMatch(/Emma|PLACE-47|Exif/);
  // No segment but those that a picture needs: APP1 and later would hold EXIF, XMP or a maker's notes.
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2))
    expect([0xe0, 0xe2, 0xdb, 0xc0, 0xc4, 0xdd]).toContain(bytes[at + 1]);
  // The same picture, of the same size.
  const size = await page.evaluate(async (base64) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
    return [bitmap.width, bitmap.height];
  }, bytes.toString('base64'));
  const source = (document.result as unknown as { source: { width: number; height: number } }).source;
  expect(size).toEqual([source.width, source.height]);
});

test('it is not valid without an answer if it is required, and says so in its language', async ({ page, portal }) => {
  await open(page, portal, form('required'));
  const said = 'Choose a photo and wait for its answer.';
  await expect.poll(() => message(page)).toBe(said);
  await page.getByRole('button', { name: 'Send' }).click();
  expect(portal.sent).toEqual([]);
  // The browser shows it at the button that chooses.
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('DERMLET-CLASSIFIER');
  await choose(page, 'a.jpg');
  await expect.poll(() => message(page)).toMatch(/still being looked at/);
  await page.getByRole('button', { name: 'Send' }).click();
  await answered(page);
  await expect.poll(() => message(page)).toBe('');
  expect(portal.sent).toEqual([]);
  await send(page);
});

test('without a photo and not required, a form goes without; disabled likewise', async ({ page, portal }) => {
  await open(page, portal, form('').replace('<form', '<form id="one"'));
  // What takes part in a form comes a moment later, and until then the form is not sent.
  await expect(page.locator('dermlet-classifier:valid')).toBeVisible();
  await send(page);
  expect([...(await portal.fields(portal.sent[0]!)).keys()]).toEqual(['note']);
  await open(page, portal, form('required'));
  await choose(page, 'a.jpg');
  await answered(page);
  await page.locator('dermlet-classifier').evaluate((there: Classifier) => (there.disabled = true));
  await expect(page.locator('dermlet-classifier .stack .stack')).toHaveAttribute('inert');
  await send(page);
  expect([...(await portal.fields(portal.sent[1]!)).keys()]).toEqual(['note']);
});

test('a fieldset disables it: nothing is taken', async ({ page, portal }) => {
  await open(
    page,
    portal,
    form('').replace('<dermlet', '<fieldset><dermlet').replace('</dermlet-classifier>', '$&</fieldset>'),
  );
  const drop = () =>
    page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['x'], 'dropped.jpg'));
      const there = document.querySelector('dermlet-classifier')!;
      there.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));
    });
  await page.evaluate(() => (document.querySelector('fieldset')!.disabled = true));
  await page.waitForTimeout(100);
  await drop();
  await expect(page.locator('dermlet-classifier')).not.toHaveAttribute('filled');
  await page.evaluate(() => (document.querySelector('fieldset')!.disabled = false));
  await page.waitForTimeout(100);
  await drop();
  await expect(page.locator('dermlet-classifier')).toHaveAttribute('filled');
});

test('a reset forgets photos, answers and consent; going back restores none', async ({ page, portal }) => {
  await open(page, portal, form('submit-photo="photo"'));
  await choose(page, 'a.jpg');
  await answered(page);
  await consent(page).check();
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(page.locator('dermlet-classifier')).not.toHaveAttribute('filled');
  await expect(page.locator('#verdict')).toHaveCount(0);
  await choose(page, 'b.jpg');
  await answered(page);
  await expect(consent(page)).not.toBeChecked();
  await consent(page).check();
  await send(page);
  await page.goBack();
  // A browser that kept the whole page in memory shows it as it was left; one that loads it anew has nothing of it.
  const kept = await page.evaluate(
    () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).type,
  );
  if (kept === 'back_forward') {
    await expect(page.locator('dermlet-classifier')).not.toHaveAttribute('filled');
    await page.getByRole('button', { name: 'Send' }).click();
    await expect(page.getByRole('heading', { name: 'Received' })).toBeVisible();
    expect([...(await portal.fields(portal.sent.at(-1)!)).keys()]).toEqual(['note']);
  }
});

test('consent is about these photos and this receiver, and no others', async ({ page, portal }) => {
  const other = new Portal();
  await other.open();
  try {
    await open(
      page,
      portal,
      form('submit-photo="photo"').replace('</form>', `<button formaction="${other.url}x">Elsewhere</button></form>`),
    );
    await choose(page, 'a.jpg');
    await answered(page);
    await consent(page).check();
    await expect.poll(() => message(page)).toBe('');
    // Another photo.
    await choose(page, 'b.jpg');
    await expect(consent(page)).not.toBeChecked();
    await expect(page.getByText('Tick it again if you still want')).toBeVisible();
    await expect.poll(() => message(page), { timeout: 60_000 }).toBe('');
    await consent(page).check();
    await expect(consent(page)).toHaveAccessibleName(/2 whole photos/);
    await expect.poll(() => message(page)).toBe('');
    // A button that sends the form elsewhere sends nothing at first, and then no photo.
    await page.getByRole('button', { name: 'Elsewhere' }).click();
    await expect(consent(page)).not.toBeChecked();
    await expect(consent(page)).toHaveAccessibleName(`Also send 2 whole photos to ${other.origin}`);
    expect(other.sent).toEqual([]);
    await page.getByRole('button', { name: 'Elsewhere' }).click();
    await expect(page.getByRole('heading', { name: 'Received' })).toBeVisible();
    expect([...(await other.fields(other.sent[0]!)).keys()]).toEqual(['note', 'skin', 'skin']);
    expect(portal.sent).toEqual([]);
  } finally {
    await other.close();
  }
});

test('nothing of an answer is put into an address', async ({ page, portal }) => {
  await open(page, portal, form('submit-photo="photo"', 'action="/intake"'));
  await choose(page, 'a.jpg');
  await answered(page);
  await expect(page.getByText('This form is not made to carry the answer')).toBeVisible();
  await expect(consent(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Send' }).click();
  expect(page.url()).toBe(portal.url);
  expect(await page.evaluate(() => [...new FormData(document.querySelector('form')!).keys()])).toEqual(['note']);
});

test('its words are reachable by keyboard and pass axe', async ({ page, portal }) => {
  await open(page, portal, form('required submit-photo="photo"'));
  await expect(page.getByText('It leaves this device only if you tick the box')).toBeVisible();
  await choose(page, 'a.jpg');
  await answered(page);
  await consent(page).focus();
  await page.keyboard.press('Space');
  await expect(consent(page)).toBeChecked();
  const { violations } = await new AxeBuilder({ page: page as never }).include('dermlet-classifier').analyze();
  expect(violations).toEqual([]);
});
