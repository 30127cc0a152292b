/**
 * The offer to install the page as an app, in the settings: a button where the browser has a dialogue for it, words
 * where a person does it by hand (iPhone, iPad). Nothing pops up. That it is not wanted is kept on this device.
 */
import { isApple } from '../element/index.js';

/** Chromium's event that the page can be installed; its dialogue can be shown once. */
interface InstallEvent extends Event {
  prompt(): Promise<unknown>;
  readonly userChoice: Promise<{ readonly outcome: 'accepted' | 'dismissed' }>;
}

const KEY = 'dermlet-install';
const UNWANTED = 'no';

/** Storage is absent or throws in some privacy modes: then it is offered again. */
function isUnwanted(): boolean {
  try {
    return localStorage.getItem(KEY) === UNWANTED;
  } catch {
    return false;
  }
}

function remember(): void {
  try {
    localStorage.setItem(KEY, UNWANTED);
  } catch {
    // See above.
  }
}

/** Whether it runs as an app already. */
const isInstalled = (): boolean =>
  (navigator as { standalone?: boolean }).standalone === true || !matchMedia('(display-mode: browser)').matches;

/** @param place holds the words, two buttons (install, never) and the words for iPhone and iPad */
export function offerInstall(place: HTMLElement): void {
  const [take, leave] = place.querySelectorAll('button');
  const byHand = place.querySelector<HTMLElement>('#install-by-hand')!;
  let asked: InstallEvent | undefined;
  /** Where the focus was is gone with it. */
  const close = () => {
    place.hidden = true;
    place.closest('details')?.querySelector('summary')?.focus();
  };

  addEventListener('beforeinstallprompt', (event) => {
    // Otherwise the browser shows an offer of its own.
    event.preventDefault();
    if (isUnwanted()) return;
    asked = event as InstallEvent;
    place.hidden = take!.hidden = false;
    byHand.hidden = true;
  });
  addEventListener('appinstalled', () => {
    place.hidden = true;
  });
  take!.addEventListener('click', async () => {
    const event = asked;
    asked = undefined;
    close();
    await event?.prompt();
    if ((await event?.userChoice)?.outcome === 'dismissed') remember();
  });
  leave!.addEventListener('click', () => {
    close();
    remember();
  });
  if (isApple && !isInstalled() && !isUnwanted()) {
    place.hidden = byHand.hidden = false;
    take!.hidden = true;
  }
}
