/**
 * Shared colours, typography and controls. Colours are custom properties of the outer element, inherited by its parts.
 */
import { css, unsafeCSS } from 'lit';

/** Light and dark. Text has a contrast of at least 4.5 : 1 to its background. */
const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  paper: ['#f6f2ea', '#161412'],
  card: ['#fffdf9', '#201d1a'],
  ink: ['#23201c', '#f2ede4'],
  muted: ['#625b51', '#b9b0a3'],
  line: ['#dbd2c3', '#3b352e'],
  edge: ['#8a8175', '#8d8477'],
  accent: ['#1c4a68', '#9acbe6'],
  'accent-hover': ['#123750', '#c0e1f3'],
  'on-accent': ['#ffffff', '#0c1a23'],
  'accent-soft': ['#e2ebf0', '#1d2c36'],
  bar: ['#1c4a68', '#9acbe6'],
  'bar-rest': ['#9fb3bf', '#4d6471'],
  track: ['#ece5d9', '#2f2a25'],
  high: ['#8f2a1b', '#ffb9a8'],
  'high-soft': ['#fae8e2', '#3b1e18'],
  moderate: ['#6f4500', '#f4cb7d'],
  'moderate-soft': ['#fbf0d8', '#33280f'],
  low: ['#324c75', '#b9cff4'],
  'low-soft': ['#e8eef7', '#1c2739'],
  unknown: ['#534d45', '#cdc5b9'],
  'unknown-soft': ['#eee8dd', '#2b2723'],
  'shade-near': ['rgb(60 45 20 / 8%)', 'rgb(0 0 0 / 40%)'],
  'shade-far': ['rgb(60 45 20 / 22%)', 'rgb(0 0 0 / 0%)'],
};

const declared = (value: (light: string, dark: string) => string) =>
  unsafeCSS(
    Object.entries(COLOURS)
      .map(([name, [light, dark]]) => `--${name}: ${value(light, dark)};`)
      .join(''),
  );

/**
 * For `<dermlet-classifier>` only. It follows the `color-scheme` that it inherits from the page; browsers without
 * `light-dark()` (before 2024) know only that of the system.
 */
export const tokens = css`
  :host {
    ${declared((light) => light)}
    /* Over photos, whatever is in them. */
    --over-light: #ffffff;
    --over-dark: rgb(20 16 12 / 85%);
    --over-shade: rgb(20 16 12 / 45%);
    --shade: 0 1px 2px var(--shade-near), 0 8px 24px -12px var(--shade-far);
    --serif: ui-serif, 'Iowan Old Style', 'Palatino Linotype', Palatino, 'Noto Serif', Georgia, serif;
    --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
  }
  @supports (color: light-dark(#000, #fff)) {
    :host {
      ${declared((light, dark) => `light-dark(${light}, ${dark})`)}
    }
  }
  @supports not (color: light-dark(#000, #fff)) {
    @media (prefers-color-scheme: dark) {
      :host {
        ${declared((_, dark) => dark)}
      }
    }
  }
`;

export const base = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :host {
    display: block;
    /* Long words, as in German, at the size of text that a person chose. */
    overflow-wrap: break-word;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd,
  figure,
  fieldset {
    margin: 0;
    padding: 0;
  }
  fieldset {
    border: 0;
    min-inline-size: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 3px;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button,
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 0.5rem;
    min-height: 2.75rem;
    padding: 0.5rem 1.1rem;
    border: 1px solid var(--edge);
    border-radius: 0.6rem;
    background: var(--card);
    color: var(--ink);
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }
  button:hover {
    border-color: var(--accent);
    background: var(--accent-soft);
  }
  button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover {
    border-color: var(--accent-hover);
    background: var(--accent-hover);
  }
  button.link {
    min-height: 2.25rem;
    padding: 0.25rem 0.4rem;
    border-color: transparent;
    background: none;
    color: var(--accent);
    text-decoration: underline;
    text-underline-offset: 0.2em;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.2em;
  }
  summary {
    min-height: 2.75rem;
    padding: 0.6rem 0;
    font-weight: 600;
    cursor: pointer;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
      animation: none !important;
    }
  }
`;
