/**
 * Light, dark, or as the device has it. The choice is kept on this device; `public/theme.js` puts it on the document
 * before anything is drawn. `page.css` turns it into a `color-scheme`, which the elements follow.
 */
const KEY = 'dermlet-theme';

function store(theme: string): void {
  try {
    if (theme === '') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is absent or throws in some privacy modes: the choice then lasts until the page is closed.
  }
}

/** Lets a person choose in `place`, which holds a radio button for each theme. */
export function offerThemes(place: HTMLElement): void {
  const root = document.documentElement;
  for (const radio of place.querySelectorAll<HTMLInputElement>('input')) {
    radio.checked = radio.value === (root.dataset.theme ?? '');
    radio.addEventListener('change', () => {
      store(radio.value);
      if (radio.value === '') delete root.dataset.theme;
      else root.dataset.theme = radio.value;
    });
  }
}
