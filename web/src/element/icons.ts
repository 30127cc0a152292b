/** Icons in the current text colour. Decorative: the text next to them says the same. */
import { svg } from 'lit';
import { html } from './html.js';

/** @param size pixels at the size of text that browsers begin with, and with that */
const stroke = (size: number, body: unknown) =>
  html`<svg
    aria-hidden="true"
    width=${`${size / 16}rem`}
    height=${`${size / 16}rem`}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    ${body}
  </svg>`;

export const plusIcon = stroke(18, svg`<path d="M12 5v14M5 12h14" />`);
export const cameraIcon = stroke(18, svg`<path d="M4 8h3l2-3h6l2 3h3v11H4z" /><circle cx="12" cy="13" r="3.5" />`);
export const closeIcon = stroke(14, svg`<path d="M6 6l12 12M18 6L6 18" />`);
export const alertIcon = stroke(22, svg`<path d="M12 4l9 16H3z" /><path d="M12 10v4M12 17v.01" />`);

/** One icon per concern tier, distinguishable by shape rather than colour. */
export const tierIcons = {
  high: stroke(26, svg`<path d="M12 3l10 18H2z" /><path d="M12 10v5M12 18v.01" />`),
  moderate: stroke(26, svg`<path d="M12 2l10 10-10 10L2 12z" /><path d="M12 8v5M12 16v.01" />`),
  low: stroke(26, svg`<circle cx="12" cy="12" r="9.5" /><path d="M12 7.5V12l3 2.5" />`),
  unknown: stroke(26, svg`<circle cx="12" cy="12" r="9.5" stroke-dasharray="3 3.6" /><path d="M8.5 12h7" />`),
};

const TICKS = Array.from({ length: 60 }, (_, index) => index);

/** The scale ring of a dermatoscope around a spot. */
export const lensFigure = html`<svg aria-hidden="true" viewBox="0 0 120 120" width="100%" height="100%" fill="none"
  stroke="currentColor">
  <circle cx="60" cy="60" r="57" stroke-width="2" />
  ${TICKS.map(
    (tick) =>
      svg`<path d=${tick % 5 === 0 ? 'M60 7v8' : 'M60 7v4'} stroke-width=${tick % 5 === 0 ? 1.6 : 0.9}
        transform=${`rotate(${tick * 6} 60 60)`} />`,
  )}
  <circle cx="60" cy="60" r="41" stroke-width="1" opacity=".45" />
  <path
    d="M45 56c1-9 9-14 17-13 9 1 15 8 14 17-1 8-5 15-14 16-8 1-13-2-16-8-2-4-2-8-1-12z"
    fill="currentColor"
    stroke="none"
    opacity=".88"
  />
  <path d="M23 60h9M88 60h9M60 23v9M60 88v9" stroke-width="1.4" />
</svg>`;
