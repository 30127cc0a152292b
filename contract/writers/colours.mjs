// Colours and fonts as a script for the element, and as custom properties for the pages around it.
import { readFileSync } from 'node:fs';
import { MARK, single } from './text.mjs';

/**
 * @typedef {object} Looks
 * @property {Record<string, [light: string, dark: string]>} colours
 * @property {{ serif: string, sans: string }} fonts
 */

/** @returns {Looks} */
export const readLooks = () => JSON.parse(readFileSync(new URL('../colours.json', import.meta.url), 'utf8'));

/** @param {string} name */
const key = (name) => (/^\w+$/.test(name) ? name : single(name));

/** @param {Looks} looks */
export function colourScript({ colours, fonts }) {
  const rows = Object.entries(colours).map(
    ([name, [light, dark]]) => `  ${key(name)}: [${single(light)}, ${single(dark)}],`,
  );
  return `/** ${MARK} */

/** By the name of the custom property. */
export const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
${rows.join('\n')}
};

export const FONTS = {
  serif: ${JSON.stringify(fonts.serif)},
  sans: ${JSON.stringify(fonts.sans)},
};
`;
}

/**
 * By the device's scheme, or by that which `data-theme` names (web/public/theme.js).
 * @param {Looks} looks
 */
export function colourSheet({ colours, fonts }) {
  /** @type {(indent: string, place: 0 | 1) => string} */
  const all = (indent, place) =>
    Object.entries(colours)
      .map(([name, values]) => `${indent}--${name}: ${values[place]};`)
      .join('\n');
  return `/* ${MARK} */
:root {
${all('  ', 0)}
  --serif: ${fonts.serif};
  --sans: ${fonts.sans};
  color-scheme: light dark;
}

@media (prefers-color-scheme: dark) {
  :root:not([data-theme="light"]) {
${all('    ', 1)}
  }
}

:root[data-theme="light"] {
  color-scheme: light;
}

:root[data-theme="dark"] {
${all('  ', 1)}
  color-scheme: dark;
}
`;
}
