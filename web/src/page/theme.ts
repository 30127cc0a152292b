/**
 * Light, dark, or as the device has it. The choice is kept on this device; `public/theme.js` puts it on the document
 * before anything is drawn. The colours are the element's own, given to the elements from outside.
 */
import { tokens } from '../element/index.js';

const KEY = 'dermlet-theme';

function store(theme: string): void {
  try {
    if (theme === '') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is absent or throws in some privacy modes: the choice then lasts until the page is closed.
  }
}

/** What stands in each `:host` of the element's colours: the light ones, then what the dark ones change. */
function declarations(): { light: string; dark: string } {
  const [light = '', dark = ''] = [...tokens.cssText.matchAll(/:host\s*\{([^}]*)\}/g)].map(
    ([, inside]) => inside ?? '',
  );
  return { light, dark: light + dark };
}

function sheet(): CSSStyleSheet {
  const { light, dark } = declarations();
  const colours = new CSSStyleSheet();
  const rule = (theme: string, inside: string) =>
    `[data-theme=${theme}] :is(dermlet-classifier, dermlet-model-choice) { ${inside} color-scheme: ${theme}; }`;
  colours.replaceSync(rule('light', light) + rule('dark', dark));
  return colours;
}

/** Lets a person choose in `place`, which holds a radio button for each theme. */
export function offerThemes(place: HTMLElement): void {
  const root = document.documentElement;
  if ('adoptedStyleSheets' in document) document.adoptedStyleSheets.push(sheet());
  for (const radio of place.querySelectorAll<HTMLInputElement>('input')) {
    radio.checked = radio.value === (root.dataset.theme ?? '');
    radio.addEventListener('change', () => {
      store(radio.value);
      if (radio.value === '') delete root.dataset.theme;
      else root.dataset.theme = radio.value;
    });
  }
}
