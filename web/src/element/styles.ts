/**
 * Shared colours, typography and controls. Colours are custom properties of the outer element, inherited by its parts.
 */
import { css } from 'lit';

/** For `<dermlet-classifier>` only. Text has a contrast of at least 4.5 : 1 to its background. */
export const tokens = css`
  :host {
    --paper: #f6f2ea;
    --card: #fffdf9;
    --ink: #23201c;
    --muted: #625b51;
    --line: #dbd2c3;
    --edge: #8a8175;
    --accent: #1c4a68;
    --accent-hover: #123750;
    --on-accent: #ffffff;
    --accent-soft: #e2ebf0;
    --bar: #1c4a68;
    --bar-rest: #9fb3bf;
    --track: #ece5d9;
    --high: #8f2a1b;
    --high-soft: #fae8e2;
    --moderate: #6f4500;
    --moderate-soft: #fbf0d8;
    --low: #324c75;
    --low-soft: #e8eef7;
    --unknown: #534d45;
    --unknown-soft: #eee8dd;
    --shade: 0 1px 2px rgb(60 45 20 / 8%), 0 8px 24px -12px rgb(60 45 20 / 22%);
    --serif: ui-serif, 'Iowan Old Style', 'Palatino Linotype', Palatino, 'Noto Serif', Georgia, serif;
    --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
    color-scheme: light dark;
  }
  @media (prefers-color-scheme: dark) {
    :host {
      --paper: #161412;
      --card: #201d1a;
      --ink: #f2ede4;
      --muted: #b9b0a3;
      --line: #3b352e;
      --edge: #8d8477;
      --accent: #9acbe6;
      --accent-hover: #c0e1f3;
      --on-accent: #0c1a23;
      --accent-soft: #1d2c36;
      --bar: #9acbe6;
      --bar-rest: #4d6471;
      --track: #2f2a25;
      --high: #ffb9a8;
      --high-soft: #3b1e18;
      --moderate: #f4cb7d;
      --moderate-soft: #33280f;
      --low: #b9cff4;
      --low-soft: #1c2739;
      --unknown: #cdc5b9;
      --unknown-soft: #2b2723;
      --shade: 0 1px 2px rgb(0 0 0 / 40%);
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
