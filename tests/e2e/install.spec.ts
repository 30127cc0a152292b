/** The page as an installed app: the manifest, the offer, and pictures that the device opens with it. */
import { readFileSync } from 'node:fs';
import { FORMAT_FILES } from '../../web/src/classifier/contract.js';
import { expect, picture, test } from './fixtures.js';

test.use({ serviceWorkers: 'allow' });

interface Outcome {
  prompted: number;
  prevented: boolean;
}

/** Chromium's event, which only windows have that can install; `outcome`: what a person answers the dialogue. */
function offered(outcome: 'accepted' | 'dismissed'): Outcome {
  const told: Outcome = { prompted: 0, prevented: false };
  (window as unknown as { told: Outcome }).told = told;
  const event = Object.assign(new Event('beforeinstallprompt', { cancelable: true }), {
    prompt: async () => void (told.prompted += 1),
    userChoice: Promise.resolve({ outcome }),
  });
  dispatchEvent(event);
  told.prevented = event.defaultPrevented;
  return told;
}

test('the browser reads the manifest without an error, and its icons are what it says', async ({ app, page, site }) => {
  await app.open();
  const session = await page.context().newCDPSession(page);
  const { errors, url, data } = await session.send('Page.getAppManifest');
  expect(url).toBe(`${site.url}site.webmanifest`);
  expect(errors).toEqual([]);
  const { icons, file_handlers: handlers, ...manifest } = JSON.parse(data!);
  expect(manifest).toMatchObject({ name: 'Dermlet', start_url: './', scope: './', display: 'standalone' });
  const sizes = await page.evaluate(
    (sources: string[]) =>
      Promise.all(
        sources.map(async (src) => {
          const image = new Image();
          image.src = src;
          await image.decode();
          return `${image.naturalWidth}x${image.naturalHeight}`;
        }),
      ),
    icons.map(({ src }: { src: string }) => src),
  );
  for (const [i, { sizes: said, type }] of icons.entries()) {
    if (type === 'image/svg+xml') expect(said).toBe('any');
    else expect(sizes[i]).toBe(said);
  }
  const formats = Object.values(FORMAT_FILES);
  expect(handlers).toEqual([
    {
      action: './',
      accept: Object.fromEntries(formats.flatMap(({ types, extensions }) => types.map((type) => [type, extensions]))),
    },
  ]);
});

test('no photo can reach the installed page by a request', async ({ site }) => {
  // Where the service worker is gone, what is shared is sent to the host (docs/hosting.md).
  const manifest = JSON.parse(site.read('site.webmanifest').toString());
  expect(Object.keys(manifest).filter((key) => /share_target|protocol_handlers|note_taking/.test(key))).toEqual([]);
});

test('no offer to install where the browser makes none', async ({ app, page }) => {
  await app.open();
  await app.settings();
  await expect(page.getByText('Colours')).toBeVisible();
  await expect(page.locator('#install')).toBeHidden();
});

test('the offer is a button in the settings, and asks the browser once', async ({ app, page }) => {
  await app.open();
  expect(await page.evaluate(offered, 'accepted' as const)).toEqual({ prompted: 0, prevented: true });
  await expect(page.getByRole('button', { name: 'Install' })).toBeHidden(); // the settings are closed: nothing pops up
  await app.settings();
  await page.getByRole('button', { name: 'Install', exact: true }).click();
  expect(await page.evaluate(() => (window as unknown as { told: Outcome }).told.prompted)).toBe(1);
  await expect(page.locator('#install')).toBeHidden();
  await expect(page.locator('#settings > summary')).toBeFocused();
});

test('an offer that is not wanted is not made again', async ({ app, page }) => {
  await app.open();
  await page.evaluate(offered, 'dismissed' as const);
  await app.settings();
  await page.getByRole('button', { name: 'Do not offer this again' }).click();
  await expect(page.locator('#install')).toBeHidden();
  await page.reload();
  await app.untilReady();
  expect(await page.evaluate(offered, 'dismissed' as const)).toMatchObject({ prevented: true });
  await app.settings();
  await expect(page.locator('#install')).toBeHidden();
});

test.describe('on an iPhone', () => {
  test.use({ userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1' });

  test('words say how it is done', async ({ app, page }) => {
    await app.open();
    await app.settings();
    await expect(page.locator('#install-by-hand')).toContainText('Add to Home Screen');
    await expect(page.getByRole('button', { name: 'Install', exact: true })).toBeHidden();
  });
});

test('pictures that the device opens with the installed page are scored like chosen ones', async ({ app, page }) => {
  await page.addInitScript(() => {
    const launched = window as unknown as { launch: (params: unknown) => void };
    const queue = { setConsumer: (take: (params: unknown) => void) => (launched.launch = take) };
    Object.defineProperty(window, 'launchQueue', { value: queue });
  });
  await app.open();
  await page.evaluate(
    (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const handle = { kind: 'file', getFile: async () => new File([bytes], 'opened.jpg', { type: 'image/jpeg' }) };
      const gone = { kind: 'file', getFile: () => Promise.reject(new DOMException('gone', 'NotFoundError')) };
      (window as unknown as { launch: (params: unknown) => void }).launch({ files: [handle, gone] });
    },
    readFileSync(picture('spot.jpg')).toString('base64'),
  );
  await expect(app.verdict).toBeVisible();
  expect((await app.results()).map(({ name }) => name)).toEqual(['opened.jpg']);
  await expect(app.notice).toContainText('could not be read');
});
