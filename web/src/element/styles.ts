/**
 * Shared colours, typography and controls. Colours are custom properties of the outer element, inherited by its parts.
 */
import { css, unsafeCSS } from 'lit';
import { COLOURS, FONTS } from './colours.js';

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
    --serif: ${unsafeCSS(FONTS.serif)};
    --sans: ${unsafeCSS(FONTS.sans)};
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
  .card {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1.25rem;
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
    /* Large text needs the room more than the edge does. */
    padding: 0.5rem min(1.1rem, 5cqi);
    border: 1px solid var(--edge);
    border-radius: 0.6rem;
    background: var(--card);
    color: var(--ink);
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }
  button svg {
    flex: none;
  }
  button:hover {
    border-color: var(--accent);
    background: var(--accent-soft);
  }
  /* The line is what tells it from one that is pointed at, and where colours are forced. */
  button[aria-pressed='true'],
  button[aria-expanded='true'] {
    border-color: var(--accent);
    background: var(--accent-soft);
    text-decoration: underline 0.15em;
    text-underline-offset: 0.3em;
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
  /* Grounds are not printed. */
  @media print {
    button.primary {
      color: var(--accent);
    }
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

/** What is typed into or chosen from. */
export const field = css`
  select,
  textarea,
  input:not([type='checkbox'], [type='radio']) {
    width: 100%;
    min-width: 0;
    min-height: 2.75rem;
    padding: 0.4rem 0.6rem;
    border: 1px solid var(--edge);
    border-radius: 0.6rem;
    background: var(--card);
    color: var(--ink);
    font: inherit;
    font-weight: 400;
    text-overflow: ellipsis;
  }
`;

/** Colours of the tier whose name an element has as its class. */
export const tierColours = css`
  .high {
    --tier: var(--high);
    --tier-soft: var(--high-soft);
  }
  .moderate {
    --tier: var(--moderate);
    --tier-soft: var(--moderate-soft);
  }
  .low {
    --tier: var(--low);
    --tier-soft: var(--low-soft);
  }
  .unknown {
    --tier: var(--unknown);
    --tier-soft: var(--unknown-soft);
  }
`;
