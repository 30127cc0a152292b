import { focused } from './focused.js';
import { nextFrame } from './later.js';

/** Brings an element to the top of the screen. A Tab meanwhile ends that, and the focus that it moves stays in view. */
export function bringToTop(element: Element): void {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  element.scrollIntoView({ block: 'start', behavior: still ? 'instant' : 'smooth' });
  if (still) return;
  const ended = new AbortController();
  const { signal } = ended;
  addEventListener('scrollend', () => ended.abort(), { signal });
  addEventListener(
    'keydown',
    ({ key }) => {
      if (key !== 'Tab') return;
      ended.abort();
      scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' });
      // Chromium adds what it had scrolled by then, after it has brought the new focus into view.
      void nextFrame()
        .then(nextFrame)
        .then(() => focused()?.scrollIntoView({ block: 'nearest' }));
    },
    { capture: true, signal },
  );
}
